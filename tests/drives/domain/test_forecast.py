"""Forecast the donations to expect from bookings, and the number of bookings that a goal needs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drives.domain import forecast
from drives.domain.forecast import PLANNING_RATE, DonationRange, DonationRate


def test_sixty_booked_give_forty() -> None:
    assert forecast.compute_expected_donations(0, 60, PLANNING_RATE) == 40
    assert forecast.compute_bookings_needed(40, 0, PLANNING_RATE) == 60


def test_the_planning_rule_applies_to_few_bookings() -> None:
    assert forecast.compute_donation_rate(19, 19) == PLANNING_RATE
    assert forecast.compute_donation_rate(0, 200) == PLANNING_RATE


def test_the_observed_rate_applies_from_20_bookings() -> None:
    rate = forecast.compute_donation_rate(15, 20)
    assert (rate.percent, rate.is_observed) == (75, True)


@given(goal=st.integers(1, 2000), donated=st.integers(1, 500), missed=st.integers(0, 500))
def test_the_needed_bookings_reach_the_goal(goal: int, donated: int, missed: int) -> None:
    rate = forecast.compute_donation_rate(donated, donated + missed)
    assert forecast.compute_expected_donations(0, forecast.compute_bookings_needed(goal, 0, rate), rate) >= goal


def test_one_donation_of_20_bookings_is_an_observed_rate() -> None:
    assert forecast.compute_donation_rate(1, 20) == DonationRate(1, 20, is_observed=True)
    assert (
        forecast.compute_donation_rate(0, 20)
        == forecast.compute_donation_rate(1, 19)
        == PLANNING_RATE
        == DonationRate(40, 60, is_observed=False)
    )
    assert forecast.compute_donation_rate(30, 20) == DonationRate(20, 20, is_observed=True)


def test_expected_donations_round_half_up() -> None:
    assert [
        forecast.compute_expected_donations(3, booked, forecast.compute_donation_rate(10, 20))
        for booked in (0, 1, 2, 3)
    ] == [
        3,
        4,
        4,
        5,
    ]
    assert forecast.compute_expected_donations(0, 1, forecast.compute_donation_rate(9, 20)) == 0


def test_a_reached_goal_needs_no_bookings() -> None:
    assert [forecast.compute_bookings_needed(40, expected, PLANNING_RATE) for expected in (38, 39, 40, 41)] == [
        3,
        2,
        0,
        0,
    ]


def test_the_range_of_60_bookings_by_the_planning_rule() -> None:
    """60 bookings give 40 ± 6.62: 1.2816 standard deviations. The variance is 60 × 2/3 × 1/3 × 2."""
    assert forecast.compute_donation_range(0, 60, PLANNING_RATE) == DonationRange(33, 47)
    assert forecast.compute_donation_range(5, 60, PLANNING_RATE) == DonationRange(38, 52)


def test_more_observed_bookings_make_the_range_narrower() -> None:
    few, many = DonationRate(20, 30, is_observed=True), DonationRate(2000, 3000, is_observed=True)
    assert forecast.compute_donation_range(0, 60, few) == DonationRange(31, 49)
    assert forecast.compute_donation_range(0, 60, many) == DonationRange(35, 45)


def test_a_range_without_open_bookings_is_what_was_donated() -> None:
    assert forecast.compute_donation_range(7, 0, PLANNING_RATE) == DonationRange(7, 7)
    assert forecast.compute_donation_range(7, 5, DonationRate(20, 20, is_observed=True)) == DonationRange(12, 12)


@given(donated=st.integers(0, 500), booked=st.integers(0, 2000), given=st.integers(1, 500), missed=st.integers(0, 500))
def test_the_range_includes_the_expected_donations_and_no_impossible_ones(
    donated: int, booked: int, given: int, missed: int
) -> None:
    rate = forecast.compute_donation_rate(given, given + missed)
    reach = forecast.compute_donation_range(donated, booked, rate)
    expected = forecast.compute_expected_donations(donated, booked, rate)
    assert donated <= reach.low <= expected <= reach.high <= donated + booked


@pytest.mark.parametrize(("bookings", "goal"), [(0, 0), (1, 0), (2, 1), (8, 5), (9, 6), (10, 6), (60, 40)])
def test_the_highest_goal_takes_at_most_so_many_bookings(bookings: int, goal: int) -> None:
    assert forecast.compute_highest_goal(bookings, PLANNING_RATE) == goal
    assert forecast.compute_bookings_needed(goal, 0, PLANNING_RATE) <= bookings
    assert forecast.compute_bookings_needed(goal + 1, 0, PLANNING_RATE) > bookings
