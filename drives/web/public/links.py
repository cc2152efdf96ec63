"""What a booking's link opens, and ways back to it."""

from collections.abc import Callable
from functools import wraps

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from drives import queries
from drives.queries import BookingPage

DONOR = "donor"
View = Callable[[HttpRequest, str], HttpResponse]


def page_or_404(token: str) -> BookingPage:
    """The booking's page, or the error page that says where lost links are found again."""
    page = queries.booking_page(token, timezone.now())
    if page is None:
        raise Http404
    return page


def to_booking(token: str, query: str = "") -> HttpResponse:
    """See Other: a reload after it sends nothing twice."""
    response = redirect("booking", token)
    response.status_code = 303
    if query:
        response["Location"] += f"?{query}"
    return response


def acts(view: View) -> View:
    """For addresses that only act: whoever opens one (a reload, a change of language) is shown the booking instead."""

    @wraps(view)
    def guarded(request: HttpRequest, token: str) -> HttpResponse:
        return view(request, token) if request.method == "POST" else to_booking(token)

    return guarded
