"""The day of a drive in the API: roster, check-in, outcomes, undo, walk-ins, turnout."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest
import time_machine

from drives.models import Booking, Drive
from organizations.models import Role
from tests import builders, query_counts
from tests.builders import NOW
from tests.drives.caller import Api

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
ON_THE_DAY = "2027-03-13T17:05:00Z"  # five minutes after the doors open

DAN = {"name": "Test Dan Dow", "visit": "return", "phone": "(201) 555-0149"}


@pytest.fixture
def _on_the_day() -> Iterator[None]:
    with time_machine.travel(ON_THE_DAY, tick=False):
        yield


def door(drive: Drive) -> Api:
    return Api.with_key(drive.organization, Role.CHECK_IN)


def test_the_roster_lists_bookings_by_time_without_holds() -> None:
    drive = builders.drive()
    late, early = builders.booked(drive, n=8, number=43), builders.booked(drive, n=0, number=42)
    builders.held(drive, n=4, number=44)
    rows = door(drive).get(f"drives/{drive.pk}/roster/").json()["results"]
    assert [row["id"] for row in rows] == [str(early.pk), str(late.pk)]
    assert (rows[0]["name"], rows[0]["phone"], rows[0]["state"]) == ("Test Ana Alder", builders.phone(42), "booked")
    assert "booked" in {message["kind"] for message in rows[0]["messages"]}


def test_the_roster_takes_the_same_queries_for_one_and_three() -> None:
    drive = builders.drive()
    api = door(drive)
    api.get("drives/")  # records when the key was last used

    def donors(people: int) -> Callable[[], object]:
        for n in range(drive.bookings.count(), people):
            builders.booked(drive, n=n, number=42 + n)
        return partial(api.get, f"drives/{drive.pk}/roster/")

    assert query_counts.count_for_each(donors) == 4


@pytest.mark.usefixtures("_on_the_day")
def test_a_repeated_undo_takes_no_second_step() -> None:
    drive = builders.drive()
    booking = builders.booked(drive)
    api, path = door(drive), f"bookings/{booking.pk}"
    api.post(f"{path}/check-in/")
    api.post(f"{path}/outcome/", {"outcome": "donated"})
    assert [api.post(f"{path}/undo/", {"seen": "donated"}).json()["state"] for _ in range(2)] == ["checked_in"] * 2
    assert api.post(f"{path}/undo/", {"seen": "checked_in"}).json()["state"] == "booked"
    for malformed in ({"seen": "gone"}, {}):
        assert api.post(f"{path}/undo/", malformed).json()["errors"][0]["pointer"] == "#/seen"


@pytest.mark.usefixtures("_on_the_day")
def test_the_same_outcome_with_another_time_replaces_the_time() -> None:
    drive = builders.drive()
    booking = builders.booked(drive)
    api, path = door(drive), f"bookings/{booking.pk}/outcome/"
    api.post(f"bookings/{booking.pk}/check-in/")
    api.post(path, {"outcome": "donated", "at": "2027-03-13T17:02:00Z"})
    for same in ({"at": "2027-03-13T17:02:00Z"}, {}):  # a retry, and a call without a time
        assert api.post(path, {"outcome": "donated", **same}).json()["outcome_at"] == "2027-03-13T09:02:00-08:00"
    assert booking.changes.filter(to_state="donated").count() == 1
    again = api.post(path, {"outcome": "donated", "at": "2027-03-13T17:03:00Z"}).json()
    booking.refresh_from_db()
    assert again["outcome_at"] == "2027-03-13T09:03:00-08:00"
    assert booking.donated_at == booking.outcome_at
    assert booking.changes.filter(from_state="donated", to_state="donated").count() == 1


@pytest.mark.usefixtures("_on_the_day")
def test_a_retried_outcome_does_not_undo_a_correction_made_in_between() -> None:
    drive = builders.drive()
    booking = builders.booked(drive)
    api, path = door(drive), f"bookings/{booking.pk}/outcome/"
    api.post(f"bookings/{booking.pk}/check-in/", {"seen": "booked"})
    sent = {"outcome": "donated", "seen": "checked_in"}
    api.post(path, sent)
    api.post(path, {"outcome": "deferred", "seen": "donated"})
    assert api.post(path, sent).json()["state"] == "deferred"
    assert api.post(path, {"outcome": "donated"}).json()["state"] == "donated"  # the control


@pytest.mark.usefixtures("_on_the_day")
def test_a_donor_is_checked_in_donates_and_an_outcome_is_undone() -> None:
    drive = builders.drive()
    booking = builders.booked(drive)
    api, path = door(drive), f"bookings/{booking.pk}"
    assert api.post(f"{path}/outcome/", {"outcome": "donated"}).json()["reasons"][0]["code"] == "booking_booked"
    checked_in = api.post(f"{path}/check-in/").json()
    assert (checked_in["state"], checked_in["checked_in_at"]) == ("checked_in", "2027-03-13T09:05:00-08:00")
    assert api.post(f"{path}/check-in/").json() == checked_in
    done = api.post(f"{path}/outcome/", {"outcome": "donated", "at": "2027-03-13T17:02:00Z"})
    assert (done.json()["state"], done.json()["outcome_at"]) == ("donated", "2027-03-13T09:02:00-08:00")
    assert api.post(f"{path}/undo/", {"seen": "donated"}).json()["state"] == "checked_in"
    assert api.post(f"{path}/undo/", {"seen": "checked_in"}).json()["state"] == "booked"
    assert api.post(f"{path}/undo/", {"seen": "booked"}).status_code == 409
    assert api.post(f"{path}/outcome/", {"outcome": "no_show"}).json()["state"] == "no_show"


@pytest.mark.usefixtures("_on_the_day")
@pytest.mark.parametrize("at", ["2027-03-12T17:00:00Z", "2027-03-13T17:06:00Z", "0001-01-01T00:00:00+14:00", "noon", 7])
def test_an_outcome_cannot_have_happened_at_another_time(at: object) -> None:
    drive = builders.drive()
    booking = builders.booked(drive)
    api = door(drive)
    api.post(f"bookings/{booking.pk}/check-in/")
    refused = api.post(f"bookings/{booking.pk}/outcome/", {"outcome": "donated", "at": at})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["pointer"] == "#/at"


@pytest.mark.usefixtures("_on_the_day")
def test_a_walk_in_is_checked_in_at_once() -> None:
    drive = builders.drive()
    came = door(drive).post(f"drives/{drive.pk}/walk-ins/", DAN)
    assert came.status_code == 201
    assert (came.json()["state"], came.json()["source"]) == ("checked_in", "walk_in")
    assert came.json()["checked_in_at"] == "2027-03-13T09:05:00-08:00"


def test_there_are_no_walk_ins_before_the_day() -> None:
    drive = builders.drive()
    refused = door(drive).post(f"drives/{drive.pk}/walk-ins/", DAN)
    assert [reason["code"] for reason in refused.json()["reasons"]] == ["drive_not_today"]
    assert [time["id"] for time in refused.json()["alternatives"]] == [
        str(builders.slot(drive, n).pk) for n in range(3)
    ]
    assert not Booking.objects.exists()


@pytest.mark.usefixtures("_on_the_day")
def test_turnout_counts_as_it_stands() -> None:
    drive = builders.drive()
    booking = builders.booked(drive)
    builders.booked(drive, n=3, number=43)
    door(drive).post(f"bookings/{booking.pk}/check-in/")
    told = Api.with_key(drive.organization, Role.VIEWER).get(f"drives/{drive.pk}/turnout/").json()
    assert (told["final"], told["closed_out_at"]) == (False, None)
    assert (told["counts"]["booked"], told["counts"]["arrived"], told["counts"]["unresolved"]) == (2, 1, 1)


def test_a_hold_is_not_found_at_the_door() -> None:
    drive = builders.drive()
    held = builders.held(drive)
    for verb in ("check-in", "undo"):
        assert door(drive).post(f"bookings/{held.pk}/{verb}/").status_code == 404


def test_a_viewer_reads_the_turnout_but_not_the_roster() -> None:
    drive = builders.drive()
    api = Api.with_key(drive.organization, Role.VIEWER)
    assert api.get(f"drives/{drive.pk}/turnout/").status_code == 200
    assert api.get(f"drives/{drive.pk}/roster/").status_code == 403
