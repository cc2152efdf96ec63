"""How far apart donations must be: pure arithmetic of a programme's rules. No database, no clock.

A least time in hours is elapsed time, so that a DST night does not shift it. A least time in days, and a window, go by
local dates, each at its own site. Who gives later is judged by the later drive's programme; who books before a visit
that is already booked also keeps both programmes' least times towards it, and its windows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

PLASMA = "plasma"
BOOKED, GIVEN, SELF_REPORTED = "booked", "given", "self_reported"
INTERVAL_TOO_SHORT, WINDOW_FULL, CROSS_INTERVAL = "interval_too_short", "window_full", "cross_interval"


@dataclass(frozen=True)
class IntervalRules:
    """What one programme asks. `cross_days`: days since another kind of donation, by its name."""

    kind: str = PLASMA
    min_hours: int | None = None
    min_days: int | None = None
    windows: Sequence[Sequence[int]] = ()  # (count, days): no run of days holds more than count
    cross_days: Mapping[str, int] = field(default_factory=dict)

    def tighten(self, hours: int | None, days: int | None, window: tuple[int, int] | None) -> "IntervalRules":
        """These rules with longer least times and one window more; what is shorter than theirs changes nothing."""
        return replace(
            self,
            min_hours=max(filter(None, (self.min_hours, hours)), default=None),
            min_days=max(filter(None, (self.min_days, days)), default=None),
            windows=[*self.windows, *([window] if window else [])],
        )


@dataclass(frozen=True)
class Donation:
    """A donation: its instant, its date at its own site, what its programme asks, and how it is known.

    `known`: it is booked, was given, or was given elsewhere and only stated by the donor.
    """

    at: datetime
    on: date
    rules: IntervalRules = field(default_factory=IntervalRules)
    counts: bool = True
    known: str = BOOKED

    @property
    def kind(self) -> str:
        return self.rules.kind


@dataclass(frozen=True)
class SelfReported:
    """A donation elsewhere as the donor remembers it: what was given, and the date."""

    kind: str
    on: date

    def donation(self, zone: ZoneInfo) -> Donation:
        """It counts as one of the last moment of its date, read in the zone of the drive that is asked about."""
        return Donation(
            start_of_day(self.on + timedelta(days=1), zone), self.on, IntervalRules(self.kind), known=SELF_REPORTED
        )


@dataclass(frozen=True)
class BrokenRule:
    """A rule that stands against a time; `count` in `days` if it is a window."""

    code: str
    count: int = 0
    days: int = 0


@dataclass(frozen=True)
class Verdict:
    """The rules that are broken, none if the time is allowed; and the first time from the wanted one on that is."""

    broken: Sequence[BrokenRule] = ()
    earliest_ok_at: datetime | None = None


def check_intervals(
    rules: IntervalRules, donations: Sequence[Donation], wanted_at: datetime, zone: ZoneInfo
) -> Verdict:
    """Whether somebody with these other donations and bookings may give then, at a site in this zone.

    Looks backwards and forwards: a time between two others keeps clear of both. `earliest_ok_at` is exact, in UTC, and
    None only for rules that never allow a donation.
    """
    counted = [other for other in donations if other.counts]
    broken = _find_broken_rules(rules, counted, wanted_at.astimezone(UTC), zone)
    if not broken:
        return Verdict()
    return Verdict(broken, _find_first_allowed(rules, counted, wanted_at.astimezone(UTC), zone))


def is_first_visit(last_on: date | None, on: date, lapse_after_days: int) -> bool:
    """Whether a visit is a first one: nothing given yet, or not for so many days that the donor starts anew."""
    return last_on is None or (on - last_on).days > lapse_after_days


def find_last_donation_date(donations: Sequence[Donation], kind: str, basis: str = GIVEN) -> date | None:
    """The date of the newest donation of a kind that is known in this way; None if there is none."""
    return max((one.on for one in donations if one.known == basis and one.kind == kind), default=None)


def start_of_day(on: date, zone: ZoneInfo) -> datetime:
    """The first instant of a date. Where the clock skips midnight, Python reads it as the instant of the change."""
    return datetime.combine(on, time(), zone).astimezone(UTC)


def _find_broken_rules(
    rules: IntervalRules, others: Sequence[Donation], at: datetime, zone: ZoneInfo
) -> list[BrokenRule]:
    wanted = Donation(at, at.astimezone(zone).date(), rules)
    together = [wanted, *others]
    found = [broken for other in others for broken in _rules_broken_between(wanted, other)]
    found += _full_windows(rules, together, wanted.on, {one.on for one in together if one.on >= wanted.on})
    for later in others:
        if later.at > at and later.kind == rules.kind:
            found += _full_windows(later.rules, together, wanted.on, {later.on})
    return list(dict.fromkeys(found))


def _rules_broken_between(wanted: Donation, other: Donation) -> Iterator[BrokenRule]:
    # What is stated has taken place, though its hour is not known.
    is_past = other.at <= wanted.at or other.known == SELF_REPORTED
    earlier, later = (other, wanted) if is_past else (wanted, other)
    programmes = [later.rules]
    if later is other and other.kind == wanted.kind:
        programmes.append(wanted.rules)
    for rules in programmes:
        is_same_kind, days = earlier.kind == rules.kind, (later.on - earlier.on).days
        if is_same_kind and rules.min_hours and _elapsed(earlier.at, later.at) < timedelta(hours=rules.min_hours):
            yield BrokenRule(INTERVAL_TOO_SHORT)
        if is_same_kind and rules.min_days and days < rules.min_days:
            yield BrokenRule(INTERVAL_TOO_SHORT)
        if earlier.kind in rules.cross_days and days < rules.cross_days[earlier.kind]:
            yield BrokenRule(CROSS_INTERVAL)


def _elapsed(start: datetime, end: datetime) -> timedelta:
    # Of two times in one zone Python subtracts the wall clock, which is an hour off over a DST night.
    return end.astimezone(UTC) - start.astimezone(UTC)


def _full_windows(
    rules: IntervalRules, together: Sequence[Donation], on: date, ends: set[date]
) -> Iterator[BrokenRule]:
    """The windows that hold too many in a run of days that ends on one of these dates and has `on` in it."""
    dates = [one.on for one in together if one.kind == rules.kind]
    for count, days in rules.windows:
        starts = [(end - timedelta(days=days - 1), end) for end in ends]
        if any(start <= on <= end and sum(start <= one <= end for one in dates) > count for start, end in starts):
            yield BrokenRule(WINDOW_FULL, count, days)


def _find_first_allowed(
    rules: IntervalRules, others: Sequence[Donation], wanted: datetime, zone: ZoneInfo
) -> datetime | None:
    """A refusal turns into a yes only where one of the others stops standing in the way: those instants are tried."""
    openings = {opening for other in others for opening in _candidate_instants(rules, other, zone) if opening > wanted}
    return next((at for at in sorted(openings) if not _find_broken_rules(rules, others, at, zone)), None)


def _candidate_instants(rules: IntervalRules, other: Donation, zone: ZoneInfo) -> Iterator[datetime]:
    at = other.at.astimezone(UTC)
    yield at  # from here on the other is the earlier one
    yield at + timedelta(hours=rules.min_hours or 0)
    lengths = {1, rules.min_days or 0, rules.cross_days.get(other.kind, 0), *(days for _count, days in rules.windows)}
    for days in lengths | {days for _count, days in other.rules.windows}:
        yield start_of_day(other.on + timedelta(days=days), zone)
