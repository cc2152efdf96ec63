"""Redirects after a form was sent."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

View = Callable[[HttpRequest, str], HttpResponse]


def see_other(name: str, *args: object, query: str = "", fragment: str = "") -> HttpResponse:
    """Redirect with 303 See Other: a reload after it sends nothing twice."""
    response = redirect(name, *args)
    response.status_code = 303
    if query:
        response["Location"] += f"?{query}"
    if fragment:
        response["Location"] += f"#{fragment}"
    return response


def posts_only(name: str) -> Callable[[View], View]:
    """For addresses that only act: a GET (a reload, a change of language) shows the named page instead."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, key: str) -> HttpResponse:
            return view(request, key) if request.method == "POST" else see_other(name, key)

        return guarded

    return decorate
