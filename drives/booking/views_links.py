"""What a booking's address opens, and ways back to it."""

from collections.abc import Callable
from functools import wraps

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from drives.booking import queries
from drives.booking.queries import BookingPage
from drives.web import keys, visitor

DONOR = "donor"
View = Callable[[HttpRequest, str], HttpResponse]


def page_or_404(request: HttpRequest, key: str) -> BookingPage:
    """The booking's page, or the error page that says where lost links are found again.

    `key` is the link's token, or the booking's reference in a browser that was given the token or proved the contact.
    """
    now = timezone.now()
    if keys.TOKEN.fullmatch(key):
        page = queries.booking_page(key, now)
    else:
        page = queries.booking_page_here(key, keys.BOOKINGS.tokens(request), visitor.browser_of(request), now)
    if page is None:
        raise Http404
    return page


def to_booking(key: str, query: str = "") -> HttpResponse:
    """See Other: a reload after it sends nothing twice."""
    response = redirect("booking", key)
    response.status_code = 303
    if query:
        response["Location"] += f"?{query}"
    return response


def acts(view: View) -> View:
    """For addresses that only act: whoever opens one (a reload, a change of language) is shown the booking instead."""

    @wraps(view)
    def guarded(request: HttpRequest, key: str) -> HttpResponse:
        return view(request, key) if request.method == "POST" else to_booking(key)

    return guarded


def swapped(view: View) -> View:
    """For the page that links lead to: a browser that keeps cookies goes on to its clean address."""

    @wraps(view)
    def guarded(request: HttpRequest, key: str) -> HttpResponse:
        return _swap(request, key) or view(request, key)

    return guarded


def _swap(request: HttpRequest, key: str) -> HttpResponse | None:
    page = queries.booking_page(key, timezone.now()) if keys.TOKEN.fullmatch(key) else None
    if page is None:
        return None
    return keys.swap(keys.BOOKINGS, request, key, reverse("booking", args=[page.booking.reference]))
