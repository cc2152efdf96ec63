"""Names, mailboxes, phone numbers, codes and links as donors type or paste them, through the page and the API."""

from typing import Any

import pytest
from django.test import Client

from drives.models import Booking, BookingState, Drive
from notifications.models import Message
from tests import builders, cases
from tests.builders import NOW
from tests.drives import donor
from tests.drives.caller import Api
from volunteers.models import Registration, Volunteer

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def book_by_api(drive: Drive, n: int = 0, **details: str) -> Any:
    return Api().book(slot=str(builders.slot(drive, n).pk), **details)


def verify_by_api(booked: Any) -> Any:
    token = booked.json()["token"]
    booking = Booking.objects.get(reference=booked.json()["reference"])
    return Api().post(f"bookings/{token}/verify/", {"code": builders.code_of(booking)})


@pytest.mark.parametrize("case", cases.list_cases("K5"))
def test_a_name_is_taken_or_refused_through_page_and_api(case: dict[str, Any]) -> None:
    drive, is_accepted = builders.drive(), case["expect"] == "accepted"
    by_page = donor.keep(Client(), drive, 0, name=case["input"])
    by_api = book_by_api(drive, 4, name=case["input"], phone=builders.phone(43))
    assert (by_page.status_code, by_api.status_code) == ((303, 201) if is_accepted else (422, 400))
    names = list(Registration.objects.values_list("name", flat=True))
    assert names == ([case["input"]] * 2 if is_accepted else [])


@pytest.mark.parametrize("case", cases.list_cases("K3 mailbox"))
def test_two_spellings_of_a_mailbox_are_one_person(case: dict[str, Any]) -> None:
    first_spelling, second_spelling = case["input"]
    drive, browser = builders.drive(), Client()
    assert verify_by_api(book_by_api(drive, 0, phone="", email=first_spelling)).status_code == 200
    second = book_by_api(drive, 8, phone="", email=second_spelling)
    refused = verify_by_api(second)
    assert (refused.status_code, [one["code"] for one in refused.json()["reasons"]]) == (409, ["already_booked"])
    by_page = donor.prove(browser, donor.kept(browser, drive, 8, phone="", email=second_spelling))
    assert "You already have a booking at this drive" in donor.text(by_page)
    assert Volunteer.objects.count() == 1
    [mailbox] = {*Message.objects.values_list("address", flat=True)}
    assert mailbox.isascii()


def test_control_two_mailboxes_are_two_people() -> None:
    drive = builders.drive()
    for n, email in enumerate(("ida@bucher.example", "ida@bücher.example")):
        assert verify_by_api(book_by_api(drive, n, phone="", email=email)).status_code == 200
    assert Volunteer.objects.count() == 2


@pytest.mark.parametrize("case", cases.list_cases("K12 phone"))
def test_a_phone_number_is_read_through_page_and_api(case: dict[str, Any]) -> None:
    drive = builders.drive()
    assert donor.keep(Client(), drive, 0, phone=case["input"]).status_code == 303
    assert book_by_api(drive, 4, phone=case["input"]).status_code == 201
    assert list(Registration.objects.values_list("phone", flat=True)) == [case["right"]] * 2


@pytest.mark.parametrize("case", cases.list_cases("K12 code"))
@pytest.mark.parametrize("is_page", [True, False])
def test_a_code_is_read_as_it_was_pasted(case: dict[str, Any], *, is_page: bool) -> None:
    browser, drive = Client(), builders.drive()
    booking = donor.kept(browser, drive) if is_page else Booking.objects.get(pk=book_by_api(drive).json()["id"])
    code = builders.code_of(booking)
    typed = case["input"].replace("891", code[:3]).replace("352", code[3:])
    if is_page:
        assert donor.prove(browser, booking, typed).status_code == 303
    else:
        assert Api().post(f"bookings/{booking.token}/verify/", {"code": typed}).status_code == 200
    booking.refresh_from_db()
    assert booking.state == BookingState.BOOKED


@pytest.mark.parametrize("case", cases.list_cases("K12 link"))
def test_a_link_with_a_sign_at_its_end_opens(case: dict[str, Any]) -> None:
    booking = builders.booked(builders.drive())
    opened = Client().get(case["how"].removeprefix("GET ").replace("TOKEN", booking.token), follow=True)
    assert opened.status_code == 200
    assert "You’re booked Saturday, March 13, 9:00 AM" in donor.text(opened)


def test_every_kind_of_link_may_have_a_sign_at_its_end() -> None:
    drive = builders.drive()
    booking = builders.booked(drive)
    assert booking.volunteer is not None
    for path in (f"/b/{booking.token}/calendar.ics", f"/d/{drive.slug}/", f"/me/feed/{booking.volunteer.token}.ics"):
        expected = Client().get(path, follow=True).status_code
        for ending in (")", ".", "\u200e", "”)", "%E2%80%8E"):
            found = Client().get(path + ending, {"a": "1"}, follow=True)
            assert found.status_code == expected, path + ending
            assert found.request["QUERY_STRING"].startswith("a=1")


@pytest.mark.parametrize("path", ["//evil.example)", "/\\evil.example.", "///evil.example)", "/./evil.example)", "/)"])
def test_a_pasted_link_never_leads_to_another_site(path: str) -> None:
    answer = Client().get("/", PATH_INFO=path)
    assert (answer.status_code, answer.headers.get("Location")) == (404, None)


def test_an_unknown_link_stays_unknown_with_a_sign_at_its_end() -> None:
    assert Client().get("/b/AAAAAAAAAAAAAAAAAAAAAA).", follow=True).status_code == 404
    assert Client().post("/b/AAAAAAAAAAAAAAAAAAAAAA)/cancel/).", follow=True).status_code == 404
    assert Client().get("/api/v1/bookings/AAAAAAAAAAAAAAAAAAAAAA)/").status_code == 404
