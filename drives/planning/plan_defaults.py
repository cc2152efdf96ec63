from datetime import time

from django.utils.translation import gettext_noop

from drives.capacity import visit_length
from drives.domain import forecast
from drives.domain import grid as domain_grid
from drives.eligibility import policy_choices
from drives.models import CollectionCenter, Drive, Site, Visit
from organizations import translated_text
from organizations.models import Cause, Organization


def build_default_drive(organization: Organization) -> Drive:
    last = Drive.objects.of(organization).select_related("policy").order_by("-created_at", "-pk").first()
    if last:
        return last.build_copy(day=None)
    drive = Drive(
        organization=organization,
        title=translated_text.translate_sentence(gettext_noop("Plasma drive"), organization.language),
        opens=time(9),
        closes=time(15),
        site=Site.objects.filter(organization=organization).order_by("pk").first(),
        cause=Cause.objects.filter(organization=organization).order_by("pk").first(),
        center=CollectionCenter.objects.filter(organization=organization).order_by("pk").first(),
        chairs=4,
        screening_stations=2,
        bring=translated_text.translate_sentence(gettext_noop("Photo ID"), organization.language),
        phone=organization.phone,
    )
    _set_program(drive)
    return drive


def build_default_site(organization: Organization) -> Site:
    return Site(organization=organization, country=organization.country, timezone=organization.timezone)


def _set_program(drive: Drive) -> None:
    """Set the organization's donation program, with its visit lengths."""
    policies = policy_choices.list_newest_policies(drive.organization)
    policy = policies.filter(code=drive.organization.program).first() if drive.organization.program else None
    if policy:
        drive.policy = policy
        for name, minutes in policy_choices.build_visit_minutes(policy).items():
            setattr(drive, f"{name}_steps", -(-minutes // drive.step_minutes))  # rounded up
        drive.goal = _suggest_goal(drive)


def _suggest_goal(drive: Drive) -> int | None:
    """Return the highest goal whose bookings fit even if all of them are first visits."""
    steps = 60 * (drive.closes.hour - drive.opens.hour) // drive.step_minutes
    shape = visit_length.compute_visit_shape(drive, Visit.FIRST)
    visits = domain_grid.count_fitting_visits([drive.screening_stations] * steps, [drive.chairs] * steps, shape)
    return forecast.compute_highest_goal(visits, forecast.PLANNING_RATE) or None
