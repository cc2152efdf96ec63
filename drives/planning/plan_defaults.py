"""What the plan's form starts from: an existing drive, or what the last one was like."""

from datetime import time
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import override

from drives.eligibility import policy_choices
from drives.models import Drive, Site
from drives.planning.forms import NEW_SITE, STRICTER
from organizations.models import Organization


def initial_of(drive: Drive) -> dict[str, Any]:
    """An existing drive as this form shows it; lengths that are the program's own stay empty."""
    same = (
        "title",
        "on",
        "opens",
        "closes",
        "chairs",
        "screening_places",
        "step_minutes",
        "goal",
        "description",
        "description_es",
        "bring",
        "bring_es",
    )
    rest = ("phone", "version", "grace_minutes", "breaks", *STRICTER)
    initial: dict[str, Any] = {name: getattr(drive, name) for name in (*same, *rest)}
    initial |= {"site": str(drive.site_id), "policy": drive.policy_id}
    initial |= {"cause": drive.cause_id, "collector": drive.collector_id}
    for number, (starts, ends) in enumerate(drive.breaks, 1):
        initial |= {f"break_{number}_from": starts, f"break_{number}_to": ends}
    for name, usual in policy_choices.policy_minutes(drive.policy).items():
        steps = getattr(drive, f"{name}_steps")
        initial[name] = None if steps == -(-usual // drive.step_minutes) else steps * drive.step_minutes
    return initial


def usual_plan(organization: Organization) -> dict[str, Any]:
    """What a new drive starts from: the last one's plan without its day, or a plain day."""
    last = Drive.objects.of(organization).select_related("policy").order_by("-created_at", "-pk").first()
    if last:
        return {**initial_of(last), "on": None, "version": None}
    first_site = Site.objects.filter(organization=organization).order_by("pk").first()
    plain = {"title": _("Plasma drive"), "opens": time(9), "closes": time(15), "step_minutes": 15}
    places = {"chairs": 4, "screening_places": 2, "site": str(first_site.pk) if first_site else NEW_SITE}
    bring = {"bring": _photo_id("en"), "bring_es": _photo_id("es")}
    return {**plain, **places, **bring, "phone": organization.phone}


def _photo_id(language: str) -> str:
    with override(language):
        return _("Photo ID")
