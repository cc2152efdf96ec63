"""What a new drive starts from."""

from datetime import time

from django.utils.translation import gettext as _
from django.utils.translation import override

from drives.models import Drive, Site
from organizations.models import Organization


def usual_drive(organization: Organization) -> Drive:
    """An unsaved drive without a day, planned as the last one was, or a plain day."""
    last = Drive.objects.of(organization).select_related("policy").order_by("-created_at", "-pk").first()
    if last:
        return last.planned_again(on=None)
    return Drive(
        organization=organization,
        title=_("Plasma drive"),
        opens=time(9),
        closes=time(15),
        site=Site.objects.filter(organization=organization).order_by("pk").first(),
        chairs=4,
        screening_places=2,
        bring=_photo_id("en"),
        bring_es=_photo_id("es"),
        phone=organization.phone,
    )


def _photo_id(language: str) -> str:
    with override(language):
        return _("Photo ID")
