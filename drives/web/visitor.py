"""Who stands behind a donor's request: their network address and the browser's own cookie."""

import re
import secrets

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from organizations.models import linked_model

# With the prefix, no neighbouring host and no page without TLS can plant a token of its own here.
BROWSER_COOKIE = "__Host-browser" if settings.SECURE else "browser"
COOKIE_AGE_SECONDS = 30 * 24 * 60 * 60
_TOKEN_PATTERN = re.compile(r"[\w-]{43}")


def find_ip_address(request: HttpRequest) -> str | None:
    """The visitor's address; behind a proxy, what the proxy saw (`config.client_address`)."""
    return request.META.get("REMOTE_ADDR") or None


def read_browser_token(request: HttpRequest) -> str:
    """The browser's token; empty while it has none, or one that we did not make."""
    token = request.COOKIES.get(BROWSER_COOKIE, "")
    return token if _TOKEN_PATTERN.fullmatch(token) else ""


def read_or_create_browser_token(request: HttpRequest) -> str:
    return read_browser_token(request) or secrets.token_urlsafe(32)


def compute_browser_digest(browser: str) -> str:
    """What a code is bound to: it counts in the browser that asked for it."""
    return linked_model.hash_token(browser)


def set_browser_cookie(response: HttpResponse, browser: str) -> None:
    """Give the browser its token for another 30 days."""
    response.set_cookie(
        BROWSER_COOKIE, browser, max_age=COOKIE_AGE_SECONDS, httponly=True, samesite="Lax", secure=settings.SECURE
    )


def delete_browser_cookie(response: HttpResponse) -> None:
    """Take its token from the browser."""
    response.set_cookie(BROWSER_COOKIE, max_age=0, httponly=True, samesite="Lax", secure=settings.SECURE)
