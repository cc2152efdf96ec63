"""The call list shows donors that no message reached, until a coordinator records a call."""

from datetime import timedelta
from typing import Any

import pytest

from drives.booking import changes
from drives.messaging import broadcasts, call_list, delivery_counts, phone_calls
from drives.messaging.call_list import CallRow
from drives.messaging.delivery_counts import FailureReason
from drives.models import Booking, Call, CancelledBy, Drive
from drives.planning import lifecycle
from notifications import consents
from notifications.models import Message
from organizations.models import AuditEntry
from tests import builders
from tests.builders import NOW
from tests.notifications import made

pytestmark = pytest.mark.django_db

BEN = "user:7"


def ana(drive: Drive | None = None, number: int = 42, n: int = 0, **who: Any) -> Booking:
    booking = builders.booked(drive or builders.drive(), number=number, n=n, **who)
    return Booking.objects.select_related("drive__organization", "drive__site").get(pk=booking.pk)


def record_message(
    booking: Booking, kind: str, state: str, reason: str = "", channel: str = "sms", **fields: Any
) -> None:
    fields = {"lease_until": NOW, **fields}
    changed = Message.objects.filter(about=booking.about, kind=kind, channel=channel).update(
        state=state, reason=reason, text="A text", **fields
    )
    assert changed == 1


def list_topics(drive: Drive, days: float = 0) -> dict[str, list[str]]:
    rows = call_list.load_call_list(drive, NOW + timedelta(days=days)).to_call
    return {str(row.volunteer): [one.kind for one in row.topics] for row in rows}


@pytest.mark.parametrize("state", ["undelivered", "failed", "blocked", "expired"])
def test_an_undelivered_cancellation_is_on_the_call_list(state: str) -> None:
    booking = ana()
    lifecycle.cancel_drive(drive_id=booking.drive_id, reason="The hall is closed.", actor=BEN, now=NOW)
    record_message(booking, "drive_cancelled", state, "no_consent" if state == "blocked" else "unreachable")
    assert list_topics(booking.drive) == {"Test Ana Alder": ["drive_cancelled"]}


@pytest.mark.parametrize("state", ["queued", "sending", "in_doubt", "accepted", "sent", "delivered"])
def test_a_delivered_or_pending_cancellation_is_not_on_the_call_list(state: str) -> None:
    booking = ana()
    record_message(booking, "booked", state)
    assert list_topics(booking.drive) == {}


def test_delivery_through_another_channel_is_enough() -> None:
    booking = ana(email="ana@example.org")
    record_message(booking, "booked", "failed")
    record_message(booking, "booked", "delivered", channel="email")
    assert list_topics(booking.drive) == {}
    record_message(booking, "booked", "failed", channel="email")
    assert list_topics(booking.drive) == {"Test Ana Alder": ["booked"]}


@pytest.mark.parametrize("reason", ["no_consent", "opted_out", "consent_withdrawn"])
def test_a_donor_without_a_confirmation_is_on_the_call_list(reason: str) -> None:
    booking = ana()
    record_message(booking, "booked", "blocked", reason)
    assert list_topics(booking.drive, 11) == {"Test Ana Alder": ["booked"]}


def test_reminders_and_broadcasts_need_no_call() -> None:
    booking = ana()
    record_message(booking, "day_before", "failed")
    record_message(booking, "three_days", "undelivered", "unreachable")
    Message.objects.filter(about=booking.about, kind="three_days").update(kind="broadcast")
    assert list_topics(booking.drive) == {}
    record_message(booking, "booked", "failed")
    assert list_topics(booking.drive) == {"Test Ana Alder": ["booked"]}


def test_only_the_newest_move_needs_a_call() -> None:
    booking = ana()
    record_message(booking, "booked", "failed")
    for n in (8, 12):
        changes.move_bookings(booking_id=booking.pk, slot_id=builders.slot(booking.drive, n).pk, actor=BEN, now=NOW)
    Message.objects.filter(kind="moved").update(state="blocked", reason="opted_out")
    (row,) = call_list.load_call_list(booking.drive, NOW).to_call
    assert [(one.topic, one.message.reason) for one in row.topics] == [(f"{booking.about}/moved/2", "opted_out")]


def test_a_call_is_for_donors_who_did_not_cancel_themselves() -> None:
    drive = builders.drive()
    own, taken = ana(drive, 1), ana(drive, 2, n=4, name="Test Bo Birch")
    changes.cancel_bookings(booking_id=own.pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=NOW)
    changes.cancel_bookings(booking_id=taken.pk, actor=BEN, cancelled_by=CancelledBy.COORDINATOR, now=NOW)
    for booking in (own, taken):
        record_message(booking, "cancelled", "failed")
    assert list_topics(drive) == {"Test Bo Birch": ["cancelled"]}


def test_an_undelivered_late_notice_needs_a_call() -> None:
    booking = ana(consents=())
    sender = booking.drive.organization.senders.get()
    consents.suppress_address(sender=sender, address=builders.phone(42), now=NOW)
    at = booking.starts_at - timedelta(minutes=30)
    broadcasts.send_late_notice(drive=booking.drive, minutes=20, request_key="a", actor=BEN, now=at)
    made.deliver(at + timedelta(minutes=1))
    waiting = call_list.load_call_list(booking.drive, at + timedelta(minutes=1)).to_call
    topics = [(topic.kind, topic.message.reason) for row in waiting for topic in row.topics]
    assert topics == [("booked", "opted_out"), ("late", "opted_out")]
    assert call_list.load_call_list(booking.drive, booking.starts_at + timedelta(hours=1)).to_call == []


def test_a_called_donor_leaves_the_list_until_a_new_message_fails() -> None:
    booking = ana()
    record_message(booking, "booked", "failed")
    (row,) = call_list.load_call_list(booking.drive, NOW).to_call
    topics = [one.topic for one in row.topics]
    assert phone_calls.record_calls(subject=booking, topics=topics, actor=BEN, now=NOW) == 1
    assert phone_calls.record_calls(subject=booking, topics=topics, actor="user:8", now=NOW + timedelta(hours=1)) == 0
    found = call_list.load_call_list(booking.drive, NOW)
    assert (found.to_call, [reached_by(one) for one in found.reached]) == ([], [(BEN, NOW)])
    assert call_list.list_subjects_to_call([booking.drive_id], NOW) == []
    changes.move_bookings(booking_id=booking.pk, slot_id=builders.slot(booking.drive, 8).pk, actor="donor", now=NOW)
    record_message(booking, "moved", "undelivered", "unreachable")
    assert list_topics(booking.drive) == {"Test Ana Alder": ["moved"]}
    assert call_list.list_subjects_to_call([booking.drive_id], NOW) == [booking]
    assert AuditEntry.objects.filter(verb="call.reached", actor=BEN).count() == 1


def reached_by(row: CallRow) -> tuple[str, Any]:
    call = row.newest_call
    assert call
    return call.actor, call.reached_at


def test_a_recorded_call_can_be_deleted() -> None:
    booking = ana()
    record_message(booking, "booked", "failed")
    phone_calls.record_calls(subject=booking, topics=[f"{booking.about}/booked/0"], actor=BEN, now=NOW)
    assert phone_calls.delete_calls(subject=booking, actor=BEN, now=NOW) == 1
    assert (list_topics(booking.drive), Call.objects.count()) == ({"Test Ana Alder": ["booked"]}, 0)


def test_the_list_takes_the_same_queries_for_three_donors_as_for_one(django_assert_num_queries: Any) -> None:
    drive = builders.drive()
    for number in (1, 2, 3):
        record_message(ana(drive, number, n=2 * number), "booked", "failed")
        if number != 2:
            with django_assert_num_queries(10):
                assert len(call_list.load_call_list(drive, NOW).to_call) == number


# What happened to a drive's messages


def test_the_delivery_summary_counts_reasons() -> None:
    drive = builders.drive()
    first, second, third = (ana(drive, number, n=2 * number) for number in (1, 2, 3))
    Message.objects.filter(kind="booked").update(state="delivered")
    record_message(second, "booked", "undelivered", "unreachable", error_code="30003")
    record_message(third, "booked", "blocked", "no_consent")
    record_message(first, "three_days", "sent")
    found = delivery_counts.load_delivery_summary(drive)
    assert (found.planned, found.sent, found.delivered, found.not_delivered, found.not_sent) == (5, 1, 1, 1, 1)
    assert found.undelivered_reasons == [FailureReason("unreachable", "30003", 1)]
    assert found.unsent_reasons == [FailureReason("no_consent", "", 1)]
    assert found.total == 9


@pytest.mark.parametrize(("minutes", "is_listed"), [(59, True), (60, False)])
def test_a_call_is_listed_until_an_hour_after_the_visit(minutes: int, is_listed: bool) -> None:
    booking = ana()
    record_message(booking, "booked", "failed")
    found = call_list.load_call_list(booking.drive, booking.starts_at + timedelta(minutes=minutes)).to_call
    assert bool(found) is is_listed
