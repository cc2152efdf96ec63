"""Refuse NUL characters, which PostgreSQL cannot store."""

from collections.abc import Callable, Iterator

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, QueryDict


class NulCharacterMiddleware:
    """Responds with 400 to a NUL character in the path, the query string or the form of a page.

    Views without CSRF protection are left out: The API names the field that it refuses, and the webhooks drop the
    character, because a donor's text must not be lost.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., HttpResponse], *_arguments: object) -> None:
        if getattr(view, "csrf_exempt", False):
            return
        texts = [request.path, *_list_texts(request.GET), *_list_texts(request.POST)]
        if any("\x00" in text for text in texts):
            raise BadRequest("NUL character")


def _list_texts(query: QueryDict) -> Iterator[str]:
    for name, values in query.lists():
        yield name
        yield from map(str, values)
