"""Bookings, the waitlist, searches and new contacts use the same code page."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from drives.models import Drive
from notifications import consents
from notifications import queries as notifications_queries
from notifications.models import Message, OptOutBasis, Suppression
from organizations.models import Organization
from tests import builders
from tests.builders import NOW
from tests.cases import list_cases
from tests.drives import donor
from tests.drives.donor import text
from volunteers import queries as volunteers_queries
from volunteers import rules
from volunteers.models import VerificationCode

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]

MAILBOX = "ana@example.org"
Ask = Callable[[Client, Organization, str], Any]


def keep_a_time(browser: Client, owner: Organization, contact: str) -> Any:
    details = donor.details(drive := builders.drive(owner), **typed(contact))
    response = browser.post(reverse("book", args=[drive.slug]), details)
    return browser.get(response.headers["Location"], follow=True)


def ask_to_wait(browser: Client, owner: Organization, contact: str) -> Any:
    drive: Drive = builders.full_drive(of=owner)[0].drive
    details = {"name": "Test Ana Alder", "visit": "return", "since": "", "until": "", **typed(contact)}
    return browser.post(reverse("waitlist_join", args=[drive.slug]), details, follow=True)


def look_for_bookings(browser: Client, owner: Organization, contact: str) -> Any:
    return browser.post(reverse("find_booking"), {"contact": contact}, follow=True)


def change_the_contact(browser: Client, owner: Organization, contact: str) -> Any:
    person = donor.booked(browser, builders.drive(owner), phone="(201) 555-0177").volunteer
    assert person is not None
    return browser.post(reverse("donor_contact", args=[person.uuid]), {"contact": contact}, follow=True)


def typed(contact: str) -> dict[str, Any]:
    return {"phone": "", "email": contact} if "@" in contact else {"phone": contact, "email": ""}


SUBJECTS: list[Ask] = [keep_a_time, ask_to_wait, look_for_bookings, change_the_contact]


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    settings.RATE_LIMITS = False


@pytest.mark.parametrize("ask", SUBJECTS)
def test_a_page_that_sends_a_text_says_what_a_stopped_donor_may_do(ask: Ask) -> None:
    shown = text(ask(Client(), builders.organization(), donor.PHONE))
    assert "Send again" in shown
    number = "the number our texts come from" if ask is look_for_bookings else r"\(202\) 555-\d{4}"
    assert re.search(f"Didn’t get a text\\? If you ever texted STOP, text START to {number}, or use e-mail\\.", shown)


@pytest.mark.parametrize("ask", SUBJECTS)
def test_the_page_is_the_same_for_a_stopped_number(ask: Ask) -> None:
    shown = []
    for basis in ("", OptOutBasis.KEYWORD, OptOutBasis.SENTENCE, OptOutBasis.UNDECIDED):
        owner, at = builders.organization(), transaction.savepoint()
        if basis:
            Suppression.objects.create(
                sender=owner.senders.get(),
                address=builders.phone(42),
                since=NOW,
                basis=basis,
                decide_by=NOW if basis == OptOutBasis.UNDECIDED else None,
            )
            assert notifications_queries.find_suppression(owner, builders.phone(42)) is not None
        shown.append(re.sub(r"555-\d{4}", "555-", text(ask(Client(), owner, donor.PHONE))))
        transaction.savepoint_rollback(at)
    assert "Didn’t get a text?" in shown[0]
    assert len(set(shown)) == 1, shown


@pytest.mark.parametrize("case", list_cases("K4 code"))
def test_a_donor_that_texted_stop_reads_the_same_page_as_others(case: dict[str, Any]) -> None:
    owner, shown = builders.organization(), []
    for is_stopped in (False, True):
        at = transaction.savepoint()
        if is_stopped:
            consents.suppress_address(sender=owner.senders.get(), address=case["input"].replace(" ", ""), now=NOW)
        shown.append(text(keep_a_time(Client(), owner, case["input"])))
        transaction.savepoint_rollback(at)
    assert shown[0] == shown[1]
    assert "text START to" in shown[0]
    assert "or use e-mail" in shown[0]
    assert "if that number can get texts" in shown[0]


@pytest.mark.parametrize("ask", [keep_a_time, ask_to_wait, change_the_contact])  # a search shows no number
def test_control_a_page_that_tells_of_a_stop_differs(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    real = volunteers_queries.get_texting_number

    def tell_of_a_stop(organization: Organization) -> str:
        return "" if Suppression.objects.exists() else real(organization)

    monkeypatch.setattr(volunteers_queries, "get_texting_number", tell_of_a_stop)
    with pytest.raises(AssertionError):
        test_the_page_is_the_same_for_a_stopped_number(ask)


@pytest.mark.parametrize("ask", SUBJECTS)
def test_a_page_that_sends_a_mail_says_nothing_of_texts(ask: Ask) -> None:
    shown = text(ask(Client(), builders.organization(), MAILBOX))
    assert "Send again" in shown
    assert "STOP" not in shown


@pytest.mark.parametrize("ask", SUBJECTS)
def test_a_browser_that_verified_the_contact_gets_and_needs_no_code(ask: Ask) -> None:
    browser, owner = Client(), builders.organization()
    donor.booked(browser, builders.drive(owner))
    sent = VerificationCode.objects.filter(identity=rules.compute_identity(builders.phone(42)))
    before = sent.count()
    shown = text(ask(browser, owner, donor.PHONE))
    assert (
        "You’ve already verified this phone number or e-mail address on this device, so you don’t need a code." in shown
    )
    assert "Send again" not in shown
    assert sent.count() == before == 1


def test_a_search_in_a_browser_that_verified_the_contact_opens_the_donors_page_without_a_code() -> None:
    browser = Client()
    donor.booked(browser, builders.drive())
    look_for_bookings(browser, builders.organization(), donor.PHONE)
    Message.objects.all().delete()
    shown = browser.post(reverse("find_booking_code"), follow=True)
    assert shown.redirect_chain == [(reverse("donor_bookings"), 303)]
    stranger = Client()
    look_for_bookings(stranger, builders.organization(), donor.PHONE)
    assert stranger.post(reverse("find_booking_code")).status_code == 422
