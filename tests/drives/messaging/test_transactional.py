"""Messages about a donor's own booking need no consent.

After a STOP, or after the donor has withdrawn every consent on a page, no text about the booking is sent.
"""

from datetime import timedelta
from typing import Any

import pytest

from drives.booking import changes
from drives.messaging import broadcast_queries, broadcasts, call_list, reach
from drives.models import Booking
from notifications import consents
from notifications.models import Message, Purpose
from tests import builders
from tests.builders import NOW
from tests.notifications import made
from volunteers.models import Contact

pytestmark = pytest.mark.django_db

PHONE = builders.phone(42)


def booked(**who: Any) -> Booking:
    return builders.booked(builders.drive(), **{"consents": (), **who})


def stop(booking: Booking) -> None:
    consents.suppress_address(sender=booking.drive.organization.senders.get(), address=PHONE, now=NOW)


def take_back(booking: Booking, *purposes: str) -> None:
    consents.revoke_consents(
        organization=booking.drive.organization,
        addresses=[PHONE],
        purposes=purposes,
        wording="no",
        source="link",
        actor="donor",
        now=NOW,
    )


def move(booking: Booking, actor: str = "user:7") -> None:
    changes.move_bookings(booking_id=booking.pk, slot_id=builders.slot(booking.drive, 8).pk, actor=actor, now=NOW)


def fate(kind: str) -> tuple[str, str]:
    made.deliver(NOW)
    text = Message.objects.get(kind=kind, channel="sms")
    return text.state, text.reason


def to_call(booking: Booking) -> list[str]:
    return [topic.kind for row in call_list.load_call_list(booking.drive, NOW).to_call for topic in row.topics]


def counted(booking: Booking) -> tuple[int, int]:
    """Count the donors that a cancellation of the drive, and a broadcast about the visit, would reach by text."""
    audience = broadcast_queries.Audience()
    found = broadcast_queries.load_broadcast_reach(booking.drive, audience, Purpose.REMINDERS)
    by_text = sum(recipient.channel == "sms" for recipient in found.reached)
    return reach.load_cancellation_reach(booking.drive).by_text, by_text


def test_without_a_consent_the_confirmation_and_changes_leave_by_text() -> None:
    booking = booked()
    assert fate("booked") == ("delivered", "")
    move(booking)
    assert fate("moved") == ("delivered", "")
    assert (to_call(booking), counted(booking)) == ([], (1, 1))


def test_after_a_stop_no_text_leaves_and_the_donor_is_to_be_called() -> None:
    booking = booked(consents=("reminders", "news"))
    made.deliver(NOW)
    stop(booking)
    move(booking)
    assert fate("moved") == ("blocked", "opted_out")
    assert (to_call(booking), counted(booking)) == (["moved"], (0, 0))


def test_a_stop_before_the_confirmation_puts_the_donor_on_the_call_list() -> None:
    booking = booked()
    stop(booking)
    assert fate("booked") == ("withdrawn", "opted_out")
    assert to_call(booking) == ["booked"]


def test_every_consent_taken_back_on_a_page_is_as_good_as_a_stop() -> None:
    booking = booked()
    made.deliver(NOW)
    take_back(booking, *Purpose.values)
    move(booking)
    assert fate("moved") == ("blocked", "consent_withdrawn")
    assert (to_call(booking), counted(booking)) == (["moved"], (0, 0))


def test_a_donor_without_reminders_is_notified_of_a_change() -> None:
    booking = booked(consents=("reminders",))
    made.deliver(NOW)
    take_back(booking, Purpose.REMINDERS)
    move(booking)
    assert fate("moved") == ("delivered", "")
    assert counted(booking) == (1, 1)


def test_a_new_consent_restores_texts() -> None:
    booking = booked()
    made.deliver(NOW)
    take_back(booking, *Purpose.values)
    builders.agreed(booking.drive.organization, PHONE, now=NOW + timedelta(minutes=1))
    move(booking)
    assert fate("moved") == ("delivered", "")


def test_an_unverified_number_gets_no_text_without_a_consent() -> None:
    booking = booked(email="ana@example.org")
    Contact.objects.filter(address=PHONE).update(owner=None, verified_at=None)
    move(Booking.objects.get(pk=booking.pk))
    assert fate("moved") == ("blocked", "no_consent")
    assert counted(booking) == (0, 0)


def test_a_late_notice_needs_no_consent() -> None:
    booking = booked()
    at = booking.starts_at - timedelta(minutes=30)
    broadcasts.send_late_notice(drive=booking.drive, minutes=20, request_key="a", actor="user:7", now=at)
    made.deliver(at + timedelta(minutes=1))
    assert Message.objects.get(kind="late").state == "delivered"
