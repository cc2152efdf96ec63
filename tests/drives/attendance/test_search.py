"""Coordinators and helpers search for donors by name: accents, apostrophes, dashes and letters of other alphabets."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from drives.models import Booking, Drive
from drives.privacy import erase, merge
from organizations.models import Role
from tests import builders, cases
from tests.builders import NOW
from tests.drives import coordinator
from tests.drives.donor import text
from volunteers import person_names, profile, registration
from volunteers.models import Volunteer

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]

FOUND = [
    ("José Álvarez", "JOSÉ"),
    ("José Álvarez", "alva"),
    ("Jose Alvarez", "josé álvarez"),
    ("Ana Nuñez", "nun\u0303ez"),
    ("D’Angelo Muñoz", "dangelo"),
    ("DAngelo Munoz", "d’angelo"),
    ("Siobhán O’Connor", "oʼconnor"),
    ("Siobhán O`Connor", "o´connor"),
    ("Jean‐Luc Picard", "jean – luc"),
    ("Jean Luc Picard", "jean-luc"),
    ("Łukasz Wałęsa", "lukasz walesa"),
    ("Đặng Thị Hồng", "dang hong"),
    ("Þóra Ægisdóttir", "thora aegisdottir"),
    ("Ayşe Işık", "isik"),
    ("İpek Şahin", "ipek"),
    ("علی\u200cرضا", "علیرضا"),
    ("कुमार", "कुमार"),
    ("ＡＮＡ Alder", "ana"),
    ("Ana\u00a0Alder", "alder\u200b ana"),
]
NOT_FOUND = [
    ("José Álvarez", "joseph"),
    ("Siobhán O’Connor", "o'connell"),
    ("कुमार", "किमार"),
    ("Ana Alder", "ana birch"),
    ("Ana Alder", "anna"),
    ("Ana Alder", "al%r ana x"),
]


def found(drive: Drive, page: str, search: str) -> set[str]:
    member = builders.member(drive.organization, Role.COORDINATOR)
    browser, known = coordinator.AllDay(member.user), Volunteer.objects.of(drive.organization)
    if page == "person":
        probe = registration.enter_volunteer(
            organization=drive.organization, name="Zz Zz", email="zz@example.org", actor="user:1", now=NOW
        )
        shown = browser.get(reverse("organizer_person", args=[probe.pk]), {"q": search})
    elif page == "people":
        shown = browser.get(reverse("organizer_people"), {"q": search})
    else:
        shown = browser.get(reverse(page, args=[drive.slug if page == "checkin" else drive.pk]), {"q": search})
    assert shown.status_code == 200
    return {person.name for person in known.exclude(name="Zz Zz") if " ".join(person.name.split()) in text(shown)}


PAGES = ["checkin", "organizer_drive", "person", "people"]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("case", cases.list_cases("K2"))
def test_a_donor_is_found_as_typed(case: dict[str, Any], page: str) -> None:
    booked, typed = case["input"]["booked"].removesuffix(" (U+2010)"), case["input"]["typed"]
    drive = builders.drive()
    for n, name in ((0, booked), (4, "Test Bo Birch")):
        builders.booked(drive, n=n, number=n, name=name)
    with time_machine.travel(drive.starts_at, tick=False):
        assert found(drive, page, typed) == {booked}


@pytest.mark.parametrize(("name", "search"), FOUND)
def test_a_name_is_found_in_plain_letters(name: str, search: str) -> None:
    drive = builders.drive()
    booking = builders.booked(drive, name=name)
    assert found(drive, "organizer_drive", search) == {booking.volunteer.name if booking.volunteer else ""}


@pytest.mark.parametrize(("name", "search"), NOT_FOUND)
def test_another_name_is_not_found(name: str, search: str) -> None:
    drive = builders.drive()
    builders.booked(drive, name=name)
    assert found(drive, "organizer_drive", search) == set()


@pytest.mark.parametrize("search", ["(201) 555-0142", "201-555\u200e-0142 (cell)", "5550142", "２０１５５５０１４２"])
@pytest.mark.parametrize("page", PAGES)
def test_a_phone_number_is_found_as_pasted(page: str, search: str) -> None:
    drive = builders.drive()
    for number in (42, 43):
        builders.booked(drive, n=number - 42, number=number, name=f"Test Ana {number}")
    assert found(drive, page, search) == {"Test Ana 42"}


@pytest.mark.parametrize("ending", ["", ".", "\u200b", ")"])
def test_a_reference_is_found_with_a_sign_at_its_end(ending: str) -> None:
    drive = builders.drive()
    booking = builders.booked(drive)
    assert found(drive, "checkin", booking.reference.lower() + ending) == {"Test Ana Alder"}


def test_every_way_to_name_a_volunteer_writes_the_folded_name() -> None:
    drive = builders.drive()
    hold = builders.booked(drive, name="Test José Uno").volunteer
    assert hold is not None
    entered = registration.enter_volunteer(
        organization=drive.organization, name="Test José Dos", phone=builders.phone(50), actor="user:1", now=NOW
    )
    _check_folded("test jose uno", "test jose dos")
    registration.enter_volunteer(
        organization=drive.organization, name="Test José Doss", phone=builders.phone(50), actor="user:1", now=NOW
    )
    profile.update_name_and_language(volunteer_ids=[hold.pk], name="Test Zoë Uno", language="en")
    _check_folded("test zoe uno", "test jose doss")
    builders.booked(drive, n=4, name="Test Søren Uno", is_for_other=True)
    _check_folded("test zoe uno", "test jose doss", "test soren uno")
    merge.merge_volunteers(
        organization=drive.organization,
        one_id=hold.pk,
        other_id=entered.pk,
        name_from_id=entered.pk,
        actor="user:1",
        now=NOW,
    )
    _check_folded("test jose doss", "test soren uno")
    for volunteer in Volunteer.objects.all():
        erase.erase_volunteer(volunteer_id=volunteer.pk, reason="asked", actor="donor", now=NOW + timedelta(minutes=1))
    _check_folded("erased", "erased")


def _check_folded(*names: str) -> None:
    rows = Volunteer.objects.values_list("name", "folded_name")
    assert sorted(folded for _name, folded in rows) == sorted(names)
    assert all(folded == person_names.fold_name(name) for name, folded in rows)


def test_control_a_search_of_the_plain_name_misses_accents() -> None:
    drive = builders.drive()
    builders.booked(drive, name="José Álvarez")
    assert not Booking.objects.filter(volunteer__name__icontains="jose").exists()
    assert Client().get(reverse("organizer_drive", args=[drive.pk]), {"q": "jose"}).status_code == 302
