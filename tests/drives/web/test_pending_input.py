"""A cookie carries a visitor's input from one page to the next. The service checks it as strictly as a request's body.

A malformed cookie is ignored and never causes an error.
"""

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import signing
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from drives.web.pending_input import PendingInput
from tests import builders
from tests.builders import NOW
from tests.drives import donor

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]

IDENTITY = "0" * 64
TEXTS = (IDENTITY, donor.PHONE)
NOT_WHOLE: list[Any] = [None, 7, "two", {"a": "b"}, [], ["one"], ["one", 2], ["one", None], ["one", ["two"]], ["a"] * 3]


class Plain:
    """A serializer for signed cookies that writes text as it is. Another version of the service might write no JSON."""

    def dumps(self, texts: Any) -> bytes:
        return bytes(texts, "utf-8")

    def loads(self, data: bytes) -> Any:
        return json.loads(data)


def signed(value: Any, salt: str = "find", **options: Any) -> str:
    return signing.dumps(value, salt=salt, **options)


def read(cookie: str) -> list[str] | None:
    request = RequestFactory().get("/")
    request.COOKIES["find"] = cookie
    return PendingInput("find", count=2).read(request)


def test_the_browser_that_asked_gets_its_texts_back_for_a_quarter_of_an_hour() -> None:
    response = HttpResponse()
    PendingInput("find", count=2).save(response, "/find/", *TEXTS)
    cookie = response.cookies["find"]
    assert (cookie["path"], cookie["httponly"], cookie["max-age"]) == ("/find/", True, 15 * 60)
    assert read(cookie.value) == list(TEXTS)
    with time_machine.travel(NOW + timedelta(minutes=15, seconds=1), tick=False):
        assert read(cookie.value) is None


@pytest.mark.parametrize("value", NOT_WHOLE)
def test_a_cookie_of_another_shape_is_none(value: Any) -> None:
    assert read(signed(value)) is None


def test_a_cookie_that_is_no_json_is_none() -> None:
    assert read(signed("{", serializer=Plain)) is None


@pytest.mark.parametrize(
    "cookie", ["", ":", "x", "\udcff", "a:b:c", signed(TEXTS, "contact"), signed(TEXTS)[:-1], f"W10{signed(TEXTS)}"]
)
def test_a_forged_cookie_is_none(cookie: str) -> None:
    assert read(cookie) is None


@pytest.mark.parametrize("value", [*NOT_WHOLE, "forged"])
def test_the_search_starts_over_without_a_whole_cookie(value: Any) -> None:
    browser = Client()
    browser.cookies["browser"] = "x" * 43
    browser.cookies["find"] = "a:b:c" if value == "forged" else signed(value)
    for response in (
        browser.get(reverse("find_booking_code")),
        browser.post(reverse("find_booking_code"), {"code": "123456"}),
    ):
        assert (response.status_code, response.headers["Location"]) == (302, reverse("find_booking"))
    browser.cookies["find"] = signed(TEXTS)
    assert browser.get(reverse("find_booking_code")).status_code == 200


@pytest.mark.parametrize("value", [*NOT_WHOLE, "forged"])
def test_the_change_of_a_contact_starts_over_without_a_whole_cookie(value: Any) -> None:
    browser = Client()
    person = donor.booked(browser, builders.drive()).volunteer
    assert person is not None
    address = reverse("donor_contact_code", args=[person.uuid])
    browser.cookies["contact"] = "a:b:c" if value == "forged" else signed(value, "contact")
    for response in (browser.get(address), browser.post(address, {"code": "123456"})):
        assert (response.status_code, response.headers["Location"]) == (
            303,
            reverse("donor_contact", args=[person.uuid]),
        )
    browser.cookies["contact"] = signed(["+12015550150", "(201) 555-0150"], "contact")
    assert browser.get(address).status_code == 200
