"""A donor goes back from the check page.

The form still contains what the donor typed, and a correction replaces the details of the hold.
"""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from drives.models import Booking, BookingState, Drive, SelfReportedDonation
from notifications.models import Message
from tests import builders, cases
from tests.builders import NOW
from tests.drives import donor
from volunteers.models import Registration

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def correct(browser: Client, booking: Booking, **changes: Any) -> Any:
    return browser.post(reverse("booking_details", args=[booking.reference]), donor.details(booking.drive, **changes))


def one_place() -> Drive:
    hope = builders.organization()
    return builders.drive(hope, builders.plain(builders.site(hope), spots=1))


@pytest.mark.parametrize("case", cases.list_cases("K8"))
def test_the_form_keeps_what_was_typed_and_each_correction_keeps_the_one_hold(case: dict[str, Any]) -> None:
    browser, drive = Client(), one_place()
    booking = donor.kept(browser, drive, email="ana@example.org", news="on")
    check = browser.get(reverse("booking", args=[booking.token]), follow=True)
    address = reverse("booking_details", args=[booking.reference])
    assert f'href="{address}"' in check.content.decode(), case["how"]
    shown = browser.get(address).content.decode()
    for value in ("Test Ana Alder", donor.PHONE, "ana@example.org"):
        assert f'value="{value}"' in shown
    assert shown.count(" checked") == 3  # by text, reminders and news
    for name in ("Test Anna Alder", "Test Hannah Alder", "Test Ana Birch"):
        assert correct(browser, booking, name=name, email="ana@example.org").status_code == 303
    held = Booking.objects.get()
    assert (held.state, held.held_until, held.registration and held.registration.name) == (
        BookingState.HELD,
        booking.held_until,
        "Test Ana Birch",
    )
    assert Registration.objects.count() == 1
    assert donor.prove(browser, booking).status_code == 303  # the first code is still valid
    assert Message.objects.filter(kind="code").count() == 1
    booking.refresh_from_db()
    assert booking.volunteer is not None
    assert booking.volunteer.name == "Test Ana Birch"


def test_the_back_button_leads_to_the_filled_form() -> None:
    browser, drive = Client(), one_place()
    booking = donor.kept(browser, drive)
    query = {"visit": "return", "slot": str(booking.arrival_id)}
    back = browser.get(reverse("book", args=[drive.slug]), query, follow=True)
    assert back.redirect_chain == [(reverse("booking_details", args=[booking.reference]), 302)]
    assert 'value="Test Ana Alder"' in back.content.decode()
    assert "Saturday, March 13, 9:00 AM" in donor.text(back)
    for changed in ({"new": "1"}, {"slot": str(builders.slot(drive, 1).pk)}):
        assert (
            'value="Test Ana Alder"'
            not in browser.get(reverse("book", args=[drive.slug]), {**query, **changed}, follow=True).content.decode()
        )


def test_another_browser_sees_nothing_of_the_hold() -> None:
    drive = one_place()
    booking = donor.kept(Client(), drive)
    assert Client().get(reverse("booking_details", args=[booking.reference])).status_code == 404
    query = {"visit": "return", "slot": str(booking.arrival_id)}
    assert "Test Ana" not in Client().get(reverse("book", args=[drive.slug]), query, follow=True).content.decode()


def test_a_new_contact_gets_a_code_and_the_old_code_is_void() -> None:
    browser, drive = Client(), one_place()
    booking = donor.kept(browser, drive)
    old = builders.code_of(booking)
    assert correct(browser, booking, phone="(201) 555-0143").status_code == 303
    assert set(Message.objects.filter(kind="code").values_list("address", flat=True)) == {
        builders.phone(42),
        builders.phone(43),
    }
    assert donor.prove(browser, booking, old).status_code != 303
    assert donor.prove(browser, booking).status_code == 303


def test_a_contact_with_two_holds_takes_no_third_by_correction() -> None:
    browser, drive = Client(), builders.drive()
    for n in (0, 4):
        builders.held(drive, n=n, number=43)
    booking = donor.kept(browser, drive, 8)
    refused = correct(browser, booking, n=8, phone="(201) 555-0143")
    assert refused.status_code == 409
    assert "We’re already holding 2 times for this phone or e-mail." in donor.text(refused)
    assert 'value="(201) 555-0143"' in refused.content.decode()
    assert Registration.objects.get(bookings=booking).phone == builders.phone(42)


def test_errors_keep_what_was_typed_and_the_hold() -> None:
    browser, drive = Client(), one_place()
    booking = donor.kept(browser, drive)
    refused = correct(browser, booking, name="", email="ana@example.org")
    assert refused.status_code == 422
    assert 'value="ana@example.org"' in refused.content.decode()
    assert Registration.objects.get().name == "Test Ana Alder"


def test_a_donation_elsewhere_is_kept_and_replaced() -> None:
    browser, drive = Client(), one_place()
    given: dict[str, Any] = {"self_reported_kind": "whole_blood", "self_reported_on": "2027-01-02"}
    booking = donor.kept(browser, drive, **given)
    assert 'value="2027-01-02"' in browser.get(reverse("booking_details", args=[booking.reference])).content.decode()
    assert correct(browser, booking, **{**given, "self_reported_on": "2027-01-03"}).status_code == 303
    assert [str(one.donated_on) for one in SelfReportedDonation.objects.all()] == ["2027-01-03"]
    assert correct(browser, booking).status_code == 303
    assert not SelfReportedDonation.objects.exists()


def test_a_lapsed_hold_and_a_booking_cannot_be_corrected() -> None:
    browser, drive = Client(), one_place()
    booking = donor.kept(browser, drive)
    with time_machine.travel(NOW + timedelta(minutes=15), tick=False):
        assert correct(browser, booking, name="Test Eve").status_code == 303
    assert Registration.objects.get().name == "Test Ana Alder"
    donor.prove(browser, booking)
    assert correct(browser, booking, name="Test Eve").status_code == 303
    assert Registration.objects.get().name == "Test Ana Alder"


def test_corrections_in_a_known_browser_count_for_the_network() -> None:
    """A hold for a verified contact needs no code and does not count for the network's limit.

    A correction to an unverified contact needs a code and counts.
    """
    browser, drive = Client(), builders.drive()  # 32 return visits fit, so a network may hold 8 spots
    donor.booked(browser, builders.drive())
    for n in range(8):
        booking = donor.kept(browser, drive, n)
        assert correct(browser, booking, n=n, phone=builders.phone(100 + n)).status_code == 303
    refused = correct(browser, donor.kept(browser, drive, 8), n=8, phone=builders.phone(108))
    assert refused.status_code == 429
    assert "Too many requests." in donor.text(refused)
