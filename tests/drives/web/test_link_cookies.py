"""The service moves a link's token to a cookie and redirects to a URL without the token.

Broken and expired links redirect to the search page.
"""

import io
import json
import logging
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from config.logs import JsonFormatter
from drives.booking import changes
from drives.models import Booking, CancelledBy
from notifications.models import Message
from tests import builders
from tests.builders import DRIVE_DAY, NOW
from tests.drives.donor import text
from volunteers.models import Contact

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def address(key: str, name: str = "booking") -> str:
    return reverse(name, args=[key])


def opened(booking: Booking) -> Client:
    browser = Client()
    browser.get(address(booking.token), follow=True)
    return browser


def test_the_first_visit_swaps_the_token_for_a_cookie_and_a_clean_address() -> None:
    booking, browser = builders.booked(builders.drive()), Client()
    response = browser.get(address(booking.token), follow=True)
    assert response.redirect_chain[-1] == (address(booking.reference), 302)
    assert "You’re booked" in text(response)
    cookie = browser.cookies["bookings"]
    assert (cookie.value, cookie["path"], cookie["httponly"], cookie["samesite"]) == (booking.token, "/", True, "Lax")
    assert browser.get(address(booking.token)).headers["Location"] == address(booking.reference)


def test_the_clean_page_holds_the_token_in_its_calendar_link_only() -> None:
    booking = builders.booked(builders.drive())
    shown = opened(booking).get(address(booking.reference)).content.decode()
    assert (
        shown.count(f"/b/{booking.token}/") == shown.count(f'href="{address(booking.token, "booking_calendar")}"') == 1
    )


def test_a_browser_that_keeps_no_cookies_sees_the_page_at_the_links_own_address() -> None:
    booking, browser = builders.booked(builders.drive()), Client()
    first = browser.get(address(booking.token))
    browser.cookies.clear()
    second = browser.get(first.headers["Location"])
    assert second.status_code == 200
    assert "You’re booked" in text(second)
    assert address(booking.token, "booking_move") in second.content.decode()


def test_the_redirect_keeps_the_other_parameters() -> None:
    booking = builders.booked(builders.drive())
    response = Client().get(address(booking.token) + "?moved=1", follow=True)
    assert response.redirect_chain[-1][0] == address(booking.reference) + "?moved=1"


def test_the_reference_alone_opens_nothing() -> None:
    booking = builders.booked(builders.drive())
    stranger = opened(builders.booked(builders.drive(), number=7))
    for browser in (Client(), stranger):
        for name in ("booking", "booking_move", "booking_cancel", "booking_calendar"):
            assert browser.get(address(booking.reference, name)).status_code == 404
        assert browser.post(address(booking.reference, "booking_cancel")).status_code == 404
    booking.refresh_from_db()
    assert booking.state == "booked"


def test_everything_is_done_at_the_clean_address() -> None:
    booking = builders.booked(drive := builders.drive())
    browser = opened(booking)
    moved = browser.post(address(booking.reference, "booking_move"), {"slot": builders.slot(drive, 8).pk})
    assert moved.headers["Location"] == address(booking.reference) + "?moved=1"
    assert browser.post(address(booking.reference, "booking_confirm")).status_code == 303
    assert browser.post(address(booking.reference, "booking_cancel")).status_code == 303
    booking.refresh_from_db()
    assert (booking.state, booking.arrival) == ("cancelled", builders.slot(drive, 8))


def test_a_browser_keeps_the_keys_of_several_bookings_and_drops_the_oldest() -> None:
    drive = builders.drive(chairs=20, screening_stations=20)
    browser, bookings = Client(), [builders.booked(drive, number=number) for number in range(13)]
    for booking in bookings:
        browser.get(address(booking.token), follow=True)
    answers = [browser.get(address(booking.reference)).status_code for booking in bookings]
    assert answers == [404] + [200] * 12


def test_a_revoked_link_opens_nothing_here_or_elsewhere() -> None:
    booking = builders.booked(builders.drive())
    browser = opened(booking)
    Booking.objects.filter(pk=booking.pk).update(**booking.build_renewed_link_fields())
    assert browser.get(address(booking.reference)).status_code == 404
    assert Client().get(address(booking.token)).status_code == 404


def lost(booking: Booking) -> dict[str, Any]:
    """Return the responses to every kind of broken link, and to an expired one."""
    with time_machine.travel(DRIVE_DAY + timedelta(days=32), tick=False):
        old = Client().get(address(booking.token))
    keys = {"cut": booking.token[:-3], "wrong": "A" * 22, "reference": booking.reference, "nonsense": "x"}
    return {"old": old, **{name: Client().get(address(key)) for name, key in keys.items()}}


def test_links_that_are_lost_cut_or_old_look_the_same_and_lead_to_the_search() -> None:
    answers = lost(builders.booked(builders.drive()))
    assert {answer.status_code for answer in answers.values()} == {404}
    assert len({text(answer) for answer in answers.values()}) == 1
    assert f'<a class="button" href="{reverse("find_booking")}">Find my booking</a>' in answers["cut"].content.decode()


@pytest.mark.parametrize("method", ["get", "head"])
def test_a_scanner_that_opens_every_link_changes_nothing(method: str) -> None:
    booking = builders.booked(builders.drive())
    contact = Contact.objects.get()
    before = list(Booking.objects.values()), Message.objects.count(), list(Contact.objects.values())
    names = ("", "move", "cancel", "restore", "confirm", "resend", "messages", "renew_feed", "calendar")
    for name in names:
        path = address(booking.token, f"booking_{name}" if name and name != "messages" else "booking")
        getattr(Client(), method)(path, follow=True)
    getattr(Client(), method)(reverse("stop_messages", args=[contact.token]))
    assert (list(Booking.objects.values()), Message.objects.count(), list(Contact.objects.values())) == before


def test_pages_send_no_referrer_elsewhere_and_are_kept_by_no_cache() -> None:
    booking = builders.booked(builders.drive())
    browser = Client()
    for response in (browser.get(address(booking.token)), browser.get(address(booking.reference))):
        assert response.headers["Referrer-Policy"] == "same-origin"
        assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.expects_errors
def test_no_log_line_contains_a_token_a_code_or_a_contact() -> None:
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    handler.setFormatter(JsonFormatter())
    logging.getLogger().addHandler(handler)
    try:
        secrets = _visit_everything()
    finally:
        logging.getLogger().removeHandler(handler)
    logged = lines.getvalue()
    assert {json.loads(line)["level"] for line in logged.splitlines()} >= {"info", "error"}
    assert [secret for secret in secrets if secret in logged] == []


def _visit_everything() -> list[str]:
    """Use the pages that need a token, with valid and broken links, a missing CSRF token, and an error in our code.

    Return the tokens and contacts, which must not be logged.
    """
    booking = builders.booked(builders.drive())
    contact, person = Contact.objects.get(), booking.volunteer
    assert person is not None
    browser = opened(booking)
    for path in (
        address(booking.token),
        address(booking.token, "booking_calendar"),
        reverse("donor_feed", args=[person.token]),
    ):
        browser.get(path)
    Client(enforce_csrf_checks=True).post(address(booking.token, "booking_cancel"))
    Client().get(address(booking.token + "x"))
    Client().get(reverse("stop_messages", args=[contact.token]))
    browser.post(reverse("find_booking"), {"contact": contact.address})

    try:
        raise RuntimeError(f"no answer for {address(booking.token)} of {contact.address}")
    except RuntimeError:
        logging.getLogger("drives").exception("it broke at %s", address(booking.token))
    changes.cancel_bookings(booking_id=booking.pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=NOW)
    return [booking.token, contact.token, person.token, contact.address, browser.cookies["browser"].value]
