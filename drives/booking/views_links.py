"""What a booking's address opens, and ways back to it."""

from functools import wraps

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from drives.booking import queries
from drives.booking.queries import BookingPage
from drives.web import keys, redirects, visitor
from drives.web.redirects import View

DONOR = "donor"


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
    return redirects.see_other("booking", key, query=query)


acts = redirects.posts_only("booking")


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
