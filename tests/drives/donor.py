"""Steps that a donor takes in a browser, for several test files."""

import re
from http.cookies import SimpleCookie
from typing import Any

from django.test import Client
from django.urls import reverse

from drives.models import Booking, Drive
from tests import builders

PHONE = "(201) 555-0142"  # the 42nd of the reserved numbers, as people type it


def text(response: Any) -> str:
    """Return the page's text without markup, with single spaces between words."""
    words = re.sub(r"<(script|style|title)\b.*?</\1>|<[^>]+>", " ", response.content.decode(), flags=re.DOTALL)
    return " ".join(words.replace("\N{NO-BREAK SPACE}", " ").replace("&#x27;", "'").split())


def title(response: Any) -> str:
    found = re.search(r"<title>(.*?)</title>", response.content.decode(), re.DOTALL)
    return " ".join(found[1].split()) if found else ""


def details(drive: Drive, n: int = 0, **changes: Any) -> dict[str, Any]:
    """Return the form "Your details" as Ana submits it."""
    typed = {"name": "Test Ana Alder", "phone": PHONE, "email": "", "visit": "return", "reminders": "on"}
    return {**typed, "slot": builders.slot(drive, n).pk, **changes}


def keep(client: Client, drive: Drive, n: int = 0, **changes: Any) -> Any:
    """Submit the details. The response redirects to the held booking, or shows the form again with errors."""
    return client.post(reverse("book", args=[drive.slug]), details(drive, n, **changes))


def kept(client: Client, drive: Drive, n: int = 0, **changes: Any) -> Booking:
    """Submit the details, and return the held booking."""
    response = keep(client, drive, n, **changes)
    assert response.status_code == 303, text(response)
    return Booking.objects.get(reference=response.headers["Location"].split("/")[2])


def prove(client: Client, booking: Booking, code: str | None = None) -> Any:
    """Submit the code that was sent, or the code in `code`."""
    typed = builders.code_of(booking) if code is None else code
    return client.post(reverse("booking_verify", args=[booking.token]), {"code": typed})


def booked(client: Client, drive: Drive, n: int = 0, **changes: Any) -> Booking:
    """Hold and verify a booking through the pages."""
    booking = kept(client, drive, n, **changes)
    response = prove(client, booking)
    assert response.status_code == 303, text(response)
    booking.refresh_from_db()
    return booking


class PathClient(Client):
    """A client that sends a cookie only to addresses under its path, as browsers do. Django's client sends all."""

    def request(self, **request: Any) -> Any:
        all_cookies, path = self.cookies, request["PATH_INFO"]
        self.cookies = SimpleCookie()
        for name, cookie in all_cookies.items():
            if path.startswith(cookie["path"] or "/"):
                self.cookies[name] = cookie
        try:
            response = super().request(**request)
        finally:
            all_cookies.update(self.cookies)
            self.cookies = all_cookies
        return response
