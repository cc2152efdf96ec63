"""The self-check: only its outcome and the policy's version are saved, never an entered value."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from drives.eligibility.self_check import WILL_ASK
from drives.models import Booking, Drive
from drives.waitlist import offers
from tests import builders
from tests.builders import NOW
from tests.drives import coordinator, donor
from tests.drives.caller import Api
from tests.drives.donor import text

ASKED = ["age_18", "weight_50kg", "photo_id"]
pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def asking() -> Drive:
    return builders.drive(policy_id=builders.policy(self_check=ASKED, version=3).pk)


def kept(drive: Drive) -> tuple[list[str], int | None]:
    row = Booking.objects.select_related("self_check_policy").get(drive=drive)
    return row.self_check, row.self_check_policy.version if row.self_check_policy else None


@pytest.mark.parametrize(("typed", "expected"), [({"confirmed": "on"}, ASKED), ({}, [WILL_ASK])])
def test_the_page_saves_the_outcome_and_the_version(typed: dict[str, Any], expected: list[str]) -> None:
    donor.booked(Client(), drive := asking(), **typed)
    assert kept(drive) == (expected, 3)


@pytest.mark.parametrize(("given", "expected"), [(ASKED, ASKED), ([WILL_ASK], [WILL_ASK]), ([], [WILL_ASK])])
def test_the_api_saves_the_outcome_and_the_version(given: list[str], expected: list[str]) -> None:
    drive = asking()
    assert Api().book(slot=str(builders.slot(drive).pk), self_check=given).status_code == 201
    assert kept(drive) == (expected, 3)


@pytest.mark.parametrize("staff", [False, True])
def test_the_api_refuses_a_partial_self_check(staff: bool) -> None:
    drive = asking()
    api = Api.with_key(drive.organization) if staff else Api()
    answer = api.book(slot=str(builders.slot(drive).pk), self_check=["age_18"])
    assert (answer.status_code, answer.json()["code"]) == (400, "confirmation_missing")
    assert answer.json()["errors"][0]["pointer"] == "#/self_check"
    assert Booking.objects.count() == 0


def test_joining_the_waitlist_refuses_a_partial_self_check() -> None:
    full = builders.full_drive(policy_id=builders.policy(self_check=ASKED).pk)
    with pytest.raises(ValidationError) as caught:
        builders.asked_to_wait(full[0].drive, self_check=["age_18"])
    assert caught.value.error_dict["self_check"][0].code == "confirmation_missing"


@pytest.mark.parametrize(
    ("asked_by_now", "expected"), [([*ASKED, "feels_well"], [WILL_ASK]), (ASKED[:1], ASKED[:1]), ([], [])]
)
def test_a_changed_policy_does_not_block_an_offer(asked_by_now: list[str], expected: list[str]) -> None:
    full = builders.full_drive(policy_id=builders.policy(self_check=ASKED).pk)
    entry = builders.waits(full[0].drive, self_check=ASKED)
    Drive.objects.filter(pk=entry.drive_id).update(policy=builders.policy(self_check=asked_by_now, version=4))
    builders.cancelled(full[0])
    offers.sweep_waitlists(now=NOW)
    booking = offers.accept_offer(offer_id=entry.offers.get().pk, actor="donor", now=NOW)
    assert booking.self_check == expected
    assert booking.self_check_policy_id == (Drive.objects.get(pk=entry.drive_id).policy_id if expected else None)


def test_a_booking_without_self_check_saves_nothing() -> None:
    donor.booked(Client(), drive := builders.drive())
    assert kept(drive) == ([], None)


@pytest.mark.parametrize(
    ("typed", "expected"), [({"confirmed": "on"}, (ASKED, 3)), ({}, ([], None))], ids=["ticked", "not asked"]
)
def test_a_coordinator_saves_a_callers_self_check(typed: dict[str, str], expected: Any) -> None:
    drive = asking()
    browser = coordinator.signed_in(builders.member(drive.organization))
    form = {"name": "Test Bo Birch", "phone": "213 555 0142", "visit": "return", "slot": builders.slot(drive).pk}
    address = reverse("organizer_add_booking", args=[drive.pk])
    assert "I will bring a photo ID." in text(browser.get(address))
    page = browser.post(address, {**form, **typed}, follow=True)
    assert kept(drive) == expected
    assert ("Self-check can donate Test programme (v3)" in text(page)) == bool(typed)


def test_check_in_and_record_show_will_ask() -> None:
    booked = donor.booked(Client(), drive := asking())
    browser = coordinator.AllDay(builders.member(drive.organization).user)
    at_the_door = browser.get(reverse("checkin_booking", args=[drive.slug, booked.pk]))
    assert "This donor wasn’t sure they could donate" in text(at_the_door)
    record = browser.get(reverse("organizer_booking", args=[booked.pk]))
    assert "Self-check will ask the center Test programme (v3)" in text(record)


# Can I give?


def test_the_drive_page_links_to_the_self_check_and_back() -> None:
    drive = asking()
    address, questions = reverse("drive", args=[drive.slug]), reverse("self_check", args=[drive.slug])
    assert f'href="{questions}"' in Client().get(address).content.decode()
    page = Client().get(questions, {"visit": "return"})
    assert "I will bring a photo ID." in text(page)
    assert "Can’t give? You can still help" in text(page)
    for result in ("yes", "ask"):
        assert f'href="{address}?visit=return&amp;result={result}#choose"' in page.content.decode()


@pytest.mark.parametrize(("result", "ticked"), [("yes", True), ("ask", False), ("no", False), ("", False)])
def test_the_self_check_result_is_passed_to_the_form(result: str, ticked: bool) -> None:
    drive = asking()
    query = {"visit": "return", "slot": str(builders.slot(drive).pk), "result": result}
    page = Client().get(reverse("book", args=[drive.slug]), query)
    assert page.context["form"]["confirmed"].value() is ticked


@pytest.mark.parametrize(
    ("result", "words"), [("yes", "Now choose a time."), ("ask", "Ask the center before you come.")]
)
def test_the_drive_page_shows_the_self_check_result(result: str, words: str) -> None:
    page = Client().get(reverse("drive", args=[asking().slug]), {"result": result})
    assert words in text(page)
    assert f'<input type="hidden" name="result" value="{result}">' in page.content.decode()


def test_a_draft_drive_has_no_self_check_page() -> None:
    draft = builders.drive(published=False)
    for slug in (draft.slug, "unknown"):
        assert Client().get(reverse("self_check", args=[slug])).status_code == 404
