"""All routes of the service, and an organization with rows for the routes to show."""

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from drives.models import Drive
from organizations.models import Organization, User
from tests import builders


def walk(patterns: Iterable[Any], prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for each in patterns:
        route = f"{prefix}{each.pattern}"
        if isinstance(each, URLResolver):
            yield from walk(each.url_patterns, route)
        else:
            yield route, each


ROUTES = list(walk(get_resolver().url_patterns))


class World:
    """Ben's organization with Ana's booking and a waitlist entry, and values for the arguments of the routes."""

    def __init__(self, **details: Any) -> None:
        ben = builders.member(builders.organization())
        self.user: User = ben.user
        self.organization: Organization = ben.organization
        self.drive: Drive = builders.drive(self.organization)
        booking = builders.booked(self.drive, **details)
        full = builders.full_drive(of=self.organization, policy_id=builders.lax().pk)[0].drive
        entry = builders.waits(full, number=91)
        self.numbers = {
            "booking_id": booking.pk,
            "drive_id": self.drive.pk,
            "id": booking.pk,
            "pk": booking.volunteer_id,
        }
        self.keys = {"b": booking.token, "w": entry.token, "o": self.organization.slug}

    def client(self) -> Client:
        client = Client(raise_request_exception=False)
        client.force_login(self.user)
        return client

    def fill(self, route: str, text: str = "") -> str:
        """Return the path of a route with its arguments filled in. `text`, if given, replaces each text argument."""
        key = self.keys.get(route.partition("/")[0], self.drive.slug)

        def value(match: re.Match[str]) -> str:
            converter, name = match["converter"] or "str", match["name"]
            if converter in {"int", "id"}:
                return str(self.numbers.get(name, self.drive.pk))
            return quote(text.encode(errors="surrogatepass")) if text else key

        plain = re.sub(r"<(?:(?P<converter>\w+):)?(?P<name>\w+)>", value, route)
        return "/" + re.sub(r"\(\?P<\w+>[^)]*\)+", quote(text.encode(errors="surrogatepass")) or "1", plain).strip("^$")
