from django.db import models

from organizations.models import Organization


class MailboxRefusals(models.Model):
    """How often a mailbox has permanently refused an organization's e-mails since it last accepted one."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    address_hash = models.CharField(max_length=64)  # keyed, so that the row contains no e-mail address
    count = models.PositiveSmallIntegerField(default=1)
    error_code = models.CharField(max_length=40)
    refused_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "address_hash"], name="one_row_of_refusals_per_mailbox")
        ]

    def __str__(self) -> str:
        return f"{self.count} refusals, the last on {self.refused_at:%Y-%m-%d}"
