"""A donor goes back from the check page.

The form still contains what the donor typed, and a correction replaces the details of the hold.
"""

import html
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from drives.booking import corrections, hold
from drives.models import Booking, BookingState, Drive, SelfReportedDonation
from notifications.models import Message
from tests import builders, cases, seeds
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
    assert "The time limit stays the same." in shown
    assert "for 15 minutes" not in shown  # only a new hold lasts 15 minutes
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
    [(address, status)] = back.redirect_chain
    assert (address.split("?")[0], status) == (reverse("booking_details", args=[booking.reference]), 302)
    assert 'value="Test Ana Alder"' in back.content.decode()
    assert "Saturday, March 13, 9:00 AM" in donor.text(back)
    assert "If you continue" not in donor.text(back)
    new = browser.get(reverse("book", args=[drive.slug]), {**query, "new": "1"}, follow=True).content.decode()
    assert 'value="Test Ana Alder"' not in new


def test_another_time_replaces_the_held_time_unless_the_donor_keeps_both() -> None:
    browser, drive = Client(), builders.drive()
    booking, slot = donor.kept(browser, drive), builders.slot(drive, 8).pk
    asked = {"visit": "return", "slot": str(slot)}
    chosen = browser.get(reverse("book", args=[drive.slug]), asked, follow=True)
    assert "We’re holding Saturday, March 13, 9:00 AM" in donor.text(chosen)
    assert 'value="Test Ana Alder"' in chosen.content.decode()
    both = f"{reverse('book', args=[drive.slug])}?visit=return&slot={slot}&new=1"
    assert html.escape(both) in chosen.content.decode()
    moved = correct(browser, booking, slot=slot)
    assert moved.headers["Location"] == reverse("booking", args=[booking.reference]) + "?moved=1"
    assert [row.arrival_id for row in Booking.objects.filter(state="held")] == [slot]
    assert '<input type="hidden" name="new" value="1">' in browser.get(both).content.decode()
    assert donor.keep(browser, drive, 12, new="1", name="Test Bo Alder").status_code == 303
    assert Booking.objects.filter(state="held").count() == 2


def test_a_browser_that_keeps_both_times_can_open_and_correct_both() -> None:
    browser, drive = donor.PathClient(), builders.drive()
    first = donor.kept(browser, drive)
    second = donor.kept(browser, drive, 12, new="1", name="Test Bo Alder")
    pages = [reverse("booking", args=[one.reference]) for one in (first, second)]
    assert [browser.get(page).status_code for page in pages] == [200, 200]
    assert correct(browser, second, n=12, name="Test Bo Birch").status_code == 303
    assert correct(browser, first, name="Test Ana Birch").status_code == 303
    assert [browser.get(page).status_code for page in pages] == [200, 200]
    assert Booking.objects.count() == 2


def test_sending_the_same_form_again_corrects_the_hold() -> None:
    browser, drive = Client(), builders.drive()
    donor.kept(browser, drive)
    donor.kept(browser, drive, name="Test Anna Alder")
    assert [row.registration.name for row in Booking.objects.all() if row.registration] == ["Test Anna Alder"]
    donor.kept(browser, drive, name="Test Bo Alder", new="1")
    assert Booking.objects.filter(state="held").count() == 2


@pytest.mark.parametrize(
    ("changes", "holds"),
    [
        ({"phone": "(201) 555-0143"}, 1),
        ({"name": "Test Bo Birch"}, 1),
        ({"name": "Test Bo Birch", "phone": "(201) 555-0143"}, 2),
        ({"name": "Test Bo Birch", "new": "1"}, 2),
        ({"phone": "(201) 555-0143", "new": "1"}, 1),
    ],
)
def test_a_form_for_another_donor_at_the_same_time_makes_a_second_hold(changes: dict[str, Any], holds: int) -> None:
    browser, drive = Client(), builders.drive()
    donor.kept(browser, drive)
    donor.kept(browser, drive, **changes)
    assert Booking.objects.held(NOW).count() == holds


def test_back_leads_to_the_hold_at_that_time_and_else_to_the_newest() -> None:
    browser, drive = Client(), builders.drive()
    first = donor.kept(browser, drive)
    second = donor.kept(browser, drive, 12, new="1", name="Test Bo Alder")
    for slot, held in ((first.arrival_id, first), (second.arrival_id, second), (builders.slot(drive, 8).pk, second)):
        back = browser.get(reverse("book", args=[drive.slug]), {"visit": "return", "slot": str(slot)})
        assert back.headers["Location"].startswith(reverse("booking_details", args=[held.reference]))


def test_seven_moves_of_a_hold_are_too_many_and_other_corrections_are_not() -> None:
    browser, drive = Client(), builders.drive()
    booking = donor.kept(browser, drive)
    for n in (4, 0, 4, 0, 4, 0):
        assert correct(browser, booking, n=n).status_code == 303
    assert correct(browser, booking, n=4).status_code == 429
    booking.refresh_from_db()
    assert booking.arrival_id == builders.slot(drive, 0).pk
    assert correct(browser, booking, name="Test Anna Alder").status_code == 303


def test_a_correction_after_a_code_by_email_keeps_that_code() -> None:
    browser, drive = Client(), builders.drive()
    booking = donor.kept(browser, drive, email="ana@example.org")
    browser.post(reverse("booking_send_code", args=[booking.reference]), {"by": "email"})
    code = builders.code_of(booking)
    assert Message.objects.get(kind="code", text__contains=code).address == "ana@example.org"
    assert correct(browser, booking, name="Test Anna Alder", email="ana@example.org").status_code == 303
    assert Message.objects.filter(kind="code").count() == 2
    assert donor.prove(browser, booking, code).status_code == 303


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


def test_a_booking_cannot_be_corrected() -> None:
    browser, drive = Client(), one_place()
    booking = donor.booked(browser, drive)
    assert correct(browser, booking, name="Test Eve").status_code == 303
    assert Registration.objects.get().name == "Test Ana Alder"


@pytest.mark.parametrize("is_swept", [True, False])
def test_a_correction_after_the_hold_ran_out_holds_the_time_again(*, is_swept: bool) -> None:
    browser, drive = Client(), one_place()
    booking, later = donor.kept(browser, drive), NOW + timedelta(minutes=15)
    with time_machine.travel(later, tick=False):
        if is_swept:
            hold.lapse_holds(now=later)
        shown = browser.get(reverse("booking_details", args=[booking.reference]), follow=True)
        assert "We held the time for you, but the code wasn’t entered." in donor.text(shown)
        check = browser.post(
            reverse("booking_details", args=[booking.reference]), donor.details(drive, name="Test Anna"), follow=True
        )
        assert "Time ran out, so we started over. You have 15 more minutes." in donor.text(check)
        [held] = Booking.objects.held(later)
    assert (held.held_until, held.registration and held.registration.name) == (
        later + timedelta(minutes=15),
        "Test Anna",
    )


def test_a_late_form_that_is_sent_twice_makes_one_hold() -> None:
    browser, drive = Client(), builders.drive()
    booking, later = donor.kept(browser, drive), NOW + timedelta(minutes=15)
    with time_machine.travel(later, tick=False):
        hold.lapse_holds(now=later)
        for _ in range(2):
            assert correct(browser, booking, name="Test Anna Alder").status_code == 303
        assert Booking.objects.held(later).count() == 1


def test_a_form_that_is_sent_after_the_donor_removed_the_hold_makes_no_new_one() -> None:
    browser, drive = Client(), one_place()
    booking = donor.kept(browser, drive)
    builders.cancelled(booking)
    answer = correct(browser, booking, name="Test Anna Alder")
    assert answer.headers["Location"] == reverse("booking", args=[booking.reference])
    assert not Booking.objects.held(NOW).exists()


def test_a_correction_of_a_hold_that_another_tab_has_verified_leads_to_the_booking(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    browser, drive = Client(), builders.drive()
    booking = donor.kept(browser, drive)
    correct_hold = corrections.correct_hold

    def verified_meanwhile(**details: Any) -> object:
        assert donor.prove(browser, booking).status_code == 303
        return correct_hold(**details)

    seeds.replace(monkeypatch, corrections, "correct_hold", verified_meanwhile)
    answer = correct(browser, booking, name="Test Anna Alder")
    assert answer.headers["Location"] == reverse("booking", args=[booking.reference])
    assert Booking.objects.get().state == BookingState.BOOKED


def test_a_correction_after_the_hold_ran_out_keeps_what_was_typed_if_the_time_is_gone() -> None:
    here = builders.organization()
    browser, drive = Client(), builders.drive(here, builders.plain(builders.site(here), spots=1))
    booking = donor.kept(browser, drive)
    with time_machine.travel(NOW + timedelta(minutes=15), tick=False):
        builders.held(drive, number=7, now=NOW + timedelta(minutes=15))
        refused = correct(browser, booking, name="Test Anna Alder")
    assert refused.status_code == 409
    assert "Someone just took that time." in donor.text(refused)
    assert 'value="Test Anna Alder"' in refused.content.decode()


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
