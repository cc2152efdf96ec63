"""Examples of the most important calls, for the OpenAPI document."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

_STARTS_AT = "2026-12-05T10:20:00-08:00"
_MANAGE_URL = "https://drives.example.org/b/nTg5dRb0m2Yv7cQx1LwZ3A/"
_BOOKING = {
    "id": "4021",
    "reference": "K7M4QX",
    "state": "held",
    "held_until": "2026-12-01T18:15:00-08:00",
    "visit": "first",
    "drive": "7",
    "slot": "118",
    "starts_at": _STARTS_AT,
    "timezone": "America/Los_Angeles",
    "manage_url": _MANAGE_URL,
    "calendar_url": f"{_MANAGE_URL}calendar.ics",
    "token": "nTg5dRb0m2Yv7cQx1LwZ3A",
}
_VERIFIED = {**_BOOKING, "state": "booked", "held_until": None}
_PROBLEM = {"type": "about:blank", "title": "Conflict", "status": 409}
_ENTRY = {
    "id": "311",
    "state": "held",
    "held_until": "2026-12-01T18:15:00-08:00",
    "position": 0,
    "visit": "return",
    "drive": "7",
    "window": {"from": "2026-12-05T09:00:00-08:00", "to": "2026-12-05T12:00:00-08:00"},
    "timezone": "America/Los_Angeles",
    "offer": None,
    "url": "https://drives.example.org/w/pQ8sVt4KjY6uWe2RfHn5Dg/",
    "token": "pQ8sVt4KjY6uWe2RfHn5Dg",
}


def _build_request(name: str, value: dict[str, Any]) -> OpenApiExample:
    return OpenApiExample(name, value=value, request_only=True)


def _build_response(name: str, value: dict[str, Any], status: int = 200) -> OpenApiExample:
    return OpenApiExample(name, value=value, response_only=True, status_codes=[str(status)])


def _build_refusal(name: str, code: str, detail: str, alternatives: list[dict[str, Any]]) -> OpenApiExample:
    value = {
        **_PROBLEM,
        "code": code,
        "detail": detail,
        "reasons": [{"code": code, "detail": detail}],
        "alternatives": alternatives,
    }
    return OpenApiExample(
        name, value=value, response_only=True, status_codes=["409"], media_type="application/problem+json"
    )


CREATE_BOOKING = (
    _build_request(
        "A first visit",
        {
            "slot": "118",
            "visit": "first",
            "name": "Ana Alder",
            "phone": "(213) 555-0142",
            "consents": ["reminders"],
            "self_check": ["will_ask"],
        },
    ),
    _build_response("The held slot", _BOOKING, 201),
    _build_refusal(
        "The slot is full",
        "slot_full",
        "This time is full.",
        [
            {
                "id": "119",
                "starts_at": "2026-12-05T10:40:00-08:00",
                "local_time": "Saturday, December 5, 10:40 AM",
                "timezone": "America/Los_Angeles",
                "spots_left": 2,
            }
        ],
    ),
)
VERIFY_BOOKING = (
    _build_request("The code from the text message", {"code": "482913"}),
    _build_response("The booking", _VERIFIED),
)
MOVE_BOOKING = (
    _build_request("Another slot", {"slot": "119"}),
    _build_response("The moved booking", {**_VERIFIED, "slot": "119", "starts_at": "2026-12-05T10:40:00-08:00"}),
)
JOIN_WAITLIST = (
    _build_request(
        "Any time in the morning",
        {
            "visit": "return",
            "name": "Ana Alder",
            "email": "ana@example.org",
            "consents": ["reminders"],
            "from": "2026-12-05T09:00:00-08:00",
            "to": "2026-12-05T12:00:00-08:00",
        },
    ),
    _build_response("The entry, not verified yet", _ENTRY, 201),
)
CHECK_IN = (
    _build_request("No rule to override", {}),
    _build_response(
        "The donor is checked in",
        {
            "id": "4021",
            "volunteer": "902",
            "reference": "K7M4QX",
            "state": "checked_in",
            "source": "api",
            "visit": "first",
            "drive": "7",
            "slot": "118",
            "starts_at": _STARTS_AT,
            "timezone": "America/Los_Angeles",
            "name": "Ana Alder",
            "phone": "+12135550142",
            "email": None,
            "checked_in_at": "2026-12-05T10:12:00-08:00",
            "outcome_at": None,
            "override_reason": "",
        },
    ),
)
