"""The definitions of the figures in a report, on both sides of each boundary."""

import pytest

from drives.desk import report_figures
from drives.desk.report_figures import Figures, MessageTally, Rate, Tally


def tally_of(**states: int) -> Tally:
    tally = Tally()
    for state, count in states.items():
        tally.add(state.removeprefix("walk_in_"), count, is_walk_in=state.startswith("walk_in_"))
    return tally


def test_a_tally_counts_bookings_and_walk_ins_by_outcome() -> None:
    tally = tally_of(
        booked=1,
        confirmed=2,
        checked_in=3,
        donated=10,
        incomplete=1,
        deferred=2,
        left=1,
        no_show=4,
        cancelled=6,
        walk_in_donated=2,
        walk_in_deferred=1,
    )
    assert tally == Tally(
        booked=30, cancelled=6, came=20, walk_ins=3, donated=12, incomplete=1, deferred=3, left=1, no_show=4
    )
    assert (tally.expected, tally.came_as_booked, tally.expected_and_walk_ins) == (24, 17, 27)
    assert (tally.show, tally.no_shows, tally.deferrals) == (Rate(17, 24), Rate(4, 24), Rate(3, 20))


@pytest.mark.parametrize("state", ["booked", "confirmed", "no_show", "cancelled"])
def test_a_walk_in_that_is_not_checked_in_does_not_count(state: str) -> None:
    assert tally_of(**{f"walk_in_{state}": 1}) == Tally()


@pytest.mark.parametrize(
    ("part", "whole", "percent"), [(0, 0, None), (1, 0, None), (0, 1, 0), (1, 3, 33), (2, 3, 67), (3, 2, 150)]
)
def test_a_share_of_nothing_is_not_known(part: int, whole: int, percent: int | None) -> None:
    assert Rate(part, whole).percent == percent


def test_figures_are_added() -> None:
    one = Figures(10, Tally(booked=2, came=1), Tally(booked=3, cancelled=1))
    both = one + Figures(5, Tally(booked=1), Tally(walk_ins=1, came=1))
    assert both == Figures(15, Tally(booked=3, came=1), Tally(booked=3, cancelled=1, walk_ins=1, came=1))
    assert (both.tally.booked, both.fill) == (6, Rate(5, 15))
    assert MessageTally(1, 2, 0, 3) + MessageTally(1, 0, 1, 0) == MessageTally(2, 2, 1, 3)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (0, (0, 0)),
        (1, (1, 1)),
        (2, (2, 3)),
        (3, (2, 3)),
        (4, (4, 7)),
        (7, (4, 7)),
        (8, (8, 14)),
        (14, (8, 14)),
        (15, (15, 30)),
        (30, (15, 30)),
        (31, (31, None)),
        (366, (31, None)),
    ],
)
def test_each_day_is_in_one_class(day: int, expected: tuple[int, int | None]) -> None:
    classes = report_figures.classify_lead_times({day: Tally(booked=5)})
    assert [(one.first, one.last) for one in classes if one.tally.booked] == [expected]


def test_days_of_one_class_are_added() -> None:
    classes = report_figures.classify_lead_times({2: Tally(booked=1), 3: Tally(booked=2), 4: Tally(booked=4)})
    assert [one.tally.booked for one in classes] == [0, 0, 3, 4, 0, 0, 0]


@pytest.mark.parametrize(
    ("days", "median"),
    [
        ({}, None),
        ({3: Tally(booked=1, cancelled=1)}, None),
        ({3: Tally(walk_ins=1, came=1)}, None),
        ({3: Tally(booked=1)}, 3),
        ({1: Tally(booked=1), 9: Tally(booked=2)}, 9),
        ({1: Tally(booked=2), 9: Tally(booked=1)}, 1),
        ({9: Tally(booked=2), 2: Tally(booked=2)}, 5.5),
        ({9: Tally(booked=3, cancelled=2), 2: Tally(booked=2)}, 2),
    ],
)
def test_the_median_lead_counts_bookings_that_were_not_cancelled(days: dict[int, Tally], median: float | None) -> None:
    assert report_figures.compute_median_lead(days) == median
