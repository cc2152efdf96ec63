from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from drives.booking import changes
from drives.models import Booking, BookingState
from drives.planning import lifecycle
from notifications import queries as notifications_queries
from tests import builders
from tests.builders import DRIVE_DAY, NOW
from tests.drives import donor
from tests.drives.donor import text, title

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def page_of(booking: Booking) -> str:
    return text(Client().get(reverse("booking", args=[booking.token]), follow=True))


def post(name: str, booking: Booking, **data: object) -> object:
    return Client().post(reverse(name, args=[booking.token]), data)


def test_the_page_shows_the_coming_reminders() -> None:
    drive = builders.drive()
    assert "We’ll text you 3 days and 1 day before." in page_of(builders.booked(drive))
    silent = builders.booked(drive, n=8, number=7, consents=())
    assert "We won’t send you reminders." in page_of(silent)


def test_the_page_has_calendar_links_and_the_check_in_code() -> None:
    booking = builders.booked(builders.drive())
    shown = Client().get(reverse("booking", args=[booking.token]), follow=True).content.decode()
    assert reverse("booking_calendar", args=[booking.token]) in shown
    assert "https://calendar.google.com/" in shown
    assert "https://outlook.live.com/" in shown
    assert "<svg" in shown.split('class="qr"')[1]
    assert booking.reference in shown


def test_a_donor_moves_a_booking() -> None:
    drive = builders.drive()
    booking = builders.booked(drive, n=0)
    browser = Client()
    offered = browser.get(reverse("booking_move", args=[booking.token]))
    assert "You keep your current time ( 9:00 AM ) until the new one is booked." in text(offered)
    response = browser.post(
        reverse("booking_move", args=[booking.token]), {"slot": builders.slot(drive, 8).pk}, follow=True
    )
    assert "Your time has been changed Saturday, March 13, 11:00 AM Pacific Time" in text(response)


def test_moving_without_a_chosen_time_asks_for_one() -> None:
    response = Client().post(reverse("booking_move", args=[builders.booked(builders.drive()).token]))
    assert response.status_code == 422
    assert title(response).startswith("Error: ")
    assert "Choose a time first, then continue." in text(response)


def test_moving_to_a_full_time_keeps_the_old_one() -> None:
    here = builders.organization()
    drive = builders.drive(here, builders.plain(builders.site(here), spots=1))
    booking = builders.booked(drive, n=0)
    builders.booked(drive, n=1, number=7)
    response = Client().post(reverse("booking_move", args=[booking.token]), {"slot": builders.slot(drive, 1).pk})
    assert response.status_code == 409
    assert "Someone else just took the last spot at this time." in text(response)
    booking.refresh_from_db()
    assert booking.arrival_id == builders.slot(drive, 0).pk


def test_a_hold_can_be_moved_before_verification() -> None:
    browser, drive = Client(), builders.drive()
    booking = donor.kept(browser, drive)
    browser.post(reverse("booking_move", args=[booking.token]), {"slot": builders.slot(drive, 4).pk})
    assert "10:00 AM Pacific Time" in text(browser.get(reverse("booking", args=[booking.token]), follow=True))


def test_opening_the_cancel_page_cancels_nothing() -> None:
    booking = builders.booked(builders.drive())
    assert "Cancel your booking?" in text(Client().get(reverse("booking_cancel", args=[booking.token])))
    booking.refresh_from_db()
    assert booking.state == BookingState.BOOKED


def test_a_donor_can_undo_a_cancellation_for_15_minutes() -> None:
    booking = builders.booked(builders.drive())
    post("booking_cancel", booking)
    shown = page_of(booking)
    assert "Your booking is cancelled" in shown
    assert "Undo" in shown
    post("booking_restore", booking)
    assert "You’re booked" in page_of(booking)


def test_after_15_minutes_the_page_offers_another_time_instead_of_undo() -> None:
    booking = builders.booked(builders.drive())
    post("booking_cancel", booking)
    with time_machine.travel(NOW + timedelta(minutes=16), tick=False):
        shown = page_of(booking)
        assert "Undo" not in shown
        assert "Book another time" in shown
        response = Client().post(reverse("booking_restore", args=[booking.token]))
    assert response.status_code == 409
    assert "There is a problem" in text(response)


def test_close_to_the_visit_the_donor_is_asked_to_confirm() -> None:
    booking = builders.booked(builders.drive())
    assert "I’m coming" not in page_of(booking)
    with time_machine.travel(NOW + timedelta(days=9), tick=False):
        assert "I’m coming" in page_of(booking)
        post("booking_confirm", booking)
        assert "You’re booked, and we know you’re coming" in page_of(booking)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (BookingState.CHECKED_IN, "You’re checked in"),
        (BookingState.DONATED, "Thank you for your donation"),
        (BookingState.INCOMPLETE, "Thank you for coming"),
        (BookingState.DEFERRED, "Thank you for coming"),
        (BookingState.LEFT, "Thank you for coming"),
        (BookingState.NO_SHOW, "We missed you"),
    ],
)
def test_every_final_state_is_shown_without_actions(state: BookingState, words: str) -> None:
    booking = builders.booked(builders.drive())
    Booking.objects.filter(pk=booking.pk).update(state=state)
    shown = page_of(booking)
    assert words in shown
    assert "Change time" not in shown
    assert Client().get(reverse("booking_move", args=[booking.token])).status_code == 303


def test_a_past_booking_says_so() -> None:
    booking = builders.booked(builders.drive())
    with time_machine.travel(booking.starts_at + timedelta(minutes=30), tick=False):
        assert "Your time has passed" in page_of(booking)


def test_a_cancelled_drive_asks_the_donor_not_to_come() -> None:
    drive = builders.drive()
    booking = builders.booked(drive)
    lifecycle.cancel_drive(drive_id=drive.pk, reason="The hall is flooded.", actor="user:1", now=NOW)
    shown = page_of(booking)
    assert "The drive is cancelled" in shown
    assert "Please don’t come. The drive has been cancelled. The hall is flooded." in shown


def test_a_link_expires_30_days_after_the_drive() -> None:
    booking = builders.booked(builders.drive())
    address = reverse("booking", args=[booking.token])
    day_29, day_32 = (DRIVE_DAY + timedelta(days=days) for days in (29, 32))
    with time_machine.travel(day_29, tick=False):
        assert Client().get(address, follow=True).status_code == 200
    with time_machine.travel(day_32, tick=False):
        assert Client().get(address).status_code == 404


@pytest.mark.parametrize("name", ["booking_verify", "booking_send_code", "booking_confirm", "booking_restore"])
def test_a_get_request_to_an_action_shows_the_booking(name: str) -> None:
    booking = builders.booked(builders.drive())
    response = Client().get(reverse(name, args=[booking.token]))
    assert (response.status_code, response.headers["Location"]) == (303, reverse("booking", args=[booking.token]))
    booking.refresh_from_db()
    assert booking.state == BookingState.BOOKED


def test_stopping_messages_asks_first_and_withdraws_every_consent() -> None:
    drive = builders.drive()
    booking = builders.booked(drive, consents=("reminders", "news"))
    assert booking.volunteer is not None
    assert booking.volunteer.phone is not None
    address, phone = reverse("stop_messages", args=[booking.volunteer.phone.token]), booking.volunteer.phone.address
    assert "Stop messages?" in text(Client().get(address))
    assert notifications_queries.has_consent(drive.organization, phone, "reminders")
    assert "No more messages" in text(Client().post(address))
    assert not notifications_queries.has_consent(drive.organization, phone, "reminders")
    assert not notifications_queries.has_consent(drive.organization, phone, "news")
    assert "We won’t send you reminders." in page_of(booking)


def test_a_truncated_stop_link_is_not_found() -> None:
    assert Client().get(reverse("stop_messages", args=["nonsense"])).status_code == 404


def test_a_booking_that_a_coordinator_cancelled_cannot_be_undone_by_the_donor() -> None:
    booking = builders.booked(builders.drive())
    changes.cancel_bookings(booking_id=booking.pk, actor="user:1", cancelled_by="coordinator", now=NOW)  # type: ignore[arg-type]
    shown = page_of(booking)
    assert "The organizers cancelled this booking." in shown
    assert "Undo" not in shown


@pytest.mark.parametrize(("seconds", "asks"), [(1, False), (0, True)])
def test_a_donor_is_asked_to_confirm_from_four_days_before(seconds: int, asks: bool) -> None:
    booking = builders.booked(builders.drive())
    with time_machine.travel(booking.starts_at - timedelta(days=4, seconds=seconds), tick=False):
        assert ("I’m coming" in page_of(booking)) is asks


@pytest.mark.parametrize(("seconds", "status"), [(-1, 200), (0, 404)])
def test_a_link_works_until_30_days_after_the_drive(seconds: int, status: int) -> None:
    booking = builders.booked(builders.drive())
    with time_machine.travel(booking.drive.ends_at + timedelta(days=30, seconds=seconds), tick=False):
        assert Client().get(reverse("booking", args=[booking.token]), follow=True).status_code == status
