from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications import quiet_hours
from notifications.quiet_hours import QuietHours

LA = ZoneInfo("America/Los_Angeles")
ZONES = [
    *("America/Los_Angeles", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "UTC", "Pacific/Chatham"),
]
instants = st.integers(0, 8 * 366 * 24 * 60).map(
    lambda minutes: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


def wall(text: str, zone: ZoneInfo = LA) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("at", "quiet"),
    [
        ("2027-03-10 08:59", True),
        ("2027-03-10 09:00", False),
        ("2027-03-10 19:59", False),
        ("2027-03-10 20:00", True),
    ],
)
def test_texts_leave_from_nine_until_before_eight_in_the_evening(at: str, quiet: bool) -> None:
    assert QuietHours(LA).is_quiet(wall(at)) is quiet
    assert not QuietHours(LA, 0, 24).is_quiet(wall(at))


@pytest.mark.parametrize(
    ("at", "after"),
    [
        ("2027-03-10 00:00", "2027-03-10 09:00"),
        ("2027-03-10 06:30", "2027-03-10 09:00"),
        ("2027-03-10 08:59", "2027-03-10 09:00"),
        ("2027-03-10 09:00", "2027-03-10 09:00"),
        ("2027-03-10 19:59", "2027-03-10 19:59"),
        ("2027-03-10 20:00", "2027-03-11 09:00"),
        ("2027-03-13 21:00", "2027-03-14 09:00"),  # the night in which the clocks go forward
        ("2027-03-14 03:00", "2027-03-14 09:00"),
        ("2027-03-14 12:00", "2027-03-14 12:00"),
    ],
)
def test_quiet_hours_end_at_nine_in_the_morning(at: str, after: str) -> None:
    assert QuietHours(LA).next_open(wall(at)) == wall(after)


@pytest.mark.parametrize(
    ("at", "before"),
    [
        ("2027-03-10 20:00", "2027-03-10 19:45"),
        ("2027-03-10 08:59", "2027-03-09 19:45"),
        ("2027-03-10 09:00", "2027-03-10 09:00"),
        ("2027-03-14 03:00", "2027-03-13 19:45"),
    ],
)
def test_a_message_that_cannot_wait_moves_to_the_evening_before(at: str, before: str) -> None:
    assert QuietHours(LA).last_open_before(wall(at)) == wall(before)


@given(at=instants, zone=st.sampled_from(ZONES), opens=st.integers(0, 22), hours=st.integers(1, 24))
def test_a_moved_time_is_outside_quiet_hours_and_moves_in_the_right_direction(
    at: datetime, zone: str, opens: int, hours: int
) -> None:
    quiet = QuietHours(ZoneInfo(zone), opens, min(opens + hours, 24))
    later, earlier = quiet.next_open(at), quiet.last_open_before(at)
    assert not quiet.is_quiet(later)
    assert not quiet.is_quiet(earlier)
    longest = timedelta(hours=25 if hours > 1 else 49)  # the clocks may skip the only open hour of a day
    assert at - longest <= earlier <= at <= later <= at + longest


@pytest.mark.parametrize(
    ("closes", "after", "before"),
    [
        (3, "2027-03-15 02:00", "2027-03-13 02:45"),
        (4, "2027-03-14 03:00", "2027-03-13 03:45"),
    ],
)
def test_a_night_without_its_open_hour_is_passed_over(closes: int, after: str, before: str) -> None:
    quiet, at = QuietHours(LA, 2, closes), wall("2027-03-14 01:30")  # at 2:00 the clocks go to 3:00
    assert (quiet.next_open(at), quiet.last_open_before(at)) == (wall(after), wall(before))


def test_after_a_night_without_its_open_hour_the_last_open_moment_is_a_day_earlier() -> None:
    assert QuietHours(LA, 2, 3).last_open_before(wall("2027-03-14 12:00")) == wall("2027-03-13 02:45")


@pytest.mark.parametrize(
    ("at", "visit", "may_wait"),
    [
        ("2027-03-10 21:00", "2027-03-11 11:59", False),
        ("2027-03-10 21:00", "2027-03-11 12:00", True),
        ("2027-03-11 03:00", "2027-03-11 12:00", True),
        ("2027-03-11 03:00", "2027-03-11 11:59", False),
        ("2027-03-10 12:00", "2027-03-10 11:59", False),
        ("2027-03-10 10:00", "2027-03-10 12:00", True),
    ],
)
def test_a_change_waits_for_the_morning_unless_the_visit_is_before_noon_of_it(
    at: str, visit: str, may_wait: bool
) -> None:
    assert QuietHours(LA).may_wait(wall(at), wall(visit)) is may_wait


def test_the_morning_is_that_of_the_site_also_where_it_is_still_yesterday_in_utc() -> None:
    auckland = ZoneInfo("Pacific/Auckland")
    evening = wall("2027-03-10 21:00", auckland)
    for visit, may_wait in (("2027-03-11 11:59", False), ("2027-03-11 12:00", True)):
        assert QuietHours(auckland).may_wait(evening, wall(visit, auckland)) is may_wait


def test_an_unknown_zone_is_read_as_utc() -> None:
    assert quiet_hours.parse_zone("Mars/Olympus") == ZoneInfo("UTC")
    assert quiet_hours.parse_zone("America/Los_Angeles") == LA
