"""The times at which reminders are sent: in every time zone, over DST changes, and for any message schedule."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drives.domain import reminder_times
from drives.domain.message_kinds import ScheduledKind
from drives.domain.reminder_times import EntrySettings, MessageSchedule, ScheduleProblem
from drives.messaging.default_schedule import DEFAULT_SCHEDULE
from notifications import kinds
from notifications.kinds import ChannelChoice
from notifications.quiet_hours import QuietHours

LA = ZoneInfo("America/Los_Angeles")
ZONES = [
    ZoneInfo(name)
    for name in (
        "America/Los_Angeles",
        "America/New_York",
        "America/Phoenix",
        "America/Santiago",
        "America/St_Johns",
        "Africa/Cairo",
        "Africa/Casablanca",
        "Asia/Beirut",
        "Asia/Kathmandu",
        "Asia/Kolkata",
        "Australia/Lord_Howe",
        "Europe/Vienna",
        "Pacific/Apia",
        "Pacific/Chatham",
        "Pacific/Honolulu",
        "UTC",
    )
]
FIRST_DAY = datetime(2024, 1, 2, tzinfo=UTC)
INSTANTS = st.integers(0, 8 * 366 * 24 * 60).map(lambda minutes: FIRST_DAY + timedelta(minutes=minutes))
WINDOWS = st.integers(0, 23).flatmap(lambda until: st.tuples(st.just(until), st.integers(until + 1, 24)))


def line(days: int = 0, hours: int = 0, **changes: object) -> EntrySettings:
    made: dict[str, object] = {
        "kind": ScheduledKind.THREE_DAYS,
        "channel_choice": ChannelChoice.TEXT,
        "days": days,
        "hours": hours,
        **changes,
    }
    return EntrySettings(**made)  # type: ignore[arg-type]


def wall(text: str, zone: ZoneInfo = LA) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def due(text: str, planned: EntrySettings, zone: ZoneInfo = LA, until: int = 9, since: int = 20) -> str:
    quiet = QuietHours(zone, until, since)
    return (
        reminder_times.compute_due_time(planned, wall(text, zone).astimezone(UTC), quiet)
        .astimezone(zone)
        .strftime("%b %d %H:%M")
    )


@pytest.mark.parametrize(
    ("visit", "expected"),
    [("2027-03-14 10:30", "Mar 13 10:30"), ("2027-03-15 10:30", "Mar 14 10:30"), ("2027-11-07 10:30", "Nov 06 10:30")],
)
def test_days_before_keep_the_wall_time_over_dst_changes(visit: str, expected: str) -> None:
    assert due(visit, line(days=1)) == expected


def test_hours_before_are_elapsed_over_dst_changes() -> None:
    assert due("2027-03-14 11:30", line(hours=2)) == "Mar 14 09:30"
    assert due("2027-03-14 05:00", line(hours=4), until=0, since=24) == "Mar 14 00:00"
    assert due("2027-11-07 05:00", line(hours=6), until=0, since=24) == "Nov 07 00:00"


def test_a_reminder_in_quiet_hours_leaves_the_evening_before() -> None:
    assert due("2027-03-10 08:45", line(days=1)) == "Mar 08 19:45"
    assert due("2027-03-10 20:00", line(days=1)) == "Mar 09 19:45"
    assert due("2027-03-10 10:30", line(hours=2)) == "Mar 09 19:45"
    assert due("2027-03-10 19:59", line(days=1)) == "Mar 09 19:59"


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_no_reminder_leaves_in_quiet_hours_in_eight_years(zone: ZoneInfo) -> None:
    quiet = QuietHours(zone)
    for number in range(8 * 365):
        day = FIRST_DAY + timedelta(days=number)
        for hour in (6, 9, 20):
            visit = day.replace(hour=hour, tzinfo=zone).astimezone(UTC)
            for planned in (line(days=1), line(hours=2)):
                at = reminder_times.compute_due_time(planned, visit, quiet)
                assert not quiet.is_quiet(at), (visit, planned)
                assert at < visit


@given(visit=INSTANTS, days=st.integers(0, 30), hours=st.integers(0, 12), zone=st.sampled_from(ZONES), window=WINDOWS)
def test_a_reminder_never_leaves_in_quiet_hours_or_late(
    visit: datetime, days: int, hours: int, zone: ZoneInfo, window: tuple[int, int]
) -> None:
    quiet, planned = QuietHours(zone, *window), line(days, hours)
    at = reminder_times.compute_due_time(planned, visit, quiet)
    assert not quiet.is_quiet(at)
    assert at <= reminder_times.compute_preferred_time(planned, visit, zone)
    assert at <= visit


PLANS = st.builds(
    lambda early, later, hours, enabled: reminder_times.merge_schedule(
        DEFAULT_SCHEDULE,
        [
            line(early, kind=ScheduledKind.WEEK, is_enabled=enabled[0]),
            line(later, kind=ScheduledKind.THREE_DAYS, is_enabled=enabled[1]),
            line(1, kind=ScheduledKind.DAY_BEFORE, is_enabled=enabled[2]),
            line(hours=hours, kind=ScheduledKind.SAME_DAY, is_enabled=enabled[3]),
        ],
    ),
    st.integers(2, 30),
    st.integers(2, 30),
    st.integers(1, 12),
    st.tuples(*[st.booleans()] * 4),
)


@given(plan=PLANS, visit=INSTANTS, lead=st.timedeltas(timedelta(), timedelta(days=60)), zone=st.sampled_from(ZONES))
def test_reminders_fall_between_booking_and_visit(
    plan: MessageSchedule, visit: datetime, lead: timedelta, zone: ZoneInfo
) -> None:
    booked_at, quiet = visit - lead, QuietHours(zone)
    for planned, at in reminder_times.compute_reminders(plan, visit, booked_at, quiet):
        assert booked_at + planned.offset / 2 <= at <= visit
        assert not quiet.is_quiet(at)
        assert planned.is_enabled


def test_the_default_schedule_sends_fewer_reminders_for_late_bookings() -> None:
    visit, quiet = wall("2027-03-13 10:30").astimezone(UTC), QuietHours(LA)

    def reminded(lead: timedelta) -> list[str]:
        return [
            planned.kind
            for planned, _ in reminder_times.compute_reminders(DEFAULT_SCHEDULE, visit, visit - lead, quiet)
        ]

    assert reminded(timedelta(days=12)) == ["week", "three_days", "day_before"]
    assert reminded(timedelta(days=10)) == ["three_days", "day_before"]
    assert reminded(timedelta(days=4)) == ["day_before"]
    assert reminded(timedelta(hours=30)) == []


def test_every_text_that_asks_for_a_reply_is_a_prompt() -> None:
    assert all(kinds.KINDS[kind].asks_for_reply for kind in reminder_times.REMINDERS)


def test_a_schedule_keeps_used_fields_and_the_confirmation() -> None:
    typed = reminder_times.merge_schedule(
        DEFAULT_SCHEDULE,
        [
            line(9, 9, kind=ScheduledKind.DAY_BEFORE),
            line(4, 9),
            line(9, 0, kind=ScheduledKind.BOOKED, is_enabled=False),
        ],
    )
    kept = reminder_times.normalize_schedule(typed, DEFAULT_SCHEDULE)
    assert (kept["day_before"].days, kept["day_before"].hours) == (1, 0)
    assert (kept["three_days"].days, kept["three_days"].hours) == (4, 0)
    assert (kept["booked"].is_enabled, kept["booked"].days) == (True, 0)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        (line(1), "days_out_of_range"),
        (line(31), "days_out_of_range"),
        (line(7), "same_days"),
        (line(kind=ScheduledKind.SAME_DAY, hours=13), "hours_out_of_range"),
        (line(kind=ScheduledKind.SAME_DAY, hours=0), "hours_out_of_range"),
        (line(kind=ScheduledKind.BOOKED, channel_choice=ChannelChoice.MAIL), "confirmation_needs_text"),
    ],
)
def test_invalid_schedules_are_refused(changed: EntrySettings, code: str) -> None:
    assert [
        problem.code
        for problem in reminder_times.find_schedule_problems(reminder_times.merge_schedule(DEFAULT_SCHEDULE, [changed]))
    ] == [code]


def test_the_default_schedule_is_valid_and_has_its_own_fingerprint() -> None:
    assert reminder_times.find_schedule_problems(DEFAULT_SCHEDULE) == []
    other = reminder_times.merge_schedule(DEFAULT_SCHEDULE, [line(4)])
    assert reminder_times.compute_schedule_fingerprint(DEFAULT_SCHEDULE) != reminder_times.compute_schedule_fingerprint(
        other
    )
    assert reminder_times.compute_schedule_fingerprint(DEFAULT_SCHEDULE) == reminder_times.compute_schedule_fingerprint(
        dict(reversed(list(DEFAULT_SCHEDULE.items())))
    )


@pytest.mark.parametrize("hours", [2, 24, 72, 7 * 24])
def test_a_reminder_goes_out_at_least_half_its_offset_after_booking(hours: int) -> None:
    offset, booked_at = timedelta(hours=hours), datetime(2027, 3, 1, 18, tzinfo=UTC)
    assert reminder_times.is_worth_sending(booked_at + offset / 2, booked_at, offset)
    assert not reminder_times.is_worth_sending(booked_at + offset / 2 - timedelta(microseconds=1), booked_at, offset)


def test_our_plan() -> None:
    lines = {
        kind: (str(line.channel_choice), line.days, line.hours, line.is_enabled)
        for kind, line in DEFAULT_SCHEDULE.items()
    }
    assert lines == {
        "booked": ("both", 0, 0, True),
        "week": ("mail", 7, 0, True),
        "three_days": ("text", 3, 0, True),
        "day_before": ("text", 1, 0, True),
        "same_day": ("text", 0, 2, False),
        "thank_you": ("both", 0, 0, True),
        "missed": ("both", 0, 0, True),
        "invitation": ("text", 0, 0, True),
    }


DAYS_WORDS = "Enter a number of days from 2 to 30."
HOURS_WORDS = "Enter a number of hours from 1 to 12."
TEXT_WORDS = "Donors who gave only a phone number wouldn’t get a confirmation. Choose an option that includes texts."
TWICE_WORDS = "Both reminders would go out on the same day. Choose another number of days, or turn one off."


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        (line(1), ScheduleProblem("three_days", "days", "days_out_of_range", DAYS_WORDS)),
        (line(2), None),
        (line(30), None),
        (line(31), ScheduleProblem("three_days", "days", "days_out_of_range", DAYS_WORDS)),
        (line(1, kind=ScheduledKind.WEEK), ScheduleProblem("week", "days", "days_out_of_range", DAYS_WORDS)),
        (line(2, kind=ScheduledKind.WEEK), None),
        (line(30, kind=ScheduledKind.WEEK), None),
        (line(31, kind=ScheduledKind.WEEK), ScheduleProblem("week", "days", "days_out_of_range", DAYS_WORDS)),
        (line(kind=ScheduledKind.SAME_DAY), ScheduleProblem("same_day", "hours", "hours_out_of_range", HOURS_WORDS)),
        (line(kind=ScheduledKind.SAME_DAY, hours=1), None),
        (line(kind=ScheduledKind.SAME_DAY, hours=12), None),
        (
            line(kind=ScheduledKind.SAME_DAY, hours=13),
            ScheduleProblem("same_day", "hours", "hours_out_of_range", HOURS_WORDS),
        ),
        (
            line(kind=ScheduledKind.BOOKED, channel_choice=ChannelChoice.MAIL),
            ScheduleProblem("booked", "channel_choice", "confirmation_needs_text", TEXT_WORDS),
        ),
        (line(7), ScheduleProblem("three_days", "days", "same_days", TWICE_WORDS)),
        (line(7, is_enabled=False), None),
        (line(6), None),
        (line(8), None),
        (line(31, is_enabled=False), None),
    ],
)
def test_a_problem_names_the_field_of_the_entry(changed: EntrySettings, problem: ScheduleProblem | None) -> None:
    found = reminder_times.find_schedule_problems(reminder_times.merge_schedule(DEFAULT_SCHEDULE, [changed]))
    assert found == ([problem] if problem else [])


def test_a_schedule_keeps_hours_and_days_where_they_apply() -> None:
    typed = reminder_times.merge_schedule(
        DEFAULT_SCHEDULE,
        [
            line(5, 5, kind=ScheduledKind.SAME_DAY),
            line(9, 9, kind=ScheduledKind.WEEK),
            line(kind="missed", is_enabled=False),
        ],
    )
    kept = reminder_times.normalize_schedule(typed, DEFAULT_SCHEDULE)
    assert (kept["same_day"].days, kept["same_day"].hours) == (0, 5)
    assert (kept["week"].days, kept["week"].hours) == (9, 0)
    assert (kept["missed"].is_enabled, kept["booked"].is_enabled) == (False, True)


def test_an_entry_is_saved_by_its_field_names() -> None:
    columns = {"kind": "three_days", "channel_choice": "text", "days": 4, "hours": 1, "is_enabled": True}
    assert reminder_times.build_entry_columns(line(4, 1)) == columns


def test_a_fingerprint_has_sixteen_letters_and_digits() -> None:
    assert len(reminder_times.compute_schedule_fingerprint(DEFAULT_SCHEDULE)) == 16
