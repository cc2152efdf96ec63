"""The audit log. It is append-only, and contains ids and field names but no personal data."""

from django.db import models

from organizations.models.organization import Organization


class AuditEntry(models.Model):
    # None: rows of the whole installation, for example its users
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, null=True, related_name="audit_entries", db_index=False
    )
    actor = models.CharField(max_length=60)
    verb = models.CharField(max_length=40)
    about = models.CharField(max_length=60)
    fields = models.JSONField(default=list)
    at = models.DateTimeField()

    class Meta:
        indexes = [
            # The audit page lists an organization's entries, newest first.
            models.Index(fields=["organization", "-at", "-id"], name="audit_of_an_organization"),
            # A person's page lists the changes of their record.
            models.Index(fields=["about", "-at", "-id"], name="audit_about_a_record"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor} {self.verb} {self.about}"
