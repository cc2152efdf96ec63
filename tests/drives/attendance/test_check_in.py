"""Check-in, outcomes, close-out and turnout."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from drives.attendance import check_in, close_out
from drives.attendance import queries as attendance_queries
from drives.booking import changes
from drives.capacity import drift
from drives.models import Booking, BookingState, CancelledBy, Drive, DriveState, Turnout
from drives.planning import lifecycle, under_filled_alerts
from drives.refusals import Refusal
from notifications.models import Message
from tests import builders

pytestmark = pytest.mark.django_db


def outcome(booking: Booking, what: str, drive: Drive) -> None:
    check_in.check_in_donor(booking_id=booking.pk, actor="user:1", now=drive.starts_at)
    check_in.record_outcome(
        booking_id=booking.pk, outcome=what, actor="user:1", now=drive.starts_at + timedelta(hours=1)
    )


def undo(booking: Booking, now: datetime) -> Booking:
    """Undo the booking's last step, on a page that shows the booking's current state."""
    booking.refresh_from_db()
    return check_in.undo_last_step(booking_id=booking.pk, actor="user:1", now=now, seen=booking.state)


def test_check_in_outcome_and_undo_step_back_one_at_a_time() -> None:
    drive = builders.drive()
    booking = builders.booked(drive)
    outcome(booking, "donated", drive)
    states = [undo(booking, drive.starts_at).state for _step in range(2)]
    booking.refresh_from_db()
    assert states == ["checked_in", "booked"]
    assert (booking.donated_at, booking.checked_in_at) == (None, None)
    with pytest.raises(Refusal):
        undo(booking, drive.starts_at)


def test_checking_in_twice_is_success_and_changes_nothing() -> None:
    drive = builders.drive()
    booking = builders.booked(drive)
    for minute in range(2):
        check_in.check_in_donor(booking_id=booking.pk, actor="user:1", now=drive.starts_at + timedelta(minutes=minute))
    booking.refresh_from_db()
    assert booking.checked_in_at == drive.starts_at


def test_a_no_show_frees_the_chair_and_can_still_be_checked_in() -> None:
    drive = builders.drive()
    booking = builders.booked(drive)
    check_in.mark_no_show(booking_id=booking.pk, actor="user:1", now=drive.starts_at)
    assert not drive.slots.filter(chairs_taken__gt=0).exists()
    check_in.check_in_donor(booking_id=booking.pk, actor="user:1", now=drive.starts_at)
    assert drive.slots.filter(chairs_taken__gt=0).count() == 3
    assert drift.count_drifted_slots() == 0


def test_a_walk_in_is_taken_even_when_full_and_shows_as_over() -> None:
    owner = builders.organization()
    drive = builders.drive(owner, builders.plain(builders.site(owner), spots=1))
    builders.booked(drive, number=1)
    booking = check_in.add_walk_in(
        drive=drive, name="Test Ivy Iris", phone=builders.phone(77), visit="return", actor="user:1", now=drive.starts_at
    )
    assert (booking.state, booking.source) == ("checked_in", "walk_in")
    assert builders.slot(drive).over == 1
    assert drift.count_drifted_slots() == 0


def test_the_close_out_marks_no_shows_counts_and_thanks() -> None:
    owner = builders.organization()
    drive = builders.drive(owner, goal=2)
    came, missed, late, early, deferred = (builders.booked(drive, n=number, number=number) for number in range(1, 6))
    outcome(came, "donated", drive)
    outcome(deferred, "deferred", drive)
    changes.cancel_bookings(
        booking_id=late.pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=drive.starts_at - timedelta(hours=2)
    )
    changes.cancel_bookings(
        booking_id=early.pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=drive.starts_at - timedelta(days=2)
    )
    check_in.add_walk_in(
        drive=drive, name="Test Ivy Iris", phone=builders.phone(77), visit="first", actor="user:1", now=drive.starts_at
    )
    assert close_out.close_out_due_drives(now=drive.ends_at + timedelta(minutes=59)) == 0
    assert close_out.close_out_due_drives(now=drive.ends_at + timedelta(minutes=60)) == 1
    assert close_out.close_out_due_drives(now=drive.ends_at + timedelta(minutes=61)) == 0
    report = Turnout.objects.get()
    assert {name: value for name, value in vars(report).items() if name.endswith("_count")} == {
        "goal_count": 2,
        "booked_count": 5,
        "confirmed_count": 0,
        "arrived_count": 3,
        "donated_count": 1,
        "incomplete_count": 0,
        "deferred_count": 1,
        "left_count": 0,
        "no_show_count": 1,
        "cancelled_early_count": 1,
        "cancelled_late_count": 1,
        "walk_in_count": 1,
        "first_visit_count": 1,
        "unresolved_count": 1,
    }
    assert report.show_rate == pytest.approx(2 / 3)
    missed.refresh_from_db()
    assert missed.state == BookingState.NO_SHOW
    told = Message.objects.filter(kind__in=["thank_you", "missed"]).values_list("kind", "about")
    walked_in = Booking.objects.get(source="walk_in")
    thanked = [("thank_you", booking.about) for booking in (came, deferred, walked_in)]
    assert sorted(told) == sorted([*thanked, ("missed", missed.about)])
    assert drift.count_drifted_slots() == 0


def test_the_report_follows_corrections_until_it_is_completed() -> None:
    drive = builders.drive()
    booking = builders.booked(drive)
    after = drive.ends_at + timedelta(hours=2)
    close_out.close_out_drive(drive_id=drive.pk, now=after)
    check_in.check_in_donor(booking_id=booking.pk, actor="user:1", now=after)
    with pytest.raises(Refusal) as caught:
        close_out.complete_drive(drive_id=drive.pk, actor="user:1", now=after)
    assert caught.value.codes == ["outcomes_missing"]
    check_in.record_outcome(booking_id=booking.pk, outcome="donated", actor="user:1", now=after, at=drive.starts_at)
    report = close_out.complete_drive(drive_id=drive.pk, actor="user:1", now=after)
    assert (report.donated_count, report.no_show_count, report.final) == (1, 0, True)
    with pytest.raises(Refusal) as caught:
        undo(booking, after)
    assert caught.value.codes == ["drive_completed"]


def test_coordinators_get_one_alert_about_a_drive_that_is_far_from_full() -> None:
    owner = builders.organization()
    builders.member(owner, email="ben@example.org")
    drive = builders.drive(owner)
    assert under_filled_alerts.alert_under_filled_drives(now=drive.starts_at - timedelta(days=8)) == 0
    assert under_filled_alerts.alert_under_filled_drives(now=drive.starts_at - timedelta(days=7)) == 1
    assert under_filled_alerts.alert_under_filled_drives(now=drive.starts_at - timedelta(days=6)) == 0
    assert Message.objects.get(kind="alert_under_filled").address == "ben@example.org"


def test_undo_takes_an_outcome_with_all_corrections_back_to_the_check_in() -> None:
    drive = builders.drive()
    booking = builders.booked(drive)
    outcome(booking, "donated", drive)
    for what in ("deferred", "donated", "deferred"):
        check_in.record_outcome(booking_id=booking.pk, outcome=what, actor="user:1", now=drive.starts_at)
    states = [undo(booking, drive.starts_at).state for _step in range(2)]
    booking.refresh_from_db()
    assert states == ["checked_in", "booked"]
    assert (booking.donated_at, booking.outcome_at, booking.checked_in_at) == (None, None, None)


def test_an_undo_sent_twice_takes_back_one_step() -> None:
    drive = builders.drive()
    booking = builders.booked(drive)
    outcome(booking, "donated", drive)
    for _tap in range(2):
        check_in.undo_last_step(booking_id=booking.pk, actor="user:1", now=drive.starts_at, seen="donated")
    booking.refresh_from_db()
    assert booking.state == BookingState.CHECKED_IN


def test_an_undone_walk_in_counts_nowhere() -> None:
    drive = builders.drive()
    came = check_in.add_walk_in(
        drive=drive, name="Test Ivy Iris", phone=builders.phone(77), visit="return", actor="user:1", now=drive.starts_at
    )
    undo(came, drive.starts_at)
    close_out.close_out_drive(drive_id=drive.pk, now=drive.ends_at + timedelta(hours=1))
    report = Turnout.objects.get()
    assert (report.walk_in_count, report.arrived_count, report.unresolved_count) == (0, 0, 0)
    assert not drive.slots.filter(chairs_taken__gt=0).exists()
    assert drift.count_drifted_slots() == 0


@pytest.mark.parametrize("verb", [check_in.check_in_donor, check_in.undo_last_step])
def test_a_no_show_who_came_as_a_walk_in_is_not_checked_in_twice(verb: Callable[..., Booking]) -> None:
    drive = builders.drive(policy_id=builders.lax().pk)
    booking, now = builders.booked(drive), drive.starts_at + timedelta(minutes=30)
    check_in.mark_no_show(booking_id=booking.pk, actor="user:1", now=now)
    check_in.add_walk_in(
        drive=drive, name="Test Ana Alder", phone=builders.phone(42), visit="return", actor="user:1", now=now
    )
    with pytest.raises(Refusal) as caught:
        verb(booking_id=booking.pk, actor="user:1", now=now, seen="no_show")
    assert caught.value.codes == ["already_booked"]


def test_check_in_is_refused_on_a_day_before_the_drive() -> None:
    drive = builders.drive()
    booking = builders.booked(drive)
    midnight = drive.starts_at.astimezone(drive.site.zone).replace(hour=0)
    with pytest.raises(Refusal) as caught:
        check_in.check_in_donor(booking_id=booking.pk, actor="user:1", now=midnight - timedelta(minutes=1))
    assert caught.value.codes == ["drive_not_today"]
    assert check_in.check_in_donor(booking_id=booking.pk, actor="user:1", now=midnight).state == "checked_in"


def test_a_completed_drive_has_no_booking_that_is_still_expected() -> None:
    drive = builders.drive()
    booking, after = builders.booked(drive), drive.ends_at + timedelta(hours=2)
    close_out.close_out_drive(drive_id=drive.pk, now=after)
    undo(booking, after)
    report = close_out.complete_drive(drive_id=drive.pk, actor="user:7", now=after)
    booking.refresh_from_db()
    assert (booking.state, report.booked_count, report.no_show_count) == ("no_show", 1, 1)
    assert booking.changes.latest("pk").actor == "user:7"
    assert Message.objects.filter(kind="missed").count() == 1
    assert drift.count_drifted_slots() == 0


def test_a_drive_cancelled_while_it_runs_keeps_recorded_outcomes() -> None:
    drive = builders.drive()
    gave, coming = builders.gave(drive), builders.booked(drive, n=8, number=43)
    lifecycle.cancel_drive(drive_id=drive.pk, reason="", actor="user:1", now=gave.starts_at + timedelta(hours=1))
    gave.refresh_from_db()
    coming.refresh_from_db()
    assert (gave.state, coming.state) == ("donated", "cancelled")
    assert drift.count_drifted_slots() == 0


def test_a_donor_in_a_chair_keeps_their_visit_when_the_drive_is_cancelled() -> None:
    drive = builders.drive()
    here, now = builders.booked(drive), drive.starts_at + timedelta(hours=1)
    check_in.check_in_donor(booking_id=here.pk, actor="user:1", now=drive.starts_at)
    lifecycle.cancel_drive(drive_id=drive.pk, reason="", actor="user:1", now=now)
    here.refresh_from_db()
    assert (here.state, here.is_counted) == ("checked_in", True)
    assert not Message.objects.filter(about=here.about, kind="drive_cancelled").exists()
    for what in ("donated", "incomplete"):  # recorded, then corrected
        now += timedelta(minutes=1)
        check_in.record_outcome(booking_id=here.pk, outcome=what, actor="user:1", now=now)
    assert undo(here, now).state == "checked_in"
    with pytest.raises(Refusal) as caught:  # a cancelled drive expects no donors
        undo(here, now)
    assert caught.value.codes == ["drive_cancelled"]
    assert drift.count_drifted_slots() == 0


def test_outcomes_recorded_before_a_cancellation_are_final() -> None:
    drive = builders.drive()
    gave = builders.gave(drive)
    now = gave.changed_at + timedelta(microseconds=1)
    check_in.record_outcome(booking_id=gave.pk, outcome="incomplete", actor="user:1", now=now)  # the control
    lifecycle.cancel_drive(drive_id=drive.pk, reason="", actor="user:1", now=now)
    gave.refresh_from_db()
    with pytest.raises(Refusal) as caught:
        check_in.record_outcome(booking_id=gave.pk, outcome="donated", actor="user:1", now=now)
    assert caught.value.codes == ["drive_cancelled"]
    with pytest.raises(Refusal) as caught:
        undo(gave, now)
    assert caught.value.codes == ["drive_cancelled"]
    gave.refresh_from_db()
    assert gave.state == "incomplete"


def test_a_closed_out_drive_cannot_be_cancelled() -> None:
    drive = builders.drive()
    here, after = builders.booked(drive), drive.ends_at + timedelta(hours=1)
    check_in.check_in_donor(booking_id=here.pk, actor="user:1", now=drive.starts_at)
    close_out.close_out_drive(drive_id=drive.pk, now=after)
    with pytest.raises(Refusal) as caught:
        lifecycle.cancel_drive(drive_id=drive.pk, reason="", actor="user:1", now=after)
    here.refresh_from_db()
    assert (caught.value.codes, here.state) == (["drive_past"], "checked_in")


def test_a_no_show_is_refused_before_the_booking_is_due() -> None:
    drive = builders.drive()
    booking = builders.booked(drive, n=4)
    with pytest.raises(Refusal) as caught:
        check_in.mark_no_show(booking_id=booking.pk, actor="user:1", now=booking.starts_at - timedelta(microseconds=1))
    assert caught.value.codes == ["not_due_yet"]
    assert check_in.mark_no_show(booking_id=booking.pk, actor="user:1", now=booking.starts_at).state == "no_show"


@pytest.mark.parametrize("minutes", [-1, 6 * 60])
def test_a_walk_in_is_refused_before_the_start_and_after_the_end(minutes: int) -> None:
    drive = builders.drive()
    now = drive.starts_at + timedelta(minutes=minutes)
    with pytest.raises(Refusal) as caught:
        check_in.add_walk_in(
            drive=drive, name="Test Ivy Iris", phone=builders.phone(77), visit="return", actor="user:1", now=now
        )
    assert caught.value.codes == ["drive_not_today"]
    assert not Booking.objects.exists()


def test_a_second_close_out_changes_nothing_and_keeps_closed_at() -> None:
    drive = builders.drive()
    booking = builders.booked(drive)
    closed = lifecycle.close_drive(drive_id=drive.pk, actor="user:1", now=drive.starts_at)
    after = drive.ends_at + timedelta(days=3)
    assert close_out.close_out_drive(drive_id=drive.pk, now=after) is not None
    undo(booking, after)
    assert close_out.close_out_drive(drive_id=drive.pk, now=after + timedelta(hours=1)) is None
    drive.refresh_from_db()
    booking.refresh_from_db()
    assert (drive.closed_at, drive.closed_out_at) == (closed.closed_at, after)
    assert booking.state == BookingState.BOOKED


@pytest.mark.parametrize("state", [DriveState.DRAFT, DriveState.CLOSED, DriveState.CANCELLED])
def test_only_a_drive_that_takes_bookings_is_called_far_from_full(state: DriveState) -> None:
    owner = builders.organization()
    builders.member(owner)
    drive = builders.drive(owner)
    Drive.objects.update(state=state)
    assert under_filled_alerts.alert_under_filled_drives(now=drive.starts_at - timedelta(days=6)) == 0
    assert not Message.objects.exists()


def test_an_under_filled_alert_is_sent_in_the_last_seven_days() -> None:
    owner = builders.organization()
    builders.member(owner, email="ben@example.org")
    drive = builders.drive(owner)
    week = drive.starts_at - timedelta(days=7)
    assert under_filled_alerts.alert_under_filled_drives(now=week - timedelta(seconds=1)) == 0
    assert under_filled_alerts.alert_under_filled_drives(now=week) == 1
    assert Message.objects.get(kind="alert_under_filled").expires_at == week + timedelta(days=1)


def test_a_started_drive_sends_no_alert() -> None:
    owner = builders.organization()
    builders.member(owner)
    drive = builders.drive(owner)
    assert under_filled_alerts.alert_under_filled_drives(now=drive.starts_at) == 0
    assert under_filled_alerts.alert_under_filled_drives(now=drive.starts_at - timedelta(seconds=1)) == 1


@pytest.mark.parametrize(("booked", "alerts"), [(11, 1), (12, 0)])
def test_a_drive_is_far_from_full_below_60_percent(booked: int, alerts: int) -> None:
    owner = builders.organization()
    builders.member(owner)
    drive = builders.drive(owner, builders.plain(builders.site(owner), spots=5))
    for number in range(booked):
        builders.booked(drive, n=number // 5, number=number)
    assert under_filled_alerts.alert_under_filled_drives(now=drive.starts_at - timedelta(days=6)) == alerts


@pytest.mark.parametrize("grace", [0, 45])
def test_a_drive_is_closed_out_when_its_own_grace_is_over(grace: int) -> None:
    drive = builders.drive(grace_minutes=grace)
    ends = drive.ends_at + timedelta(minutes=grace)
    assert close_out.close_out_due_drives(now=ends - timedelta(seconds=1)) == 0
    assert close_out.close_out_due_drives(now=ends) == 1


def test_a_no_show_is_allowed_exactly_from_the_arrival_time() -> None:
    booking = builders.booked(builders.drive())
    with pytest.raises(Refusal) as caught:
        check_in.mark_no_show(booking_id=booking.pk, actor="user:1", now=booking.starts_at - timedelta(microseconds=1))
    assert caught.value.codes == ["not_due_yet"]
    assert check_in.mark_no_show(booking_id=booking.pk, actor="user:1", now=booking.starts_at).state == "no_show"


def find_group(drive: Drive, now: datetime) -> str:
    found = attendance_queries.load_checkin_list(drive, now)
    [group] = [name for name in ("due", "late", "checked_in", "upcoming", "finished") if getattr(found, name)]
    return group


@pytest.mark.parametrize(
    ("seconds", "group"),
    [
        (-30 * 60 - 1, "upcoming"),
        (-30 * 60, "due"),
        (10 * 60, "due"),
        (10 * 60 + 1, "late"),
    ],
)
def test_a_donor_is_due_from_30_minutes_before_until_10_minutes_after(seconds: int, group: str) -> None:
    drive = builders.drive()
    booking = builders.booked(drive)
    assert find_group(drive, booking.starts_at + timedelta(seconds=seconds)) == group


@pytest.mark.parametrize(("seconds", "minutes"), [(-61, 0), (59, 0), (60, 1), (119, 1), (11 * 60, 11)])
def test_minutes_late_are_whole_ones(seconds: int, minutes: int) -> None:
    drive = builders.drive()
    booking = builders.booked(drive)
    found = attendance_queries.load_checkin_list(drive, booking.starts_at + timedelta(seconds=seconds))
    assert [row.late_minutes for row in (*found.due, *found.late, *found.upcoming)] == [minutes]
