from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drives.waitlist import rules
from notifications.quiet_hours import QuietHours

LOS_ANGELES = ZoneInfo("America/Los_Angeles")
QUIET = QuietHours(LOS_ANGELES)


def local(text: str) -> datetime:
    return datetime.fromisoformat(f"2027-03-{text}").replace(tzinfo=LOS_ANGELES)


@pytest.mark.parametrize(
    ("offered", "arrival", "deadline"),
    [
        ("01 10:00", "13 10:00", "02 10:00"),  # at most a day
        ("11 09:00", "13 01:00", "11 19:00"),  # a quarter of forty hours
        ("12 10:00", "13 10:00", "12 16:00"),
        ("11 10:00", "13 10:00", "12 09:15"),  # not in quiet hours; 15 minutes after they end
        ("12 16:00", "13 10:00", "13 09:15"),
        ("12 16:00", "13 09:45", "13 09:15"),
        ("12 16:00", "13 09:30", "12 20:23"),  # the morning is too close to the visit, so in the evening
        ("13 09:10", "13 13:10", "13 10:10"),
        ("13 10:00", "13 10:50", "13 10:15"),  # at least 15 minutes
        ("10 21:00", "12 17:00", "11 17:00"),  # in quiet hours, so counted from the morning
        ("12 23:00", "13 11:00", "13 09:30"),  # in quiet hours, so a quarter of the time that is left in the morning
        ("12 23:00", "13 09:30", "13 01:38"),  # the morning is too close to the visit, so counted from now
        ("13 07:00", "13 09:45", "13 09:15"),
        ("13 08:50", "13 09:44", "13 09:05"),  # the morning is just too close to the visit
        ("13 08:50", "13 09:45", "13 09:15"),
        ("13 08:50", "13 09:46", "13 09:15"),
    ],
)
def test_an_offer_stands_for_a_quarter_of_the_remaining_time(offered: str, arrival: str, deadline: str) -> None:
    assert rules.compute_offer_deadline(local(offered), local(arrival), QUIET) == local(deadline)


@given(
    st.integers(0, 60 * 24 * 30).map(lambda minutes: datetime(2027, 3, 1, tzinfo=UTC) + timedelta(minutes=minutes)),
    st.integers(45, 60 * 24 * 20),
    st.integers(0, 12),
    st.integers(13, 24),
)
def test_an_offer_always_leaves_time_to_answer_and_to_come(now: datetime, ahead: int, until: int, since: int) -> None:
    arrival = now + timedelta(minutes=ahead)
    ends = rules.compute_offer_deadline(now, arrival, QuietHours(LOS_ANGELES, until, since))
    assert now + rules.SHORTEST_OFFER <= ends <= arrival - rules.MIN_OFFER_NOTICE


def test_a_deadline_is_a_full_minute() -> None:
    just = timedelta(microseconds=1)
    assert rules.compute_offer_deadline(local("13 10:00") + just, local("13 10:50"), QUIET) == local("13 10:16")
    assert rules.compute_offer_deadline(local("13 10:00"), local("13 10:50"), QUIET) == local("13 10:15")


@pytest.mark.parametrize(
    ("minutes", "stands"), [(60, 15), (64, 16), (24 * 60 * 4, 24 * 60), (24 * 60 * 4 + 4, 24 * 60)]
)
def test_an_offer_stands_for_15_minutes_to_24_hours(minutes: int, stands: int) -> None:
    always = QuietHours(LOS_ANGELES, 0, 24)
    now = local("01 10:00")
    ends = rules.compute_offer_deadline(now, now + timedelta(minutes=minutes), always)
    assert ends - now == timedelta(minutes=stands)


def test_an_offered_arrival_is_at_least_45_minutes_away() -> None:
    assert rules.compute_earliest_offered_arrival(local("13 10:00")) == local("13 10:45")
