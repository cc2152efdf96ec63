"""The plan of messages that holds for a drive, and what an organization says in its own words."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q

from drives.domain import reminder_times
from drives.domain.reminder_times import Line, Plan
from drives.messaging.texts.catalog import Own, OwnWords
from drives.models import EXPECTED, Booking, Drive, DriveState, OwnText, PlanLine
from notifications.quiet_hours import QuietHours
from organizations.models import Organization


def organization_plan(organization: Organization) -> Plan:
    """The plan of an organization: ours, with what it changed. One query."""
    rows = PlanLine.objects.filter(organization=organization, drive=None)
    return reminder_times.merged(reminder_times.DEFAULT_PLAN, map(_line, rows))


def drive_plans(organization: Organization, drive_ids: Collection[int]) -> dict[int, Plan]:
    """The plans that hold for drives of one organization: their own where they have one. One query."""
    rows = PlanLine.objects.filter(Q(drive=None) | Q(drive__in=drive_ids), organization=organization)
    of_organization: list[Line] = []
    of_drives: dict[int, list[Line]] = {}
    for row in rows:
        lines = of_organization if row.drive_id is None else of_drives.setdefault(row.drive_id, [])
        lines.append(_line(row))
    common = reminder_times.merged(reminder_times.DEFAULT_PLAN, of_organization)
    return {pk: reminder_times.merged(common, of_drives.get(pk, ())) for pk in drive_ids}


def drive_plan(drive: Drive) -> Plan:
    """The plan that holds for a drive. One query."""
    return drive_plans(drive.organization, [drive.pk])[drive.pk]


def quiet_hours(drive: Drive) -> QuietHours:
    """When nothing may leave for a drive, on the clocks of its site."""
    organization = drive.organization
    return QuietHours(drive.site.zone, organization.quiet_until_hour, organization.quiet_from_hour)


def own_words(organization_ids: Collection[int | None]) -> dict[int, Own]:
    """What organizations say in their own words, by kind and language. One query."""
    found: dict[int, dict[tuple[str, str], OwnWords]] = {pk: {} for pk in organization_ids if pk is not None}
    for row in OwnText.objects.filter(organization__in=found):
        found[row.organization_id][row.kind, row.language] = OwnWords(row.text, row.opening)
    return dict(found)


@dataclass(frozen=True)
class DriveMessages:
    """A coming drive on the page of messages: whether its plan is its own, how many people get reminders."""

    drive: Drive
    has_own_plan: bool
    people: int


def drives_with_messages(organization: Organization, now: datetime) -> list[DriveMessages]:
    """Coming drives with what the page of messages shows of each, the next first. One query."""
    rows = Drive.objects.of(organization).filter(ends_at__gt=now).exclude(state=DriveState.CANCELLED)
    annotated: Any = rows.select_related("site", "organization", "policy").annotate(
        own_plan=Exists(PlanLine.objects.filter(drive=OuterRef("pk"))),
        people=Count("bookings", filter=Q(bookings__state__in=EXPECTED)),
    )
    return [DriveMessages(row, row.own_plan, row.people) for row in annotated.order_by("starts_at", "pk")]


def bookings_to_remind(drive_ids: Collection[int], now: datetime) -> list[int]:
    """The bookings of these drives that may still be reminded, by id."""
    rows = Booking.objects.filter(drive__in=drive_ids, state__in=EXPECTED, starts_at__gt=now, volunteer__isnull=False)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _line(row: PlanLine) -> Line:
    return Line(row.kind, row.way, days=row.days, hours=row.hours, on=row.on)
