"""Booking through the API: hold, verify, then manage the booking by its token."""

import uuid
from datetime import timedelta

import pytest
import time_machine

from drives.models import Booking, BookingState, Source
from organizations.models import Role
from tests import builders
from tests.builders import NOW
from tests.drives.caller import Api

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def test_a_code_turns_a_hold_into_a_booking() -> None:
    drive = builders.drive()
    held = Api().book(slot=str(builders.slot(drive, 2).pk), consents=["reminders"]).json()
    booking = Booking.objects.get()
    assert held == {
        "id": str(booking.pk),
        "reference": booking.reference,
        "state": "held",
        "held_until": "2027-03-01T10:15:00-08:00",
        "visit": "return",
        "drive": str(drive.pk),
        "slot": str(builders.slot(drive, 2).pk),
        "starts_at": "2027-03-13T09:30:00-08:00",
        "timezone": "America/Los_Angeles",
        "manage_url": f"http://testserver/b/{booking.token}/",
        "calendar_url": f"http://testserver/b/{booking.token}/calendar.ics",
        "token": booking.token,
    }
    assert booking.source == Source.API
    verified = Api().post(f"bookings/{held['token']}/verify/", {"code": builders.code_of(booking)})
    assert verified.status_code == 200
    assert verified.json() == {**held, "state": "booked", "held_until": None}
    assert Api().get(f"bookings/{held['token']}/").json() == verified.json()


def test_a_wrong_code_is_400_and_a_lapsed_hold_is_410() -> None:
    token = Api().book(slot=str(builders.slot(builders.drive()).pk)).json()["token"]
    code = builders.code_of(Booking.objects.get())
    wrong = Api().post(f"bookings/{token}/verify/", {"code": f"{(int(code) + 1) % 10**6:06}"})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "code_wrong")
    assert [(one["pointer"], one["code"]) for one in wrong.json()["errors"]] == [("#/code", "code_wrong")]
    with time_machine.travel(NOW + timedelta(minutes=16), tick=False):
        over = Api().post(f"bookings/{token}/verify/", {"code": code})
        assert (over.status_code, over.json()["code"]) == (410, "hold_lapsed")
        assert Api().get(f"bookings/{token}/").json()["state"] == "lapsed"


def test_a_code_works_only_for_its_own_booking() -> None:
    drive = builders.drive()
    first, second = (Api().book(slot=str(builders.slot(drive, n).pk)).json()["token"] for n in (0, 8))
    bookings = list(Booking.objects.order_by("pk"))
    foreign = Api().post(f"bookings/{second}/verify/", {"code": builders.code_of(bookings[0])})
    assert foreign.status_code == 400
    assert Api().post(f"bookings/{first}/verify/", {"code": builders.code_of(bookings[0])}).status_code == 200


def test_verification_refuses_a_second_booking_and_keeps_the_hold() -> None:
    drive = builders.drive()
    tokens = [Api().book(slot=str(builders.slot(drive, n).pk)).json()["token"] for n in (0, 8)]
    first, second = Booking.objects.order_by("pk")
    assert Api().post(f"bookings/{tokens[0]}/verify/", {"code": builders.code_of(first)}).status_code == 200
    refused = Api().post(f"bookings/{tokens[1]}/verify/", {"code": builders.code_of(second)})
    assert refused.status_code == 409
    assert [reason["code"] for reason in refused.json()["reasons"]] == ["already_booked"]
    assert Api().get(f"bookings/{tokens[1]}/").json()["state"] == "held"


def test_a_full_time_is_409_with_the_three_nearest_times() -> None:
    owner = builders.organization()
    drive = builders.drive(owner, builders.plain(builders.site(owner), spots=1, steps=8))
    taken = builders.slot(drive, 3)
    assert Api().book(slot=str(taken.pk)).status_code == 201
    refused = Api().book(slot=str(taken.pk), phone=builders.phone(43))
    assert refused.status_code == 409
    assert refused.json()["code"] == "slot_full"
    assert [time["id"] for time in refused.json()["alternatives"]] == [
        str(builders.slot(drive, n).pk) for n in (1, 2, 4)
    ]
    assert refused.json()["alternatives"][0]["local_time"] == "9:15 AM"
    assert Booking.objects.count() == 1


def test_errors_come_in_the_requested_language() -> None:
    refused = Api().book(slot="0", name="")
    in_spanish = Api(accept_language="es").book(slot="0", name="")
    assert [one["code"] for one in refused.json()["errors"]] == [one["code"] for one in in_spanish.json()["errors"]]
    assert refused.json()["errors"] != in_spanish.json()["errors"]


def test_a_resent_code_replaces_the_old_one() -> None:
    token = Api().book(slot=str(builders.slot(builders.drive()).pk)).json()["token"]
    booking = Booking.objects.get()
    old = builders.code_of(booking)
    assert Api().post(f"bookings/{token}/code/").json()["state"] == "held"
    new = builders.code_of(booking)
    assert Api().post(f"bookings/{token}/verify/", {"code": old}).status_code == (200 if old == new else 400)
    assert Api().post(f"bookings/{token}/verify/", {"code": new}).status_code == 200
    assert Api().post(f"bookings/{token}/code/").json()["state"] == "booked"


def test_too_many_codes_are_429_with_the_time_to_wait() -> None:
    token = Api().book(slot=str(builders.slot(builders.drive()).pk)).json()["token"]
    answers = [Api().post(f"bookings/{token}/code/") for _time in range(12)]
    refused = next(answer for answer in answers if answer.status_code != 200)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_codes")
    assert 0 < int(refused["Retry-After"]) <= 24 * 60 * 60
    assert refused.json()["detail"].startswith("Too many requests. Try again in ")


def test_a_donor_confirms_moves_and_cancels_with_the_token() -> None:
    drive = builders.drive()
    token = builders.booked(drive, n=0).token
    assert Api().post(f"bookings/{token}/confirm/").json()["state"] == "confirmed"
    moved = Api().post(f"bookings/{token}/move/", {"slot": str(builders.slot(drive, 4).pk)})
    assert moved.json()["starts_at"] == "2027-03-13T10:00:00-08:00"
    assert Api().post(f"bookings/{token}/cancel/").json()["state"] == "cancelled"
    assert Api().post(f"bookings/{token}/cancel/").json()["state"] == "cancelled"
    again = Api().post(f"bookings/{token}/confirm/")
    assert [reason["code"] for reason in again.json()["reasons"]] == ["booking_cancelled"]


def test_moving_to_another_drive_is_refused() -> None:
    drive, other = builders.drive(), builders.drive()
    booking = builders.booked(drive, n=0)
    for slot in (str(builders.slot(other).pk), "999999999", "not an id"):
        refused = Api().post(f"bookings/{booking.token}/move/", {"slot": slot})
        assert [reason["code"] for reason in refused.json()["reasons"]] == ["slot_unknown"]
    booking.refresh_from_db()
    assert booking.arrival == builders.slot(drive)


def test_a_past_booking_cannot_be_changed() -> None:
    drive = builders.drive()
    token = builders.booked(drive).token
    with time_machine.travel(drive.starts_at + timedelta(hours=1), tick=False):
        for verb in ("confirm", "cancel", "move"):
            refused = Api().post(f"bookings/{token}/{verb}/", {"slot": str(builders.slot(drive, 20).pk)})
            assert [reason["code"] for reason in refused.json()["reasons"]] == ["visit_past"]
    assert Booking.objects.get().state == BookingState.BOOKED


def test_a_key_books_at_once_and_may_use_a_closed_drive() -> None:
    drive = builders.drive()
    api = Api.with_key(drive.organization)
    assert api.post(f"drives/{drive.pk}/close/").status_code == 200
    booked = api.book(slot=str(builders.slot(drive).pk))
    assert (booked.status_code, booked.json()["state"], booked.json()["held_until"]) == (201, "booked", None)
    assert Booking.objects.get().changes.get().actor.startswith("key:")


def test_a_coordinators_session_books_at_once() -> None:
    drive = builders.drive()
    ben = builders.member(drive.organization)
    api = Api()
    api.client.force_login(ben.user)
    assert api.book(slot=str(builders.slot(drive).pk)).json()["state"] == "booked"
    assert Booking.objects.get().changes.get().actor == f"user:{ben.user.pk}"


def test_a_check_in_key_may_not_book() -> None:
    drive = builders.drive()
    assert Api.with_key(drive.organization, Role.CHECK_IN).book(slot=str(builders.slot(drive).pk)).status_code == 403
    assert not Booking.objects.exists()


def test_a_member_of_another_organization_is_treated_as_public() -> None:
    drive = builders.drive()
    cleo = builders.member(builders.organization("Other"))
    api = Api()
    api.client.force_login(cleo.user)
    assert api.book(slot=str(builders.slot(drive).pk)).json()["state"] == "held"


def test_unknown_slots_are_refused() -> None:
    draft, drive = builders.drive(published=False), builders.drive()
    cleo = Api.with_key(builders.organization("Other"))
    for api, slot in (
        (Api(), builders.slot(draft).pk),
        (Api(), 999_999_999),
        (Api(), "xyz"),
        (Api(), "9" * 40),
        (cleo, builders.slot(drive).pk),
    ):
        refused = api.book(slot=str(slot))
        assert (refused.status_code, refused.json()["code"]) == (400, "slot_unknown")
        assert refused.json()["errors"][0]["pointer"] == "#/slot"
    assert not Booking.objects.exists()


def test_the_answer_does_not_reveal_an_existing_booking() -> None:
    drive = builders.drive()
    builders.booked(drive, n=0, number=42)
    known = Api().book(slot=str(builders.slot(drive, 8).pk), phone=builders.phone(42), key=str(uuid.uuid4()))
    unknown = Api().book(slot=str(builders.slot(drive, 8).pk), phone=builders.phone(43), key=str(uuid.uuid4()))
    own = {"id", "reference", "token", "manage_url", "calendar_url"}
    assert known.status_code == unknown.status_code == 201
    assert {k: v for k, v in known.json().items() if k not in own} == {
        k: v for k, v in unknown.json().items() if k not in own
    }


def test_unknown_fields_are_ignored() -> None:
    drive = builders.drive()
    sneaky = {"state": "booked", "held_until": None, "volunteer": 1, "source": "import", "id": "7", "drive_id": 1}
    answer = Api().book(slot=str(builders.slot(drive).pk), **sneaky)
    assert answer.json()["state"] == "held"
    assert Booking.objects.get().source == Source.API
