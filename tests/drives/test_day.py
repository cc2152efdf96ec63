"""The day and its turnout."""

from datetime import timedelta

import pytest

from drives import queries
from drives.actions import attendance, changing, sweeps, turnout
from drives.models import Booking, BookingState, CancelledBy, Drive, Turnout
from drives.rules import Refusal
from notifications.models import Message
from tests import builders

pytestmark = pytest.mark.django_db


def outcome(booking: Booking, what: str, drive: Drive) -> None:
    attendance.check_in(booking_id=booking.pk, actor="user:1", now=drive.starts_at)
    attendance.record_outcome(
        booking_id=booking.pk, outcome=what, actor="user:1", now=drive.starts_at + timedelta(hours=1)
    )


def test_check_in_outcome_and_undo_step_back_one_at_a_time() -> None:
    drive = builders.drive()
    booking = builders.booked(drive)
    outcome(booking, "donated", drive)
    states = [attendance.undo(booking_id=booking.pk, actor="user:1", now=drive.starts_at).state for _step in range(2)]
    booking.refresh_from_db()
    assert states == ["checked_in", "booked"]
    assert (booking.donated_at, booking.checked_in_at) == (None, None)
    with pytest.raises(Refusal):
        attendance.undo(booking_id=booking.pk, actor="user:1", now=drive.starts_at)


def test_checking_in_twice_is_success_and_changes_nothing() -> None:
    drive = builders.drive()
    booking = builders.booked(drive)
    for minute in range(2):
        attendance.check_in(booking_id=booking.pk, actor="user:1", now=drive.starts_at + timedelta(minutes=minute))
    booking.refresh_from_db()
    assert booking.checked_in_at == drive.starts_at


def test_a_no_show_frees_the_chair_and_may_still_come() -> None:
    drive = builders.drive()
    booking = builders.booked(drive)
    attendance.mark_no_show(booking_id=booking.pk, actor="user:1", now=drive.starts_at)
    assert not drive.slots.filter(chairs_taken__gt=0).exists()
    attendance.check_in(booking_id=booking.pk, actor="user:1", now=drive.starts_at)
    assert drive.slots.filter(chairs_taken__gt=0).count() == 3
    assert queries.drifted_slots() == 0


def test_a_walk_in_is_taken_even_when_full_and_shows_as_over() -> None:
    owner = builders.organization()
    drive = builders.drive(owner, builders.plain(builders.site(owner), places=1))
    builders.booked(drive, number=1)
    booking = attendance.walk_in(
        drive=drive, name="Test Ivy Iris", phone=builders.phone(77), visit="return", actor="user:1", now=drive.starts_at
    )
    assert (booking.state, booking.source) == ("checked_in", "walk_in")
    assert builders.slot(drive).over == 1
    assert queries.drifted_slots() == 0


def test_the_close_out_marks_no_shows_counts_and_thanks() -> None:
    owner = builders.organization()
    drive = builders.drive(owner, goal=2)
    came, missed, late, early, deferred = (builders.booked(drive, n=number, number=number) for number in range(1, 6))
    outcome(came, "donated", drive)
    outcome(deferred, "deferred", drive)
    changing.cancel(booking_id=late.pk, actor="donor", by=CancelledBy.DONOR, now=drive.starts_at - timedelta(hours=2))
    changing.cancel(booking_id=early.pk, actor="donor", by=CancelledBy.DONOR, now=drive.starts_at - timedelta(days=2))
    attendance.walk_in(
        drive=drive, name="Test Ivy Iris", phone=builders.phone(77), visit="first", actor="user:1", now=drive.starts_at
    )
    assert sweeps.close_out_due(now=drive.ends_at + timedelta(minutes=59)) == 0
    assert sweeps.close_out_due(now=drive.ends_at + timedelta(minutes=60)) == 1
    assert sweeps.close_out_due(now=drive.ends_at + timedelta(minutes=61)) == 0
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
    assert queries.drifted_slots() == 0


def test_the_report_follows_corrections_until_it_is_completed() -> None:
    drive = builders.drive()
    booking = builders.booked(drive)
    after = drive.ends_at + timedelta(hours=2)
    turnout.close_out(drive_id=drive.pk, now=after)
    attendance.check_in(booking_id=booking.pk, actor="user:1", now=after)
    with pytest.raises(Refusal) as caught:
        turnout.complete(drive_id=drive.pk, actor="user:1", now=after)
    assert caught.value.codes == ["outcomes_missing"]
    attendance.record_outcome(booking_id=booking.pk, outcome="donated", actor="user:1", now=after, at=drive.starts_at)
    report = turnout.complete(drive_id=drive.pk, actor="user:1", now=after)
    assert (report.donated_count, report.no_show_count, report.final) == (1, 0, True)
    with pytest.raises(Refusal) as caught:
        attendance.undo(booking_id=booking.pk, actor="user:1", now=after)
    assert caught.value.codes == ["drive_completed"]


def test_coordinators_are_told_once_of_a_drive_that_is_far_from_full() -> None:
    owner = builders.organization()
    builders.member(owner, email="ben@example.org")
    drive = builders.drive(owner)
    assert sweeps.alert_under_filled(now=drive.starts_at - timedelta(days=8)) == 0
    assert sweeps.alert_under_filled(now=drive.starts_at - timedelta(days=7)) == 1
    assert sweeps.alert_under_filled(now=drive.starts_at - timedelta(days=6)) == 0
    assert Message.objects.get(kind="alert_under_filled").address == "ben@example.org"
