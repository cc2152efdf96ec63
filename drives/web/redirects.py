from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

KeyView = Callable[[HttpRequest, str], HttpResponse]


def redirect_after_post(name: str, *args: object, query: str = "", fragment: str = "") -> HttpResponse:
    """Redirect with 303 See Other, so that a reload does not post again."""
    response = redirect(name, *args)
    response.status_code = 303
    if query:
        response["Location"] += f"?{query}"
    if fragment:
        response["Location"] += f"#{fragment}"
    return response


def build_page_query(request: HttpRequest) -> str:
    """Return the query that leads back to the same page of a list."""
    number = request.GET.get("page", "")
    return f"page={number}" if number.isascii() and number.isdigit() else ""


def require_post_or_redirect(name: str) -> Callable[[KeyView], KeyView]:
    """Decorate a view that requires a POST.

    Other requests, such as a reload, are redirected to the named page.
    """

    def decorate(view: KeyView) -> KeyView:
        @wraps(view)
        def guarded(request: HttpRequest, key: str) -> HttpResponse:
            return view(request, key) if request.method == "POST" else redirect_after_post(name, key)

        return guarded

    return decorate
