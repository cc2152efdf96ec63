"""Book again in a verified browser: two taps, without typing."""

import inspect
import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db.models import F
from django.test import Client
from django.urls import reverse

from drives.booking import rebook
from drives.models import Booking, BookingState, Drive, WaitlistEntryState
from notifications.models import Message
from tests import builders, query_counts, seeds
from tests.builders import NOW
from tests.drives import donor
from tests.drives.donor import text
from tests.races import arena
from volunteers.models import Registration, Volunteer

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def next_drive(of: Drive, **changes: Any) -> Drive:
    return builders.drive(of.organization, day=builders.DRIVE_DAY + timedelta(days=28), **changes)


def check_page(browser: Client, drive: Drive, n: int = 0, **query: str) -> Any:
    asked = {"visit": "return", "slot": str(builders.slot(drive, n).pk), **query}
    return browser.get(reverse("book", args=[drive.slug]), asked)


def fields(response: Any) -> dict[str, str]:
    """Return the fields that the form submits if the donor changes nothing."""
    form = re.search(r"<form class=\"stack\".*?</form>", response.content.decode(), re.DOTALL)
    assert form
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form[0])
    button = re.findall(r'<button type="submit" class="button start" name="(\w+)" value="([^"]*)"', form[0])
    return dict([*hidden, *button])


def again(browser: Client, drive: Drive, n: int = 0) -> Any:
    return browser.post(reverse("rebook", args=[drive.slug]), fields(check_page(browser, drive, n)))


def test_a_verified_browser_books_with_two_taps() -> None:
    browser, first = Client(), builders.drive()
    donor.booked(browser, first)
    drive = next_drive(first)
    shown = browser.get(reverse("drive", args=[drive.slug]), {"visit": "return"}).content.decode()
    assert f'<button type="submit" class="tile" name="slot" value="{builders.slot(drive).pk}">' in shown
    check = check_page(browser, drive)
    assert "Test Ana Alder (201) 555-0142" in text(check)
    assert not re.search(r'type="(text|tel|email)"', check.content.decode())
    before = Message.objects.filter(kind="code").count()
    done = browser.post(reverse("rebook", args=[drive.slug]), fields(check), follow=True)
    assert "You’re booked Saturday, April 10, 9:00 AM Pacific Time" in text(done)
    assert "We’ll text you" in text(done)
    assert (Message.objects.filter(kind="code").count(), Volunteer.objects.count()) == (before, 1)


def test_reading_the_rebook_page_holds_nothing() -> None:
    browser, first = Client(), builders.drive()
    donor.booked(browser, first)
    check_page(browser, next_drive(first))
    assert Booking.objects.count() == 1


def test_a_second_rebook_tap_returns_the_same_booking() -> None:
    browser, first = Client(), builders.drive()
    donor.booked(browser, first)
    drive = next_drive(first)
    answers = [again(browser, drive) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    assert Booking.objects.filter(drive=drive, is_counted=True).count() == 1


def test_a_time_too_close_is_refused_with_alternatives_and_no_hold_stays() -> None:
    browser, first = Client(), builders.drive()
    donor.booked(browser, first)
    drive = builders.drive(first.organization, day=builders.DRIVE_DAY + timedelta(days=1))
    response = again(browser, drive)
    assert response.status_code == 409
    assert "There is a problem" in text(response)
    assert not Booking.objects.filter(drive=drive, is_counted=True).exists()


def leftovers(drive: Drive) -> tuple[int, int, int]:
    """Count what a refused booking left behind at the drive: bookings, registrations and used screening."""
    return (
        Booking.objects.filter(drive=drive).count(),
        Registration.objects.filter(bookings__drive=drive).count(),
        sum(drive.slots.values_list("screening_taken", flat=True)),
    )


def refused_in_the_last_step() -> Drive:
    browser, first = Client(), builders.drive()
    donor.booked(browser, first)
    drive = builders.drive(first.organization, day=builders.DRIVE_DAY + timedelta(days=1))
    assert again(browser, drive).status_code == 409
    assert Booking.objects.get(drive=first).state == BookingState.BOOKED
    return drive


def test_a_refused_verification_rolls_back_the_hold() -> None:
    assert leftovers(refused_in_the_last_step()) == (0, 0, 0)


def test_control_without_one_transaction_the_hold_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds.replace(monkeypatch, rebook, "_book", inspect.unwrap(rebook._book))
    assert leftovers(refused_in_the_last_step()) == (1, 1, 1)


def test_rebooking_locks_waitlist_entries_before_slots() -> None:
    browser, first = Client(), builders.drive()
    donor.booked(browser, first)
    drive = next_drive(first)
    drive.slots.update(screening_taken=F("screening_limit"))
    entry = builders.waits(drive)
    drive.slots.update(screening_taken=0)
    sent = query_counts.statements_of(lambda: again(browser, drive))
    entry.refresh_from_db()
    assert entry.state == WaitlistEntryState.BOOKED
    locked = [sql for sql in sent if "UPDATE" in sql and ("drives_waitlistentry" in sql or "drives_slot" in sql)]
    assert "drives_waitlistentry" in locked[0]


def test_a_second_rebooking_at_the_drive_is_refused() -> None:
    browser, drive = Client(), builders.drive()
    donor.booked(browser, drive)
    response = again(browser, drive, 8)
    assert response.status_code == 409
    assert "You already have a booking at this drive." in text(response)
    assert Booking.objects.filter(is_counted=True).count() == 1


def test_rebooking_a_full_time_offers_the_nearest() -> None:
    browser, first = Client(), builders.drive()
    donor.booked(browser, first)
    place = builders.site(first.organization)
    drive = builders.drive(
        first.organization, builders.plain(place, spots=1, day=builders.DRIVE_DAY + timedelta(days=28))
    )
    sent = fields(check_page(browser, drive))
    builders.booked(drive, number=7)
    response = browser.post(reverse("rebook", args=[drive.slug]), sent)
    assert response.status_code == 409
    assert "Tap a time to book it. 9:15 AM 1 left 9:30 AM 1 left 9:45 AM 1 left" in text(response)
    tapped = browser.post(reverse("rebook", args=[drive.slug]), {**sent, "slot": builders.slot(drive, 1).pk})
    assert tapped.status_code == 303


def test_not_you_opens_an_empty_form() -> None:
    browser, first = Client(), builders.drive()
    donor.booked(browser, first)
    shown = check_page(browser, next_drive(first), new="1")
    assert "Your details" in text(shown)
    assert "Test Ana Alder" not in shown.content.decode()


def test_rebooking_at_another_organization_creates_a_record_there() -> None:
    browser = Client()
    donor.booked(browser, builders.drive())
    there = builders.drive(day=builders.DRIVE_DAY + timedelta(days=28))
    check = check_page(browser, there)
    assert "Hope Foundation will get your name and contact information." in text(check)
    assert "Text me reminders" in text(check)
    assert again(browser, there).status_code == 303
    booking = Booking.objects.get(drive=there)
    assert booking.volunteer is not None
    assert (booking.volunteer.organization, booking.volunteer.name) == (there.organization, "Test Ana Alder")


def test_a_browser_with_two_donors_asks_for_one() -> None:
    browser, first = Client(), builders.drive()
    donor.booked(browser, first)
    donor.booked(browser, first, 8, name="Test Bo Birch", phone="(201) 555-0107")
    shown = check_page(browser, next_drive(first))
    assert "Who is this for? Test Ana Alder Test Bo Birch Someone else" in text(shown)


def test_an_unverified_browser_cannot_rebook_by_id() -> None:
    drive = builders.drive()
    known = builders.booked(drive).volunteer
    assert known is not None
    browser, other = Client(), next_drive(drive)
    donor.booked(browser, drive, 8, name="Test Bo Birch", phone="(201) 555-0107")
    sent = {"known": str(known.uuid), "visit": "return", "slot": builders.slot(other).pk}
    response = browser.post(reverse("rebook", args=[other.slug]), sent)
    assert response.status_code == 302
    assert not Booking.objects.filter(drive=other).exists()


def test_after_30_days_the_form_asks_for_details() -> None:
    browser, first = Client(), builders.drive()
    donor.booked(browser, first)
    drive = next_drive(first)
    sent = fields(check_page(browser, drive))
    with time_machine.travel(NOW + timedelta(days=31), tick=False):
        response = browser.post(reverse("rebook", args=[drive.slug]), sent)
        assert response.status_code == 302
        assert "Your details" in text(browser.get(response.headers["Location"]))


@pytest.mark.django_db(transaction=True)
def test_concurrent_taps_make_one_booking() -> None:
    browser, first = Client(), builders.drive()
    donor.booked(browser, first)
    drive = next_drive(first)
    sent = fields(check_page(browser, drive))
    cookies = {name: morsel.value for name, morsel in browser.cookies.items()}

    def tap() -> None:
        another = Client()
        another.cookies.load(cookies)
        assert another.post(reverse("rebook", args=[drive.slug]), sent).status_code == 303

    assert arena.run_concurrently(tap, tap) == ["ok", "ok"]
    assert Booking.objects.filter(drive=drive, state=BookingState.BOOKED).count() == 1
    assert Booking.objects.filter(drive=drive, is_counted=True).count() == 1
