"""The plan of messages that holds for a drive, and what an organization says in its own words."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q

from drives.domain import reminder_times
from drives.domain.reminder_times import EntrySettings, MessageSchedule
from drives.messaging.texts.catalog import CustomTexts, TextTemplate
from drives.models import EXPECTED_STATES, Booking, CustomText, Drive, DriveState, ScheduleEntry
from notifications.quiet_hours import QuietHours
from organizations.models import Organization


def load_organization_schedule(organization: Organization) -> MessageSchedule:
    """The plan of an organization: ours, with what it changed. One query."""
    rows = ScheduleEntry.objects.filter(organization=organization, drive=None)
    return reminder_times.merge_schedule(reminder_times.DEFAULT_SCHEDULE, map(_line, rows))


def load_drive_schedules(organization: Organization, drive_ids: Collection[int]) -> dict[int, MessageSchedule]:
    """The plans that hold for drives of one organization: their own where they have one. One query."""
    rows = ScheduleEntry.objects.filter(Q(drive=None) | Q(drive__in=drive_ids), organization=organization)
    of_organization: list[EntrySettings] = []
    of_drives: dict[int, list[EntrySettings]] = {}
    for row in rows:
        lines = of_organization if row.drive_id is None else of_drives.setdefault(row.drive_id, [])
        lines.append(_line(row))
    common = reminder_times.merge_schedule(reminder_times.DEFAULT_SCHEDULE, of_organization)
    return {pk: reminder_times.merge_schedule(common, of_drives.get(pk, ())) for pk in drive_ids}


def load_drive_schedule(drive: Drive) -> MessageSchedule:
    """The plan that holds for a drive. One query."""
    return load_drive_schedules(drive.organization, [drive.pk])[drive.pk]


def build_quiet_hours(drive: Drive) -> QuietHours:
    """When nothing may leave for a drive, on the clocks of its site."""
    organization = drive.organization
    return QuietHours(drive.site.zone, organization.quiet_until_hour, organization.quiet_from_hour)


def load_custom_texts(organization_ids: Collection[int | None]) -> dict[int, CustomTexts]:
    """What organizations say in their own words, by kind and language. One query."""
    found: dict[int, dict[tuple[str, str], TextTemplate]] = {pk: {} for pk in organization_ids if pk is not None}
    for row in CustomText.objects.filter(organization__in=found):
        found[row.organization_id][row.kind, row.language] = TextTemplate(row.text, row.opening)
    return dict(found)


@dataclass(frozen=True)
class DriveScheduleRow:
    """A coming drive on the page of messages: whether its plan is its own, how many people get reminders."""

    drive: Drive
    has_custom_schedule: bool
    people: int


def list_drives_with_schedules(organization: Organization, now: datetime) -> list[DriveScheduleRow]:
    """Coming drives with what the page of messages shows of each, the next first. One query."""
    rows = Drive.objects.of(organization).filter(ends_at__gt=now).exclude(state=DriveState.CANCELLED)
    annotated: Any = rows.select_related("site", "organization", "policy").annotate(
        own_plan=Exists(ScheduleEntry.objects.filter(drive=OuterRef("pk"))),
        people=Count("bookings", filter=Q(bookings__state__in=EXPECTED_STATES)),
    )
    return [DriveScheduleRow(row, row.own_plan, row.people) for row in annotated.order_by("starts_at", "pk")]


def list_booking_ids_to_remind(drive_ids: Collection[int], now: datetime) -> list[int]:
    """The bookings of these drives that may still be reminded, by id."""
    rows = Booking.objects.filter(
        drive__in=drive_ids, state__in=EXPECTED_STATES, starts_at__gt=now, volunteer__isnull=False
    )
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _line(row: ScheduleEntry) -> EntrySettings:
    return EntrySettings(row.kind, row.way, days=row.days, hours=row.hours, on=row.on)
