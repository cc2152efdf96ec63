"""Render a public page at most once a second, and share it among visitors without personal cookies."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import cache_page
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import conditional_page

from drives.web.share_cookie import SHARE_COOKIE

View = Callable[..., HttpResponse]

SHARED_SECONDS: Final = 1
# Public pages do not depend on these cookies. The cache's key contains the language, and the pages have no CSRF token.
_IMPERSONAL_COOKIES: Final = frozenset({settings.LANGUAGE_COOKIE_NAME, settings.CSRF_COOKIE_NAME, SHARE_COOKIE})


def share_page(view: View) -> View:
    """Share a page among visitors without personal cookies. Respond with 304 if the client already has the page.

    The cache key is the URL with its query, and the language. A cached page expires after a second, so no code has to
    delete it. For a visitor with a personal cookie, the page is rendered anew.

    `csrf_protect` is a safeguard. If a page contained a CSRF token, the response would set a cookie, and `cache_page`
    does not store such a response.
    """
    view_for_all = cache_page(SHARED_SECONDS, cache="pages")(csrf_protect(view))

    @conditional_page
    @wraps(view)
    def show_page(request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        is_personal = bool(request.COOKIES.keys() - _IMPERSONAL_COOKIES)
        response = view(request, *args, **options) if is_personal else view_for_all(request, *args, **options)
        # Without this header, clients could show a page for longer than a second.
        response.headers["Cache-Control"] = "private, no-cache" if is_personal else "no-cache"
        response.headers.pop("Expires", None)
        patch_vary_headers(response, ["Cookie"])
        return response

    return show_page
