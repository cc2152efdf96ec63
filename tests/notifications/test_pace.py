from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.pace import BUDGET_SHARES, AllowanceUse

NOON = datetime(2027, 3, 10, 20, tzinfo=UTC)  # noon in Los Angeles
MINUTE = timedelta(minutes=1)


def leave(use: AllowanceUse, at: datetime, wanted: int, priority: int = 0) -> int:
    """Count how many of `wanted` messages may be sent at this time."""
    left = 0
    while left < wanted and use.find_deferral(priority, at) is None:
        use.count_message(at)
        left += 1
    return left


@given(
    st.integers(1, 300),
    st.lists(st.tuples(st.floats(0, 90), st.integers(1, 120), st.integers(0, 2)), min_size=1, max_size=40),
)
def test_no_60_seconds_contain_more_messages_than_the_limit(
    per_minute: int, crowds: list[tuple[float, int, int]]
) -> None:
    use, at, left = AllowanceUse(per_minute, 0), NOON, []
    for gap, wanted, priority in crowds:
        at += timedelta(seconds=gap)
        left += [at] * leave(use, at, wanted, priority)
    for begins in left:
        assert sum(begins <= one < begins + MINUTE for one in left) <= per_minute


@pytest.mark.parametrize("per_minute", [1, 2, 5, 75, 600])
def test_a_steady_stream_uses_the_pace(per_minute: int) -> None:
    use = AllowanceUse(per_minute, 0)
    left = sum(leave(use, NOON + timedelta(seconds=second / 10), 99) for second in range(6000))
    assert 10 * per_minute * 0.75 <= left <= 10 * per_minute


def test_codes_find_room_when_reminders_have_used_theirs() -> None:
    use = AllowanceUse(75, 0)
    assert leave(use, NOON, 99, priority=1) == 10
    assert leave(use, NOON, 99, priority=0) == 5


def test_deferred_messages_get_turns_one_after_the_other() -> None:
    use = AllowanceUse(60, 0)
    leave(use, NOON, 99, priority=1)
    turns = [hold.until for _each in range(5) if (hold := use.find_deferral(1, NOON))]
    gaps = {round((after - before).total_seconds(), 3) for before, after in pairwise(turns)}
    assert len(turns) == 5
    assert gaps == {round(60 / 49, 3)}


def test_a_message_that_has_waited_does_not_go_to_the_end_of_the_queue() -> None:
    use = AllowanceUse(60, 0)
    leave(use, NOON, 99, priority=1)
    line = [use.find_deferral(1, NOON) for _each in range(500)]
    again = use.find_deferral(1, NOON, has_waited=True)
    assert line[0]
    assert again
    assert again.reason == "pace"
    assert again.until <= line[0].until


@pytest.mark.parametrize(("priority", "share"), list(enumerate(BUDGET_SHARES)))
def test_each_priority_gets_its_share_of_a_days_budget(priority: int, share: float) -> None:
    assert leave(AllowanceUse(0, 100), NOON, 999, priority) == round(100 * share)


def test_the_smallest_budget_serves_every_priority() -> None:
    assert leave(AllowanceUse(0, 1), NOON, 9, priority=2) == 1


def test_a_message_over_the_budget_waits_for_the_next_carrier_day() -> None:
    use = AllowanceUse(0, 5)
    leave(use, NOON, 9)
    hold = use.find_deferral(0, NOON)
    assert hold
    assert (hold.reason, hold.until) == ("budget", datetime(2027, 3, 11, 8, tzinfo=UTC))
    assert leave(use, hold.until, 9) == 5


def test_without_limits_nothing_waits() -> None:
    assert leave(AllowanceUse(0, 0), NOON, 100_000) == 100_000


@pytest.mark.parametrize("jump", [timedelta(hours=-2), timedelta(days=-1), timedelta(hours=2), timedelta(days=1)])
def test_a_clock_that_jumps_stops_no_sender(jump: timedelta) -> None:
    use = AllowanceUse(75, 0)
    leave(use, NOON, 99)
    use.limit_to_burst(NOON + jump)
    assert leave(use, NOON + jump + MINUTE, 99) == 15


def test_a_clock_that_goes_back_over_midnight_gives_no_second_budget() -> None:
    use = AllowanceUse(0, 5)
    leave(use, NOON + timedelta(days=1), 9)
    assert leave(use, NOON, 9) == 0


def test_a_clock_that_was_a_year_ahead_blocks_no_budget() -> None:
    use = AllowanceUse(0, 5)
    leave(use, NOON + timedelta(days=365), 9)
    assert leave(use, NOON, 9) == 5


STEP = MINUTE / 49  # at sixty a minute


def until(use: AllowanceUse, priority: int, at: datetime = NOON, *, has_waited: bool = False) -> datetime:
    hold = use.find_deferral(priority, at, has_waited=has_waited)
    assert hold
    assert hold.reason == "pace"
    return hold.until


def test_turns_are_one_step_apart_from_the_first_free_one_on() -> None:
    use = AllowanceUse(60, 0)
    assert leave(use, NOON, 99, priority=1) == 8
    assert [until(use, 1) for _each in range(3)] == [NOON + n * STEP for n in (3, 4, 5)]
    assert [until(use, 1, has_waited=True) for _each in range(3)] == [NOON + n * STEP for n in (1, 2, 3)]


def test_an_urgent_message_uses_its_own_share_of_the_pace() -> None:
    use = AllowanceUse(60, 0)
    assert leave(use, NOON, 99) == 12
    assert until(use, 0) == NOON + 3 * STEP


@pytest.mark.parametrize(("per_minute", "urgent", "others"), [(1, 1, 1), (9, 1, 1), (10, 2, 2), (50, 10, 7)])
def test_a_burst_is_a_fifth_of_the_limit_and_a_third_of_it_is_reserved_for_urgent_messages(
    per_minute: int, urgent: int, others: int
) -> None:
    assert leave(AllowanceUse(per_minute, 0), NOON, 99) == urgent
    assert leave(AllowanceUse(per_minute, 0), NOON, 99, priority=1) == others


def test_a_queue_is_never_longer_than_a_day() -> None:
    use = AllowanceUse(60, 0, last_turn_at=NOON + timedelta(days=9))
    leave(use, NOON, 99, priority=1)
    assert until(use, 1) == NOON + timedelta(days=1) + STEP


def test_settling_caps_what_is_used_at_a_full_bucket() -> None:
    use = AllowanceUse(60, 0, paced_until=NOON + timedelta(hours=2))
    use.limit_to_burst(NOON)
    assert use.paced_until == NOON + 12 * STEP
    fresh, unlimited = AllowanceUse(60, 0), AllowanceUse(0, 0, paced_until=NOON)
    fresh.limit_to_burst(NOON)
    unlimited.limit_to_burst(NOON)
    assert (fresh.paced_until, unlimited.paced_until) == (None, NOON)


def test_the_carriers_day_begins_at_midnight_in_los_angeles() -> None:
    use, midnight = AllowanceUse(0, 5), datetime(2027, 3, 11, 8, tzinfo=UTC)
    leave(use, NOON, 9)
    assert leave(use, midnight - timedelta(seconds=1), 9) == 0
    evening = use.find_deferral(0, midnight - timedelta(hours=4))
    assert evening
    assert evening.until == midnight
    assert leave(use, midnight, 9) == 5


@pytest.mark.parametrize(("priority", "left"), [(0, 100), (1, 90), (2, 80), (3, 70), (4, 70)])
def test_each_priority_has_its_share_of_a_day(priority: int, left: int) -> None:
    assert leave(AllowanceUse(0, 100), NOON, 999, priority) == left


@pytest.mark.parametrize(("per_day", "left"), [(1, 1), (2, 2), (10, 7), (11, 8)])
def test_a_share_of_a_day_is_rounded_up(per_day: int, left: int) -> None:
    assert leave(AllowanceUse(0, per_day), NOON, 99, priority=3) == left
