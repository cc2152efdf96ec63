"""Refuse NUL characters, which PostgreSQL cannot store."""

from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

# The API names the field that it refuses. The webhooks drop the character, because a donor's text must not be lost.
UNCHECKED_PATHS = ("/api/", "/webhooks/")


class NulCharacterMiddleware:
    """Responds with 400 to a NUL character in the path, the query string or the form of a page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(UNCHECKED_PATHS) and _has_nul(request):
            raise BadRequest("NUL character")
        return self.get_response(request)


def _has_nul(request: HttpRequest) -> bool:
    return "\x00" in request.path or "%00" in request.META["QUERY_STRING"] or "%00" in request.POST.urlencode()
