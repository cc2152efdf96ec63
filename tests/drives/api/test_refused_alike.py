"""The pages and the API refuse the same input with the same codes."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from drives.models import Booking, WaitlistEntry
from tests import builders
from tests.builders import NOW
from tests.drives import coordinator
from tests.drives.caller import Api

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]

Codes = set[tuple[str, str]]

PEOPLE: list[dict[str, str]] = [
    {"name": "   "},
    {"name": "12345"},
    {"name": "x" * 121},
    {"name": "x" * 201},
    {"name": "Win at www.example.org"},
    {"phone": "12"},
    {"phone": "911"},
    {"phone": "1" * 60},
    {"phone": "1" * 61},
    {"phone": "+44 20 7946 0958"},
    {"phone": "", "email": "ana"},
    {"phone": "", "email": f"{'a' * 250}@example.org"},
    {"name": "7", "phone": "7", "email": "7"},
]
NOBODY_REACHED = {"phone": "", "email": ""}


def of_page(response: Any) -> Codes:
    form = response.context["form"]
    return {(name, error.code) for name, errors in form.errors.as_data().items() for error in errors}


def of_api(answer: Any) -> Codes:
    assert answer.status_code in {400, 409}, answer.content
    return {(row["pointer"].removeprefix("#/"), row["code"]) for row in answer.json().get("errors", [])}


def person(**changes: str) -> dict[str, str]:
    return {"name": "Test Ana Alder", "phone": "(213) 555-0142", "email": "", "visit": "return", **changes}


@pytest.mark.parametrize("changes", [*PEOPLE, NOBODY_REACHED, {"name": ""}])
def test_a_booking_is_refused_alike(changes: dict[str, str]) -> None:
    drive = builders.drive()
    slot = str(builders.slot(drive).pk)
    page = Client().post(reverse("book", args=[drive.slug]), {**person(**changes), "slot": slot})
    refused = of_api(Api().book(**person(**changes), slot=slot))
    assert refused == of_page(page)
    assert refused
    assert not Booking.objects.exists()


@pytest.mark.parametrize("changes", [*PEOPLE, NOBODY_REACHED, {"name": ""}])
def test_a_waitlist_entry_is_refused_alike(changes: dict[str, str]) -> None:
    drive = builders.drive()
    page = Client().post(reverse("waitlist_join", args=[drive.slug]), person(**changes))
    answer = Api().post(
        f"drives/{drive.pk}/waitlist/", person(**changes), **{"Idempotency-Key": "a-random-key-of-22-letters"}
    )
    refused = of_api(answer)
    assert refused == of_page(page)
    assert refused
    assert not WaitlistEntry.objects.exists()


def test_an_empty_window_is_refused_alike() -> None:
    drive = builders.drive()
    second = drive.starts_at + timedelta(hours=1)
    hour, moment = f"{int(second.timestamp())}", second.isoformat()
    page = Client().post(reverse("waitlist_join", args=[drive.slug]), {**person(), "since": hour, "until": hour})
    answer = Api().post(
        f"drives/{drive.pk}/waitlist/",
        {**person(), "from": moment, "to": moment},
        **{"Idempotency-Key": "a-random-key-of-22-letters"},
    )
    assert of_page(page) == {("until", "window_empty")}
    assert of_api(answer) == {("to", "window_empty")}


# Helpers may enter a number that cannot get texts. Their form requires a phone, and has its own code for an empty name.
AT_THE_DOOR = [row for row in PEOPLE if row.get("phone") not in {"", "+44 20 7946 0958"} and row.get("name") != "   "]


@pytest.mark.parametrize("changes", [*AT_THE_DOOR, {"override_reason": "x" * 201}])
def test_a_walk_in_is_refused_alike(changes: dict[str, str]) -> None:
    helper = builders.member(builders.organization())
    drive = builders.drive(helper.organization)
    with time_machine.travel(drive.starts_at, tick=False):
        typed = {name: value for name, value in person(**changes).items() if name != "email"}
        page = coordinator.AllDay(helper.user).post(reverse("checkin_walk_in", args=[drive.slug]), typed)
        answer = Api.with_key(drive.organization).post(f"drives/{drive.pk}/walk-ins/", typed)
    refused = of_api(answer)
    assert refused == of_page(page)
    assert refused
    assert not Booking.objects.exists()


@pytest.mark.parametrize("changes", [*AT_THE_DOOR, {"phone": "", "email": ""}, {"override_reason": "x" * 201}])
def test_a_booking_by_a_coordinator_is_refused_alike(changes: dict[str, str]) -> None:
    owner = builders.member(builders.organization())
    drive = builders.drive(owner.organization)
    typed = {**person(**changes), "slot": str(builders.slot(drive).pk)}
    page = coordinator.signed_in(owner).post(reverse("organizer_add_booking", args=[drive.pk]), typed)
    refused = of_api(Api.with_key(drive.organization).book(**typed))
    assert refused == of_page(page)
    assert refused
    assert not Booking.objects.exists()


def test_a_national_number_is_read_by_the_country_of_the_organization() -> None:
    """The desk, the check-in page and the API read 612 34 56 78 as a Spanish mobile number.

    The organization is in Spain. The number would not be valid in the United States.
    """
    owner = builders.member(builders.organization(country="ES"))
    drive = builders.drive(owner.organization)
    typed = {**person(phone="612 34 56 78"), "slot": str(builders.slot(drive).pk)}
    coordinator.signed_in(owner).post(reverse("organizer_add_booking", args=[drive.pk]), typed)
    booked = Booking.objects.get()
    assert booked.volunteer is not None
    assert booked.volunteer.phone is not None
    assert booked.volunteer.phone.address == "+34612345678"
    refused = Api.with_key(drive.organization).book(**{**typed, "slot": str(builders.slot(drive, 8).pk)})
    assert refused.json()["code"] == "already_booked"
