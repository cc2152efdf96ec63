"""A repeated booking request creates one booking and gets the same response."""

import json
import threading
import uuid
from typing import Any

import pytest
import time_machine
from django.db import connection

from drives.models import Booking
from organizations import idempotency
from organizations.idempotency import StoreAnswer
from organizations.models import IdempotentAnswer
from tests import builders, storm
from tests.builders import NOW
from tests.drives.caller import Api

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def test_the_same_key_and_body_get_the_same_answer() -> None:
    slot, key = str(builders.slot(builders.drive()).pk), str(uuid.uuid4())
    first, second = (Api().book(slot=slot, key=key) for _time in range(2))
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert first["Content-Type"] == second["Content-Type"] == "application/json"
    assert Booking.objects.count() == 1


def test_the_same_key_with_another_body_is_422() -> None:
    drive, key = builders.drive(), str(uuid.uuid4())
    Api().book(slot=str(builders.slot(drive).pk), key=key)
    other = Api().book(slot=str(builders.slot(drive, 8).pk), key=key)
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    assert Booking.objects.count() == 1


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ({}, "idempotency_key_missing"),
        ({"Idempotency-Key": ""}, "idempotency_key_missing"),
        ({"Idempotency-Key": "x" * 300}, "idempotency_key_missing"),
        ({"Idempotency-Key": "short"}, "idempotency_key_weak"),
    ],
)
def test_a_missing_or_weak_key_is_400(key: dict[str, str], code: str) -> None:
    slot = str(builders.slot(builders.drive()).pk)
    refused = Api().post("bookings/", {"slot": slot, "visit": "return", "name": "Test Ana", "phone": "x"}, **key)
    assert (refused.status_code, refused.json()["code"]) == (400, code)
    assert not Booking.objects.exists()


def test_idempotency_keys_of_an_api_key_may_be_short_and_are_separate() -> None:
    drive, other = builders.drive(), builders.drive()
    for owner in (drive, other):
        booked = Api.with_key(owner.organization).book(slot=str(builders.slot(owner).pk), key="1")
        assert booked.status_code == 201
    assert Booking.objects.count() == 2


def test_a_refusal_is_not_stored() -> None:
    drive, key = builders.drive(published=False), str(uuid.uuid4())
    assert Api().book(slot=str(builders.slot(drive).pk), key=key).status_code == 400
    assert not IdempotentAnswer.objects.exists()
    Api.with_key(drive.organization).post(f"drives/{drive.pk}/publish/")
    assert Api().book(slot=str(builders.slot(drive).pk), key=key).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_a_request_with_a_running_key_is_409() -> None:
    slot, key = str(builders.slot(builders.drive()).pk), str(uuid.uuid4())
    started, finish = threading.Event(), threading.Event()

    def first() -> None:
        def work(keep: StoreAnswer) -> None:
            started.set()
            finish.wait(20)
            keep("{}")

        idempotency.run_once(scope="anonymous", key=key, body=b"", now=NOW, work=work)
        connection.close()

    running = threading.Thread(target=first)
    running.start()
    try:
        assert started.wait(20)
        refused = Api().book(slot=slot, key=key)
    finally:
        finish.set()
        running.join()
    assert (refused.status_code, refused.json()["code"], refused["Retry-After"]) == (409, "request_in_progress", "1")


@pytest.mark.django_db(transaction=True)
def test_twenty_concurrent_requests_with_one_key_make_one_booking() -> None:
    slot, key = str(builders.slot(builders.drive()).pk), str(uuid.uuid4())

    def tap(_number: int) -> tuple[int, dict[str, Any]]:
        answer = Api().book(slot=slot, key=key)
        return answer.status_code, json.loads(answer.content)

    with time_machine.travel(NOW, tick=True):
        taps = storm.at_once(20, tap)
    answers = [answer for answer in taps if not isinstance(answer, Exception)]
    assert len(answers) == 20, taps
    assert {status for status, _body in answers} <= {201, 409}
    assert len({body["token"] for status, body in answers if status == 201}) == 1
    assert {body["code"] for status, body in answers if status == 409} <= {"request_in_progress"}
    assert Booking.objects.count() == 1
