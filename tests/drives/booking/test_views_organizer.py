"""The organizer's pages for one booking: show its history, move it, cancel it, and book for a donor on the phone."""

import pytest
from django.test import Client
from django.urls import reverse

from drives.models import Booking, BookingState, Drive, Source, Visit
from notifications.models import Message
from tests import builders
from tests.builders import NOW
from tests.drives import coordinator
from tests.drives.donor import text

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def desk() -> tuple[Client, Drive]:
    ben = builders.member(builders.organization(), email="ben@example.org")
    return coordinator.signed_in(ben), builders.drive(ben.organization)


def address(page: str, booking: Booking) -> str:
    return reverse(f"organizer_{page}", args=[booking.pk])


def test_the_record_shows_history_messages_and_consent() -> None:
    browser, drive = desk()
    booking = builders.booked(drive, name="Test Ana Alder")
    shown = text(browser.get(address("booking", booking)))
    for words in (
        "Saturday, March 13, 9:00 AM Pacific Time",
        "(201) 555-0142 verified",
        "Reminders agreed",
        "News no consent",
        "booked by the donor",
        "held by the donor",
        "Confirmation Text message",
        "Reminder, the day before",
        "scheduled",
    ):
        assert words in shown, words


def test_the_record_does_not_show_the_code() -> None:
    browser, drive = desk()
    booking = builders.held(drive)
    code = builders.code_of(booking)
    shown = browser.get(address("booking", builders.verified(booking)))
    assert code not in shown.content.decode()


def test_a_hold_has_no_page_for_coordinators() -> None:
    browser, drive = desk()
    assert browser.get(address("booking", builders.held(drive))).status_code == 404


def test_a_move_notifies_the_donor_and_is_recorded() -> None:
    browser, drive = desk()
    booking = builders.booked(drive)
    new = builders.slot(drive, 4)
    response = browser.post(address("move_booking", booking), {"slot": new.pk, "reason": "has to work"}, follow=True)
    shown = text(response)
    assert "moved from 9:00 AM to 10:00 AM by ben@example.org" in shown
    assert "has to work" in shown
    assert Message.objects.filter(about=booking.about, kind="moved").count() == 1


def test_a_coordinators_move_to_a_full_time_is_refused() -> None:
    browser, drive = desk()
    booking = builders.booked(drive)
    late = builders.slot(drive, 23)
    response = browser.post(address("move_booking", booking), {"slot": late.pk})
    assert response.status_code == 422
    assert "This time is no longer available. Choose another one." in text(response)


def test_cancelling_frees_the_spot_and_records_the_reason() -> None:
    browser, drive = desk()
    booking = builders.booked(drive)
    shown = text(browser.post(address("cancel_booking", booking), {"reason": "called: ill"}, follow=True))
    booking.refresh_from_db()
    assert (booking.state, booking.cancelled_by) == (BookingState.CANCELLED, "coordinator")
    assert "called: ill" in shown
    assert builders.slot(drive).screening_taken == 0


def test_cancelling_a_finished_booking_is_refused() -> None:
    browser, drive = desk()
    booking = builders.booked(drive)
    Booking.objects.filter(pk=booking.pk).update(state=BookingState.CHECKED_IN)
    response = browser.post(address("cancel_booking", booking), {"reason": ""})
    assert response.status_code == 422
    assert "This person is already checked in." in text(response)


def enter(browser: Client, drive: Drive, **changes: object) -> object:
    typed = {
        "visit": "first",
        "name": "Test Bo Birch",
        "phone": "213 555 0142",
        "email": "",
        "language": "es",
        "slot": builders.slot(drive, 3).pk,
    }
    return browser.post(reverse("organizer_add_booking", args=[drive.pk]), {**typed, **changes}, follow=True)


def test_a_caller_is_booked_at_once() -> None:
    browser, drive = desk()
    enter(browser, drive)
    booking = Booking.objects.select_related("volunteer__phone").get()
    person = booking.volunteer
    assert (booking.state, booking.source, booking.visit) == (BookingState.BOOKED, Source.COORDINATOR, Visit.FIRST)
    assert person is not None
    assert person.phone is not None
    assert (person.name, person.language, person.phone.address) == ("Test Bo Birch", "es", "+12135550142")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": ""}, "Enter this person’s name."),
        ({"name": "!!"}, "Enter this person’s name."),
        ({"phone": ""}, "Enter a phone number or an e-mail address."),
        ({"phone": "12"}, "Enter a phone number with its area code"),
        ({"phone": "", "email": "nobody"}, "Enter an e-mail address, for example"),
        ({"slot": ""}, "Choose a time."),
        ({"slot": "99999999"}, "This time is no longer available."),
        ({"slot": "x"}, "This time is no longer available."),
        ({"name": "see https://spam.example.org"}, "There is a problem"),
    ],
)
def test_errors_in_a_callers_details_are_shown(changes: dict[str, str], sentence: str) -> None:
    browser, drive = desk()
    response = enter(browser, drive, **changes)
    assert sentence in text(response)
    assert Booking.objects.count() == 0


def test_a_second_booking_of_a_caller_is_refused() -> None:
    browser, drive = desk()
    enter(browser, drive)
    response = enter(browser, drive, slot=builders.slot(drive, 5).pk)
    assert "already" in text(response)
    assert Booking.objects.count() == 1
