"""Parties through the API: all members get a hold or none does, and the first hold's token verifies the party."""

import uuid
from datetime import date
from typing import Any

import pytest

from drives.models import Booking, Drive
from tests import builders
from tests.builders import NOW
from tests.drives.caller import Api

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
FAMILY = [{"name": name, "visit": visit} for name, visit in builders.PARTY]


def sent(drive: Drive, key: str = "", **changes: Any) -> Any:
    body = {"slot": str(builders.slot(drive).pk), "people": FAMILY, "phone": "+12015550142", **changes}
    return Api().post("parties/", body, **{"Idempotency-Key": key or str(uuid.uuid4())})


def test_one_code_verifies_a_party() -> None:
    answer = sent(builders.drive())
    assert answer.status_code == 201
    bookings = answer.json()["bookings"]
    assert [(one["state"], one["visit"]) for one in bookings] == [("held", one["visit"]) for one in FAMILY]
    code = builders.code_of(Booking.objects.get(pk=bookings[0]["id"]))
    assert Api().post(f"bookings/{bookings[0]['token']}/verify/", {"code": code}).json()["state"] == "booked"
    states = [Api().get(f"bookings/{one['token']}/").json()["state"] for one in bookings]
    assert states == ["booked"] * 3


def test_the_same_key_returns_the_same_party() -> None:
    drive, key = builders.drive(), str(uuid.uuid4())
    assert sent(drive, key).json() == sent(drive, key).json()
    assert Booking.objects.count() == 3


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"people": []}, "#/people", "min_length"),
        ({"people": FAMILY * 3}, "#/people", "people_count"),
        ({"people": [FAMILY[0], {"name": "!!", "visit": "return"}]}, "#/people/1/name", "name_missing"),
        ({"slot": "0"}, "#/slot", "slot_unknown"),
    ],
)
def test_invalid_parties_are_refused_by_field(changes: dict[str, Any], pointer: str, code: str) -> None:
    answer = sent(builders.drive(), **changes)
    assert answer.status_code == 400
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [(pointer, code)]
    assert Booking.objects.count() == 0


def test_a_refusal_names_the_person() -> None:
    here = builders.organization()
    builders.booked(builders.drive(here))
    bookings = sent(builders.drive(here)).json()["bookings"]
    code = builders.code_of(Booking.objects.get(pk=bookings[0]["id"]))
    answer = Api().post(f"bookings/{bookings[0]['token']}/verify/", {"code": code})
    assert answer.status_code == 409
    assert {reason["person"] for reason in answer.json()["reasons"]} == {"Test Ana Alder"}


def test_a_refusal_lists_times_that_the_whole_party_may_take() -> None:
    here = builders.organization()
    place = builders.site(here)
    builders.booked(builders.drive(here, builders.plan(place)))
    _saturday, wednesday = Drive.objects.get(), builders.drive(here, builders.plan(place, day=date(2027, 3, 17)))
    bookings = sent(builders.drive(here, builders.plan(place, day=date(2027, 3, 14)))).json()["bookings"]
    code = builders.code_of(Booking.objects.get(pk=bookings[0]["id"]))
    answer = Api().post(f"bookings/{bookings[0]['token']}/verify/", {"code": code}).json()
    assert [(time["drive"], time["id"]) for time in answer["alternatives"]] == [
        (str(wednesday.pk), str(builders.slot(wednesday, n).pk)) for n in range(3)
    ]
    assert "earliest_ok_at" in answer["reasons"][0]


def test_a_held_party_moves_as_one() -> None:
    drive = builders.drive()
    bookings = sent(drive).json()["bookings"]
    address, slot = f"bookings/{bookings[0]['token']}/move/", str(builders.slot(drive, 4).pk)
    assert Api().post(address, {"slot": slot, "all": True}).json()["slot"] == slot
    assert [str(row.arrival_id) for row in Booking.objects.all()] == [slot] * 3


def test_another_name_is_asked_about_after_verification() -> None:
    here = builders.organization()
    builders.booked(builders.drive(here))
    held = builders.held(builders.drive(here), name="Test Bo Birch")
    booking = Api().book(slot=str(builders.slot(held.drive, 4).pk), name="Test Bo Birch").json()
    code = builders.code_of(Booking.objects.get(pk=booking["id"]))
    address = f"bookings/{booking['token']}/verify/"
    assert Api().post(address, {"code": code}).json()["code"] == "other_name"
    assert Api().post(address, {"code": code, "booking_for": "other"}).json()["state"] == "booked"
