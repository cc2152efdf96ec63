"""The content of log lines, and the personal data that they must not contain."""

import json
import logging
import sys

import pytest
from django.test import Client, RequestFactory

from config import logs

LINK = "/b/Zm9vYmFyYmF6MTIzNDU2Nzg5MEFCQ0RFRkdISUpLTE1OT1A/"


def line(message: str, *args: object, **extra: object) -> dict[str, object]:
    record = logging.LogRecord("drives", logging.INFO, __file__, 1, message, args, None)
    record.__dict__.update(extra)
    entry: dict[str, object] = json.loads(logs.JsonFormatter().format(record))
    return entry


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("told ana.ruiz+x@example.org", "told [e-mail]"),
        ("sent to +13105550123", "sent to [phone]"),
        ("sent to +1 (310) 555-0123 twice", "sent to [phone] twice"),
        ("sent to (310) 555-0123", "sent to [phone]"),
        ("sent to 310.555.0123.", "sent to [phone]."),
        ("Key (address)=(3105550123) exists", "Key (address)=([phone]) exists"),
        (f"opened {LINK}", "opened /b/[token]/"),
        ("booking:42 took 1234567 ms on 2026-11-21", "booking:42 took 1234567 ms on 2026-11-21"),
        ("one_active_booking_per_volunteer_and_drive", "one_active_booking_per_volunteer_and_drive"),
        ("5f0c6ee2-6df1-4a4b-9f10-0a3c8f1f7c55", "5f0c6ee2-6df1-4a4b-9f10-0a3c8f1f7c55"),
    ],
)
def test_a_log_line_masks_what_looks_like_a_contact_or_a_token(said: str, kept: str) -> None:
    assert line("%s", said)["message"] == kept
    assert line("x", fields={"note": said})["note"] == kept


def test_an_exception_is_masked_too() -> None:
    try:
        raise ValueError("no such number: +13105550123")
    except ValueError:
        record = logging.LogRecord("drives", logging.ERROR, __file__, 1, "failed", (), sys.exc_info())
    entry = json.loads(logs.JsonFormatter().format(record))
    assert entry["exception"].endswith("ValueError: no such number: [phone]")


def test_djangos_own_line_about_a_failed_request_has_no_path() -> None:
    request = RequestFactory().get(LINK)
    assert line("%s: %s", "Not Found", LINK, request=request)["message"] == "Not Found: (no route)"


@pytest.mark.parametrize(
    ("offered", "taken"),
    [("trace-1234.abc", True), ("short", False), ("a b c d e f g", False), ("x" * 65, False), ("13105550123", False)],
)
def test_a_request_id_is_taken_over_only_when_it_is_harmless(client: Client, offered: str, taken: bool) -> None:
    answered = client.get("/healthz", headers={"X-Request-ID": offered})["X-Request-ID"]
    assert (answered == offered) is taken
    assert len(answered) >= 8


def test_a_request_is_one_line_with_its_route(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "drives.requests")
    response = client.get("/healthz?phone=%2B13105550123")
    (record,) = [record for record in caplog.records if record.name == "drives.requests"]
    fields = record.__dict__["fields"]
    assert fields.pop("ms") >= 0
    assert fields == {"method": "GET", "route": "/healthz", "status": 200}
    assert response.status_code == 200
