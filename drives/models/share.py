import secrets

from django.db import models

from drives.domain import visitor_count
from drives.models.drive import Drive
from organizations.models import Organization

CODE_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # no i, l, o, 0 or 1, which are easily misread


def generate_code() -> str:
    return "r" + "".join(secrets.choice(CODE_LETTERS) for _position in range(6))


class ShareLinkQuerySet(models.QuerySet["ShareLink"]):
    def of(self, organization: Organization) -> "ShareLinkQuerySet":
        return self.filter(drive__organization=organization)


class ShareLink(models.Model):
    """A recruiter's link to a drive. Bookings made through the link refer to this row."""

    drive = models.ForeignKey(Drive, on_delete=models.CASCADE, related_name="share_links")
    name = models.CharField(max_length=60)  # the recruiter's name, or the place where the link is posted
    code = models.CharField(max_length=8, unique=True, default=generate_code)
    visitors = models.BinaryField(
        default=visitor_count.build_empty_field
    )  # bits for the estimate in docs/decisions/0038
    created_at = models.DateTimeField()

    objects = ShareLinkQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["drive", "name"], name="one_share_link_per_drive_and_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def visits(self) -> int:
        return visitor_count.estimate_visitors(bytes(self.visitors))
