"""The interval rules give the same verdicts as a slow, simple reference."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drives.domain import intervals
from drives.domain.intervals import BrokenRule, Donation, IntervalRules, SelfReported

LOS_ANGELES, VIENNA = ZoneInfo("America/Los_Angeles"), ZoneInfo("Europe/Vienna")
ZONES = [
    *(LOS_ANGELES, VIENNA),
    *map(ZoneInfo, ("Asia/Kathmandu", "Australia/Adelaide", "Pacific/Chatham", "Africa/Cairo", "UTC")),
]
STEP = timedelta(minutes=15)  # every boundary in the generated examples is a multiple of it
MINUTE = timedelta(minutes=1)


def given_at(wall: str, zone: ZoneInfo = LOS_ANGELES, rules: IntervalRules | None = None, **fields: Any) -> Donation:
    local = datetime.fromisoformat(wall).replace(tzinfo=zone)
    return Donation(local.astimezone(UTC), local.date(), rules or IntervalRules(), **fields)


def asked(rules: IntervalRules, wanted: str, *others: Donation, zone: ZoneInfo = LOS_ANGELES) -> tuple[list[str], str]:
    """Return the codes of the broken rules, and the first allowed time in local time."""
    verdict = intervals.check_intervals(rules, others, datetime.fromisoformat(wanted).replace(tzinfo=zone), zone)
    earliest = verdict.earliest_ok_at
    return [one.code for one in verdict.broken_rules], earliest.astimezone(zone).isoformat()[:16] if earliest else ""


# The reference checks every day and every pair


def reference_allows(rules: IntervalRules, others: list[Donation], at: datetime, zone: ZoneInfo) -> bool:
    me = Donation(at, at.astimezone(zone).date(), rules)
    for other in others:
        if not other.counts:
            continue
        if other.donated_at <= at:
            if not reference_gap_holds(rules, other, me):
                return False
        else:
            if not reference_gap_holds(other.rules, me, other):
                return False
            if other.kind == me.kind and not reference_gap_holds(rules, me, other):
                return False
            if other.kind == me.kind and reference_run_is_over(
                other.rules, others, me, other.donated_on, other.donated_on
            ):
                return False
    return not reference_run_is_over(rules, others, me, me.donated_on, me.donated_on + timedelta(days=40))


def reference_allows_beside(
    past: Donation | None, rules: IntervalRules, others: list[Donation], at: datetime, zone: ZoneInfo
) -> bool:
    """Return whether the reference allows a visit at `at`.

    `past` is a self-reported donation. Its hour is unknown, so it counts as earlier than the visit.
    """
    if past is None:
        return reference_allows(rules, others, at, zone)
    me = Donation(at, at.astimezone(zone).date(), rules)
    return reference_gap_holds(rules, past, me) and reference_allows(rules, [*others, past], at, zone)


def reference_gap_holds(rules: IntervalRules, first: Donation, second: Donation) -> bool:
    minutes = (second.donated_at - first.donated_at).total_seconds() / 60
    days = second.donated_on.toordinal() - first.donated_on.toordinal()
    if first.kind == rules.kind:
        if rules.min_hours is not None and minutes < rules.min_hours * 60:
            return False
        if rules.min_days is not None and days < rules.min_days:
            return False
    return first.kind not in rules.cross_days or days >= rules.cross_days[first.kind]


def reference_run_is_over(
    rules: IntervalRules, others: list[Donation], me: Donation, first_end: date, last_end: date
) -> bool:
    for count, days in rules.windows:
        end = first_end
        while end <= last_end:
            run = {end - timedelta(days=back) for back in range(days)}
            held = [one for one in [*others, me] if one.counts and one.kind == rules.kind and one.donated_on in run]
            if me.donated_on in run and len(held) > count:
                return True
            end += timedelta(days=1)
    return False


def reference_stated(self_reported: SelfReported, near: datetime, zone: ZoneInfo) -> Donation:
    """Build a self-reported donation at the end of its local day. Search for that moment in small steps."""
    at = near
    while at.astimezone(zone).date() > self_reported.donated_on:
        at -= STEP
    while at.astimezone(zone).date() <= self_reported.donated_on:
        at += STEP
    return Donation(at, self_reported.donated_on, IntervalRules(self_reported.kind))


def reference_first(
    rules: IntervalRules, others: list[Donation], wanted: datetime, zone: ZoneInfo, past: Donation | None = None
) -> datetime:
    at = wanted
    while not reference_allows_beside(past, rules, others, at, zone):
        at += STEP
    return at


KINDS = st.sampled_from(["plasma", "whole_blood"])
WINDOW = st.tuples(st.integers(1, 3), st.integers(1, 10))
RULES = st.builds(
    IntervalRules,
    kind=KINDS,
    min_hours=st.none() | st.integers(1, 96),
    min_days=st.none() | st.integers(1, 6),
    windows=st.lists(WINDOW, max_size=2),
    cross_days=st.dictionaries(KINDS, st.integers(1, 9), max_size=2),
)
# Dates around the DST changes in North America and Europe, a leap day, and any other time.
DAYS = [date(2027, 3, 12), date(2027, 11, 5), date(2027, 10, 29), date(2028, 2, 27), date(2027, 6, 1)]
START = st.sampled_from([datetime(day.year, day.month, day.day, tzinfo=UTC) for day in DAYS])
OFFSETS = st.integers(0, 6 * 96)


@st.composite
def donations(draw: st.DrawFn, start: datetime) -> Donation:
    at, zone = start + draw(OFFSETS) * STEP, draw(st.sampled_from(ZONES))
    return Donation(at, at.astimezone(zone).date(), draw(RULES), draw(st.sampled_from([True, True, True, False])))


@st.composite
def cases(draw: st.DrawFn) -> tuple[IntervalRules, list[Donation], datetime, ZoneInfo]:
    start = draw(START)
    others = draw(st.lists(donations(start), max_size=5))
    return draw(RULES), others, start + draw(OFFSETS) * STEP, draw(st.sampled_from(ZONES))


@settings(max_examples=400, deadline=None)
@given(cases())
def test_verdicts_match_the_reference(
    case: tuple[IntervalRules, list[Donation], datetime, ZoneInfo],
) -> None:
    rules, others, wanted, zone = case
    verdict = intervals.check_intervals(rules, others, wanted, zone)
    assert (not verdict.broken_rules) == reference_allows(rules, others, wanted, zone)
    if verdict.broken_rules:
        assert verdict.earliest_ok_at == reference_first(rules, others, wanted, zone)


@settings(max_examples=200, deadline=None)
@given(cases(), KINDS, st.integers(0, 12))
def test_self_reported_donations_match_the_reference(
    case: tuple[IntervalRules, list[Donation], datetime, ZoneInfo], kind: str, days_ago: int
) -> None:
    rules, others, wanted, zone = case
    self_reported = SelfReported(kind, wanted.astimezone(zone).date() - timedelta(days=days_ago))
    verdict = intervals.check_intervals(rules, [*others, self_reported.to_donation(zone)], wanted, zone)
    past = reference_stated(self_reported, wanted, zone)
    assert (not verdict.broken_rules) == reference_allows_beside(past, rules, others, wanted, zone)
    if verdict.broken_rules:
        assert verdict.earliest_ok_at == reference_first(rules, others, wanted, zone, past)


@settings(max_examples=200, deadline=None)
@given(cases(), st.none() | st.integers(1, 96), st.none() | st.integers(1, 6), st.none() | WINDOW)
def test_stricter_rules_allow_what_both_rules_allow(
    case: tuple[IntervalRules, list[Donation], datetime, ZoneInfo],
    hours: int | None,
    days: int | None,
    window: tuple[int, int] | None,
) -> None:
    rules, others, wanted, zone = case
    beside = IntervalRules(rules.kind, hours, days, [window] if window else [])
    both = reference_allows(rules, others, wanted, zone) and reference_allows(beside, others, wanted, zone)
    assert (
        not intervals.check_intervals(rules.tighten(hours, days, window), others, wanted, zone).broken_rules
    ) == both


# Exact to the minute


def test_48_hours_are_exact_to_the_minute() -> None:
    past = given_at("2027-03-01T10:07")
    rules = IntervalRules(min_hours=48)
    assert asked(rules, "2027-03-03T10:06", past) == (["interval_too_short"], "2027-03-03T10:07")
    assert asked(rules, "2027-03-03T10:07", past) == ([], "")


def test_hours_are_elapsed_over_dst_changes() -> None:
    spring, autumn = given_at("2027-03-13T10:00"), given_at("2027-11-06T10:00")
    rules = IntervalRules(min_hours=48)
    assert asked(rules, "2027-03-15T10:59", spring) == (["interval_too_short"], "2027-03-15T11:00")
    assert asked(rules, "2027-11-08T08:59", autumn) == (["interval_too_short"], "2027-11-08T09:00")


def test_days_count_by_dates() -> None:
    rules = IntervalRules(min_days=28)
    for past, last, first in [
        ("2027-03-01T18:00", "2027-03-28T23:59", "2027-03-29T00:00"),
        ("2027-10-20T08:00", "2027-11-16T23:59", "2027-11-17T00:00"),
        ("2028-02-20T08:00", "2028-03-18T23:59", "2028-03-19T00:00"),
    ]:
        assert asked(rules, last, given_at(past)) == (["interval_too_short"], first)
        assert asked(rules, first, given_at(past)) == ([], "")


def test_monday_evening_to_wednesday_morning_is_two_days_but_not_48_hours() -> None:
    monday = given_at("2027-03-01T17:00")
    assert asked(IntervalRules(min_days=2), "2027-03-03T09:00", monday) == ([], "")
    assert asked(IntervalRules(min_hours=48), "2027-03-03T09:00", monday)[0] == ["interval_too_short"]


def test_a_window_of_two_in_seven_days_allows_monday_but_not_friday() -> None:
    rules = IntervalRules(windows=[[2, 7]])
    monday, wednesday = given_at("2027-03-01T10:00"), given_at("2027-03-03T10:00")
    assert asked(rules, "2027-03-05T10:00", monday, wednesday) == (["window_full"], "2027-03-08T00:00")
    assert asked(rules, "2027-03-08T10:00", monday, wednesday) == ([], "")


def test_every_full_window_is_reported() -> None:
    rules = IntervalRules(windows=[[2, 7], [3, 14], [50, 365]])
    days = [given_at(f"2027-03-{day:02}T10:00") for day in (1, 8, 10)]
    verdict = intervals.check_intervals(rules, days, datetime(2027, 3, 12, 12, tzinfo=LOS_ANGELES), LOS_ANGELES)
    assert list(verdict.broken_rules) == [BrokenRule("window_full", 2, 7), BrokenRule("window_full", 3, 14)]
    assert verdict.earliest_ok_at == intervals.compute_day_start(date(2027, 3, 15), LOS_ANGELES)


def test_a_time_between_two_others_keeps_clear_of_both() -> None:
    rules = IntervalRules(min_hours=48)
    around = given_at("2027-03-01T10:00"), given_at("2027-03-05T10:00", rules=rules)
    assert asked(rules, "2027-03-03T10:00", *around) == ([], "")
    assert asked(rules, "2027-03-03T09:59", *around) == (["interval_too_short"], "2027-03-03T10:00")
    assert asked(rules, "2027-03-03T10:01", *around) == (["interval_too_short"], "2027-03-07T10:00")


def test_a_window_counts_later_bookings() -> None:
    ahead = [given_at("2027-03-05T10:00"), given_at("2027-03-07T10:00")]
    assert asked(IntervalRules(windows=[[2, 7]]), "2027-03-01T10:00", *ahead) == (["window_full"], "2027-03-12T00:00")
    assert asked(IntervalRules(windows=[[2, 7]]), "2027-02-28T10:00", *ahead) == ([], "")


def test_cross_days_follow_the_later_donations_policy() -> None:
    whole_blood = IntervalRules(kind="whole_blood", min_days=56, cross_days={"plasma": 28})
    plasma = IntervalRules(min_hours=48, cross_days={"whole_blood": 56})
    blood = given_at("2027-03-01T10:00", rules=whole_blood)
    assert asked(plasma, "2027-04-25T10:00", blood) == (["cross_interval"], "2027-04-26T00:00")
    assert asked(plasma, "2027-02-02T10:00", blood) == (["cross_interval"], "2027-04-26T00:00")
    assert asked(plasma, "2027-02-01T10:00", blood) == ([], "")


def test_a_new_visit_keeps_the_rules_of_a_later_booking() -> None:
    strict, lax = IntervalRules(min_days=14), IntervalRules(min_hours=48)
    ahead = given_at("2027-03-20T10:00", rules=strict)
    assert asked(lax, "2027-03-10T10:00", ahead) == (["interval_too_short"], "2027-03-22T10:00")
    assert asked(lax, "2027-03-06T10:00", ahead) == ([], "")


def test_each_donation_has_the_date_of_its_site() -> None:
    evening = given_at("2027-03-01T23:30", LOS_ANGELES)  # in Vienna it is the morning of March 2
    assert asked(IntervalRules(min_days=2), "2027-03-03T00:00", evening, zone=VIENNA) == ([], "")
    assert asked(IntervalRules(min_days=2), "2027-03-02T23:59", evening, zone=VIENNA)[1] == "2027-03-03T00:00"


def test_a_later_instant_on_an_earlier_date_breaks_no_missing_rule() -> None:
    vienna = given_at("2027-03-02T01:00", VIENNA)
    assert asked(IntervalRules(min_hours=1), "2027-03-01T17:00", vienna) == ([], "")
    assert asked(IntervalRules(cross_days={"plasma": 0}), "2027-03-01T17:00", vienna)[0] == ["cross_interval"]


def test_a_self_reported_donation_counts_from_the_end_of_its_day() -> None:
    monday = SelfReported("plasma", date(2027, 3, 1)).to_donation(LOS_ANGELES)
    rules = IntervalRules(min_hours=48)
    assert asked(rules, "2027-03-03T23:59", monday) == (["interval_too_short"], "2027-03-04T00:00")
    assert asked(rules, "2027-03-04T00:00", monday) == ([], "")
    assert asked(IntervalRules(min_days=2), "2027-03-02T23:59", monday) == (["interval_too_short"], "2027-03-03T00:00")


def test_48_hours_after_a_self_reported_day_before_the_spring_change() -> None:
    friday = SelfReported("plasma", date(2027, 3, 12)).to_donation(LOS_ANGELES)
    assert asked(IntervalRules(min_hours=48), "2027-03-14T12:00", friday) == (
        ["interval_too_short"],
        "2027-03-15T01:00",
    )


def test_a_self_reported_donation_of_the_same_day_is_always_earlier() -> None:
    blood = SelfReported("whole_blood", date(2028, 2, 29)).to_donation(LOS_ANGELES)
    rules = IntervalRules(cross_days={"whole_blood": 56})
    assert asked(rules, "2028-02-29T09:00", blood) == (["cross_interval"], "2028-04-25T00:00")
    assert asked(rules, "2028-04-25T00:00", blood) == ([], "")


def test_donations_that_do_not_count_are_ignored() -> None:
    assert asked(IntervalRules(min_hours=48), "2027-03-01T10:00", given_at("2027-03-01T09:00", counts=False)) == (
        [],
        "",
    )


def test_a_day_starts_after_a_skipped_midnight() -> None:
    cairo = ZoneInfo("Africa/Cairo")  # the clock jumps from 0:00 to 1:00 on the last Friday of April
    assert (
        intervals.compute_day_start(date(2027, 4, 30), cairo).astimezone(cairo).isoformat()
        == "2027-04-30T01:00:00+03:00"
    )
    assert (intervals.compute_day_start(date(2027, 4, 30), cairo) - MINUTE).astimezone(cairo).date() == date(
        2027, 4, 29
    )


@pytest.mark.parametrize(("days", "is_first"), [(180, False), (181, True)])
def test_a_long_gap_makes_a_first_visit(days: int, is_first: bool) -> None:
    last = date(2027, 1, 1)
    assert intervals.is_first_visit(last, last + timedelta(days=days), 180) is is_first


def test_a_donor_without_donations_is_a_first_visit() -> None:
    assert intervals.is_first_visit(None, date(2027, 1, 1), 180)


def test_tighten_takes_the_longer_minimum_and_adds_a_window() -> None:
    rules = IntervalRules(min_hours=48, min_days=3, windows=[(2, 7)])
    assert rules.tighten(49, 4, (3, 14)) == IntervalRules(min_hours=49, min_days=4, windows=[(2, 7), (3, 14)])
    assert rules.tighten(47, 2, None) == rules.tighten(None, None, None) == rules
    assert IntervalRules().tighten(None, None, None) == IntervalRules(windows=[])
    assert IntervalRules().tighten(1, 2, None) == IntervalRules(min_hours=1, min_days=2, windows=[])


def test_rules_that_never_allow_a_donation_have_no_first_time() -> None:
    verdict = intervals.check_intervals(
        IntervalRules(windows=[(0, 7)]), [], datetime(2027, 3, 1, 12, tzinfo=UTC), LOS_ANGELES
    )
    assert (list(verdict.broken_rules), verdict.earliest_ok_at) == ([BrokenRule("window_full", 0, 7)], None)
