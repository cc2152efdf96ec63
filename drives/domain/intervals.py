"""Check the intervals between donations. Pure arithmetic.

- Minimum hours are elapsed time, so a change of the clocks does not affect them.
- Minimum days and windows use the local dates at the sites of the donations.
- A window limits the number of donations in any run of days.
- Between two donations, the policy of the later one applies.
- A visit before an existing visit of the same kind must keep the rules of both policies.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

PLASMA = "plasma"
BOOKED, GIVEN, SELF_REPORTED = "booked", "given", "self_reported"
INTERVAL_TOO_SHORT, WINDOW_FULL, CROSS_INTERVAL = "interval_too_short", "window_full", "cross_interval"
VISITS_OVERLAP = "visits_overlap"  # for a booked visit at another drive


@dataclass(frozen=True)
class IntervalRules:
    """The interval rules of a policy.

    `cross_days` maps another kind of donation to the minimum number of days after it. `visit_minutes` is the length of
    the longest visit at the drive, or 0 if unknown.
    """

    kind: str = PLASMA
    min_hours: int | None = None
    min_days: int | None = None
    windows: Sequence[Sequence[int]] = ()  # (count, days): at most count donations in that many days in a row
    cross_days: Mapping[str, int] = field(default_factory=dict)
    visit_minutes: int = field(default=0, compare=False)

    def tighten(self, hours: int | None, days: int | None, window: tuple[int, int] | None) -> "IntervalRules":
        return replace(
            self,
            min_hours=max(filter(None, (self.min_hours, hours)), default=None),
            min_days=max(filter(None, (self.min_days, days)), default=None),
            windows=[*self.windows, *([window] if window else [])],
        )


@dataclass(frozen=True)
class Donation:
    """A donation or booked visit, with its time, its local date at the site, and the rules of its policy.

    `basis` is BOOKED, GIVEN or SELF_REPORTED. If `counts` is False, the donation is too old for the intervals and
    affects only the visit type.
    """

    donated_at: datetime
    donated_on: date
    rules: IntervalRules = field(default_factory=IntervalRules)
    counts: bool = True
    basis: str = BOOKED
    minutes: int = 0  # the length of a booked visit

    @property
    def kind(self) -> str:
        return self.rules.kind


@dataclass(frozen=True)
class SelfReported:
    """A donation elsewhere, as the donor reports it."""

    kind: str
    donated_on: date

    def to_donation(self, zone: ZoneInfo) -> Donation:
        """Convert to a `Donation`.

        The time of day is unknown, so the time is the end of the date in `zone`, the latest possible.
        """
        return Donation(
            compute_day_start(self.donated_on + timedelta(days=1), zone),
            self.donated_on,
            IntervalRules(self.kind),
            basis=SELF_REPORTED,
        )


@dataclass(frozen=True)
class BrokenRule:
    """A rule that forbids the wanted time. For a full window, `count` and `days` are its limits."""

    code: str
    count: int = 0
    days: int = 0


@dataclass(frozen=True)
class Verdict:
    """The result of `check_intervals`.

    `earliest_ok_at` is the first allowed time after the wanted one. It is None if no rule is broken, or if the rules
    never allow a donation.
    """

    broken_rules: Sequence[BrokenRule] = ()
    earliest_ok_at: datetime | None = None


def check_intervals(
    rules: IntervalRules, donations: Sequence[Donation], wanted_at: datetime, zone: ZoneInfo
) -> Verdict:
    """Check whether the rules allow a donation at `wanted_at`, at a site in `zone`.

    `donations` are the donor's other donations and booked visits. The wanted donation must be far enough from earlier
    and later ones. If a rule is broken, `earliest_ok_at` is the exact first allowed time in UTC, or None if the rules
    never allow a donation.
    """
    counted = [donation for donation in donations if donation.counts]
    broken = _find_broken_rules(rules, counted, wanted_at.astimezone(UTC), zone)
    if not broken:
        return Verdict()
    return Verdict(broken, _find_first_allowed(rules, counted, wanted_at.astimezone(UTC), zone))


def is_first_visit(last_donated_on: date | None, day: date, lapse_after_days: int) -> bool:
    return last_donated_on is None or (day - last_donated_on).days > lapse_after_days


def find_last_donation_date(donations: Sequence[Donation], kind: str, basis: str = GIVEN) -> date | None:
    return max(
        (donation.donated_on for donation in donations if donation.basis == basis and donation.kind == kind),
        default=None,
    )


def compute_day_start(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of a date, in UTC. If the clocks skip midnight, return the time of the change."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _find_broken_rules(
    rules: IntervalRules, others: Sequence[Donation], at: datetime, zone: ZoneInfo
) -> list[BrokenRule]:
    wanted = Donation(at, at.astimezone(zone).date(), rules, minutes=rules.visit_minutes)
    all_donations = [wanted, *others]
    broken_rules = [broken for other in others for broken in _rules_broken_between(wanted, other)]
    broken_rules += _full_windows(
        rules,
        all_donations,
        wanted.donated_on,
        {donation.donated_on for donation in all_donations if donation.donated_on >= wanted.donated_on},
    )
    for later in others:
        if later.donated_at > at and later.kind == rules.kind:
            broken_rules += _full_windows(later.rules, all_donations, wanted.donated_on, {later.donated_on})
    return list(dict.fromkeys(broken_rules))


def _rules_broken_between(wanted: Donation, other: Donation) -> Iterator[BrokenRule]:
    # A self-reported donation has taken place, although its hour is unknown.
    is_past = other.donated_at <= wanted.donated_at or other.basis == SELF_REPORTED
    earlier, later = (other, wanted) if is_past else (wanted, other)
    if other.minutes and _elapsed(earlier.donated_at, later.donated_at) < timedelta(minutes=earlier.minutes):
        yield BrokenRule(VISITS_OVERLAP)
    rules_to_check = [later.rules]
    if later is other and other.kind == wanted.kind:
        rules_to_check.append(wanted.rules)
    for rules in rules_to_check:
        is_same_kind, days = earlier.kind == rules.kind, (later.donated_on - earlier.donated_on).days
        if (
            is_same_kind
            and rules.min_hours
            and _elapsed(earlier.donated_at, later.donated_at) < timedelta(hours=rules.min_hours)
        ):
            yield BrokenRule(INTERVAL_TOO_SHORT)
        if is_same_kind and rules.min_days and days < rules.min_days:
            yield BrokenRule(INTERVAL_TOO_SHORT)
        if earlier.kind in rules.cross_days and days < rules.cross_days[earlier.kind]:
            yield BrokenRule(CROSS_INTERVAL)


def _elapsed(start: datetime, end: datetime) -> timedelta:
    # Convert to UTC, because Python ignores a change of the clocks when it subtracts two times in the same zone.
    return end.astimezone(UTC) - start.astimezone(UTC)


def _full_windows(
    rules: IntervalRules, all_donations: Sequence[Donation], wanted_on: date, ends: set[date]
) -> Iterator[BrokenRule]:
    dates = [donation.donated_on for donation in all_donations if donation.kind == rules.kind]
    for count, days in rules.windows:
        runs = [(end - timedelta(days=days - 1), end) for end in ends]
        # The wanted date counts only in a run of days that includes it.
        if any(start <= wanted_on <= end and sum(start <= day <= end for day in dates) > count for start, end in runs):
            yield BrokenRule(WINDOW_FULL, count, days)


def _find_first_allowed(
    rules: IntervalRules, others: Sequence[Donation], wanted: datetime, zone: ZoneInfo
) -> datetime | None:
    # Try only the instants at which another donation stops blocking, because the first allowed time is one of them.
    openings = {opening for other in others for opening in _candidate_instants(rules, other, zone) if opening > wanted}
    return next((at for at in sorted(openings) if not _find_broken_rules(rules, others, at, zone)), None)


def _candidate_instants(rules: IntervalRules, other: Donation, zone: ZoneInfo) -> Iterator[datetime]:
    at = other.donated_at.astimezone(UTC)
    yield at  # from then on, the other donation is the earlier one
    yield at + timedelta(hours=rules.min_hours or 0)
    yield at + timedelta(minutes=other.minutes)
    lengths = {1, rules.min_days or 0, rules.cross_days.get(other.kind, 0), *(days for _count, days in rules.windows)}
    for days in lengths | {days for _count, days in other.rules.windows}:
        yield compute_day_start(other.donated_on + timedelta(days=days), zone)
