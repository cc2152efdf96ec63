"""The time grid: its problems, the visits that fit, and bookings in any order, which never oversell it."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise, product
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from drives.domain import grid as domain_grid
from drives.domain import plan_preview
from drives.domain.grid import Footprint, Grid, GridProblem, VisitShape
from drives.planning import plan_check, plan_problems
from drives.planning.plan_problems import SENTENCES

FIRST, RETURNING, PLAIN = VisitShape(2, 4), VisitShape(1, 3), VisitShape(0, 1)
MARCH = Grid(
    day=date(2026, 3, 14),
    opens=time(9),
    closes=time(17),
    zone="America/Los_Angeles",
    step_minutes=15,
    breaks=((time(12), time(12, 30)),),
    chairs=6,
    screening_stations=2,
)
SPRING, AUTUMN = replace(MARCH, day=date(2026, 3, 8)), replace(MARCH, day=date(2026, 11, 1))
ZONES = [
    "Africa/Cairo", "Africa/Casablanca", "Africa/Johannesburg", "America/Adak", "America/Anchorage",
    "America/Asuncion", "America/Bogota", "America/Chicago", "America/Denver", "America/Havana",
    "America/Los_Angeles", "America/New_York", "America/Phoenix", "America/Santiago", "America/Sao_Paulo",
    "America/St_Johns", "Antarctica/Troll", "Asia/Beirut", "Asia/Gaza", "Asia/Jerusalem", "Asia/Kathmandu",
    "Asia/Kolkata", "Asia/Tehran", "Asia/Tokyo", "Atlantic/Azores", "Australia/Adelaide", "Australia/Eucla",
    "Australia/Lord_Howe", "Europe/Berlin", "Europe/Dublin", "Europe/Lisbon", "Europe/London", "Pacific/Apia",
    "Pacific/Auckland", "Pacific/Chatham", "Pacific/Marquesas", "UTC",
]  # fmt: skip
HOURS = [
    (time(0), time(6)), (time(0, 30), time(4, 30)), (time(1), time(3)), (time(1, 30), time(2, 30)),
    (time(2, 30), time(8)), (time(2, 45), time(4, 45)), (time(3), time(23)), (time(9), time(17)),
]  # fmt: skip

shapes = st.builds(VisitShape, st.integers(0, 3), st.integers(1, 5))
counts = st.lists(st.tuples(st.integers(-1, 4), st.integers(-1, 5)), min_size=1, max_size=24)
footprints = st.builds(domain_grid.compute_footprint, st.integers(0, 12), shapes)


def codes(found: list[GridProblem]) -> list[tuple[str, str]]:
    return [(problem.code, problem.field) for problem in found]


def found_in(**changes: object) -> list[tuple[str, str]]:
    return codes(domain_grid.find_grid_problems(replace(MARCH, **changes), FIRST, RETURNING))  # type: ignore[arg-type]


def test_every_code_has_its_sentence_and_every_sentence_a_code() -> None:
    source = (
        Path(domain_grid.__file__).read_text()
        + Path(plan_preview.__file__).read_text()
        + Path(plan_check.__file__).read_text()
    )
    named = set(re.findall(r'Problem\(\s*f?"([^"]+)"', source))
    either = {"{name}_visit_does_not_fit": ("first_visit_does_not_fit", "returning_visit_does_not_fit")}
    ways = {"zone_changes_in_hours": ("zone_changes_in_hours_forward", "zone_changes_in_hours_back")}
    assert {code for name in named for code in (either | ways).get(name, (name,))} == set(SENTENCES)


# Problems


def test_a_sound_grid_has_no_problems_and_no_warnings() -> None:
    assert domain_grid.find_grid_problems(MARCH, FIRST, RETURNING) == []
    assert domain_grid.find_grid_warnings(MARCH) == []


@pytest.mark.parametrize(
    "zone", ["", "Mars/Olympus", "America", "../etc/passwd", "/etc/localtime", "localtime", "Factory"]
)
def test_an_unknown_zone_is_refused(zone: str) -> None:
    assert found_in(zone=zone) == [("zone_unknown", "zone")]


@pytest.mark.parametrize("closes", [time(9), time(8, 45), time(0)])
def test_closing_before_opening_or_past_midnight_is_refused(closes: time) -> None:
    assert found_in(closes=closes, breaks=()) == [("closes_before_opens", "closes")]


@pytest.mark.parametrize("step_minutes", [-15, 0, 1, 7, 65, 120])
def test_an_odd_step_is_refused(step_minutes: int) -> None:
    assert found_in(step_minutes=step_minutes) == [("step_not_allowed", "step_minutes")]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"chairs": 0}, ("no_chairs", "chairs")),
        ({"screening_stations": 0}, ("no_screening_places", "screening_stations")),
        ({"screening_stations": -1}, ("no_screening_places", "screening_stations")),
        ({"day": date(9999, 12, 31)}, ("date_out_of_range", "day")),
        ({"day": date.min}, ("date_out_of_range", "day")),
        ({"opens": time(9, 0, 30)}, ("time_not_whole_minute", "opens")),
        ({"opens": time(9, 10)}, ("hours_not_whole_steps", "closes")),
        ({"breaks": ((time(8), time(10)),)}, ("break_outside_hours", "breaks")),
        ({"breaks": ((time(16), time(18)),)}, ("break_outside_hours", "breaks")),
        ({"breaks": ((time(12), time(12)),)}, ("break_ends_before_start", "breaks")),
        ({"breaks": ((time(13), time(12)),)}, ("break_ends_before_start", "breaks")),
        ({"breaks": ((time(12), time(13)), (time(11), time(12, 15)))}, ("breaks_overlap", "breaks")),
    ],
)
def test_each_problem_is_named(changes: dict[str, object], problem: tuple[str, str]) -> None:
    assert found_in(**changes) == [problem]


def test_several_problems_are_listed_at_once() -> None:
    expected = [("closes_before_opens", "closes"), ("zone_unknown", "zone"), ("no_chairs", "chairs")]
    assert found_in(closes=time(8), breaks=(), zone="Nowhere", chairs=0) == expected


def test_breaks_may_touch_each_other_and_the_hours_and_come_in_any_order() -> None:
    assert (
        found_in(breaks=((time(12), time(13)), (time(16), time(17)), (time(11), time(12)), (time(9), time(10)))) == []
    )


def test_a_drive_without_screening_needs_no_station() -> None:
    assert domain_grid.find_grid_problems(replace(MARCH, screening_stations=0), PLAIN, PLAIN) == []


def test_a_visit_takes_a_chair() -> None:
    found = domain_grid.find_grid_problems(MARCH, VisitShape(2, 0), VisitShape(-1, 2))
    assert codes(found) == [("visit_without_chair_time", "first"), ("visit_without_chair_time", "returning")]


def test_a_visit_longer_than_any_stretch_between_breaks_does_not_fit() -> None:
    short = replace(MARCH, opens=time(11), closes=time(13, 45))
    found = domain_grid.find_grid_problems(short, FIRST, RETURNING)
    assert codes(found) == [("first_visit_does_not_fit", "first")]
    found = domain_grid.find_grid_problems(replace(short, opens=time(11, 15), closes=time(13, 15)), FIRST, RETURNING)
    assert codes(found) == [("first_visit_does_not_fit", "first"), ("returning_visit_does_not_fit", "returning")]


def test_build_steps_refuses_a_grid_with_problems() -> None:
    with pytest.raises(ValueError, match="zone_unknown"):
        domain_grid.build_steps(replace(MARCH, zone="Nowhere"))
    assert domain_grid.find_grid_warnings(replace(MARCH, zone="Nowhere")) == []


# DST changes


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"opens": time(2, 30)}, "opens"),
        ({"opens": time(0), "closes": time(2)}, "closes"),
        ({"opens": time(0), "breaks": ((time(1), time(2, 45)),)}, "breaks"),
    ],
)
def test_a_time_that_does_not_exist_is_refused(changes: dict[str, object], field: str) -> None:
    grid = replace(SPRING, breaks=(), **changes) if "breaks" not in changes else replace(SPRING, **changes)  # type: ignore[arg-type]
    assert codes(domain_grid.find_grid_problems(grid, PLAIN, PLAIN)) == [("time_does_not_exist", field)]


def test_a_drive_over_the_spring_change_is_an_hour_shorter() -> None:
    grid = replace(SPRING, opens=time(0), closes=time(6), breaks=())
    assert len(domain_grid.build_steps(grid)) == 5 * 4
    assert [plan_problems.format_problem(warning) for warning in domain_grid.find_grid_warnings(grid)] == [
        "Clocks go forward by 1 h 00 min during the drive.",
        "The drive lasts 5 h 00 min, although the clock shows 6 h 00 min.",
    ]


def test_a_drive_over_the_autumn_change_is_an_hour_longer() -> None:
    grid = replace(AUTUMN, opens=time(0), closes=time(6), step_minutes=30, breaks=())
    labels = [
        step.starts_at.astimezone(ZoneInfo(grid.zone)).strftime("%H:%M") for step in domain_grid.build_steps(grid)
    ]
    assert labels[:7] == ["00:00", "00:30", "01:00", "01:30", "01:00", "01:30", "02:00"]
    assert len(labels) == 7 * 2
    assert codes(domain_grid.find_grid_warnings(grid)) == [
        ("zone_changes_in_hours", "day"),
        ("hours_differ_from_clock", "closes"),
    ]


def test_an_ambiguous_time_means_the_first_occurrence() -> None:
    grid = replace(AUTUMN, opens=time(1, 30), closes=time(6), breaks=())
    assert domain_grid.build_steps(grid)[0].starts_at == datetime(2026, 11, 1, 8, 30, tzinfo=UTC)
    assert domain_grid.build_steps(replace(grid, opens=time(1, 30, fold=1))) == domain_grid.build_steps(grid)
    expected = "01:30 happens twice on 2026-11-01, because clocks go back then. We use the first one (UTC-07:00)."
    assert codes(domain_grid.find_grid_warnings(grid))[0] == ("time_happens_twice", "opens")
    assert plan_problems.format_problem(domain_grid.find_grid_warnings(grid)[0]) == expected


def test_daytime_hours_have_no_warnings_on_a_dst_day() -> None:
    assert domain_grid.find_grid_warnings(SPRING) == domain_grid.find_grid_warnings(AUTUMN) == []


def test_half_an_hour_of_change_does_not_fit_a_step_of_an_hour() -> None:
    night = replace(MARCH, zone="Australia/Lord_Howe", day=date(2026, 4, 5), opens=time(0), closes=time(6), breaks=())
    assert codes(domain_grid.find_grid_problems(replace(night, step_minutes=60), PLAIN, PLAIN)) == [
        ("hours_not_whole_steps", "closes")
    ]
    assert len(domain_grid.build_steps(replace(night, step_minutes=30))) == 13


def days_of_change(zone: str) -> Iterator[date]:
    noons = (datetime(2024, 1, 1, 12, tzinfo=ZoneInfo(zone)) + timedelta(days=n) for n in range(8 * 366))
    for before, after in pairwise(noons):
        if before.utcoffset() != after.utcoffset():
            yield after.date()


@cache
def clock_of(day: date, zone: str) -> tuple[list[datetime], list[datetime]]:
    """Return instants five minutes apart, and their local times.

    The test never converts a local time back to an instant, because some local times occur twice or never.
    """
    midnight = datetime.combine(day, time(0), UTC)
    instants = [midnight + timedelta(minutes=n) for n in range(-15 * 60, 39 * 60, 5)]
    return instants, [at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for at in instants]


def walked(grid: Grid) -> list[datetime] | None:
    instants, clock = clock_of(grid.day, grid.zone)
    opens, closes = (datetime.combine(grid.day, wall) for wall in (grid.opens, grid.closes))
    if opens not in clock or closes not in clock:
        return None
    return instants[clock.index(opens) : clock.index(closes) : grid.step_minutes // 5]


@pytest.mark.parametrize("zone", ZONES)
def test_every_zone_has_complete_steps_over_dst_changes(zone: str) -> None:
    days = [*days_of_change(zone), date(2025, 2, 28), date(2028, 2, 29)]
    for day, (opens, closes), step_minutes in product(days, HOURS, (10, 15, 30)):
        grid = Grid(day, opens, closes, zone, step_minutes, (), 3, 1)
        expected = walked(grid)
        if expected is None:
            assert {"time_does_not_exist"} == {
                problem.code for problem in domain_grid.find_grid_problems(grid, PLAIN, PLAIN)
            }
            continue
        starts = [step.starts_at for step in domain_grid.build_steps(grid)]
        assert starts == expected
        assert starts[0].astimezone(ZoneInfo(zone)).time() == opens
        assert {after - before for before, after in pairwise(starts)} <= {timedelta(minutes=step_minutes)}


def test_control_the_zones_do_change_their_clocks() -> None:
    changes = {zone: len(list(days_of_change(zone))) for zone in ZONES}
    assert len(ZONES) >= 30
    assert sum(count >= 16 for count in changes.values()) >= 20
    night = replace(SPRING, opens=time(0), closes=time(6), breaks=())
    naive = [datetime.combine(night.day, time(n // 4, n % 4 * 15), ZoneInfo(night.zone)) for n in range(24)]
    assert [at.astimezone(UTC) for at in naive] != walked(night)


# Limits of the steps


def test_steps_run_from_opening_to_closing_with_nothing_in_the_break() -> None:
    grid = replace(MARCH, opens=time(11), closes=time(13), step_minutes=30)
    limits = [
        (step.n, f"{step.starts_at:%H:%M}", step.screening_limit, step.chairs_limit)
        for step in domain_grid.build_steps(grid)
    ]
    assert limits == [(0, "18:00", 2, 6), (1, "18:30", 2, 6), (2, "19:00", 0, 0), (3, "19:30", 2, 6)]


def test_a_break_off_the_steps_closes_every_step_it_touches() -> None:
    grid = replace(MARCH, opens=time(11), closes=time(13), breaks=((time(11, 40), time(12, 10)),))
    assert [step.n for step in domain_grid.build_steps(grid) if not step.chairs_limit] == [2, 3, 4]
    assert codes(domain_grid.find_grid_warnings(grid)) == [("break_not_on_steps", "breaks")]


def test_a_visit_has_a_length() -> None:
    assert (FIRST.steps, FIRST.minutes(15)) == (6, 90)


# Footprints and their counters


def test_a_footprint_is_screening_and_then_a_chair() -> None:
    assert domain_grid.compute_footprint(3, FIRST) == Footprint(range(3, 5), range(5, 9))
    assert domain_grid.compute_footprint(3, PLAIN) == Footprint(range(3, 3), range(3, 4))
    assert domain_grid.compute_deltas(domain_grid.compute_footprint(3, VisitShape(1, 2))) == {
        3: (1, 0),
        4: (0, 1),
        5: (0, 1),
    }


def test_a_move_by_one_step_changes_only_the_edges() -> None:
    moved = domain_grid.compute_net_deltas(
        domain_grid.compute_footprint(3, FIRST), domain_grid.compute_footprint(4, FIRST)
    )
    assert moved == {3: (-1, 0), 5: (1, -1), 9: (0, 1)}


def applied(counters: Counter[tuple[int, str]], changes: dict[int, tuple[int, int]]) -> Counter[tuple[int, str]]:
    after = Counter(counters)
    for n, (screening, chairs) in changes.items():
        after[n, "screening"] += screening
        after[n, "chairs"] += chairs
    return after


def held(taken: Footprint | None, sign: int) -> dict[tuple[int, str], int]:
    if taken is None:
        return {}
    return {(n, "screening"): sign for n in taken.screening} | {(n, "chairs"): sign for n in taken.chairs}


@given(st.none() | footprints, st.none() | footprints)
def test_net_deltas_are_a_release_plus_a_booking(old: Footprint | None, new: Footprint | None) -> None:
    changes = domain_grid.compute_net_deltas(old, new)
    expected = Counter(held(new, 1))
    expected.update(held(old, -1))
    assert applied(Counter(), changes) == expected
    assert (0, 0) not in changes.values()
    assert list(changes) == sorted(changes)


# What fits


def held_by(booked: list[Footprint]) -> Counter[tuple[int, str]]:
    total: Counter[tuple[int, str]] = Counter()
    for taken in booked:
        total.update(held(taken, 1))
    return total


def overfull(booked: list[Footprint], screening: list[int], chairs: list[int]) -> list[tuple[int, str]]:
    """List the steps and resources that have more bookings than their limit.

    This count does not use the code under test.
    """
    limits = {(n, "screening"): limit for n, limit in enumerate(screening)}
    limits |= {(n, "chairs"): limit for n, limit in enumerate(chairs)}
    return [place for place, count in held_by(booked).items() if count > limits.get(place, 0)]


def filled(free: list[tuple[int, int]], wishes: list[tuple[int, VisitShape]]) -> list[Footprint]:
    """Book the wishes in the given order wherever `count_spots_left` finds a spot. Return the booked footprints."""
    screening, chairs = map(list, zip(*free, strict=True))
    booked = []
    for arrival, shape in wishes:
        if domain_grid.count_spots_left(screening, chairs, arrival, shape):
            booked.append(domain_grid.compute_footprint(arrival, shape))
            for n, (screened, seated) in domain_grid.compute_net_deltas(None, booked[-1]).items():
                screening[n] -= screened
                chairs[n] -= seated
    return booked


@given(counts, st.lists(st.tuples(st.integers(-2, 26), shapes), max_size=80))
def test_no_order_of_bookings_oversells(free: list[tuple[int, int]], wishes: list[tuple[int, VisitShape]]) -> None:
    booked = filled(free, wishes)
    assert overfull(booked, [row[0] for row in free], [row[1] for row in free]) == []


def test_control_checking_only_the_arrival_oversells() -> None:
    careless = [domain_grid.compute_footprint(n, VisitShape(1, 2)) for n in (0, 1, 3)]
    assert overfull(careless, [1] * 5, [1] * 5) == [(2, "chairs"), (5, "chairs")]


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    edges = sorted(draw(st.lists(st.integers(0, 95), min_size=2, max_size=6, unique=True)))
    assume(len(edges) % 2 == 0)
    opens, *inner, closes = (time(edge // 4, edge % 4 * 15) for edge in edges)
    breaks = tuple(zip(inner[::2], inner[1::2], strict=True))
    return Grid(date(2026, 7, 1), opens, closes, "Asia/Kathmandu", 15, breaks, draw(st.integers(1, 4)), 2)


@given(grids(), st.lists(st.tuples(st.integers(0, 95), shapes), max_size=60))
def test_no_visit_overlaps_a_break_or_closing(grid: Grid, wishes: list[tuple[int, VisitShape]]) -> None:
    steps = domain_grid.build_steps(grid)
    booked = filled([(step.screening_limit, step.chairs_limit) for step in steps], wishes)
    zone = ZoneInfo(grid.zone)
    for taken in booked:
        hours = [(steps[n].starts_at.astimezone(zone).time(), n) for n in (*taken.screening, *taken.chairs)]
        assert all(grid.opens <= at < grid.closes for at, _ in hours)
        assert not any(starts <= at < ends for at, _ in hours for starts, ends in grid.breaks)
    assert len(steps) * 15 == (as_minutes(grid.closes) - as_minutes(grid.opens))


def as_minutes(wall: time) -> int:
    return wall.hour * 60 + wall.minute


def counted(free: list[tuple[int, int]], arrival: int, shape: VisitShape) -> int:
    """Count how many visits fit at one arrival time: book visits until one no longer fits."""
    screening, chairs = [row[0] for row in free], [row[1] for row in free]
    booked = [domain_grid.compute_footprint(arrival, shape)]
    while not overfull(booked, screening, chairs):
        booked.append(booked[0])
    return len(booked) - 1


@given(counts, shapes)
def test_spots_left_can_all_be_booked(free: list[tuple[int, int]], shape: VisitShape) -> None:
    screening, chairs = [row[0] for row in free], [row[1] for row in free]
    expected = [counted(free, arrival, shape) for arrival in range(len(free))]
    assert domain_grid.count_spots_by_arrival(screening, chairs, shape) == expected
    assert [domain_grid.count_spots_left(screening, chairs, n, shape) for n in range(len(free))] == expected


def test_there_are_no_spots_outside_the_hours() -> None:
    assert [domain_grid.count_spots_left([1] * 4, [1] * 4, n, VisitShape(1, 2)) for n in (-1, 0, 1, 2, 4, 99)] == [
        0,
        1,
        1,
        0,
        0,
        0,
    ]
    assert domain_grid.count_spots_by_arrival([], [], PLAIN) == []
    assert domain_grid.count_spots_by_arrival([1], [1], FIRST) == [0]


# Greedy fill


@given(counts, shapes)
def test_a_greedy_fill_books_each_step_in_turn(free: list[tuple[int, int]], shape: VisitShape) -> None:
    screening, chairs = [row[0] for row in free], [row[1] for row in free]
    one_by_one = filled(free, [(n, shape) for n in range(len(free)) for _ in range(6)])
    assert domain_grid.count_fitting_visits(screening, chairs, shape) == len(one_by_one)
    assert (screening, chairs) == ([row[0] for row in free], [row[1] for row in free])


@given(counts, shapes, st.data())
def test_no_order_of_arrival_beats_a_greedy_fill(
    free: list[tuple[int, int]], shape: VisitShape, data: st.DataObject
) -> None:
    arrivals = data.draw(st.permutations([n for n in range(len(free)) for _ in range(6)]))
    booked = filled(free, [(arrival, shape) for arrival in arrivals])
    assert len(booked) <= domain_grid.count_fitting_visits([row[0] for row in free], [row[1] for row in free], shape)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=6), shapes)
def test_a_greedy_fill_is_optimal(free: list[tuple[int, int]], shape: VisitShape) -> None:
    screening, chairs = [row[0] for row in free], [row[1] for row in free]
    best = 0
    for times in product(range(3), repeat=len(free)):
        booked = [domain_grid.compute_footprint(n, shape) for n, count in enumerate(times) for _ in range(count)]
        if len(booked) > best and not overfull(booked, screening, chairs):
            best = len(booked)
    assert domain_grid.count_fitting_visits(screening, chairs, shape) == best


def test_two_overlapping_screenings_do_not_share_a_station() -> None:
    assert domain_grid.count_fitting_visits([1] * 4, [9] * 4, VisitShape(2, 1)) == 1


def test_control_another_order_fits_fewer() -> None:
    pair = VisitShape(0, 2)
    assert len(filled([(0, 1)] * 4, [(1, pair), (0, pair), (2, pair)])) == 1
    assert domain_grid.count_fitting_visits([0] * 4, [1] * 4, pair) == 2


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"zone": "Nowhere"}, GridProblem("zone_unknown", "zone", {"zone": "Nowhere"})),
        ({"day": date(1999, 12, 31)}, GridProblem("date_out_of_range", "day", {"year": 1999})),
        ({"day": date(2200, 1, 1)}, GridProblem("date_out_of_range", "day", {"year": 2200})),
        (
            {"opens": time(9, 10)},
            GridProblem("hours_not_whole_steps", "closes", {"length": "7 h 50 min", "minutes": 15}),
        ),
        ({"breaks": ((time(13), time(12)),)}, GridProblem("break_ends_before_start", "breaks", {"at": "13:00"})),
        ({"breaks": ((time(8, 59), time(10)),)}, GridProblem("break_outside_hours", "breaks", {"at": "08:59"})),
        ({"breaks": ((time(16), time(17, 1)),)}, GridProblem("break_outside_hours", "breaks", {"at": "16:00"})),
        (
            {"breaks": ((time(12), time(13)), (time(11), time(12, 1)))},
            GridProblem("breaks_overlap", "breaks", {"at": "12:00"}),
        ),
    ],
)
def test_a_problem_has_the_values_of_its_sentence(changes: dict[str, object], problem: GridProblem) -> None:
    assert domain_grid.find_grid_problems(replace(MARCH, **changes), FIRST, RETURNING) == [problem]  # type: ignore[arg-type]


@pytest.mark.parametrize("day", [date(2000, 1, 3), date(2199, 12, 31)])
def test_plans_are_limited_to_2000_to_2199(day: date) -> None:
    assert found_in(day=day) == []


@pytest.mark.parametrize("step_minutes", range(-1, 67))
def test_a_step_is_5_to_60_minutes_in_fives(step_minutes: int) -> None:
    found = found_in(step_minutes=step_minutes, breaks=())
    is_allowed = 5 <= step_minutes <= 60 and step_minutes % 5 == 0
    assert (("step_not_allowed", "step_minutes") not in found) is is_allowed


def test_one_chair_and_one_screening_station_are_required() -> None:
    one = replace(MARCH, chairs=1, screening_stations=1)
    assert domain_grid.find_grid_problems(one, FIRST, RETURNING) == []
    assert codes(domain_grid.find_grid_problems(replace(one, chairs=0), FIRST, RETURNING)) == [("no_chairs", "chairs")]
    for shapes_ in ((VisitShape(1, 1), PLAIN), (PLAIN, VisitShape(1, 1))):
        found = codes(domain_grid.find_grid_problems(replace(one, screening_stations=0), *shapes_))
        assert found == [("no_screening_places", "screening_stations")]


def test_a_visit_that_does_not_fit_is_reported_with_its_minutes() -> None:
    short = replace(MARCH, opens=time(11, 15), closes=time(13, 15))
    assert domain_grid.find_grid_problems(short, FIRST, RETURNING) == [
        GridProblem("first_visit_does_not_fit", "first", {"minutes": 90}),
        GridProblem("returning_visit_does_not_fit", "returning", {"minutes": 60}),
    ]


def test_a_nonexistent_time_is_reported_with_its_day() -> None:
    grid = replace(SPRING, opens=time(2, 30), breaks=())
    assert domain_grid.find_grid_problems(grid, PLAIN, PLAIN) == [
        GridProblem("time_does_not_exist", "opens", {"at": "02:30", "day": date(2026, 3, 8)})
    ]


def test_the_clock_goes_back_by_an_hour_in_autumn() -> None:
    grid = replace(AUTUMN, opens=time(0), closes=time(6), breaks=())
    assert domain_grid.find_grid_warnings(grid) == [
        GridProblem("zone_changes_in_hours", "day", {"way": "back", "length": "1 h 00 min"}),
        GridProblem("hours_differ_from_clock", "closes", {"length": "7 h 00 min", "shown": "6 h 00 min"}),
    ]


def test_a_break_off_the_steps_is_reported_with_its_time() -> None:
    assert domain_grid.find_grid_warnings(replace(MARCH, breaks=((time(12), time(12, 20)),))) == [
        GridProblem("break_not_on_steps", "breaks", {"at": "12:00"})
    ]
    assert domain_grid.find_grid_warnings(replace(MARCH, breaks=((time(12), time(12, 15)),))) == []


def test_build_steps_names_every_problem() -> None:
    with pytest.raises(ValueError, match=r"^closes_before_opens zone_unknown$"):
        domain_grid.build_steps(replace(MARCH, closes=time(8), breaks=(), zone="Nowhere"))
