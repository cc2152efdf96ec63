"""Who stands behind a donor's request: their network address and the browser's own cookie."""

import re
import secrets

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from organizations.models import linked

# With the prefix, no neighbouring host and no page without TLS can plant a token of its own here.
COOKIE = "__Host-browser" if settings.SECURE else "browser"
COOKIE_AGE = 30 * 24 * 60 * 60
_TOKEN = re.compile(r"[\w-]{43}")


def ip_of(request: HttpRequest) -> str | None:
    """The visitor's address; behind a proxy, what the proxy saw (`config.proxy`)."""
    return request.META.get("REMOTE_ADDR") or None


def browser_of(request: HttpRequest) -> str:
    """The browser's token; empty while it has none, or one that we did not make."""
    token = request.COOKIES.get(COOKIE, "")
    return token if _TOKEN.fullmatch(token) else ""


def browser_or_new(request: HttpRequest) -> str:
    return browser_of(request) or secrets.token_urlsafe(32)


def bound_to(browser: str) -> str:
    """What a code is bound to: it counts in the browser that asked for it."""
    return linked.token_digest(browser)


def remember(response: HttpResponse, browser: str) -> None:
    """Give the browser its token for another 30 days."""
    response.set_cookie(COOKIE, browser, max_age=COOKIE_AGE, httponly=True, samesite="Lax", secure=settings.SECURE)


def forget(response: HttpResponse) -> None:
    """Take its token from the browser."""
    response.set_cookie(COOKIE, max_age=0, httponly=True, samesite="Lax", secure=settings.SECURE)
