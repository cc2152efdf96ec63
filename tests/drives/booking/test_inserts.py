"""Rows that plain SQL inserts are equal to rows that the ORM would insert."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Model

from drives.booking import create
from drives.models import Booking, BookingChange, BookingState
from tests import builders
from tests.builders import NOW
from volunteers import codes
from volunteers.models import Registration, VerificationCode

pytestmark = pytest.mark.django_db


def columns(row: Model) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_a_registration_is_inserted_as_the_orm_would() -> None:
    odd: dict[str, Any] = {
        "name": "Test Zoë O'Alder",
        "email": "zoe@example.org",
        "language": "es",
        "is_for_other": True,
    }
    details = builders.held(builders.drive(), self_check=["will_ask"], **odd).registration
    assert details is not None
    assert columns(Registration.objects.get()) == columns(details)


def test_a_hold_is_inserted_with_its_first_history_row() -> None:
    held = builders.held(builders.drive(), self_check=["will_ask"])
    assert not held._state.adding
    assert columns(Booking.objects.get()) == columns(held)
    change = BookingChange.objects.get()
    assert (change.booking_id, change.from_state, change.to_state) == (held.pk, "", BookingState.HELD)
    assert (change.from_arrival_id, change.to_arrival_id, change.at) == (None, held.arrival_id, NOW)
    assert (change.actor, change.reason) == ("donor", "")


def test_a_party_is_inserted_in_the_order_given() -> None:
    names = [f"Test {name} Alder" for name in ("Zoe", "Ana", "Yul", "Bo", "Xia", "Cy")]
    party = builders.held_together(
        builders.drive(chairs=40, screening_stations=40), people=[(name, "return") for name in names]
    )
    assert [booking.registration.name for booking in party if booking.registration] == names
    assert list(Registration.objects.order_by("pk").values_list("name", flat=True)) == names
    assert list(Booking.objects.order_by("pk").values_list("registration__name", flat=True)) == names
    for booking in party:
        assert columns(Booking.objects.get(pk=booking.pk)) == columns(booking)


def test_control_rows_in_another_order_are_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    backwards = create._INSERT_SQL.replace("ORDER BY sent.position", "ORDER BY sent.position DESC")
    assert backwards != create._INSERT_SQL
    monkeypatch.setattr(create, "_INSERT_SQL", backwards)
    party = builders.held_together(builders.drive(chairs=40, screening_stations=40))
    assert columns(Booking.objects.get(pk=party[0].pk)) != columns(party[0])


def test_a_code_is_inserted_as_the_orm_would() -> None:
    sent = codes.queue_code(
        organization=builders.organization(),
        address=builders.phone(1),
        language="en",
        bound_to="browser",
        about="find",
        ip="192.0.2.1",
        now=NOW + timedelta(microseconds=1),
    )
    assert columns(VerificationCode.objects.get()) == columns(sent)
