"""Which messages wait until quiet hours end.

A message about a coordinator's change waits, unless the visit is that morning. A message about a donor's own change
does not wait.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from drives.booking import book_for_donor, changes
from drives.booking.hold import Person
from drives.models import Booking, CancelledBy, Visit
from drives.planning import lifecycle
from notifications.models import Message
from notifications.quiet_hours import QuietHours
from tests import builders
from tests.notifications import made

pytestmark = pytest.mark.django_db

LATE = datetime.fromisoformat("2027-03-05T23:30:00-08:00")  # a week before the visit
EVE = datetime.fromisoformat("2027-03-12T23:30:00-08:00")  # the visit is at 9:00
MORNING = datetime.fromisoformat("2027-03-06T09:00:00-08:00")


def cancelled_by(who: CancelledBy) -> Callable[[Booking, datetime], object]:
    actor = "donor" if who == CancelledBy.DONOR else "user:7"
    return lambda booking, now: changes.cancel_bookings(booking_id=booking.pk, actor=actor, cancelled_by=who, now=now)


def moved_by(actor: str) -> Callable[[Booking, datetime], object]:
    def move(booking: Booking, now: datetime) -> object:
        slot = builders.slot(booking.drive, 6).pk
        return changes.move_bookings(
            booking_id=booking.pk, slot_id=slot, actor=actor, now=now, by_member=actor != "donor"
        )

    return move


def called_off(booking: Booking, now: datetime) -> object:
    return lifecycle.cancel_drive(drive_id=booking.drive_id, reason="", actor="user:7", now=now)


def told(act: Callable[[Booking, datetime], object], now: datetime) -> list[tuple[str, str, datetime]]:
    """Make a change. Return the channel, state and due time of the text and the e-mail about it."""
    booking = builders.booked(builders.drive(), email="test.ana.alder@example.org")
    Message.objects.all().delete()
    act(booking, now)
    Message.objects.filter(state="scheduled").delete()
    made.deliver(now)
    rows = Message.objects.filter(about=booking.about).order_by("-channel")
    return [(row.channel, row.state, row.due_at) for row in rows]


OTHERS = [cancelled_by(CancelledBy.COORDINATOR), moved_by("user:7"), called_off]
OWN = [cancelled_by(CancelledBy.DONOR), moved_by("donor")]


@pytest.mark.parametrize("act", OTHERS)
def test_a_change_by_others_is_texted_in_the_morning_and_emailed_now(
    act: Callable[[Booking, datetime], object],
) -> None:
    assert told(act, LATE) == [("sms", "queued", MORNING), ("email", "delivered", LATE)]


@pytest.mark.parametrize("act", OTHERS)
def test_a_change_to_the_next_mornings_visit_is_sent_now(
    act: Callable[[Booking, datetime], object],
) -> None:
    assert told(act, EVE) == [("sms", "delivered", EVE), ("email", "delivered", EVE)]


@pytest.mark.parametrize("act", OWN)
def test_a_donors_own_change_is_confirmed_at_any_hour(act: Callable[[Booking, datetime], object]) -> None:
    assert told(act, LATE) == [("sms", "delivered", LATE), ("email", "delivered", LATE)]


@pytest.mark.parametrize(("now", "text"), [(LATE, ("queued", MORNING)), (EVE, ("delivered", EVE))])
def test_a_coordinators_booking_at_night_is_texted_in_the_morning_if_in_time(
    now: datetime, text: tuple[str, datetime]
) -> None:
    drive, person = builders.drive(), Person("Test Ana Alder", builders.phone(42), "test.ana.alder@example.org")
    builders.agreed(drive.organization, person.phone)
    slot = builders.slot(drive, 0).pk
    booking = book_for_donor.create_booking_for_donor(
        drive=drive, slot_id=slot, visit=Visit.RETURN, person=person, actor="user:7", now=now
    )
    made.deliver(now)
    rows = {row.channel: (row.state, row.due_at) for row in Message.objects.filter(about=booking.about, kind="booked")}
    assert rows == {"sms": text, "email": ("delivered", now)}


@pytest.mark.parametrize("now", [LATE, EVE])
def test_a_donors_booking_at_night_is_confirmed_now(now: datetime) -> None:
    booking = builders.booked(builders.drive(), now=now)
    made.deliver(now)
    row = Message.objects.get(about=booking.about, kind="booked")
    assert (row.state, row.due_at) == ("delivered", now)


@pytest.mark.parametrize(
    ("now", "visit", "may"),
    [
        ("2027-03-12 22:00", "2027-03-13 11:59", False),
        ("2027-03-12 22:00", "2027-03-13 12:00", True),
        ("2027-03-13 02:00", "2027-03-13 11:00", False),
        ("2027-03-13 02:00", "2027-03-13 15:00", True),
        ("2027-03-13 22:00", "2027-03-14 11:59", False),  # the night in which the clocks go forward
        ("2027-03-13 22:00", "2027-03-14 12:00", True),
    ],
)
def test_a_message_may_wait_unless_the_visit_is_before_noon(now: str, visit: str, may: bool) -> None:
    zone = builders.drive().site.zone
    at, starts_at = (datetime.fromisoformat(text).replace(tzinfo=zone) for text in (now, visit))
    assert QuietHours(zone).may_wait(at, starts_at) is may
    assert QuietHours(zone).may_wait(at + timedelta(minutes=1), starts_at) is may
