"""The waitlist in the API: join, verify, get an offer, accept or decline it."""

import uuid
from typing import Any

import pytest

from drives.booking import changes as booking_changes
from drives.models import Booking, CancelledBy, WaitlistEntry
from drives.waitlist import offers
from organizations.models import AuditEntry
from tests import builders
from tests.builders import NOW
from tests.drives.caller import Api
from volunteers.models import Contact

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]

PERSON = {"visit": "return", "name": "Test Ana Alder", "phone": "+12015550142", "consents": ["reminders"]}


def join(api: Api, full: list[Booking], key: str = "", **changes: Any) -> Any:
    key = key or str(uuid.uuid4())
    path = f"drives/{full[0].drive_id}/waitlist/"
    return api.post(path, {**PERSON, **changes}, **{"Idempotency-Key": key})


def prove(token: str) -> Any:
    asked = WaitlistEntry.filter_by_token(token).get()
    return Api().post(f"waitlist/{token}/verify/", {"code": builders.code_of(asked)})


def offered(full: list[Booking]) -> str:
    """Add Ana to the waitlist, free a spot and offer it to her. Return her token."""
    token: str = join(Api(), full).json()["token"]
    prove(token)
    booking_changes.cancel_bookings(booking_id=full[0].pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=NOW)
    offers.sweep_waitlists(now=NOW)
    return token


def test_a_donor_joins_verifies_and_sees_the_position() -> None:
    full = builders.full_drive()
    asked = join(Api(), full, "", **{"from": "2027-03-13T09:15:00-08:00", "to": None})
    assert (asked.status_code, asked.json()["state"], asked.json()["position"]) == (201, "held", 0)
    assert asked.json()["window"] == {"from": "2027-03-13T09:15:00-08:00", "to": None}
    token = asked.json()["token"]
    assert Api().post(f"waitlist/{token}/verify/", {"code": "000000"}).json()["code"] == "code_wrong"
    Api().post(f"waitlist/{token}/code/", {})
    verified = prove(token)
    assert (verified.status_code, verified.json()["state"], verified.json()["position"]) == (200, "waiting", 1)
    assert Api().get(f"waitlist/{token}/").json() == verified.json()


def test_an_entry_may_be_for_another_person() -> None:
    prove(join(Api(), builders.full_drive(), is_for_other=True).json()["token"])
    assert Contact.objects.get(address=PERSON["phone"]).owner is None


def test_an_offer_is_accepted() -> None:
    full = builders.full_drive()
    token = offered(full)
    entry = Api().get(f"waitlist/{token}/").json()
    assert entry["state"] == "offered"
    assert entry["offer"]["starts_at"] == "2027-03-13T09:00:00-08:00"
    assert entry["offer"]["deadline"] == "2027-03-02T10:00:00-08:00"
    booking = Api().post(f"waitlist/{token}/accept/")
    assert (booking.status_code, booking.json()["state"], booking.json()["slot"]) == (
        200,
        "booked",
        str(full[0].arrival_id),
    )
    again = Api().post(f"waitlist/{token}/accept/")
    assert (again.status_code, again.json()["reasons"][0]["code"]) == (409, "no_offer")


def test_an_offer_is_declined_and_the_waitlist_left() -> None:
    full = builders.full_drive()
    token = offered(full)
    passed = Api().post(f"waitlist/{token}/decline/").json()
    assert (passed["state"], passed["position"], passed["offer"]) == ("waiting", 1, None)
    assert Api().post(f"waitlist/{token}/leave/").json()["state"] == "left"


def test_the_same_idempotency_key_creates_one_entry() -> None:
    full, key = builders.full_drive(), str(uuid.uuid4())
    first, second = join(Api(), full, key), join(Api(), full, key)
    assert (first.json(), WaitlistEntry.objects.count()) == (second.json(), 1)
    assert join(Api(), full, key, visit="first").status_code == 422


def test_an_api_key_adds_an_entry_without_verification() -> None:
    full = builders.full_drive()
    ben = Api.with_key(full[0].drive.organization)
    entry = join(ben, full).json()
    assert (entry["state"], entry["position"]) == ("waiting", 1)
    assert join(Api.with_key(full[0].drive.organization, "viewer"), full).status_code == 403
    assert join(Api.with_key(builders.organization("Other")), full).status_code == 404


def test_the_waitlist_of_a_closed_drive_is_closed_once() -> None:
    full = builders.full_drive()
    owner, drive = full[0].drive.organization, f"drives/{full[0].drive_id}/"
    ben = Api.with_key(owner)
    entry = join(ben, full).json()
    refused = ben.post(f"{drive}waitlist/close/")
    assert (refused.status_code, refused.json()["reasons"][0]["code"]) == (409, "drive_published")
    assert Api().get(f"waitlist/{entry['token']}/").json()["state"] == "waiting"
    ben.post(f"{drive}close/")
    assert Api.with_key(builders.organization("Other")).post(f"{drive}waitlist/close/").status_code == 404
    assert [ben.post(f"{drive}waitlist/close/").json() for _twice in range(2)] == [{"waited": 1}, {"waited": 0}]
    assert Api().get(f"waitlist/{entry['token']}/").json()["state"] == "closed"
    assert AuditEntry.objects.get(verb="close_waitlist").actor == f"key:{owner.api_keys.get().pk}"


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"phone": "12"}, 400, "#/phone"),
        ({"visit": "second"}, 400, "#/visit"),
        ({"from": "soon"}, 400, "#/from"),
        ({"from": "2027-03-13T10:00:00-08:00", "to": "2027-03-13T09:00:00-08:00"}, 400, "#/to"),
    ],
)
def test_malformed_requests_name_what_is_wrong(changes: dict[str, Any], status: int, code: str) -> None:
    answer = join(Api(), builders.full_drive(), **changes)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (status, code)


def test_joining_is_refused_with_the_open_slots() -> None:
    full = builders.full_drive()
    booking_changes.cancel_bookings(booking_id=full[0].pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=NOW)
    answer = join(Api(), full)
    assert (answer.status_code, answer.json()["reasons"][0]["code"]) == (409, "slots_open")
    assert [time["id"] for time in answer.json()["alternatives"]] == [str(full[0].arrival_id)]


def test_a_draft_and_an_unknown_drive_have_no_waitlist() -> None:
    draft = builders.drive(published=False)
    for drive_id in (draft.pk, 999_999):
        answer = Api().post(f"drives/{drive_id}/waitlist/", PERSON, **{"Idempotency-Key": str(uuid.uuid4())})
        assert answer.status_code == 404


def test_guessed_tokens_open_nothing() -> None:
    for act in ("verify", "code", "leave", "accept", "decline"):
        body = {"code": "123456"} if act == "verify" else {}
        assert Api().post(f"waitlist/{'A' * 22}/{act}/", body).status_code == 404
    assert Api().get(f"waitlist/{'A' * 22}/").status_code == 404
