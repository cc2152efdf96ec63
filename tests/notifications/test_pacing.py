from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.pacing import SHARES, Use

NOON = datetime(2027, 3, 10, 20, tzinfo=UTC)  # noon in Los Angeles
MINUTE = timedelta(minutes=1)


def leave(use: Use, at: datetime, wanted: int, priority: int = 0) -> int:
    """How many of so many leave at an instant."""
    left = 0
    while left < wanted and use.hold(priority, at) is None:
        use.take(at)
        left += 1
    return left


@given(
    st.integers(1, 300),
    st.lists(st.tuples(st.floats(0, 90), st.integers(1, 120), st.integers(0, 2)), min_size=1, max_size=40),
)
def test_in_no_minute_wherever_it_begins_more_leave_than_the_pace(
    per_minute: int, crowds: list[tuple[float, int, int]]
) -> None:
    use, at, left = Use(per_minute, 0), NOON, []
    for gap, wanted, priority in crowds:
        at += timedelta(seconds=gap)
        left += [at] * leave(use, at, wanted, priority)
    for begins in left:
        assert sum(begins <= one < begins + MINUTE for one in left) <= per_minute


@pytest.mark.parametrize("per_minute", [1, 2, 5, 75, 600])
def test_a_steady_stream_uses_the_pace(per_minute: int) -> None:
    use = Use(per_minute, 0)
    left = sum(leave(use, NOON + timedelta(seconds=second / 10), 99) for second in range(6000))
    assert 10 * per_minute * 0.75 <= left <= 10 * per_minute


def test_codes_find_room_when_reminders_have_used_theirs() -> None:
    use = Use(75, 0)
    assert leave(use, NOON, 99, priority=1) == 10
    assert leave(use, NOON, 99, priority=0) == 5


def test_who_waits_is_given_turns_one_after_the_other() -> None:
    use = Use(60, 0)
    leave(use, NOON, 99, priority=1)
    turns = [hold.until for _each in range(5) if (hold := use.hold(1, NOON))]
    gaps = {round((after - before).total_seconds(), 3) for before, after in pairwise(turns)}
    assert len(turns) == 5
    assert gaps == {round(60 / 49, 3)}


def test_who_has_waited_does_not_go_to_the_end_of_the_line() -> None:
    use = Use(60, 0)
    leave(use, NOON, 99, priority=1)
    line = [use.hold(1, NOON) for _each in range(500)]
    again = use.hold(1, NOON, has_waited=True)
    assert line[0]
    assert again
    assert again.reason == "pace"
    assert again.until <= line[0].until


@pytest.mark.parametrize(("priority", "share"), list(enumerate(SHARES)))
def test_of_a_days_budget_each_gets_its_share(priority: int, share: float) -> None:
    assert leave(Use(0, 100), NOON, 999, priority) == round(100 * share)


def test_the_smallest_budget_is_for_anybody() -> None:
    assert leave(Use(0, 1), NOON, 9, priority=2) == 1


def test_what_is_over_the_budget_waits_for_the_carriers_next_day() -> None:
    use = Use(0, 5)
    leave(use, NOON, 9)
    hold = use.hold(0, NOON)
    assert hold
    assert (hold.reason, hold.until) == ("budget", datetime(2027, 3, 11, 8, tzinfo=UTC))
    assert leave(use, hold.until, 9) == 5


def test_without_limits_nothing_waits() -> None:
    assert leave(Use(0, 0), NOON, 100_000) == 100_000


@pytest.mark.parametrize("jump", [timedelta(hours=-2), timedelta(days=-1), timedelta(hours=2), timedelta(days=1)])
def test_a_clock_that_jumps_stops_no_sender(jump: timedelta) -> None:
    use = Use(75, 0)
    leave(use, NOON, 99)
    use.settle(NOON + jump)
    assert leave(use, NOON + jump + MINUTE, 99) == 15


def test_a_clock_that_goes_back_over_midnight_gives_no_second_budget() -> None:
    use = Use(0, 5)
    leave(use, NOON + timedelta(days=1), 9)
    assert leave(use, NOON, 9) == 0


def test_a_clock_that_was_a_year_ahead_blocks_no_budget() -> None:
    use = Use(0, 5)
    leave(use, NOON + timedelta(days=365), 9)
    assert leave(use, NOON, 9) == 5
