"""A donor joins the waitlist of a full drive, and another donor cancels.

The first donor gets the spot with a single reply by text.
"""

from datetime import timedelta
from typing import Any

import pytest

from drives.booking import changes
from drives.capacity import drift
from drives.models import Booking, BookingState, CancelledBy, Drive, WaitlistEntry
from drives.planning import lifecycle
from tests import builders
from tests.builders import NOW
from tests.journeys.actors import Clock, Donor, received, set_to, sweep
from tests.visitor import Page

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    settings.RATE_LIMITS = False


def full(time_machine: Clock) -> list[Booking]:
    set_to(time_machine, NOW)
    return builders.full_drive(steps=2)


def waits(donor: Donor, drive: Drive, **waitlist_request: str) -> Page:
    """Join the waitlist, starting on the full drive's page and ending on the page with the position."""
    page = donor.visitor.open(f"/d/{drive.slug}/")
    assert "All spots are taken." in page.html
    page = donor.visitor.open(f"/d/{drive.slug}/waitlist/?visit=return")
    typed = {"name": donor.name, **donor.contact, "visit": "return", **donor.consents}
    page = donor.visitor.submit(page.form("/waitlist/"), **{**typed, **waitlist_request})
    assert page.path.startswith("/w/"), (page.status, page.html)
    sweep()
    return donor.visitor.submit(page.form("/verify/"), code=donor.code)


def cancels(booking: Booking, now: Any = NOW) -> None:
    changes.cancel_bookings(booking_id=booking.pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=now)


def two_wait_and_ana_is_offered(time_machine: Clock) -> tuple[Donor, Donor]:
    bookings = full(time_machine)
    ana, dan = Donor(), Donor(43, name="Test Dan Dow")
    waits(ana, bookings[0].drive)
    waits(dan, bookings[0].drive)
    cancels(bookings[0])
    for _tick in range(2):
        sweep()
    return ana, dan


def bookings_of(donor: Donor) -> list[str]:
    rows = Booking.objects.filter(volunteer__phone__address=donor.phone).order_by("pk")
    return list(rows.values_list("state", flat=True))


def test_a_waitlisted_donor_accepts_an_offer_from_a_text(time_machine: Clock) -> None:
    bookings = full(time_machine)
    ana = Donor()
    page = waits(ana, bookings[0].drive)
    assert "You’re number 1 on the waiting list" in page.html
    sweep()
    cancels(bookings[1])
    for _tick in range(2):
        sweep()
    joined, offered = [item.text for item in received(ana.phone)[1:]]
    assert joined.startswith(
        "Hope Foundation: You're number 1 on the waiting list for Sat Mar 13. Change or leave: http"
    )
    begins = "Hope Foundation: Spot open Sat Mar 13 9:15 AM. C by Tue 10:00 AM to take it, X to pass. http"
    assert offered.startswith(begins)
    ana.texts_back("C")
    for _tick in range(2):
        sweep()
    assert bookings_of(ana) == [BookingState.BOOKED]
    assert received(ana.phone)[-1].text.startswith("Hope Foundation: You're booked Sat Mar 13, 9:15 AM, St Mary Hall.")
    assert drift.count_drifted_slots() == 0


def test_declining_by_text_keeps_the_position_and_offers_the_spot_on(time_machine: Clock) -> None:
    ana, dan = two_wait_and_ana_is_offered(time_machine)
    ana.texts_back("x")
    for _tick in range(3):
        sweep()
    assert "That spot goes to the next person. You're still on the list, number 1." in received(ana.phone)[-1].text
    assert "Spot open Sat Mar 13 9:00 AM" in received(dan.phone)[-1].text


def test_a_late_reply_gets_an_answer_and_needs_no_coordinator(time_machine: Clock) -> None:
    ana, dan = two_wait_and_ana_is_offered(time_machine)
    set_to(time_machine, NOW + timedelta(hours=24))
    for _tick in range(2):
        sweep()
    ana.texts_back("C")
    for _tick in range(2):
        sweep()
    assert "That spot is gone. You're still on the waiting list, number 2." in received(ana.phone)[-1].text
    assert bookings_of(ana) == []
    dan.texts_back("yes")
    sweep()
    assert bookings_of(dan) == [BookingState.BOOKED]


def test_a_spot_is_accepted_on_the_page_of_an_e_mail_link(time_machine: Clock) -> None:
    bookings = full(time_machine)
    ana = Donor(email="ana@example.org", has_phone=False, consents=False)
    waits(ana, bookings[0].drive)
    cancels(bookings[0])
    for _tick in range(2):
        sweep()
    mail = received(ana.email)[-1]
    assert mail.subject == "A spot for you: Saturday, March 13, 9:00 AM"
    link = next(word for word in mail.text.split() if "/offer/" in word)
    page = ana.visitor.open(link.removeprefix("http://testserver"))
    assert "A spot is open for you" in page.html
    page = ana.visitor.submit(page.form("/accept/"))
    assert page.path.startswith("/b/")
    assert "You’re booked" in page.html


def test_a_cancelled_drive_notifies_the_waitlist(time_machine: Clock) -> None:
    bookings = full(time_machine)
    ana = Donor()
    page = waits(ana, bookings[0].drive)
    lifecycle.cancel_drive(drive_id=bookings[0].drive_id, reason="", actor="user:1", now=NOW)
    for _tick in range(3):
        sweep()
    assert "The Sat Mar 13 drive is cancelled and the list is closed." in received(ana.phone)[-1].text
    assert WaitlistEntry.objects.get().state == "closed"
    assert "The waiting list is closed" in ana.visitor.open(page.path).html
