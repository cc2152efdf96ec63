"""How many donations bookings give, and how many bookings a goal needs."""

from hypothesis import given
from hypothesis import strategies as st

from drives.domain import forecast
from drives.domain.forecast import PLANNING_RATE, DonationRate


def test_sixty_booked_give_forty() -> None:
    assert forecast.compute_expected_donations(0, 60, PLANNING_RATE) == 40
    assert forecast.compute_bookings_needed(40, 0, PLANNING_RATE) == 60


def test_a_few_bookings_do_not_make_a_rate() -> None:
    assert forecast.compute_donation_rate(19, 19) == PLANNING_RATE
    assert forecast.compute_donation_rate(0, 200) == PLANNING_RATE


def test_an_own_rate_counts_from_twenty_bookings() -> None:
    rate = forecast.compute_donation_rate(15, 20)
    assert (rate.percent, rate.is_observed) == (75, True)


@given(goal=st.integers(1, 2000), donated=st.integers(1, 500), missed=st.integers(0, 500))
def test_the_bookings_that_are_said_to_be_needed_reach_the_goal(goal: int, donated: int, missed: int) -> None:
    rate = forecast.compute_donation_rate(donated, donated + missed)
    assert forecast.compute_expected_donations(0, forecast.compute_bookings_needed(goal, 0, rate), rate) >= goal


def test_a_rate_is_ones_own_from_one_donation_of_twenty_bookings_on() -> None:
    assert forecast.compute_donation_rate(1, 20) == DonationRate(1, 20, is_observed=True)
    assert (
        forecast.compute_donation_rate(0, 20)
        == forecast.compute_donation_rate(1, 19)
        == PLANNING_RATE
        == DonationRate(40, 60, is_observed=False)
    )
    assert forecast.compute_donation_rate(30, 20) == DonationRate(20, 20, is_observed=True)


def test_half_a_donation_counts_as_a_whole_one_and_less_as_none() -> None:
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


def test_a_goal_that_is_reached_needs_no_more_bookings() -> None:
    assert [forecast.compute_bookings_needed(40, expected, PLANNING_RATE) for expected in (38, 39, 40, 41)] == [
        3,
        2,
        0,
        0,
    ]
