"""For any input, the API responds with a status below 500, and with a problem document that names the error."""

import json
import uuid
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drives.models import Booking, Slot
from tests import builders
from tests.builders import NOW
from tests.drives.caller import Api, loaded

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]

SPELLINGS = [
    "+12015550142",
    "2015550142",
    "12015550142",
    "201-555-0142",
    "(201) 555-0142",
    "(201)555-0142",
    "201.555.0142",
    "201 555 0142",
    "+1 201 555 0142",
    "+1 (201) 555-0142",
    "1-201-555-0142",
    " +1-201-555-0142 ",
]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def slot() -> str:
    return str(builders.slot(builders.drive()).pk)


def refused(answer: Any) -> list[tuple[str, str]]:
    assert answer.status_code == 400, (answer.status_code, answer.content)
    return [(one["pointer"], one["code"]) for one in answer.json()["errors"]]


def test_twelve_spellings_of_a_phone_are_one_person() -> None:
    drive = builders.drive()
    answers = [Api().book(slot=str(builders.slot(drive, n).pk), phone=spelled) for n, spelled in enumerate(SPELLINGS)]
    assert [answer.status_code for answer in answers] == [201, 201] + [409] * 10
    assert {answer.json()["code"] for answer in answers[2:]} == {"too_many_holds"}


@pytest.mark.parametrize("phone", ["12", "phone", "+1 201 555", "555-0142-555-0142-555", "٠", "+", "☎️", "911", "-1"])
def test_nonsense_is_no_phone(phone: str) -> None:
    assert refused(Api().book(slot=slot(), phone=phone)) == [("#/phone", "phone_invalid")]


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("", [("#/name", "name_missing")]),
        ("   ", [("#/name", "name_missing")]),
        ("x" * 200, [("#/name", "name_too_long")]),
        ("x" * 201, [("#/name", "max_length")]),
        ("12345", [("#/name", "name_missing")]),
        ("Win at www.example.org", [("#/name", "name_has_link")]),
        ("A\x00na", [("#/name", "null_characters_not_allowed")]),
        (7, [("#/name", "invalid")]),
        (True, [("#/name", "invalid")]),
        (["Ana"], [("#/name", "invalid")]),
        ({"first": "Ana"}, [("#/name", "invalid")]),
        (None, [("#/name", "null")]),
    ],
)
def test_invalid_names_are_refused(name: Any, codes: list[tuple[str, str]]) -> None:
    assert refused(Api().book(slot=slot(), name=name)) == codes


@pytest.mark.parametrize("name", ["محمد علي", "Nguyễn Thị Ánh", "O’Brien-Smith Jr.", "陳大文", "x" * 120])
def test_names_of_every_script_are_names(name: str) -> None:
    assert Api().book(slot=slot(), name=name).status_code == 201


@pytest.mark.parametrize("email", ["ana", "ana@", "@example.org", "a b@example.org", "a@b", "ana@example.org\nBcc: x"])
def test_invalid_e_mail_addresses_are_refused(email: str) -> None:
    assert refused(Api().book(slot=slot(), phone="", email=email)) == [("#/email", "email_invalid")]


def test_a_person_without_phone_and_mailbox_is_refused() -> None:
    for nobody in ({"phone": ""}, {"phone": None}, {"phone": None, "email": None}, {"phone": "  "}):
        answer = Api().book(slot=slot(), **nobody)
        assert answer.status_code == 400
        assert {one["pointer"] for one in answer.json()["errors"]} <= {"#/phone", "#/email"}


@pytest.mark.parametrize(
    ("member", "value", "pointer"),
    [
        ("visit", "second", "#/visit"),
        ("visit", [], "#/visit"),
        ("visit", True, "#/visit"),
        ("slot", 7, "#/slot"),
        ("slot", -1, "#/slot"),
        ("slot", 10**400, "#/slot"),
        ("slot", None, "#/slot"),
        ("slot", "1e3", "#/slot"),
        ("slot", "9" * 400, "#/slot"),
        ("slot", "١٢", "#/slot"),
        ("consents", "reminders", "#/consents"),
        ("consents", {"reminders": True}, "#/consents"),
        ("consents", ["reminders", "everything"], "#/consents/1"),
        ("consents", [["reminders"]], "#/consents/0"),
        ("consents", ["reminders"] * 50, "#/consents"),
        ("self_check", [1], "#/self_check/0"),
        ("self_check", ["DROP TABLE"], "#/self_check"),
        ("self_check", ["x" * 50], "#/self_check/0"),
        ("language", "tlh", "#/language"),
        ("language", 7, "#/language"),
        ("email", 7, "#/email"),
        ("phone", 12015550142, "#/phone"),
        ("phone", "1" * 100, "#/phone"),
    ],
)
def test_a_member_that_cannot_be_is_named(member: str, value: Any, pointer: str) -> None:
    assert [where for where, _code in refused(Api().book(**{"slot": slot(), member: value}))] == [pointer]
    assert not Booking.objects.exists()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"null", 400),
        (b"[]", 400),
        (b'"slot"', 400),
        (b"7", 400),
        (b"{", 400),
        (b"{'slot': 1}", 400),
        (b'{"slot": NaN}', 400),
        (b'{"slot": Infinity}', 400),
        (b'{"visit": "\\ud800"}', 400),
        (b"\xff\xfe\x00", 400),
        (b'{"slot": ' + b"9" * 5000 + b"}", 400),
        (b"[" * 30_000, 400),
        (b'{"a":' * 12_000, 400),
        (b" " * 70_000, 413),
        (b"x" * 3_000_000, 413),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(body: bytes, status: int) -> None:
    answer = Api().post("bookings/", body, **{"Idempotency-Key": str(uuid.uuid4())})
    assert answer.status_code == status
    assert not Booking.objects.exists()


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain", "x"]
)
def test_other_formats_are_415(content_type: str) -> None:
    answer = Api().client.generic(
        "POST", "/api/v1/bookings/", b"slot=1", content_type, headers={"Idempotency-Key": str(uuid.uuid4())}
    )
    assert (answer.status_code, answer["Content-Type"]) == (415, "application/problem+json")


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*", "nonsense", ""])
def test_every_accept_header_gets_json(accept: str) -> None:
    assert Api(Accept=accept).get("drives/")["Content-Type"] == "application/json"


def fuzzed(examples: int) -> settings:
    """Build Hypothesis settings without a deadline. All examples of a test use the same database."""
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))


@fuzzed(250)
@given(
    body=st.fixed_dictionaries(
        {},
        optional={
            name: ANYTHING | st.sampled_from(["return", "first", "reminders", ["reminders"], "+12015550142", "Ana"])
            for name in ("slot", "visit", "name", "phone", "email", "language", "consents", "self_check", "x")
        },
    )
    | ANYTHING,
    real=st.booleans(),
)
def test_any_booking_body_is_answered_within_the_schema(body: Any, real: bool) -> None:
    if real and isinstance(body, dict):
        known = Slot.objects.first() or builders.slot(builders.drive())
        body = {"name": "Test Ana Alder", "phone": "+12015550142", "visit": "return", **body, "slot": str(known.pk)}
    answer = Api().post("bookings/", body, **{"Idempotency-Key": str(uuid.uuid4())})
    assert answer.status_code in {201, 400, 409, 429}


@fuzzed(60)
@given(raw=st.binary(max_size=60))
def test_any_bytes_are_answered_within_the_schema(raw: bytes) -> None:
    answer = Api().post("bookings/", raw, **{"Idempotency-Key": str(uuid.uuid4())})
    assert answer.status_code == 400


PUBLIC = sorted(
    (method.upper(), path.removeprefix("/api/v1/"))
    for path, methods in loaded()["paths"].items()
    for method, described in methods.items()
    if {} in described["security"]
)
PARAMETERS = ["from", "to", "city", "cursor", "visit", "status", "organization"]
WORDS = st.text(max_size=12) | st.sampled_from(["2027-03-13", "first", "published", "%00", "9" * 30, "../../x", "-1"])


@pytest.mark.parametrize(("method", "path"), PUBLIC)
def test_any_public_call_is_answered_within_the_schema(method: str, path: str) -> None:
    drive = builders.drive()
    token = builders.held(drive).token

    @fuzzed(40)
    @given(
        known=st.booleans(),
        named=WORDS,
        query=st.dictionaries(
            st.sampled_from(["from", "to", "city", "cursor", "visit", "status", "organization"]), WORDS
        ),
        body=ANYTHING,
    )
    def calls(known: bool, named: str, query: dict[str, str], body: Any) -> None:
        filled = path.replace("{token}", token if known else quote(named, safe=""))
        filled = filled.replace("{drive_id}", str(drive.pk) if known else quote(named, safe=""))
        parameters = "&".join(f"{name}={quote(value)}" for name, value in query.items())
        sent = json.dumps(body).encode() if method == "POST" else None
        answer = Api().send(method, f"{filled}?{parameters}", sent, **{"Idempotency-Key": str(uuid.uuid4())})
        assert answer.status_code < 500

    calls()
