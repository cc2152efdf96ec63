"""When which message goes out around a visit. Pure: lines of a plan and instants in, instants out.

A plan is a mapping from kind to line. An organization may change ours, a drive its organization's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2s
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from drives.domain.message_kinds import ScheduledKind
from notifications.kinds import ChannelChoice
from notifications.quiet_hours import QuietHours

REMINDERS = (ScheduledKind.WEEK, ScheduledKind.THREE_DAYS, ScheduledKind.DAY_BEFORE, ScheduledKind.SAME_DAY)
FOLLOW_UPS = (ScheduledKind.THANK_YOU, ScheduledKind.MISSED)
MAX_DAYS_BEFORE, MAX_HOURS_BEFORE = 30, 12


@dataclass(frozen=True)
class EntrySettings:
    """One kind of message: whether it goes out, through what, and how long before the visit."""

    kind: str
    way: str
    days: int = 0
    hours: int = 0
    on: bool = True

    @property
    def offset(self) -> timedelta:
        return timedelta(days=self.days, hours=self.hours)


MessageSchedule = Mapping[str, EntrySettings]

# Two reminders miss least: 4.4 % of visits missed with 3 days and 1 day, 5.8 % and 5.3 % with one of them alone.
# The early one reaches who booked more than ten days before: the rule of half the offset sees to that.
DEFAULT_SCHEDULE: MessageSchedule = {
    line.kind: line
    for line in (
        EntrySettings(ScheduledKind.BOOKED, ChannelChoice.BOTH),
        EntrySettings(ScheduledKind.WEEK, ChannelChoice.MAIL, days=7),
        EntrySettings(ScheduledKind.THREE_DAYS, ChannelChoice.TEXT, days=3),
        EntrySettings(ScheduledKind.DAY_BEFORE, ChannelChoice.TEXT, days=1),
        EntrySettings(ScheduledKind.SAME_DAY, ChannelChoice.TEXT, hours=2, on=False),
        EntrySettings(ScheduledKind.THANK_YOU, ChannelChoice.BOTH),
        EntrySettings(ScheduledKind.MISSED, ChannelChoice.BOTH),
        EntrySettings(ScheduledKind.INVITATION, ChannelChoice.TEXT),
    )
}


def compute_preferred_time(entry: EntrySettings, starts_at: datetime, zone: ZoneInfo) -> datetime:
    """When a reminder would go out at any hour: days before at the same wall time, or hours before. UTC."""
    local = starts_at.astimezone(zone)
    same_time = datetime.combine(local.date() - timedelta(days=entry.days), local.time(), zone) if entry.days else local
    return same_time.astimezone(UTC) - timedelta(hours=entry.hours)


def compute_due_time(entry: EntrySettings, starts_at: datetime, quiet: QuietHours) -> datetime:
    """When a reminder goes out: as wished, in quiet hours earlier; never later. UTC."""
    return quiet.last_open_before(compute_preferred_time(entry, starts_at, quiet.zone))


def is_worth_sending(due: datetime, booked_at: datetime, offset: timedelta) -> bool:
    """Not for a late booking: when less than half the offset lies between booking and reminder."""
    return due - booked_at >= offset / 2


def compute_reminders(
    schedule: MessageSchedule, starts_at: datetime, booked_at: datetime, quiet: QuietHours
) -> list[tuple[EntrySettings, datetime]]:
    """The reminders somebody gets who books at `booked_at`, with when each is due."""
    lines = [schedule[kind] for kind in REMINDERS if schedule[kind].on]
    planned = [(line, compute_due_time(line, starts_at, quiet)) for line in lines]
    return [(line, due) for line, due in planned if is_worth_sending(due, booked_at, line.offset)]


def merge_schedule(schedule: MessageSchedule, changes: Iterable[EntrySettings]) -> MessageSchedule:
    """A plan in which these lines take the place of its own."""
    return {**schedule, **{line.kind: line for line in changes}}


def compute_schedule_fingerprint(schedule: MessageSchedule) -> str:
    """What a form carries to notice that somebody else changed the plan meanwhile."""
    return blake2s(repr([astuple(schedule[kind]) for kind in ScheduledKind.values]).encode(), digest_size=8).hexdigest()


@dataclass(frozen=True)
class ScheduleProblem:
    """What is wrong with a line of a plan: the kind, the field, a stable code, a sentence."""

    kind: str
    field: str
    code: str
    detail: str


def find_schedule_problems(schedule: MessageSchedule) -> list[ScheduleProblem]:
    """Everything that is wrong with the lines of a plan that are on."""
    lines = [schedule[kind] for kind in ScheduledKind.values if schedule[kind].on]
    return [problem for line in lines for problem in _find_entry_problems(line)] + _find_same_day_problems(schedule)


def normalize_schedule(schedule: MessageSchedule) -> MessageSchedule:
    """A plan as it is kept: what a kind does not use is as in ours; the confirmation always goes out."""
    return {kind: _normalize_entry(line) for kind, line in schedule.items()}


def build_entry_columns(entry: EntrySettings) -> dict[str, object]:
    return asdict(entry)


def _normalize_entry(line: EntrySettings) -> EntrySettings:
    ours = DEFAULT_SCHEDULE[line.kind]
    days = line.days if line.kind in (ScheduledKind.WEEK, ScheduledKind.THREE_DAYS) else ours.days
    hours = line.hours if line.kind == ScheduledKind.SAME_DAY else ours.hours
    return replace(line, days=days, hours=hours, on=line.on or line.kind == ScheduledKind.BOOKED)


def _find_entry_problems(line: EntrySettings) -> Sequence[ScheduleProblem]:
    if line.kind in (ScheduledKind.WEEK, ScheduledKind.THREE_DAYS) and not 2 <= line.days <= MAX_DAYS_BEFORE:
        detail = _("Choose from 2 to %(most)s days before.") % {"most": MAX_DAYS_BEFORE}
        return [ScheduleProblem(line.kind, "days", "days_out_of_range", detail)]
    if line.kind == ScheduledKind.SAME_DAY and not 1 <= line.hours <= MAX_HOURS_BEFORE:
        detail = _("Choose from 1 to %(most)s hours before.") % {"most": MAX_HOURS_BEFORE}
        return [ScheduleProblem(line.kind, "hours", "hours_out_of_range", detail)]
    if line.kind == ScheduledKind.BOOKED and line.way == ChannelChoice.MAIL:
        detail = _("Who has given only a phone would get no confirmation. Choose text.")
        return [ScheduleProblem(line.kind, "way", "confirmation_needs_text", detail)]
    return []


def _find_same_day_problems(plan: MessageSchedule) -> list[ScheduleProblem]:
    early, later = plan[ScheduledKind.WEEK], plan[ScheduledKind.THREE_DAYS]
    if not (early.on and later.on and early.days == later.days):
        return []
    detail = _("Both reminders would go out on the same day. Choose another number of days, or switch one off.")
    return [ScheduleProblem(later.kind, "days", "same_days", detail)]
