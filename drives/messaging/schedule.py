"""Load the message schedules and custom texts of organizations and drives."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q

from drives.domain import reminder_times
from drives.domain.reminder_times import EntrySettings, MessageSchedule
from drives.messaging.default_schedule import DEFAULT_SCHEDULE
from drives.messaging.texts.wording import CustomTexts, TextTemplate
from drives.models import EXPECTED_STATES, Booking, CustomText, Drive, DriveState, ScheduleEntry
from notifications.quiet_hours import QuietHours
from organizations.models import Organization


def load_organization_schedule(organization: Organization) -> MessageSchedule:
    rows = ScheduleEntry.objects.filter(organization=organization, drive=None)
    return reminder_times.merge_schedule(DEFAULT_SCHEDULE, map(_build_entry, rows))


def load_drive_schedules(organization: Organization, drive_ids: Collection[int]) -> dict[int, MessageSchedule]:
    """Load the message schedule of each drive. One query.

    A drive's entries replace the organization's entries, which replace the default. All drives must belong to the
    organization.
    """
    rows = ScheduleEntry.objects.filter(Q(drive=None) | Q(drive__in=drive_ids), organization=organization)
    organization_entries: list[EntrySettings] = []
    drive_entries: dict[int, list[EntrySettings]] = {}
    for row in rows:
        entries = organization_entries if row.drive_id is None else drive_entries.setdefault(row.drive_id, [])
        entries.append(_build_entry(row))
    organization_schedule = reminder_times.merge_schedule(DEFAULT_SCHEDULE, organization_entries)
    return {pk: reminder_times.merge_schedule(organization_schedule, drive_entries.get(pk, ())) for pk in drive_ids}


def load_drive_schedule(drive: Drive) -> MessageSchedule:
    return load_drive_schedules(drive.organization, [drive.pk])[drive.pk]


def build_quiet_hours(drive: Drive) -> QuietHours:
    organization = drive.organization
    return QuietHours(drive.site.zone, organization.quiet_until_hour, organization.quiet_from_hour)


def load_custom_texts(organization_ids: Collection[int | None]) -> dict[int, CustomTexts]:
    texts: dict[int, dict[tuple[str, str], TextTemplate]] = {pk: {} for pk in organization_ids if pk is not None}
    for row in CustomText.objects.filter(organization__in=texts):
        texts[row.organization_id][row.kind, row.language] = TextTemplate(row.text, row.opening)
    return dict(texts)


@dataclass(frozen=True)
class DriveScheduleRow:
    drive: Drive
    has_custom_schedule: bool
    booking_count: int


def list_drives_with_schedules(organization: Organization, now: datetime) -> list[DriveScheduleRow]:
    rows = Drive.objects.of(organization).filter(ends_at__gt=now).exclude(state=DriveState.CANCELLED)
    annotated: Any = rows.select_related("site", "organization", "policy").annotate(
        own_plan=Exists(ScheduleEntry.objects.filter(drive=OuterRef("pk"))),
        booking_count=Count("bookings", filter=Q(bookings__state__in=EXPECTED_STATES)),
    )
    return [DriveScheduleRow(row, row.own_plan, row.booking_count) for row in annotated.order_by("starts_at", "pk")]


def list_booking_ids_to_remind(drive_ids: Collection[int], now: datetime) -> list[int]:
    rows = Booking.objects.filter(
        drive__in=drive_ids, state__in=EXPECTED_STATES, starts_at__gt=now, volunteer__isnull=False
    )
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _build_entry(row: ScheduleEntry) -> EntrySettings:
    return EntrySettings(row.kind, row.channel_choice, days=row.days, hours=row.hours, is_enabled=row.is_enabled)
