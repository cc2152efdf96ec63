"""Moves, confirmations and cancellations, and their effect on capacity and messages."""

from datetime import datetime, timedelta

import pytest

from drives.attendance import close_out
from drives.booking import changes as booking_changes
from drives.capacity import drift
from drives.models import Booking, BookingState, CancelledBy, Slot
from drives.planning import lifecycle
from drives.refusals import Refusal
from notifications.models import Message
from tests import builders
from tests.builders import NOW

pytestmark = pytest.mark.django_db


def cancel(booking: object, **changes: object) -> Booking:
    [row] = booking_changes.cancel_bookings(
        **{"booking_id": booking.pk, "actor": "donor", "cancelled_by": CancelledBy.DONOR, "now": NOW, **changes}  # type: ignore[attr-defined]
    )
    return row


def test_a_move_frees_the_old_time_and_takes_the_new_one() -> None:
    drive = builders.drive()
    booking = builders.booked(drive, n=0)
    [moved] = booking_changes.move_bookings(
        booking_id=booking.pk, slot_id=builders.slot(drive, 8).pk, actor="donor", now=NOW
    )
    assert (moved.first_step, moved.revision, moved.state) == (8, 1, "booked")
    taken = Slot.objects.filter(drive=drive, chairs_taken__gt=0).order_by("n").values_list("n", flat=True)
    assert list(taken) == [9, 10, 11]
    assert drift.count_drifted_slots() == 0


def test_reminders_of_the_old_time_are_withdrawn_and_scheduled_for_the_new_one() -> None:
    drive = builders.drive()
    booking = builders.booked(drive, n=0)
    booking_changes.move_bookings(booking_id=booking.pk, slot_id=builders.slot(drive, 8).pk, actor="donor", now=NOW)
    reminders = (
        Message.objects.filter(kind="day_before").order_by("revision").values_list("revision", "state", "due_at")
    )
    first, second = list(reminders)
    assert (first[:2], second[:2]) == ((0, "withdrawn"), (1, "scheduled"))
    assert second[2] - first[2] == timedelta(hours=2)
    assert "was 9:00 AM" in Message.objects.get(kind="moved").text


def test_a_move_to_an_overlapping_time_may_use_its_own_chair() -> None:
    owner = builders.organization()
    drive = builders.drive(owner, builders.plan(builders.site(owner), chairs=1, screening_stations=1))
    booking = builders.booked(drive, n=4)
    booking_changes.move_bookings(booking_id=booking.pk, slot_id=builders.slot(drive, 5).pk, actor="donor", now=NOW)
    assert drift.count_drifted_slots() == 0


def test_a_move_to_a_full_time_is_refused() -> None:
    owner = builders.organization()
    drive = builders.drive(owner, builders.plain(builders.site(owner), spots=1))
    booking = builders.booked(drive, n=0, number=1)
    builders.booked(drive, n=2, number=2)
    with pytest.raises(Refusal) as caught:
        booking_changes.move_bookings(booking_id=booking.pk, slot_id=builders.slot(drive, 2).pk, actor="donor", now=NOW)
    assert caught.value.codes == ["slot_full"]
    booking.refresh_from_db()
    assert (booking.first_step, booking.revision) == (0, 0)


def test_a_hold_can_be_moved_and_then_verified() -> None:
    drive = builders.drive()
    held = builders.held(drive, n=0)
    booking_changes.move_bookings(booking_id=held.pk, slot_id=builders.slot(drive, 4).pk, actor="donor", now=NOW)
    booking = builders.verified(held)
    assert (booking.first_step, booking.state) == (4, "booked")


def test_confirming_twice_changes_nothing() -> None:
    booking = builders.booked(builders.drive())
    for _time in range(2):
        assert (
            booking_changes.confirm_bookings(booking_ids=[booking.pk], actor="donor", now=NOW)[0].state
            == BookingState.CONFIRMED
        )
    assert booking.changes.filter(to_state="confirmed").count() == 1


def test_a_cancellation_frees_the_spot_and_withdraws_reminders() -> None:
    drive = builders.drive()
    booking = builders.booked(drive, email="ana@example.org")
    assert cancel(booking).revision == 1
    assert not Slot.objects.filter(drive=drive, chairs_taken__gt=0).exists()
    waiting = (
        Message.objects.filter(state__in=["queued", "scheduled"]).exclude(kind="code").values_list("kind", "channel")
    )
    assert set(waiting) == {("cancelled", "sms"), ("cancelled", "email")}
    mail = Message.objects.get(kind="cancelled", channel="email")
    assert "METHOD:CANCEL" in mail.calendar
    assert "SEQUENCE:1" in mail.calendar


def test_cancelling_twice_changes_nothing() -> None:
    booking = builders.booked(builders.drive())
    assert cancel(booking).revision == cancel(booking).revision == 1


def test_a_cancellation_can_be_undone_while_the_spot_is_free() -> None:
    drive = builders.drive()
    booking = builders.booked(drive)
    cancel(booking)
    restored = booking_changes.restore_booking(booking_id=booking.pk, actor="donor", now=NOW + timedelta(minutes=14))
    assert (restored.state, restored.revision) == ("booked", 2)
    assert drift.count_drifted_slots() == 0
    assert Message.objects.filter(kind="day_before", state="scheduled").count() == 1


def test_an_undo_works_on_a_closed_drive_but_not_on_a_cancelled_one() -> None:
    booking = builders.booked(builders.drive())
    cancel(booking)
    lifecycle.close_drive(drive_id=booking.drive_id, actor="user:1", now=NOW)
    assert booking_changes.restore_booking(booking_id=booking.pk, actor="donor", now=NOW).state == "booked"
    cancel(booking)
    lifecycle.cancel_drive(drive_id=booking.drive_id, reason="", actor="user:1", now=NOW)
    with pytest.raises(Refusal) as caught:
        booking_changes.restore_booking(booking_id=booking.pk, actor="donor", now=NOW)
    assert caught.value.codes == ["drive_cancelled"]


def test_an_undo_is_refused_when_the_spot_is_taken_or_too_late() -> None:
    owner = builders.organization()
    drive = builders.drive(owner, builders.plain(builders.site(owner), spots=1))
    booking = builders.booked(drive, number=1)
    cancel(booking)
    builders.booked(drive, number=2)
    with pytest.raises(Refusal) as caught:
        booking_changes.restore_booking(booking_id=booking.pk, actor="donor", now=NOW)
    assert caught.value.codes == ["slot_full"]
    with pytest.raises(Refusal) as caught:
        booking_changes.restore_booking(booking_id=booking.pk, actor="donor", now=NOW + timedelta(minutes=15))
    assert caught.value.codes == ["booking_cancelled"]


def test_a_given_up_hold_records_its_actor() -> None:
    booking = builders.held(builders.drive())
    cancel(booking, actor="user:9")
    assert booking.changes.latest("pk").actor == "user:9"


@pytest.mark.parametrize(("before", "is_late"), [(timedelta(0), False), (timedelta(minutes=1), True)])
def test_a_cancellation_less_than_24_hours_before_is_late(before: timedelta, is_late: bool) -> None:
    booking = builders.booked(builders.drive())
    cancel(booking, now=booking.starts_at - timedelta(hours=24) + before)
    booking.refresh_from_db()
    assert booking.cancelled_late is is_late


def test_a_cancellation_can_be_undone_for_15_minutes() -> None:
    booking = builders.booked(builders.drive())
    quarter = timedelta(minutes=15)
    cancel(booking)
    with pytest.raises(Refusal):
        booking_changes.restore_booking(booking_id=booking.pk, actor="donor", now=NOW + quarter)
    just = NOW + quarter - timedelta(microseconds=1)
    assert booking_changes.restore_booking(booking_id=booking.pk, actor="donor", now=just).state == "booked"


def test_an_undo_withdraws_the_cancellation_message_and_confirms_again() -> None:
    booking = builders.booked(builders.drive())
    cancel(booking)
    Message.objects.filter(kind="booked").update(state="sent")
    booking_changes.restore_booking(booking_id=booking.pk, actor="donor", now=NOW)
    states = dict(Message.objects.filter(kind__in=["booked", "cancelled"]).values_list("key", "state"))
    assert states == {
        f"booking:{booking.pk}/booked/0/sms": "sent",
        f"booking:{booking.pk}/cancelled/1/sms": "withdrawn",
        f"booking:{booking.pk}/booked/2/sms": "queued",
    }


def test_a_cancellation_message_expires_at_the_visit() -> None:
    booking = builders.booked(builders.drive())
    cancel(booking)
    assert Message.objects.get(kind="cancelled").expires_at == booking.starts_at


def test_a_missed_message_leaves_the_next_morning_and_expires_after_a_week() -> None:
    drive = builders.drive()
    builders.booked(drive)
    over = drive.ends_at + timedelta(hours=1)
    assert close_out.close_out_due_drives(now=over) == 1
    morning = datetime(2027, 3, 14, 9, tzinfo=drive.site.zone)
    missed = Message.objects.get(kind="missed")
    assert (missed.due_at, missed.expires_at) == (morning, morning + timedelta(days=7))
