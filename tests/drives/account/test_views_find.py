"""The pages of "Find my booking": a code for known contacts, and the donor's own page.

The response is the same for known and unknown contacts.
"""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from drives.account import booking_search
from drives.models import Booking
from notifications.models import Message
from tests import builders
from tests.builders import NOW
from tests.drives.donor import PHONE, text, title
from volunteers import queries as volunteers_queries
from volunteers import registration
from volunteers.models import Contact, VerificationCode, VerifiedBrowser

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def ask(browser: Client, contact: str = PHONE, **headers: Any) -> Any:
    return browser.post(reverse("find_booking"), {"contact": contact}, **headers)


def code() -> str:
    """Send the queued codes, as the worker does. Return the newest code."""
    booking_search.send_find_codes(now=NOW)
    newest = Message.objects.filter(kind="code").order_by("-pk")[0]
    found = re.search(r"\d{6}", newest.text)
    assert found
    return found[0]


def found(browser: Client, contact: str = PHONE) -> Any:
    """Take all steps of the search up to the donor's own page. Return that page."""
    assert ask(browser, contact).status_code == 303
    response = browser.post(reverse("find_booking_code"), {"code": code()}, follow=True)
    assert response.redirect_chain == [(reverse("donor_bookings"), 303)], text(response)
    return response


def test_a_lost_link_is_found_again_with_phone_and_code() -> None:
    booking = builders.booked(builders.drive())
    Message.objects.all().delete()
    browser = Client()
    asked = browser.post(reverse("find_booking"), {"contact": PHONE}, follow=True)
    shown = text(asked).replace(" ,", ",")
    assert "If someone booked with (201) 555-0142, a six-digit code is on its way there." in shown
    mine = browser.post(reverse("find_booking_code"), {"code": code()}, follow=True)
    assert "Your bookings Test Ana Alder Plasma drive" in text(mine)
    assert "Saturday, March 13, 9:00 AM Pacific Time" in text(mine)
    assert reverse("booking_move", args=[booking.reference]) in mine.content.decode()
    assert browser.get(reverse("booking", args=[booking.reference])).status_code == 200


def test_the_code_comes_from_the_organization_of_the_latest_booking() -> None:
    early, late = builders.organization(), builders.organization()
    builders.booked(builders.drive(late, policy_id=builders.lax().pk))
    early_drive = builders.drive(early, policy_id=builders.lax().pk, day=builders.DRIVE_DAY - timedelta(days=2))
    builders.booked(early_drive, n=4)
    Message.objects.all().delete()
    ask(Client())
    assert booking_search.send_find_codes(now=NOW) == 1
    sent = Message.objects.get()
    assert (sent.organization, sent.channel, sent.address) == (late, "sms", builders.phone(42))


def test_a_mailbox_finds_what_was_booked_with_it() -> None:
    builders.booked(builders.drive(), phone="", email="ana@example.org")
    shown = found(Client(), "ANA@example.org ")
    assert "Test Ana Alder" in text(shown)


def seen(response: Any) -> tuple[Any, ...]:
    """Return all parts of a response that could tell a stranger whether a contact is known.

    The CSRF token and the typed contact differ in any case, so they are left out.
    """
    body = re.sub(rb'name="csrfmiddlewaretoken" value="\w+"|\(\d{3}\) 555-\d{4}', b"", response.content)
    headers = {name: value for name, value in response.headers.items() if name != "X-Request-ID"}
    return response.status_code, body, headers, sorted(response.cookies)


@pytest.mark.parametrize(
    ("countries", "typed", "found_under"),
    [
        ("US US GB", PHONE, builders.phone(42)),
        ("US US GB", "07400 123456", "+447400123456"),  # not a valid number in the United States
        ("US GB GB", "020 1555 0142", "+442015550142"),
        ("US GB GB", f"+1 {PHONE}", builders.phone(42)),
        ("", PHONE, builders.phone(42)),
    ],
)
def test_a_national_number_is_one_of_the_country_of_most_organizations_in_which_it_is_one(
    countries: str, typed: str, found_under: str, settings: object
) -> None:
    settings.SMS_COUNTRIES = frozenset({"GB", "US"})  # type: ignore[attr-defined]
    for country in countries.split():
        builders.organization(country=country)
    assert ask(Client(), typed).status_code == 303
    assert VerificationCode.objects.get().identity == volunteers_queries.compute_contact_identity(found_under)


def test_known_and_unknown_contacts_get_the_same_answer_and_queries() -> None:
    builders.booked(builders.drive())
    answers = []
    for contact, guess in ((PHONE, "000000"), ("(201) 555-0199", "000000")):
        browser = Client()
        with CaptureQueriesContext(connection) as asked:
            answer = [seen(ask(browser, contact))]
            statements = [query["sql"] for query in asked]
        answer.append(seen(browser.get(reverse("find_booking_code"))))
        booking_search.send_find_codes(now=NOW)
        with CaptureQueriesContext(connection) as tried:
            answer += [seen(browser.post(reverse("find_booking_code"), {"code": guess})) for _ in range(6)]
            statements += [query["sql"] for query in tried]
        answers.append((answer, [re.sub(r"'[^']*'|-?\d+", "?", statement) for statement in statements]))
    assert answers[0][0] == answers[1][0]
    assert answers[0][1] == answers[1][1]


def test_an_unknown_contact_gets_no_code_and_guessing_fails() -> None:
    builders.organization()
    browser = Client()
    ask(browser)
    assert booking_search.send_find_codes(now=NOW) == 0
    assert Message.objects.count() == 0
    answers = [text(browser.post(reverse("find_booking_code"), {"code": f"{guess:06}"})) for guess in range(6)]
    assert "That isn’t the code we sent." in answers[0]
    assert "There were too many attempts with this code." in answers[5]
    assert VerifiedBrowser.objects.count() == 0


def test_a_requested_code_is_sent_once() -> None:
    builders.booked(builders.drive())
    Message.objects.all().delete()
    ask(Client(), PHONE)
    ask(Client(), "nobody@example.org")
    assert [booking_search.send_find_codes(now=NOW) for _ in range(3)] == [1, 0, 0]
    assert Message.objects.count() == 1
    assert not VerificationCode.objects.filter(code_hash="").exists()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Enter a phone number or an e-mail address."),
        ("12345", "Enter a phone number with its area code"),
        ("ana@", "Enter an e-mail address, for example"),
        ("+44 20 7946 0018", "We can’t send texts to this country."),
    ],
)
def test_an_invalid_contact_is_refused_beside_the_field(typed: str, said: str) -> None:
    response = ask(Client(), typed)
    assert response.status_code == 422
    assert title(response).startswith("Error: ")
    assert said in text(response)
    assert VerificationCode.objects.count() == 0


def test_too_many_codes_of_one_contact_or_network_are_refused_in_words() -> None:
    answers = [ask(Client()) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [303, 303, 303, 429]
    assert "Too many requests. Try again in 15 minutes." in text(answers[-1])
    assert answers[-1].headers["Retry-After"] == str(15 * 60)
    others = [ask(Client(), f"test{number}@example.org").status_code for number in range(38)]
    assert others == [303] * 37 + [429]


def test_a_code_counts_in_the_browser_that_asked_and_not_for_a_token_that_was_there_before() -> None:
    builders.booked(builders.drive())
    browser = Client()
    browser.cookies["browser"] = planted = "p" * 43
    ask(browser)
    sent = code()
    assert browser.cookies["browser"].value != planted
    thief = Client()
    thief.cookies["browser"] = planted
    thief.cookies["find"] = browser.cookies["find"].value
    assert "This code has expired." in text(thief.post(reverse("find_booking_code"), {"code": sent}))
    assert browser.post(reverse("find_booking_code"), {"code": sent}).status_code == 303
    assert thief.get(reverse("donor_bookings")).status_code == 302


def test_a_second_rebook_tap_returns_the_same_booking() -> None:
    builders.booked(builders.drive())
    browser = Client()
    ask(browser)
    sent = code()
    assert [browser.post(reverse("find_booking_code"), {"code": sent}).status_code for _ in range(2)] == [303, 303]


def test_a_code_is_useless_after_ten_minutes() -> None:
    builders.booked(builders.drive())
    browser = Client()
    ask(browser)
    sent = code()
    with time_machine.travel(NOW + timedelta(minutes=10), tick=False):
        assert "This code has expired." in text(browser.post(reverse("find_booking_code"), {"code": sent}))


def test_the_typed_contact_is_forgotten_after_15_minutes() -> None:
    browser = Client()
    ask(browser)
    for minutes, status in ((15, 200), (16, 302)):
        with time_machine.travel(NOW + timedelta(minutes=minutes), tick=False):
            assert browser.get(reverse("find_booking_code")).status_code == status


def test_an_earlier_verification_survives_a_search_for_another_contact() -> None:
    drive = builders.drive()
    builders.booked(drive)
    builders.booked(drive, n=8, number=7, phone="", email="bo@example.org", name="Test Bo Birch")
    browser = Client()
    found(browser)
    assert "Test Ana Alder" in (shown := text(found(browser, "bo@example.org")))
    assert "Test Bo Birch" in shown


def test_the_code_verifies_a_contact_that_a_coordinator_typed() -> None:
    hope = builders.organization()
    registration.enter_volunteer(organization=hope, name="Test Ana Alder", phone=PHONE, actor="user:1", now=NOW)
    found(Client())
    assert Contact.objects.get().verified_at == NOW


def test_the_donors_page_needs_a_verified_browser() -> None:
    builders.booked(builders.drive())
    assert Client().get(reverse("donor_bookings")).headers["Location"] == reverse("find_booking")
    guessed = Client()
    guessed.cookies["browser"] = "x" * 43
    assert guessed.get(reverse("donor_bookings")).headers["Location"] == reverse("find_booking")


def test_signing_out_forgets_the_browser_and_its_keys() -> None:
    booking = builders.booked(builders.drive())
    browser = Client()
    found(browser)
    browser.get(reverse("booking", args=[booking.token]), follow=True)
    assert browser.get(reverse("donor_sign_out")).status_code == 405
    assert browser.post(reverse("donor_sign_out")).headers["Location"] == reverse("find_booking")
    assert VerifiedBrowser.objects.count() == 0
    assert browser.get(reverse("donor_bookings")).status_code == 302
    assert browser.get(reverse("booking", args=[booking.reference])).status_code == 404


def test_pages_of_the_donor_are_kept_by_no_cache_and_no_search_engine() -> None:
    builders.booked(builders.drive())
    browser = Client()
    ask(browser)
    for response in (browser.get(reverse("find_booking_code")), found(browser), browser.get(reverse("find_booking"))):
        assert "no-store" in response.headers["Cache-Control"]
        assert '<meta name="robots" content="noindex">' in response.content.decode()


def test_reading_changes_nothing() -> None:
    booking = builders.booked(builders.drive())
    browser = Client()
    found(browser)
    before = list(Booking.objects.values()), list(VerifiedBrowser.objects.values()), Message.objects.count()
    for name in ("find_booking", "find_booking_code", "donor_bookings"):
        browser.get(reverse(name))
        browser.head(reverse(name))
    browser.get(reverse("booking", args=[booking.token]), follow=True)
    assert (list(Booking.objects.values()), list(VerifiedBrowser.objects.values()), Message.objects.count()) == before
