import pytest

from drives.models import Booking
from organizations.models import Role
from tests import builders
from tests.builders import NOW
from tests.drives.caller import Api
from tests.drives.privacy.planted import plant

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def test_a_program_finds_the_person_in_the_roster_and_gets_everything() -> None:
    ana = plant()
    ben = Api.with_key(ana.organization)
    row = ben.get(f"drives/{ana.drive.pk}/roster/").json()["results"][0]
    assert row["volunteer"] == str(ana.volunteer_id)
    answer = ben.get(f"volunteers/{row['volunteer']}/export/")
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    assert len(answer.json()["bookings"]) == 3


def test_a_second_erasure_gets_the_same_response() -> None:
    booking = builders.booked(builders.drive())
    ben, path = Api.with_key(booking.drive.organization), f"volunteers/{booking.volunteer_id}"
    first, again = ben.post(f"{path}/erase/", {"because": "mistake"}), ben.post(f"{path}/erase/")
    assert (first.status_code, first.json()["cancelled"]) == (200, 1)
    assert (again.status_code, again.json()["cancelled"]) == (200, 0)
    assert first.json()["erased_at"] == again.json()["erased_at"]
    assert ben.get(f"{path}/export/").status_code == 404
    assert Booking.objects.get().state == "cancelled"


def test_a_reason_that_is_not_known_is_refused() -> None:
    booking = builders.booked(builders.drive())
    ben = Api.with_key(booking.drive.organization)
    assert ben.post(f"volunteers/{booking.volunteer_id}/erase/", {"because": "bored"}).status_code == 400


@pytest.mark.parametrize("role", [Role.CHECK_IN, Role.VIEWER])
def test_keys_of_helpers_may_neither_export_nor_erase(role: str) -> None:
    booking = builders.booked(builders.drive())
    eli, path = Api.with_key(booking.drive.organization, role), f"volunteers/{booking.volunteer_id}"
    assert eli.get(f"{path}/export/").status_code == eli.post(f"{path}/erase/").status_code == 403
    assert Booking.objects.get().state == "booked"


def test_the_request_that_booked_is_not_done_again_after_an_erasure() -> None:
    drive = builders.drive()
    ben, key = Api.with_key(drive.organization), "a-key-of-at-least-22-letters"
    slot = str(builders.slot(drive).pk)
    booked = ben.book(slot=slot, key=key)
    assert booked.status_code == 201
    ben.post(f"volunteers/{Booking.objects.get().volunteer_id}/erase/")
    again = ben.book(slot=slot, key=key)
    assert (again.status_code, again.json()["code"]) == (410, "answer_erased")
    assert Booking.objects.count() == 1
