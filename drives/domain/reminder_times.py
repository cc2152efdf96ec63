"""When which message goes out around a visit. Pure: lines of a plan and instants in, instants out.

A plan is a mapping from kind to line. An organization may change ours, a drive its organization's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2s
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from drives.domain.message_kinds import PlannedKind
from notifications.kinds import Way
from notifications.quiet_hours import QuietHours

REMINDERS = (PlannedKind.WEEK, PlannedKind.THREE_DAYS, PlannedKind.DAY_BEFORE, PlannedKind.SAME_DAY)
AFTERWARDS = (PlannedKind.THANK_YOU, PlannedKind.MISSED)
MOST_DAYS, MOST_HOURS = 30, 12


@dataclass(frozen=True)
class Line:
    """One kind of message: whether it goes out, through what, and how long before the visit."""

    kind: str
    way: str
    days: int = 0
    hours: int = 0
    on: bool = True

    @property
    def offset(self) -> timedelta:
        return timedelta(days=self.days, hours=self.hours)


Plan = Mapping[str, Line]

# Two reminders miss least: 4.4 % of visits missed with 3 days and 1 day, 5.8 % and 5.3 % with one of them alone.
# The early one reaches who booked more than ten days before: the rule of half the offset sees to that.
DEFAULT_PLAN: Plan = {
    line.kind: line
    for line in (
        Line(PlannedKind.BOOKED, Way.BOTH),
        Line(PlannedKind.WEEK, Way.MAIL, days=7),
        Line(PlannedKind.THREE_DAYS, Way.TEXT, days=3),
        Line(PlannedKind.DAY_BEFORE, Way.TEXT, days=1),
        Line(PlannedKind.SAME_DAY, Way.TEXT, hours=2, on=False),
        Line(PlannedKind.THANK_YOU, Way.BOTH),
        Line(PlannedKind.MISSED, Way.BOTH),
        Line(PlannedKind.APPEAL, Way.TEXT),
    )
}


def wished_at(line: Line, starts_at: datetime, zone: ZoneInfo) -> datetime:
    """When a reminder would go out at any hour: days before at the same wall time, or hours before. UTC."""
    local = starts_at.astimezone(zone)
    same_time = datetime.combine(local.date() - timedelta(days=line.days), local.time(), zone) if line.days else local
    return same_time.astimezone(UTC) - timedelta(hours=line.hours)


def due_at(line: Line, starts_at: datetime, quiet: QuietHours) -> datetime:
    """When a reminder goes out: as wished, in quiet hours earlier; never later. UTC."""
    return quiet.last_open_before(wished_at(line, starts_at, quiet.zone))


def is_worth_sending(due: datetime, booked_at: datetime, offset: timedelta) -> bool:
    """Not for a late booking: when less than half the offset lies between booking and reminder."""
    return due - booked_at >= offset / 2


def reminders(plan: Plan, starts_at: datetime, booked_at: datetime, quiet: QuietHours) -> list[tuple[Line, datetime]]:
    """The reminders somebody gets who books at `booked_at`, with when each is due."""
    lines = [plan[kind] for kind in REMINDERS if plan[kind].on]
    planned = [(line, due_at(line, starts_at, quiet)) for line in lines]
    return [(line, due) for line, due in planned if is_worth_sending(due, booked_at, line.offset)]


def merged(plan: Plan, changes: Iterable[Line]) -> Plan:
    """A plan in which these lines take the place of its own."""
    return {**plan, **{line.kind: line for line in changes}}


def fingerprint(plan: Plan) -> str:
    """What a form carries to notice that somebody else changed the plan meanwhile."""
    return blake2s(repr([astuple(plan[kind]) for kind in PlannedKind.values]).encode(), digest_size=8).hexdigest()


@dataclass(frozen=True)
class Problem:
    """What is wrong with a line of a plan: the kind, the field, a stable code, a sentence."""

    kind: str
    field: str
    code: str
    detail: str


def problems(plan: Plan) -> list[Problem]:
    """Everything that is wrong with the lines of a plan that are on."""
    lines = [plan[kind] for kind in PlannedKind.values if plan[kind].on]
    return [problem for line in lines for problem in _line_problems(line)] + _twice(plan)


def tidy(plan: Plan) -> Plan:
    """A plan as it is kept: what a kind does not use is as in ours; the confirmation always goes out."""
    return {kind: _tidied(line) for kind, line in plan.items()}


def as_columns(line: Line) -> dict[str, object]:
    return asdict(line)


def _tidied(line: Line) -> Line:
    ours = DEFAULT_PLAN[line.kind]
    days = line.days if line.kind in (PlannedKind.WEEK, PlannedKind.THREE_DAYS) else ours.days
    hours = line.hours if line.kind == PlannedKind.SAME_DAY else ours.hours
    return replace(line, days=days, hours=hours, on=line.on or line.kind == PlannedKind.BOOKED)


def _line_problems(line: Line) -> Sequence[Problem]:
    if line.kind in (PlannedKind.WEEK, PlannedKind.THREE_DAYS) and not 2 <= line.days <= MOST_DAYS:
        detail = _("Choose from 2 to %(most)s days before.") % {"most": MOST_DAYS}
        return [Problem(line.kind, "days", "days_out_of_range", detail)]
    if line.kind == PlannedKind.SAME_DAY and not 1 <= line.hours <= MOST_HOURS:
        detail = _("Choose from 1 to %(most)s hours before.") % {"most": MOST_HOURS}
        return [Problem(line.kind, "hours", "hours_out_of_range", detail)]
    if line.kind == PlannedKind.BOOKED and line.way == Way.MAIL:
        detail = _("Who has given only a phone would get no confirmation. Choose text.")
        return [Problem(line.kind, "way", "confirmation_needs_text", detail)]
    return []


def _twice(plan: Plan) -> list[Problem]:
    early, later = plan[PlannedKind.WEEK], plan[PlannedKind.THREE_DAYS]
    if not (early.on and later.on and early.days == later.days):
        return []
    detail = _("Both reminders would go out on the same day. Choose another number of days, or switch one off.")
    return [Problem(later.kind, "days", "same_days", detail)]
