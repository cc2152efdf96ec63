import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import translation

from drives.models import Booking, BookingState
from drives.planning import lifecycle
from notifications.models import Message
from organizations.models import linked_model
from tests import builders
from tests.builders import NOW
from tests.drives import donor
from tests.drives.donor import text, title
from volunteers import codes
from volunteers.models import VerifiedBrowser

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def test_a_donor_books_from_the_poster_in_four_pages_and_three_fields() -> None:
    browser, drive = Client(), builders.drive()
    slot = builders.slot(drive, 2)
    assert browser.get(reverse("drive", args=[drive.slug]), {"visit": "return"}).status_code == 200
    asked = browser.get(reverse("book", args=[drive.slug]), {"visit": "return", "slot": str(slot.pk)})
    assert "Saturday, March 13, 9:30 AM Pacific Time" in text(asked)
    booking = donor.kept(browser, drive, 2)
    check = browser.get(reverse("booking", args=[booking.token]), follow=True)
    assert "We’ll hold this time for you until 10:15 AM Pacific Time." in text(check)
    assert "We’re texting a six-digit code to (201) 555-0142 if that number can get texts." in text(check)
    assert donor.prove(browser, booking).status_code == 303
    done = browser.get(reverse("booking", args=[booking.token]), follow=True)
    assert "You’re booked Saturday, March 13, 9:30 AM Pacific Time" in text(done)
    assert Booking.objects.get().state == BookingState.BOOKED


def test_reading_the_pages_changes_nothing() -> None:
    browser, drive = Client(), builders.drive()
    query = {"visit": "return", "slot": str(builders.slot(drive).pk)}
    response = browser.get(reverse("book", args=[drive.slug]), query)
    assert (Booking.objects.count(), Message.objects.count(), "browser" in response.cookies) == (0, 0, False)


def test_consent_boxes_are_unchecked_at_first() -> None:
    drive = builders.drive()
    query = {"visit": "return", "slot": str(builders.slot(drive).pk)}
    shown = Client().get(reverse("book", args=[drive.slug]), query).content.decode()
    assert re.findall(r'type="checkbox"[^>]* checked', shown) == []
    assert "Msg &amp; data rates may apply" in shown


def test_typed_details_stay_after_an_error() -> None:
    response = donor.keep(Client(), builders.drive(), name="", phone="213 55", email="ana@example.org")
    shown = response.content.decode()
    assert response.status_code == 422
    assert title(response).startswith("Error: ")
    assert "There is a problem Enter your name. Enter a phone number with its area code" in text(response)
    assert '<a href="#id_name">Enter your name.</a>' in shown
    assert 'value="213 55"' in shown
    assert 'value="ana@example.org"' in shown
    assert shown.count(" checked") == 1


def test_one_contact_is_required_and_enough() -> None:
    drive = builders.drive()
    assert "Enter a phone number or an e-mail address." in text(donor.keep(Client(), drive, phone=""))
    booking = donor.kept(Client(), drive, phone="", email="ana@example.org")
    assert builders.code_of(booking)


def test_a_full_time_keeps_typed_details_and_offers_the_nearest_three() -> None:
    drive = builders.drive(planned=builders.plain(builders.site(here := builders.organization()), spots=1), of=here)
    builders.booked(drive, n=1, number=7)
    response = donor.keep(Client(), drive, 1)
    assert response.status_code == 409
    assert "Choose another time Someone just took that time." in text(response)
    shown = response.content.decode()
    assert [f'value="{builders.slot(drive, n).pk}"' in shown for n in (0, 1, 2, 3)] == [True, False, True, True]
    assert 'value="Test Ana Alder"' in shown
    assert 'value="(201) 555-0142"' in shown


def test_a_time_that_is_full_already_is_reported_before_the_form() -> None:
    drive = builders.drive(planned=builders.plain(builders.site(here := builders.organization()), spots=1), of=here)
    builders.booked(drive, n=1, number=7)
    query = {"visit": "return", "slot": str(builders.slot(drive, 1).pk)}
    assert "Choose another time" in text(Client().get(reverse("book", args=[drive.slug]), query))


def test_a_missing_time_keeps_typed_details() -> None:
    response = donor.keep(Client(), builders.drive(), slot="")
    assert response.status_code == 422
    assert '<a href="#id_slot">Choose a time first, then continue.</a>' in response.content.decode()
    assert 'value="Test Ana Alder"' in response.content.decode()


def test_a_third_hold_is_refused_above_the_form() -> None:
    browser, drive = Client(), builders.drive()
    for n in (0, 4):
        donor.kept(browser, drive, n)
    response = donor.keep(browser, drive, 8)
    assert response.status_code == 409
    assert "We’re already holding 2 times for this phone or e-mail." in text(response)
    assert "Someone just took that time." not in text(response)
    assert "Saturday, March 13, 11:00 AM" in text(response)


def test_a_wrong_code_is_shown_beside_its_field() -> None:
    browser = Client()
    booking = donor.kept(browser, builders.drive())
    wrong = "000000" if builders.code_of(booking) != "000000" else "111111"
    response = donor.prove(browser, booking, wrong)
    assert response.status_code == 422
    assert title(response).startswith("Error: ")
    assert "That isn’t the code we sent." in text(response)
    booking.refresh_from_db()
    assert booking.state == BookingState.HELD


def test_a_code_works_only_in_its_browser() -> None:
    booking = donor.kept(Client(), builders.drive())
    assert donor.prove(Client(), booking).status_code == 422


def test_a_second_tap_books_once() -> None:
    browser = Client()
    booking = donor.kept(browser, builders.drive())
    code = builders.code_of(booking)
    answers = [donor.prove(browser, booking, code) for _tap in range(2)]
    assert [(answer.status_code, answer.headers["Location"]) for answer in answers] == [
        (303, reverse("booking", args=[booking.token]))
    ] * 2
    assert Booking.objects.filter(state=BookingState.BOOKED).count() == 1


def test_a_second_tap_books_when_the_first_only_used_the_code() -> None:
    browser = Client()
    booking = donor.kept(browser, builders.drive())
    code, bound_to = builders.code_of(booking), linked_model.hash_token(browser.cookies["browser"].value)
    assert booking.registration is not None
    used = codes.check_code(identity=booking.registration.identity, bound_to=bound_to, code=code, now=NOW)
    assert used == codes.CodeResult.OK
    assert donor.prove(browser, booking, code).status_code == 303
    booking.refresh_from_db()
    assert booking.state == BookingState.BOOKED


def test_a_verified_browser_needs_no_code() -> None:
    browser, here = Client(), builders.organization()
    donor.booked(browser, builders.drive(here))
    booking = donor.kept(browser, builders.drive(here, policy_id=builders.lax().pk))
    check = browser.get(reverse("booking", args=[booking.token]), follow=True)
    assert "Enter the code" not in text(check)
    assert browser.post(reverse("booking_verify", args=[booking.token])).status_code == 303
    booking.refresh_from_db()
    assert booking.state == BookingState.BOOKED


def test_the_browser_cookie_is_http_only_and_lasts_30_days() -> None:
    browser = Client()
    donor.booked(browser, builders.drive())
    cookie = browser.cookies["browser"]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 30 * 24 * 60 * 60)
    assert VerifiedBrowser.objects.get().token_hash == linked_model.hash_token(cookie.value)


def test_a_lapsed_hold_says_so_and_links_to_the_drive() -> None:
    browser = Client()
    booking = donor.kept(browser, builders.drive())
    with time_machine.travel(NOW + timedelta(minutes=16), tick=False):
        assert donor.prove(browser, booking).status_code == 303
        shown = text(browser.get(reverse("booking", args=[booking.token]), follow=True))
    assert "We’re no longer holding this time" in shown
    assert "Choose a time again" in shown


def test_the_code_can_be_sent_again_and_by_e_mail() -> None:
    browser = Client()
    booking = donor.kept(browser, builders.drive(), email="ana@example.org")
    assert browser.post(reverse("booking_send_code", args=[booking.token]), {"by": "same"}).status_code == 303
    assert browser.post(reverse("booking_send_code", args=[booking.token]), {"by": "email"}).status_code == 303
    sent = Message.objects.filter(about=booking.about, kind="code").order_by("pk")
    assert [message.channel for message in sent] == ["sms", "sms", "email"]
    shown = text(browser.get(reverse("booking", args=[booking.token]), follow=True))
    assert "We’re e-mailing a six-digit code to ana@example.org" in shown
    assert donor.prove(browser, booking).status_code == 303


def test_too_many_codes_are_refused_on_the_page() -> None:
    browser = Client()
    booking = donor.kept(browser, builders.drive())
    answers = [browser.post(reverse("booking_send_code", args=[booking.token]), {"by": "same"}) for _ in range(4)]
    assert answers[-1].status_code == 429
    assert "Too many requests. Try again in 15 minutes." in text(answers[-1])
    assert answers[-1].headers["Retry-After"] == str(15 * 60)


def test_a_network_over_its_code_limit_gets_the_time_to_retry() -> None:
    drive = builders.drive(chairs=60, screening_stations=60)
    for number in range(40):
        donor.kept(Client(), drive, phone=builders.phone(number))
    for language, words in (("en", "Try again in 60 minutes."), ("es", "Inténtelo de nuevo en 60 minutos.")):
        with translation.override(language):  # so that the request's language is reset after the test
            refused = donor.keep(Client(headers={"accept-language": language}), drive, phone=builders.phone(50))
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "3600")
        assert words in text(refused)
        assert 'value="Test Ana Alder"' in refused.content.decode()


def test_a_second_booking_at_the_drive_is_refused_after_verification() -> None:
    browser, drive = Client(), builders.drive()
    donor.booked(browser, drive)
    booking = donor.kept(browser, drive, 8)
    response = donor.prove(browser, booking, "")
    assert response.status_code == 409
    assert "You already have a booking at this drive." in text(response)
    booking.refresh_from_db()
    assert booking.state == BookingState.HELD


def test_a_drive_cancelled_while_the_donor_types_is_refused() -> None:
    drive = builders.drive()
    lifecycle.cancel_drive(drive_id=drive.pk, reason="", actor="user:1", now=NOW)
    response = donor.keep(Client(), drive)
    assert response.status_code == 409
    assert "This drive has been cancelled." in text(response)


def test_booking_pages_are_not_cached_or_indexed() -> None:
    browser = Client()
    booking = donor.booked(browser, builders.drive())
    response = browser.get(reverse("booking", args=[booking.token]), follow=True)
    assert "no-store" in response.headers["Cache-Control"]
    assert '<meta name="robots" content="noindex">' in response.content.decode()


@pytest.mark.parametrize("token", ["nonsense", "A" * 22, "cut-off"])
def test_an_unknown_link_explains_how_to_find_the_booking(token: str) -> None:
    response = Client().get(reverse("booking", args=[token]))
    assert response.status_code == 404
    assert "The address may be mistyped or incomplete." in text(response)


def test_the_language_of_the_page_is_the_language_of_the_messages() -> None:
    browser = Client(headers={"Accept-Language": "es"})
    booking = donor.kept(browser, builders.drive())
    assert booking.registration is not None
    assert booking.registration.language == "es"


def test_the_check_page_says_if_it_cannot_give_more_time() -> None:
    drive = builders.drive()
    booking = builders.held(drive)
    for number in range(8):
        builders.held(drive, n=8 + number, number=number, ip="127.0.0.1", now=NOW + timedelta(minutes=1))
    page = Client().post(reverse("booking_extend", args=[booking.token]), follow=True)
    assert "We can’t give you more time. Please enter the code before the time runs out." in text(page)
    assert "You have 15 more minutes." not in text(page)
