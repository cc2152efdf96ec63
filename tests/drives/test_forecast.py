"""How many donations bookings give, and how many bookings a goal needs."""

from hypothesis import given
from hypothesis import strategies as st

from drives.forecast import PLANNING_RULE, bookings_needed, expected_donations, give_rate


def test_sixty_booked_give_forty() -> None:
    assert expected_donations(0, 60, PLANNING_RULE) == 40
    assert bookings_needed(40, 0, PLANNING_RULE) == 60


def test_a_few_bookings_do_not_make_a_rate() -> None:
    assert give_rate(19, 19) == PLANNING_RULE
    assert give_rate(0, 200) == PLANNING_RULE


def test_an_own_rate_counts_from_twenty_bookings() -> None:
    rate = give_rate(15, 20)
    assert (rate.of_hundred, rate.observed) == (75, True)


@given(goal=st.integers(1, 2000), donated=st.integers(1, 500), missed=st.integers(0, 500))
def test_the_bookings_that_are_said_to_be_needed_reach_the_goal(goal: int, donated: int, missed: int) -> None:
    rate = give_rate(donated, donated + missed)
    assert expected_donations(0, bookings_needed(goal, 0, rate), rate) >= goal
