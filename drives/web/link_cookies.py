"""Move a link's token from the URL to a cookie, and redirect.

A token in a URL is visible in the browser's history and in screenshots. The new URL alone gives no access.
"""

import re
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from drives.web.visitor import COOKIE_AGE_SECONDS

TOKEN_PATTERN: Final = re.compile(r"[\w-]{22}", re.ASCII)
MAX_TOKENS: Final = 12  # the oldest tokens are dropped first
COOKIE_CHECK_PARAMETER: Final = "cookie"  # in the URL during the check whether the browser keeps the cookie


@dataclass(frozen=True)
class LinkCookie:
    """A cookie with the tokens of one kind of link, oldest first. Browsers send it only to URLs under `path`."""

    cookie: str
    path: str

    def read_tokens(self, request: HttpRequest) -> list[str]:
        return [token for token in request.COOKIES.get(self.cookie, "").split(".") if TOKEN_PATTERN.fullmatch(token)]

    def add_tokens(self, response: HttpResponse, request: HttpRequest, *tokens: str) -> None:
        all_tokens = [*(token for token in self.read_tokens(request) if token not in tokens), *tokens][-MAX_TOKENS:]
        response.set_cookie(
            self.cookie,
            ".".join(all_tokens),
            max_age=COOKIE_AGE_SECONDS,
            path=self.path,
            httponly=True,
            samesite="Lax",
            secure=settings.SECURE,
        )

    def delete_cookie(self, response: HttpResponse) -> None:
        response.delete_cookie(self.cookie, path=self.path, samesite="Lax")


# Browsers send this cookie to all pages, because the booking form under `/d/` needs it, too.
BOOKINGS: Final = LinkCookie("bookings", "/")
WAITLIST: Final = LinkCookie("waitlist", "/w/")
OFFERS: Final = LinkCookie("offers", "/offer/")


def exchange_token(link_cookie: LinkCookie, request: HttpRequest, token: str, clean_url: str) -> HttpResponse | None:
    """Save a link's token in the cookie, and redirect to the clean URL.

    A first redirect checks that the browser keeps the cookie. If not, return None, so that the caller shows the page at
    the link's own URL.
    """
    query = request.GET.copy()
    has_come_back = query.pop(COOKIE_CHECK_PARAMETER, None) is not None
    if token in link_cookie.read_tokens(request):
        return redirect(f"{clean_url}?{query.urlencode()}".rstrip("?"))
    if has_come_back:
        return None
    query[COOKIE_CHECK_PARAMETER] = "1"
    response = redirect(f"{request.path}?{query.urlencode()}")
    link_cookie.add_tokens(response, request, token)
    return response
