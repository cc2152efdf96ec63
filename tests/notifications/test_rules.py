import itertools
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications import quiet_hours
from notifications import rules as notifications_rules
from notifications.models import MessageState


def test_pauses_double_up_to_half_an_hour_and_are_spread() -> None:
    assert [notifications_rules.compute_pause(n, 1.0).total_seconds() for n in (1, 2, 3, 20)] == [10, 20, 40, 1800]
    assert notifications_rules.compute_pause(1, 0.0) == timedelta(seconds=5)


@given(attempt=st.integers(1, 50), chance=st.floats(0, 1), asked=st.integers(0, 7200))
def test_a_pause_is_never_shorter_than_the_provider_asked(attempt: int, chance: float, asked: int) -> None:
    assert notifications_rules.compute_pause(attempt, chance, timedelta(seconds=asked)) >= timedelta(seconds=asked)


def test_every_order_of_every_set_of_reports_ends_with_the_highest() -> None:
    statuses = ["queued", "sending", "sent", "failed", "undelivered", "delivered"]
    for count in range(1, 7):
        for reports in itertools.permutations(statuses, count):
            state = MessageState.SENDING
            for status in reports:
                reported = notifications_rules.parse_status(status)
                if reported and notifications_rules.is_forward_move(state, reported):
                    state = reported
            assert state == notifications_rules.parse_status(max(reports, key=statuses.index))


@pytest.mark.parametrize("state", ["withdrawn", "expired", "blocked", "scheduled"])
def test_reports_do_not_revive_what_was_ended(state: str) -> None:
    assert notifications_rules.is_forward_move(state, MessageState.DELIVERED) is False


def test_words_that_no_provider_sends_change_nothing() -> None:
    assert notifications_rules.parse_status("teleported") is None


def test_the_figures_of_retries_and_hours() -> None:
    minute = timedelta(minutes=1)
    assert (quiet_hours.DEFAULT_OPENING_HOUR, quiet_hours.DEFAULT_CLOSING_HOUR, notifications_rules.MOST_ATTEMPTS) == (
        9,
        20,
        10,
    )
    assert (minute / 6, 30 * minute) == (notifications_rules.FIRST_PAUSE, notifications_rules.LONGEST_PAUSE)


@pytest.mark.parametrize(
    ("attempt", "seconds"), [(1, 10), (2, 20), (7, 640), (8, 1280), (9, 1800), (10, 1800), (17, 1800), (99, 1800)]
)
def test_a_pause_doubles_from_ten_seconds_to_half_an_hour(attempt: int, seconds: int) -> None:
    whole = timedelta(seconds=seconds)
    assert notifications_rules.compute_pause(attempt, 1.0) == whole
    assert notifications_rules.compute_pause(attempt, 0.0) == whole / 2


def test_a_retry_after_is_extended_by_up_to_a_tenth_of_the_pause() -> None:
    hour = timedelta(hours=1)
    assert notifications_rules.compute_pause(1, 0.0, hour) == hour
    assert notifications_rules.compute_pause(1, 1.0, hour) == hour + timedelta(seconds=1)


def test_the_same_report_twice_changes_nothing() -> None:
    for state in (MessageState.SENT, MessageState.DELIVERED, MessageState.FAILED):
        assert notifications_rules.is_forward_move(state, state) is False
    assert notifications_rules.is_forward_move(MessageState.SENT, MessageState.DELIVERED) is True
