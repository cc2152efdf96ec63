"""The data of Twilio's messages API: the message resource, its list in pages, and its errors.

Source: the public OpenAPI description, https://github.com/twilio/twilio-oai (twilio_api_v2010.json).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from notifications import message_content

VERSION = "2010-04-01"
MOST_CHARACTERS, LONGEST_VALIDITY = 1600, 36_000
PAGE, LARGEST_PAGE = 50, 1000
OUTBOUND, INBOUND = "outbound-api", "inbound"
_SENT = {"sent", "delivered", "undelivered", "read"}
_NUMBER, _SERVICE = re.compile(r"\+[1-9]\d{6,14}"), re.compile(r"MG[0-9a-fA-F]{32}")


@dataclass
class Kept:
    """A text that the fake Twilio accepted from us, or that it sent to us. `fields` are those of the request."""

    sid: str
    fields: dict[str, str]
    status: str = "queued"
    error_code: int | None = None
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    updated_at: datetime | None = None
    sent_at: datetime | None = None
    direction: str = OUTBOUND

    def becomes(self, status: str, error_code: int | None) -> None:
        self.status, self.error_code, self.updated_at = status, error_code, datetime.now(UTC)
        if status in _SENT:
            self.sent_at = self.sent_at or self.updated_at

    def shown(self, account: str) -> dict[str, Any]:
        """Return the message resource as JSON.

        A message of a messaging service has no sender, and no segments until it is sent.
        """
        uri = f"/{VERSION}/Accounts/{account}/Messages/{self.sid}"
        service, body = self.fields.get("MessagingServiceSid"), self.fields.get("Body", "")
        return {
            "account_sid": account,
            "api_version": VERSION,
            "body": body,
            "date_created": _stamp(self.created_at),
            "date_sent": _stamp(self.sent_at),
            "date_updated": _stamp(self.updated_at or self.created_at),
            "direction": self.direction,
            "error_code": self.error_code,
            "error_message": None,
            "from": self.fields.get("From"),
            "messaging_service_sid": service,
            "num_media": "0",
            "num_segments": "0" if service and not self.sent_at else str(message_content.count_segments(body)),
            "price": None,
            "price_unit": "USD",
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": self.fields.get("To"),
            "uri": f"{uri}.json",
        }


@dataclass(frozen=True)
class Refused:
    """An error of the API as JSON."""

    code: int
    message: str
    status: int = 400

    @property
    def shown(self) -> dict[str, Any]:
        more = f"https://www.twilio.com/docs/errors/{self.code}"
        return {"code": self.code, "message": self.message, "more_info": more, "status": self.status}


NOT_FOUND = Refused(20404, "The requested resource was not found", 404)
NOT_ALLOWED = Refused(20004, "Method not allowed", 405)
NOT_YOU = Refused(20003, "Authenticate", 401)


def refusal(fields: Mapping[str, str]) -> Refused | None:
    """Return why a message with these fields is refused, or None."""
    to, number, service = (fields.get(name, "") for name in ("To", "From", "MessagingServiceSid"))
    callback = fields.get("StatusCallback")
    wrong = {
        Refused(21604, "A 'To' phone number is required."): not to,
        Refused(21211, "Invalid 'To' Phone Number"): not _NUMBER.fullmatch(to),
        Refused(21603, "A 'From' phone number is required."): not number and not service,
        Refused(21212, "Invalid From Number"): bool(number) and not _NUMBER.fullmatch(number),
        Refused(21701, "The Messaging Service does not exist"): bool(service) and not _SERVICE.fullmatch(service),
        Refused(21602, "Message body is required."): not fields.get("Body"),
        Refused(21617, "The message body exceeds 1600 characters."): len(fields.get("Body", "")) > MOST_CHARACTERS,
        Refused(21609, "Invalid StatusCallback URL"): callback is not None and not _is_address(callback),
        Refused(20001, "Invalid ValidityPeriod"): not _is_period(fields.get("ValidityPeriod", "36000")),
    }
    return next((refused for refused, is_so in wrong.items() if is_so), None)


def listed(kept: Sequence[Kept], account: str, asked: Mapping[str, str]) -> dict[str, Any]:
    """Return one page of the list with these filters, newest first, and links to the other pages."""
    found = [one for one in reversed(kept) if _is_wanted(one, asked)]
    size = min(max(int(asked.get("PageSize", PAGE)), 1), LARGEST_PAGE)
    page = int(asked.get("Page", 0))
    shown = found[page * size : (page + 1) * size]

    def uri(number: int) -> str:
        query = {name: value for name, value in asked.items() if name not in {"Page", "PageSize", "PageToken"}}
        query |= {"PageSize": str(size), "Page": str(number)} | ({"PageToken": f"PA{number}"} if number else {})
        return f"/{VERSION}/Accounts/{account}/Messages.json?{urlencode(query)}"

    return {
        "messages": [one.shown(account) for one in shown],
        "page": page,
        "page_size": size,
        "start": page * size,
        "end": page * size + max(len(shown) - 1, 0),
        "uri": uri(page),
        "first_page_uri": uri(0),
        "previous_page_uri": uri(page - 1) if page else None,
        "next_page_uri": uri(page + 1) if len(found) > (page + 1) * size else None,
    }


def _is_wanted(one: Kept, asked: Mapping[str, str]) -> bool:
    """Return whether a message matches the filters by number and day (GMT). A queued message has no day."""
    if any(name in asked and one.fields.get(name) != asked[name] for name in ("To", "From")):
        return False
    days = {sign: asked[f"DateSent{sign}"][:10] for sign in ("", "<", ">") if f"DateSent{sign}" in asked}
    day = f"{one.sent_at:%Y-%m-%d}" if one.sent_at else ""
    fits = {"": day == days.get(""), "<": day <= days.get("<", ""), ">": day >= days.get(">", "")}
    return all(day and fits[sign] for sign in days)


def _is_address(text: str) -> bool:
    parts = urlsplit(text)
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def _is_period(text: str) -> bool:
    return text.isdecimal() and 1 <= int(text) <= LONGEST_VALIDITY


def _stamp(at: datetime | None) -> str | None:
    """Format the time as RFC 2822 in GMT."""
    return format_datetime(at.astimezone(UTC)) if at else None
