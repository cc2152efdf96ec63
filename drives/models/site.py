from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from organizations.models import Organization
from organizations.translated_text import TranslatedField


def validate_zone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError(
            _("“%(name)s” is not a time zone. Choose one, for example America/Los_Angeles."),
            code="unknown_zone",
            params={"name": name},
        )


class Site(models.Model):
    """A location for drives. Its time zone applies to all drives there."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="sites")
    name = models.CharField(max_length=120)
    sms_name = models.CharField(max_length=20)
    address = models.CharField(max_length=200)
    city = models.CharField(max_length=80)
    region = models.CharField(max_length=40, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=2, default="US")
    timezone = models.CharField(max_length=64, validators=[validate_zone])
    map_url = models.URLField(blank=True)
    arrival_note = TranslatedField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"{self.name}, {self.city}"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def full_address(self) -> str:
        return ", ".join(
            part for part in (self.address, self.city, f"{self.region} {self.postal_code}".strip()) if part
        )


class CollectionCenter(models.Model):
    """The licensed center that takes the plasma at a drive."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="centers")
    name = models.CharField(max_length=120)
    phone = models.CharField(max_length=20, blank=True)
    required_documents = TranslatedField(max_length=200, blank=True)  # "photo ID, proof of address"
    website = models.URLField(blank=True)

    def __str__(self) -> str:
        return self.name
