"""The keys a browser was given: on its first visit a link's token becomes a cookie, and the address a clean one.

A token in an address is read by whoever sees the address: in the history, over a shoulder, in a shared screenshot. The
cookie holds what the link held; the clean address opens nothing without it.
"""

import re
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from drives.web.visitor import COOKIE_AGE_SECONDS

TOKEN_PATTERN: Final = re.compile(r"[\w-]{22}", re.ASCII)
MAX_TOKENS: Final = 12  # the oldest keys go first
COOKIE_CHECK_PARAMETER: Final = "cookie"  # in an address: this browser was given the key and asked to come back with it


@dataclass(frozen=True)
class LinkCookie:
    """A cookie that holds the tokens of links of one kind, the newest last; sent to their addresses only."""

    cookie: str
    path: str

    def tokens(self, request: HttpRequest) -> list[str]:
        """The tokens this browser holds."""
        return [token for token in request.COOKIES.get(self.cookie, "").split(".") if TOKEN_PATTERN.fullmatch(token)]

    def add(self, response: HttpResponse, request: HttpRequest, *tokens: str) -> None:
        """Give the browser more keys, and all of them another 30 days."""
        kept = [*(one for one in self.tokens(request) if one not in tokens), *tokens][-MAX_TOKENS:]
        response.set_cookie(
            self.cookie,
            ".".join(kept),
            max_age=COOKIE_AGE_SECONDS,
            path=self.path,
            httponly=True,
            samesite="Lax",
            secure=settings.SECURE,
        )

    def drop(self, response: HttpResponse) -> None:
        """Take all keys from the browser."""
        response.delete_cookie(self.cookie, path=self.path, samesite="Lax")


BOOKINGS: Final = LinkCookie("bookings", "/b/")
WAITLIST: Final = LinkCookie("waiting", "/w/")
OFFERS: Final = LinkCookie("offers", "/offer/")


def exchange_token(link_cookie: LinkCookie, request: HttpRequest, token: str, clean_url: str) -> HttpResponse | None:
    """The answer to a visit by a link whose token is good: its key as a cookie, then the clean address.

    None for a browser that keeps no cookies: its page stands at the link's own address.
    """
    query = request.GET.copy()
    has_come_back = query.pop(COOKIE_CHECK_PARAMETER, None) is not None
    if token in link_cookie.tokens(request):
        return redirect(f"{clean_url}?{query.urlencode()}".rstrip("?"))
    if has_come_back:
        return None
    query[COOKIE_CHECK_PARAMETER] = "1"
    response = redirect(f"{request.path}?{query.urlencode()}")
    link_cookie.add(response, request, token)
    return response
