"""What a new drive starts from."""

from datetime import time

from django.utils.translation import gettext_noop

from drives.models import Drive, Site
from organizations import translated
from organizations.models import Organization


def usual_drive(organization: Organization) -> Drive:
    """An unsaved drive without a day, planned as the last one was, or a plain day."""
    last = Drive.objects.of(organization).select_related("policy").order_by("-created_at", "-pk").first()
    if last:
        return last.planned_again(on=None)
    return Drive(
        organization=organization,
        title=translated.translated(gettext_noop("Plasma drive"), organization.language),
        opens=time(9),
        closes=time(15),
        site=Site.objects.filter(organization=organization).order_by("pk").first(),
        chairs=4,
        screening_places=2,
        bring=translated.translated(gettext_noop("Photo ID"), organization.language),
        phone=organization.phone,
    )
