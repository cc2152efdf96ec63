"""Correcting a held party: names, contact, visit types, the number of people and the time."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from drives.capacity import availability, drift
from drives.models import Booking, Drive
from notifications.models import Message
from tests import builders, query_counts
from tests.builders import NOW
from tests.drives import donor
from tests.drives.booking.test_views_party import kept, typed
from volunteers.models import Registration

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
MORE_NAMES = {3: "Test Eli Alder", 4: "Test Mia Alder", 5: "Test Leo Alder", 6: "Test Zoe Alder"}


def correct(browser: Client, booking: Booking, people: int = 3, **changes: Any) -> Any:
    names = {f"name_{at}": MORE_NAMES[at] for at in range(4, people)}
    visits = {f"visit_{at}": "return" for at in range(4, people)}
    details = typed(booking.drive, people, **{**names, **visits, **changes})
    return browser.post(reverse("booking_details", args=[booking.reference]), details)


def held_rows(drive: Drive) -> list[tuple[str, str]]:
    rows = Booking.objects.filter(drive=drive).held(NOW).select_related("registration").order_by("pk")
    return [(row.registration.name, row.visit) for row in rows if row.registration]


def spots_left(drive: Drive) -> int:
    assert drift.count_drifted_slots() == 0
    return availability.count_drive_spots_left(drive, NOW)


def party_drive(spots: int = 6, steps: int = 4) -> Drive:
    here = builders.organization()
    return builders.drive(here, builders.plain(builders.site(here), spots=spots, steps=steps))


def test_going_back_shows_all_people_and_a_correction_keeps_the_one_hold() -> None:
    browser, drive = Client(), party_drive()
    first = kept(browser, drive, visit_2="first")
    left = spots_left(drive)
    asked = {"visit": "return", "people": "3", "first": "1", "slot": str(first.arrival_id)}
    back = browser.get(reverse("book", args=[drive.slug]), asked, follow=True)
    rows = [(name.value(), visit.value()) for name, visit in back.context["form"].rows()]
    assert rows == [("Test Ana Alder", "return"), ("Test Bo Alder", "return"), ("Test Ida Alder", "first")]
    assert 'value="(201) 555-0142"' in back.content.decode()
    for name in ("Test Bob Alder", "Test Robert Alder", "Test Bo Birch"):
        corrected = correct(browser, first, name_1=name, visit_2="first")
        assert corrected.headers["Location"] == reverse("booking", args=[first.reference]) + "?corrected=1"
    assert held_rows(drive) == [
        ("Test Ana Alder", "return"),
        ("Test Bo Birch", "return"),
        ("Test Ida Alder", "first"),
    ]
    assert (spots_left(drive), Booking.objects.count(), Registration.objects.count()) == (left, 3, 3)
    check = browser.get(corrected.headers["Location"])
    assert "Your details have been changed" in donor.text(check)
    assert "Test Bo Birch" in donor.text(check)
    assert donor.prove(browser, first).status_code == 303  # the first code is still valid
    assert Message.objects.filter(kind="code").count() == 1
    assert Booking.objects.filter(state="booked").count() == 3


def test_another_time_without_a_number_of_people_keeps_the_party() -> None:
    browser, drive = Client(), party_drive()
    kept(browser, drive, visit_2="first")
    asked = {"visit": "return", "slot": str(builders.slot(drive, 2).pk)}
    chosen = browser.get(reverse("book", args=[drive.slug]), asked, follow=True)
    assert [visit.value() for _name, visit in chosen.context["form"].rows()] == ["return", "return", "first"]
    assert chosen.context["form"]["slot"].value() == builders.slot(drive, 2).pk


def test_the_chosen_time_is_that_of_the_earliest_arrival() -> None:
    """With one chair, Bo's return visit comes first, so Ana, the leader of the party, arrives later."""
    browser, drive = Client(), builders.drive(chairs=1)
    changes: dict[str, Any] = {"visit": "first", "first": 1}
    first = kept(browser, drive, people=2, **changes)
    steps = list(Booking.objects.order_by("pk").values_list("first_step", flat=True))
    assert steps == [1, 0]
    shown = browser.get(reverse("booking_details", args=[first.reference]))
    assert shown.context["form"]["slot"].value() == builders.slot(drive, 0).pk
    assert correct(browser, first, 2, name_1="Test Bo Birch", **changes).headers["Location"].endswith("?corrected=1")
    assert kept(browser, drive, people=2, **changes) == first
    assert list(Booking.objects.held(NOW).order_by("pk").values_list("first_step", flat=True)) == steps


def test_a_new_phone_gets_a_code_that_books_everyone() -> None:
    browser, drive = Client(), party_drive()
    first = kept(browser, drive)
    old = builders.code_of(first)
    assert correct(browser, first, phone="(201) 555-0143").status_code == 303
    assert set(Registration.objects.values_list("phone", flat=True)) == {builders.phone(43)}
    assert donor.prove(browser, first, old).status_code != 303
    assert donor.prove(browser, first).status_code == 303
    assert Booking.objects.filter(state="booked").count() == 3


def test_a_visit_type_changes_the_chair_time() -> None:
    browser, drive = Client(), builders.drive()
    first = kept(browser, drive)
    second = Booking.objects.order_by("pk")[1]
    assert correct(browser, first, visit_1="first").status_code == 303
    corrected = Booking.objects.get(pk=second.pk)
    assert corrected.visit == "first"
    assert corrected.chair_to - corrected.first_step > second.chair_to - second.first_step
    assert correct(browser, first).status_code == 303
    corrected.refresh_from_db()
    assert (corrected.visit, corrected.chair_to - corrected.first_step) == (
        "return",
        second.chair_to - second.first_step,
    )
    assert drift.count_drifted_slots() == 0


@pytest.mark.parametrize(("before", "after"), [(1, 2), (3, 6), (6, 3), (6, 2), (2, 1)])
def test_the_number_of_people_changes(before: int, after: int) -> None:
    browser, drive = Client(), party_drive(spots=8)
    first = kept(browser, drive, people=3) if before > 1 else donor.kept(browser, drive)
    if before > 1:
        assert correct(browser, first, before).status_code == 303
    empty = spots_left(drive) + before
    until = first.held_until
    assert correct(browser, first, after).status_code == 303
    live = list(Booking.objects.held(NOW).order_by("pk"))
    assert [len(live), spots_left(drive)] == [after, empty - after]
    assert {row.held_until for row in live} == {until}
    assert live[0].pk == first.pk
    shown = donor.text(browser.get(reverse("booking", args=[first.reference])))
    assert all(name in shown for name, _visit in held_rows(drive))
    assert donor.prove(browser, first).status_code == 303
    assert Booking.objects.filter(state="booked").count() == after
    assert Booking.objects.filter(state="lapsed").count() == max(before, 3 if before > 1 else 1, after) - after


def test_six_people_fit_and_a_seventh_is_not_taken() -> None:
    browser, drive = Client(), party_drive(spots=8)
    first = kept(browser, drive)
    check = browser.get(reverse("booking", args=[first.reference])).content.decode()
    larger = f"{reverse('booking_details', args=[first.reference])}?visit=return&amp;people=4&amp;first=0"
    assert f'<a href="{larger}">Add a person</a>' in check
    added = browser.get(larger.replace("&amp;", "&")).context["form"]
    assert [name.value() for name, _visit in added.rows()] == [
        "Test Ana Alder",
        "Test Bo Alder",
        "Test Ida Alder",
        None,
    ]
    assert correct(browser, first, 6).status_code == 303
    assert "Add a person" not in browser.get(reverse("booking", args=[first.reference])).content.decode()
    assert correct(browser, first, 7).status_code == 400
    assert len(held_rows(drive)) == 6


def test_a_party_that_grows_may_use_its_own_chairs_and_no_others() -> None:
    browser, drive = Client(), party_drive(spots=3, steps=1)
    first = kept(browser, drive, people=2)
    assert correct(browser, first, 3).status_code == 303
    refused = correct(browser, first, 4)
    assert refused.status_code == 409
    assert "No time works for your whole group" in donor.text(refused)
    assert "We’re still holding the times you chose." in donor.text(refused)
    assert 'value="Test Eli Alder"' in refused.content.decode()
    assert (len(held_rows(drive)), spots_left(drive)) == (3, 0)


def test_a_full_time_offers_the_nearest_times_for_the_larger_party() -> None:
    browser, drive = Client(), party_drive(spots=3, steps=6)
    first = kept(browser, drive, people=2)
    for n, number in ((0, 7), (1, 8), (1, 9), (1, 10)):
        builders.held(drive, n=n, number=number)
    refused = correct(browser, first)
    assert refused.status_code == 409
    assert "There’s no room for all of you at that time." in donor.text(refused)
    assert len(held_rows(drive)) == 6
    slot = refused.context["alternatives"][0].slot_id
    assert correct(browser, first, slot=slot).status_code == 303
    assert Booking.objects.filter(party=first.party).held(NOW).order_by("pk")[0].arrival_id == slot
    assert drift.count_drifted_slots() == 0


def test_another_time_moves_everyone() -> None:
    browser, drive = Client(), party_drive()
    first = kept(browser, drive)
    slot = builders.slot(drive, 2).pk
    moved = correct(browser, first, slot=slot)
    assert moved.headers["Location"].endswith("?moved=1")
    assert [row.arrival_id for row in Booking.objects.filter(drive=drive)] == [slot] * 3
    assert drift.count_drifted_slots() == 0


def test_a_member_who_was_moved_alone_keeps_that_time_when_a_name_changes() -> None:
    browser, drive = Client(), party_drive()
    first = kept(browser, drive)
    second = Booking.objects.order_by("pk")[1]
    browser.post(reverse("booking_move", args=[second.reference]), {"slot": builders.slot(drive, 3).pk})
    assert correct(browser, first, name_2="Test Ida Birch").status_code == 303
    assert [row.first_step for row in Booking.objects.order_by("pk")] == [0, 3, 0]


def test_errors_keep_the_hold_and_what_was_typed() -> None:
    browser, drive = Client(), party_drive()
    first = kept(browser, drive)
    refused = correct(browser, first, name_1="", name_2="test ana alder", phone="(201) 555-0143")
    assert refused.status_code == 422
    errors = {name: error.data[0].code for name, error in refused.context["form"].errors.items()}
    assert errors == {"name_1": "name_missing", "name_2": "name_twice"}
    assert 'value="(201) 555-0143"' in refused.content.decode()
    assert [name for name, _visit in held_rows(drive)] == ["Test Ana Alder", "Test Bo Alder", "Test Ida Alder"]


def test_another_browser_cannot_see_or_correct_the_party() -> None:
    drive = party_drive()
    first = kept(Client(), drive)
    assert Client().get(reverse("booking_details", args=[first.reference])).status_code == 404
    assert correct(Client(), first, name_1="Test Eve").status_code == 404
    asked = {"visit": "return", "people": "3", "first": "0", "slot": str(first.arrival_id)}
    assert "Test Bo" not in Client().get(reverse("book", args=[drive.slug]), asked, follow=True).content.decode()
    assert kept(Client(), drive, people=2, phone=builders.phone(7)).pk != first.pk
    assert [name for name, _visit in held_rows(drive)][:3] == ["Test Ana Alder", "Test Bo Alder", "Test Ida Alder"]


def test_the_next_person_leads_after_the_first_was_removed() -> None:
    browser, drive = Client(), party_drive()
    first = kept(browser, drive)
    browser.post(reverse("booking_remove_from_party", args=[first.reference]))
    asked = {"visit": "return", "people": "2", "first": "0", "slot": str(first.arrival_id)}
    back = browser.get(reverse("book", args=[drive.slug]), asked, follow=True)
    assert [name.value() for name, _visit in back.context["form"].rows()] == ["Test Bo Alder", "Test Ida Alder"]
    third = Booking.objects.order_by("pk")[2]
    leads = browser.get(reverse("booking_details", args=[third.reference]), follow=True)
    assert leads.context["form"]["name"].value() == "Test Bo Alder"


def test_a_correction_after_the_times_ran_out_holds_them_again() -> None:
    browser, drive = Client(), party_drive(spots=3, steps=1)
    first, later = kept(browser, drive), NOW + timedelta(minutes=15)
    with time_machine.travel(later, tick=False):
        again = correct(browser, first, name_1="Test Bob Alder", visit_2="first")
        assert again.headers["Location"].endswith("?held_again=1")
        live = Booking.objects.held(later).select_related("registration").order_by("pk")
        assert [row.registration.name for row in live if row.registration] == [
            "Test Ana Alder",
            "Test Bob Alder",
            "Test Ida Alder",
        ]
    assert Booking.objects.filter(state="lapsed").count() == 3


@pytest.mark.parametrize("is_correction", [False, True])
def test_a_form_that_was_open_too_long_is_shown_again_as_typed(*, is_correction: bool) -> None:
    browser, drive = Client(enforce_csrf_checks=True), party_drive()
    first = kept(Client(), drive, phone=builders.phone(7))
    address = (
        reverse("booking_details", args=[first.reference]) if is_correction else reverse("book", args=[drive.slug])
    )
    expired = browser.post(address, typed(drive, name_1="Test Bob Alder"))
    assert expired.status_code == 403
    assert "This page was open too long" in donor.text(expired)
    assert [name.value() for name, _visit in expired.context["form"].rows()] == [
        "Test Ana Alder",
        "Test Bob Alder",
        "Test Ida Alder",
    ]
    again = {**typed(drive, name_1="Test Bob Alder"), "csrfmiddlewaretoken": expired.context["csrf_token"]}
    assert browser.post(reverse("book", args=[drive.slug]), again).status_code == 303
    other_page = browser.post(reverse("booking_cancel_party", args=[first.token]), typed(drive))
    assert (other_page.status_code, "form" in (other_page.context or {})) == (403, False)


def test_people_who_are_added_count_for_the_network() -> None:
    """A network may hold eight spots of this drive without codes. A change from three people to six adds three."""
    browser, drive = Client(), builders.drive()
    first = kept(browser, drive)
    assert correct(browser, first, 6).status_code == 303
    second = Client()
    other = kept(second, drive, n=8, people=2, phone=builders.phone(7))
    refused = second.post(
        reverse("booking_details", args=[other.reference]), typed(drive, 3, n=8, phone=builders.phone(7))
    )
    assert refused.status_code == 429
    assert Booking.objects.held(NOW).count() == 8


def test_the_details_page_takes_the_same_queries_for_two_and_four() -> None:
    def open_page(people: int) -> Any:
        browser = Client()
        first = kept(browser, builders.drive(), people=people, phone=builders.phone(people))
        return lambda: browser.get(reverse("booking_details", args=[first.reference]))

    query_counts.count_for_each(open_page, (2, 4))
