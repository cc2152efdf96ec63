"""NUL, other control characters and half a surrogate pair never cause a 500, in any part of a request."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import get_resolver, path

from drives.models import Drive
from tests.builders import NOW
from tests.routes import ROUTES, World

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]

NUL = "a\x00b"
OTHERS = "\x01\x1f\x7f\x85\ud800"
FORM = "application/x-www-form-urlencoded"
FIELDS = ["q", "to", "name", "phone", "email", "code", "text", "next", "slot", "login", "password", "state", "visit"]
HEADERS = ["Accept-Language", "Authorization", "HX-Current-URL", "Idempotency-Key", "If-Match", "X-Request-ID"]
COOKIES = ["bookings", "browser", "csrftoken", "django_language", "messages", "offers", "sessionid", "waiting"]
# Readiness is 503 here, because no worker runs. The admin pages of all models work alike, so one model is enough.
LEFT_OUT = re.compile(r"readyz|admin/(?:volunteers|notifications|organizations/(?!user/))")


def encode(text: str) -> str:
    return "&".join(f"{name}={quote_text(text)}" for name in FIELDS)


def quote_text(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode(errors="surrogatepass"))


def send(client: Client, method: str, address: str, **options: Any) -> Iterator[str]:
    """Send a request and roll back its changes. If the status is 500 or higher, yield the request with the status."""
    with transaction.atomic():
        response = client.generic(method, address, **options)
        transaction.set_rollback(True)
    if response.status_code >= 500:
        yield f"{method} {address} {options}: {response.status_code}"


def list_failures(world: World, routes: Iterable[str], text: str) -> list[str]:
    """Return the requests with this text in the path, the query string, the form or the JSON that cause a 500."""
    client = world.client()
    found: list[str] = []
    for route in routes:
        address = world.fill(route)
        if (bad_path := world.fill(route, text)) != address:
            found += send(client, "GET", bad_path)
        found += send(client, "GET", f"{address}?{encode(text)}")
        if route.startswith("api/"):
            body = json.dumps(dict.fromkeys(FIELDS, text))
            for method in ("POST", "PATCH"):
                found += send(client, method, address, data=body, content_type="application/json")
        else:
            found += send(client, "POST", address, data=encode(text), content_type=FORM)
    return found


@pytest.mark.parametrize("text", [NUL, OTHERS], ids=["NUL", "others"])
def test_no_part_of_an_address_or_a_body_causes_a_500(text: str, settings: Any) -> None:
    settings.DEMO = True
    routes = [route for route, _pattern in ROUTES if not LEFT_OUT.match(route)]
    assert len(routes) > 250
    assert list_failures(World(), routes, text) == []


@pytest.mark.parametrize("text", [NUL, "\x01\x1f\x7f\xed\xa0\x80"], ids=["NUL", "others"])
def test_no_header_and_no_cookie_causes_a_500(text: str) -> None:
    world = World()
    found: list[str] = []
    member, visitor = world.client(), Client(raise_request_exception=False)
    for name in COOKIES:
        visitor.cookies[name] = text
    for address in ("/", "/find/", "/me/", "/organizer/", "/organizer/unsaved/", "/accounts/login/"):
        found += send(visitor, "GET", address)
        found += send(member, "GET", address, headers=dict.fromkeys(HEADERS, text))
    for name in HEADERS:  # each alone, because the API may refuse the first
        found += send(member, "GET", "/api/v1/drives/", headers={name: text})
    assert found == []


@pytest.mark.expects_errors
def test_control_a_view_that_looks_up_a_header_is_caught() -> None:
    def look_up(request: HttpRequest) -> HttpResponse:
        return HttpResponse(Drive.objects.filter(slug=request.headers.get("If-Match", "")).count())

    urls = type("Urls", (), {"urlpatterns": [path("seeded/", look_up), *get_resolver().url_patterns]})
    client = Client(raise_request_exception=False)
    with override_settings(ROOT_URLCONF=urls):
        assert list(send(client, "GET", "/seeded/", headers={"If-Match": NUL})) != []
        assert list(send(client, "GET", "/seeded/", headers={"If-Match": "a"})) == []


@pytest.mark.expects_errors
def test_control_without_the_middleware_the_walk_finds_the_demo_inbox(settings: Any) -> None:
    settings.DEMO = True
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "nul_characters" not in name]
    assert [failure[:18] for failure in list_failures(World(), ["demo/inbox/"], NUL)] == ["GET /demo/inbox/?q"]
