"""The visitor's IP address, and the cookie that identifies the browser."""

import re
import secrets

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from organizations.models import linked_model

# With the __Host- prefix, no sibling domain and no page without TLS can set this cookie.
BROWSER_COOKIE = "__Host-browser" if settings.SECURE else "browser"
COOKIE_AGE_SECONDS = 30 * 24 * 60 * 60
_TOKEN_PATTERN = re.compile(r"[\w-]{43}")


def find_ip_address(request: HttpRequest) -> str | None:
    """Return the client's IP address. Behind a proxy, `config.client_address` writes it to REMOTE_ADDR."""
    return request.META.get("REMOTE_ADDR") or None


def read_browser_token(request: HttpRequest) -> str:
    token = request.COOKIES.get(BROWSER_COOKIE, "")
    return token if _TOKEN_PATTERN.fullmatch(token) else ""


def read_or_create_browser_token(request: HttpRequest) -> str:
    return read_browser_token(request) or secrets.token_urlsafe(32)


def compute_browser_digest(browser: str) -> str:
    """Hash the browser's token. Codes are bound to this hash, so that they work only in this browser."""
    return linked_model.hash_token(browser)


def set_browser_cookie(response: HttpResponse, browser: str) -> None:
    response.set_cookie(
        BROWSER_COOKIE, browser, max_age=COOKIE_AGE_SECONDS, httponly=True, samesite="Lax", secure=settings.SECURE
    )


def delete_browser_cookie(response: HttpResponse) -> None:
    response.set_cookie(BROWSER_COOKIE, max_age=0, httponly=True, samesite="Lax", secure=settings.SECURE)
