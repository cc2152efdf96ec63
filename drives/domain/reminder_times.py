"""Compute when the messages about a visit are sent. Pure functions.

A message schedule maps kinds of messages to entries. An organization may change the default schedule, and a drive may
change its organization's schedule.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2s
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from drives.domain import rules
from drives.domain.message_kinds import ScheduledKind
from notifications.kinds import ChannelChoice
from notifications.quiet_hours import QuietHours

REMINDERS = (ScheduledKind.WEEK, ScheduledKind.THREE_DAYS, ScheduledKind.DAY_BEFORE, ScheduledKind.SAME_DAY)
FOLLOW_UPS = (ScheduledKind.THANK_YOU, ScheduledKind.MISSED)


@dataclass(frozen=True)
class EntrySettings:
    kind: str
    channel_choice: str
    days: int = 0
    hours: int = 0
    is_enabled: bool = True

    @property
    def offset(self) -> timedelta:
        return timedelta(days=self.days, hours=self.hours)


MessageSchedule = Mapping[str, EntrySettings]


def compute_preferred_time(entry: EntrySettings, starts_at: datetime, zone: ZoneInfo) -> datetime:
    """Return the time of a message in UTC, ignoring quiet hours.

    The entry's `days` are subtracted first and keep the wall-clock time. Its `hours` are elapsed time.
    """
    local = starts_at.astimezone(zone)
    same_time = datetime.combine(local.date() - timedelta(days=entry.days), local.time(), zone) if entry.days else local
    return same_time.astimezone(UTC) - timedelta(hours=entry.hours)


def compute_due_time(entry: EntrySettings, starts_at: datetime, quiet: QuietHours) -> datetime:
    """Return the time of a message in UTC.

    This is the preferred time, or the last time before it that is outside quiet hours.
    """
    return quiet.last_open_before(compute_preferred_time(entry, starts_at, quiet.zone))


def is_worth_sending(due: datetime, booked_at: datetime, offset: timedelta) -> bool:
    """Return whether the donor booked early enough for this reminder.

    The booking must be made at least half of `offset` before the reminder.
    """
    return due - booked_at >= offset / 2


def compute_reminders(
    schedule: MessageSchedule, starts_at: datetime, booked_at: datetime, quiet: QuietHours
) -> list[tuple[EntrySettings, datetime]]:
    entries = [schedule[kind] for kind in REMINDERS if schedule[kind].is_enabled]
    planned = [(entry, compute_due_time(entry, starts_at, quiet)) for entry in entries]
    return [(entry, due) for entry, due in planned if is_worth_sending(due, booked_at, entry.offset)]


def merge_schedule(schedule: MessageSchedule, changes: Iterable[EntrySettings]) -> MessageSchedule:
    return {**schedule, **{entry.kind: entry for entry in changes}}


def compute_schedule_fingerprint(schedule: MessageSchedule) -> str:
    """Return a hash of the schedule.

    The settings form submits this hash. A different hash means that the schedule has changed since the form was shown.
    """
    return blake2s(repr([astuple(schedule[kind]) for kind in ScheduledKind.values]).encode(), digest_size=8).hexdigest()


@dataclass(frozen=True)
class ScheduleProblem:
    kind: str
    field: str
    code: str
    detail: str


def find_schedule_problems(schedule: MessageSchedule) -> list[ScheduleProblem]:
    entries = [schedule[kind] for kind in ScheduledKind.values if schedule[kind].is_enabled]
    return [problem for entry in entries for problem in _find_entry_problems(entry)] + _find_same_day_problems(schedule)


def normalize_schedule(schedule: MessageSchedule, default: MessageSchedule) -> MessageSchedule:
    """Return the schedule with the default values in the unused fields of each entry, and the confirmation enabled."""
    return {kind: _normalize_entry(entry, default[kind]) for kind, entry in schedule.items()}


def build_entry_columns(entry: EntrySettings) -> dict[str, object]:
    return asdict(entry)


def _normalize_entry(entry: EntrySettings, default: EntrySettings) -> EntrySettings:
    days = entry.days if entry.kind in (ScheduledKind.WEEK, ScheduledKind.THREE_DAYS) else default.days
    hours = entry.hours if entry.kind == ScheduledKind.SAME_DAY else default.hours
    return replace(entry, days=days, hours=hours, is_enabled=entry.is_enabled or entry.kind == ScheduledKind.BOOKED)


def _find_entry_problems(entry: EntrySettings) -> Sequence[ScheduleProblem]:
    if (
        entry.kind in (ScheduledKind.WEEK, ScheduledKind.THREE_DAYS)
        and not rules.MIN_REMINDER_DAYS <= entry.days <= rules.MAX_REMINDER_DAYS
    ):
        detail = _("Enter a number of days from 2 to %(most)s.") % {"most": rules.MAX_REMINDER_DAYS}
        return [ScheduleProblem(entry.kind, "days", "days_out_of_range", detail)]
    if entry.kind == ScheduledKind.SAME_DAY and not rules.MIN_REMINDER_HOURS <= entry.hours <= rules.MAX_REMINDER_HOURS:
        detail = _("Enter a number of hours from 1 to %(most)s.") % {"most": rules.MAX_REMINDER_HOURS}
        return [ScheduleProblem(entry.kind, "hours", "hours_out_of_range", detail)]
    if entry.kind == ScheduledKind.BOOKED and entry.channel_choice == ChannelChoice.MAIL:
        detail = _(
            "Donors who gave only a phone number wouldn’t get a confirmation. Choose an option that includes texts."
        )
        return [ScheduleProblem(entry.kind, "channel_choice", "confirmation_needs_text", detail)]
    return []


def _find_same_day_problems(schedule: MessageSchedule) -> list[ScheduleProblem]:
    early, later = schedule[ScheduledKind.WEEK], schedule[ScheduledKind.THREE_DAYS]
    if not (early.is_enabled and later.is_enabled and early.days == later.days):
        return []
    detail = _("Both reminders would go out on the same day. Choose another number of days, or turn one off.")
    return [ScheduleProblem(later.kind, "days", "same_days", detail)]
