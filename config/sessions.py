"""Sessions that ignore malformed cookies."""

import re

from django.conf import settings
from django.contrib.sessions import middleware
from django.http import HttpRequest

_SESSION_KEY_PATTERN = re.compile(r"[a-z0-9]{32}")


class SessionMiddleware(middleware.SessionMiddleware):
    """Ignores cookies that cannot be a session key.

    A cookie with a NUL character would cause a 500, because PostgreSQL refuses NUL.
    """

    def process_request(self, request: HttpRequest) -> None:
        if not _SESSION_KEY_PATTERN.fullmatch(request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")):
            request.COOKIES.pop(settings.SESSION_COOKIE_NAME, None)
        super().process_request(request)
