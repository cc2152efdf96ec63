"""A move withdraws the unsent messages about the old time.

A move never withdraws a code, an answer or a thank-you message.
"""

from datetime import timedelta

import pytest

from drives.booking import changes
from drives.models import Booking
from notifications import kinds, outbox
from notifications.kinds import KINDS
from notifications.models import Message
from tests import builders, seeds
from tests.builders import NOW
from tests.notifications import made

pytestmark = pytest.mark.django_db

ABOUT_THE_TIME = {
    *("booked", "moved", "relocated", "cancelled", "drive_cancelled"),
    *("week", "three_days", "day_before", "same_day"),
}
NEVER_WITHDRAWN = {"code", "answer", "reply_answer", "waitlist_answer", "opt_out", "thank_you", "missed"}


def move(booking: Booking) -> None:
    changes.move_bookings(booking_id=booking.pk, slot_id=builders.slot(booking.drive, 4).pk, actor="donor", now=NOW)


def list_left(booking: Booking) -> list[tuple[str, int]]:
    """Deliver the booking's messages. List the kind and revision of each delivered message, except codes."""
    made.deliver(NOW)
    left = Message.objects.filter(about=booking.about, state="delivered").exclude(kind="code").order_by("channel", "pk")
    return list(left.values_list("kind", "revision"))


def test_a_move_withdraws_the_confirmation_of_the_old_time() -> None:
    for number in range(5):
        booking = builders.booked(builders.drive(), number=number, email=f"test{number}@example.org")
        move(booking)
        assert list_left(booking) == [("moved", 1), ("moved", 1)]
        waiting = Message.objects.filter(about=booking.about, state="scheduled").values_list("revision", flat=True)
        assert set(waiting) == {1}


def test_control_without_the_withdrawal_the_old_time_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds.replace(monkeypatch, outbox, "withdraw_messages", lambda **_asked: 0)
    booking = builders.booked(builders.drive())
    move(booking)
    assert list_left(booking) == [("booked", 0), ("moved", 1)]


def test_what_has_left_stays_and_the_new_time_follows() -> None:
    booking = builders.booked(builders.drive())
    made.deliver(NOW)
    move(booking)
    assert list_left(booking) == [("booked", 0), ("moved", 1)]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_move_withdraws_only_what_tells_the_old_time(kind: str) -> None:
    booking = builders.booked(builders.drive())
    Message.objects.all().delete()
    old = made.queued(booking.drive.organization, kind=kind, about=booking.about, expires_at=NOW + timedelta(days=30))
    move(booking)
    old.refresh_from_db()
    assert old.state == ("withdrawn" if kind in ABOUT_THE_TIME else "queued")


def test_codes_answers_and_thank_yous_have_no_withdrawal_by_a_revision() -> None:
    assert set(kinds.list_kinds_withdrawn_by(kinds.Withdrawal.REVISION)) == ABOUT_THE_TIME
    assert not NEVER_WITHDRAWN & ABOUT_THE_TIME


@pytest.mark.parametrize("other", ["another booking", "a newer revision"])
def test_a_message_about_something_else_stays(other: str) -> None:
    booking = builders.booked(builders.drive())
    fields = (
        {"about": f"booking:{booking.pk + 1}"}
        if other == "another booking"
        else {"about": booking.about, "revision": 1}
    )
    kept = made.queued(booking.drive.organization, kind="booked", **fields)
    move(booking)
    kept.refresh_from_db()
    assert kept.state == "queued"
