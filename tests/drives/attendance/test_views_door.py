from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from drives.models import Booking, BookingState, Drive, Source, Visit
from organizations.models import Role
from tests import builders, query_counts
from tests.drives import coordinator
from tests.drives.caller import Api
from tests.drives.donor import text, title

pytestmark = pytest.mark.django_db


def door(role: str = Role.CHECK_IN) -> tuple[Client, Drive]:
    helper = builders.member(builders.organization(), role)
    return coordinator.AllDay(helper.user), builders.drive(helper.organization)


def at(drive: Drive, minutes: int = 0) -> Any:
    """Return a context in which the clock stands at `minutes` minutes after the drive opens."""
    moment: datetime = drive.starts_at + timedelta(minutes=minutes)
    return time_machine.travel(moment, tick=False)


def day(drive: Drive) -> str:
    return reverse("checkin", args=[drive.slug])


def tap(browser: Client, booking: Booking, verb: str, **typed: str) -> Any:
    address = reverse("checkin_change_state", args=[booking.drive.slug, booking.pk, verb])
    if verb == "undo":  # the form names the state that the page showed
        typed = {"seen": Booking.objects.get(pk=booking.pk).state, **typed}
    return browser.post(address, typed, follow=True)


def test_the_list_is_in_working_order() -> None:
    browser, drive = door()
    for n, name in ((0, "Test Ana Alder"), (2, "Test Bo Birch"), (8, "Test Di Dogwood")):
        builders.booked(drive, n=n, number=n, name=name)
    with at(drive, 25):
        shown = text(browser.get(day(drive)))
    assert "1 due 0 in 1 late 0 done" in shown
    assert shown.index("Test Bo Birch") < shown.index("Test Ana Alder") < shown.index("Test Di Dogwood")
    assert "9:00 AM · 25 min late" in shown


def test_a_second_tap_on_check_in_changes_nothing() -> None:
    browser, drive = door()
    booking = builders.booked(drive, name="Test Ana Alder")
    with at(drive):
        first, second = tap(browser, booking, "in"), tap(browser, booking, "in")
    booking.refresh_from_db()
    assert booking.state == BookingState.CHECKED_IN
    assert booking.changes.filter(to_state=BookingState.CHECKED_IN).count() == 1
    for shown in (text(first), text(second)):
        assert "Test Ana Alder : checked in Undo" in shown


def test_the_last_step_can_be_undone() -> None:
    browser, drive = door()
    booking = builders.booked(drive)
    with at(drive):
        tap(browser, booking, "in")
        tap(browser, booking, "undo")
    booking.refresh_from_db()
    assert (booking.state, booking.checked_in_at) == (BookingState.BOOKED, None)


def test_undo_tapped_twice_on_one_page_takes_back_one_step() -> None:
    browser, drive = door()
    booking = builders.booked(drive)
    with at(drive):
        tap(browser, booking, "in")
        shown = tap(browser, booking, "donated")
        assert '<input type="hidden" name="seen" value="donated">' in shown.content.decode()
        for _tap in range(2):
            tap(browser, booking, "undo", seen="donated")
    booking.refresh_from_db()
    assert booking.state == BookingState.CHECKED_IN


def test_a_walk_in_can_be_taken_back_at_once() -> None:
    browser, drive = door()
    typed = {"name": "Test Ivy Iris", "phone": builders.phone(77), "visit": Visit.RETURN}
    with at(drive):
        shown = browser.post(reverse("checkin_walk_in", args=[drive.slug]), typed, follow=True)
        assert "Test Ivy Iris : checked in Undo" in text(shown)
        undone = tap(browser, Booking.objects.get(), "undo", seen="checked_in")
    assert "Test Ivy Iris : withdrawn" in text(undone)
    assert "Undo" not in text(undone)


def test_the_search_stays_after_a_tap() -> None:
    browser, drive = door()
    booking = builders.booked(drive, name="Test Ana Alder")
    builders.booked(drive, n=1, number=7, name="Test Bo Birch")
    with at(drive):
        response = tap(browser, booking, "in", q="alder")
    assert response.request["QUERY_STRING"] == f"q=alder&done={booking.pk}"
    assert "Test Bo Birch" not in text(response)


def test_the_search_knows_names_digits_and_references() -> None:
    browser, drive = door()
    booking = builders.booked(drive, number=42, name="Test Ana Alder")
    with at(drive):
        for found in ("ana ald", "0142", booking.reference.lower()):
            assert "Test Ana Alder" in text(browser.get(day(drive), {"q": found})), found
        assert "No one here matches “zzz”." in text(browser.get(day(drive), {"q": "zzz"}))


@pytest.mark.parametrize("outcome", ["donated", "incomplete", "deferred", "left"])
def test_an_outcome_is_kept_and_can_be_changed(outcome: str) -> None:
    browser, drive = door()
    booking = builders.booked(drive)
    with at(drive):
        tap(browser, booking, "in")
    with at(drive, 60):
        tap(browser, booking, outcome)
        tap(browser, booking, "donated")
    booking.refresh_from_db()
    assert booking.state == BookingState.DONATED


def test_an_outcome_without_a_check_in_is_refused_in_words() -> None:
    browser, drive = door()
    booking = builders.booked(drive, name="Test Ana Alder")
    with at(drive):
        response = tap(browser, booking, "donated")
    assert "Test Ana Alder: This person isn’t checked in yet." in text(response)
    assert Booking.objects.get().state == BookingState.BOOKED


def test_a_no_show_frees_the_chair_and_can_still_be_checked_in() -> None:
    browser, drive = door()
    booking = builders.booked(drive)
    with at(drive, 60):
        tap(browser, booking, "missed")
        assert builders.slot(drive, 2).chairs_taken == 0
        tap(browser, booking, "in")
    booking.refresh_from_db()
    assert booking.state == BookingState.CHECKED_IN


def test_a_walk_in_takes_two_fields() -> None:
    browser, drive = door()
    with at(drive, 30):
        form = {"name": "Test Wes Willow", "phone": "213 555 0199", "visit": "first"}
        response = browser.post(reverse("checkin_walk_in", args=[drive.slug]), form, follow=True)
    booking = Booking.objects.get()
    assert (booking.state, booking.source, booking.visit) == (BookingState.CHECKED_IN, Source.WALK_IN, Visit.FIRST)
    assert "Test Wes Willow : checked in" in text(response)


def test_a_second_tap_on_a_walk_in_leads_to_the_person() -> None:
    browser, drive = door()
    with at(drive, 30):
        form = {"name": "Test Wes Willow", "phone": "213 555 0199", "visit": "first"}
        for _tap in range(2):
            response = browser.post(reverse("checkin_walk_in", args=[drive.slug]), form, follow=True)
    assert Booking.objects.count() == 1
    assert "This person is already on the list." in text(response)
    assert "Checked in 1 Test Wes Willow" in text(response)


def test_a_walk_in_without_a_name_or_number_is_refused() -> None:
    browser, drive = door()
    with at(drive):
        form = {"name": "", "phone": "12", "visit": "return"}
        response = browser.post(reverse("checkin_walk_in", args=[drive.slug]), form)
    assert (response.status_code, title(response).startswith("Error: ")) == (422, True)
    assert "Enter this person’s name. Enter a phone number with its area code" in text(response)


@pytest.mark.parametrize("name", ["", " ", "!!"])
def test_page_and_api_refuse_a_walk_in_without_a_name_alike(name: str) -> None:
    browser, drive = door()
    sent = {"name": name, "phone": "(201) 555-0149", "visit": "return"}
    api = Api.with_key(drive.organization, Role.CHECK_IN)
    with at(drive):
        page = browser.post(reverse("checkin_walk_in", args=[drive.slug]), sent)
        (error,) = api.post(f"drives/{drive.pk}/walk-ins/", sent).json()["errors"]
    (shown,) = page.context["form"].errors["name"].data
    assert (shown.code, shown.messages) == ("name_missing", ["Enter this person’s name."])
    assert (error["code"], error["detail"]) == (shown.code, shown.messages[0])


def test_a_walk_in_on_another_day_is_refused() -> None:
    browser, drive = door()
    with at(drive, -24 * 60):
        form = {"name": "Test Wes Willow", "phone": "213 555 0199", "visit": "first"}
        response = browser.post(reverse("checkin_walk_in", args=[drive.slug]), form)
        assert "This drive is not in progress right now." in text(response)
        assert "These times are available Saturday, March 13, 9:00 AM" in text(response)
        assert "bookings/new" not in response.content.decode()
        assert "This drive is on Saturday, March 13, not today." in text(browser.get(day(drive)))


def test_a_walk_in_after_the_drive_is_shown_the_next_one() -> None:
    owner = builders.member(builders.organization())
    drive = builders.drive(owner.organization)
    later = builders.drive(owner.organization, day=builders.DRIVE_DAY + timedelta(days=7), title="The next drive")
    browser = coordinator.AllDay(owner.user)
    with at(drive, 7 * 60):
        form = {"name": "Test Wes Willow", "phone": "213 555 0199", "visit": "first"}
        response = browser.post(reverse("checkin_walk_in", args=[drive.slug]), form)
        assert "Saturday, March 20, 9:00 AM Pacific Time , The next drive Book" in text(response)
        address = f"{reverse('organizer_add_booking', args=[later.pk])}?visit=first&amp;slot={builders.slot(later).pk}"
        assert f'href="{address}"' in response.content.decode()
        asked = browser.get(address.replace("&amp;", "&"))
        assert asked.context["form"].chosen == builders.slot(later).pk


def test_the_page_of_a_person_offers_what_can_be_done_now() -> None:
    browser, drive = door()
    booking = builders.booked(drive)
    address = reverse("checkin_booking", args=[drive.slug, booking.pk])
    with at(drive, 5):
        before = text(browser.get(address))
        tap(browser, booking, "in")
        after = text(browser.get(address))
    assert ("Check in No-show" in before, "What happened?" in before) == (True, False)
    assert ("What happened?" in after, "Undo the last step" in after) == (True, True)


def test_an_unknown_verb_is_not_found() -> None:
    browser, drive = door()
    booking = builders.booked(drive)
    assert tap(browser, booking, "sing").status_code == 404


def test_a_booking_of_another_drive_is_not_found_under_this_one() -> None:
    browser, drive = door()
    other = builders.booked(builders.drive(drive.organization))
    assert browser.post(reverse("checkin_change_state", args=[drive.slug, other.pk, "in"])).status_code == 404


def test_a_viewer_cannot_open_the_check_in_pages() -> None:
    browser, drive = door(Role.VIEWER)
    booking = builders.booked(drive)
    assert browser.get(day(drive)).status_code == 403
    assert tap(browser, booking, "in").status_code == 403


def test_reading_the_list_changes_nothing() -> None:
    browser, drive = door()
    booking = builders.booked(drive)
    with at(drive):
        assert browser.get(reverse("checkin_change_state", args=[drive.slug, booking.pk, "in"])).status_code == 405
        assert browser.get(day(drive), {"done": str(booking.pk), "q": "\x01"}).status_code == 200
        assert browser.get(day(drive), {"done": "9" * 30}).status_code == 200


def test_one_row_and_three_take_the_same_number_of_queries() -> None:
    browser, drive = door()

    def show() -> None:
        with at(drive):
            browser.get(day(drive))

    def donors(people: int) -> Callable[[], object]:
        for number in range(drive.bookings.count(), people):
            builders.booked(drive, n=number, number=number)
        show()
        return show

    query_counts.count_for_each(donors)
