from datetime import time

from django.utils.translation import gettext_noop

from drives.models import Drive, Site
from organizations import translated_text
from organizations.models import Organization


def build_default_drive(organization: Organization) -> Drive:
    last = Drive.objects.of(organization).select_related("policy").order_by("-created_at", "-pk").first()
    if last:
        return last.build_copy(day=None)
    return Drive(
        organization=organization,
        title=translated_text.translate_sentence(gettext_noop("Plasma drive"), organization.language),
        opens=time(9),
        closes=time(15),
        site=Site.objects.filter(organization=organization).order_by("pk").first(),
        chairs=4,
        screening_stations=2,
        bring=translated_text.translate_sentence(gettext_noop("Photo ID"), organization.language),
        phone=organization.phone,
    )
