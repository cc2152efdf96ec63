"""Behind a proxy the connection is the proxy's: who asked stands in its header."""

from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address

from django.http import HttpRequest, HttpResponse


class ClientAddressMiddleware:
    """Puts the visitor's address, as our own proxy saw it, where everything looks for it.

    Used only with BEHIND_PROXY=on. The last entry of X-Forwarded-For is the proxy's own word; those before it are
    whatever the visitor sent.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        seen = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
        with suppress(ValueError):
            request.META["REMOTE_ADDR"] = str(ip_address(seen))
        return self.get_response(request)
