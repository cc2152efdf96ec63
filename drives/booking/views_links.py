"""Find the booking for a URL, and redirect links with a token."""

from functools import wraps

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from drives.booking import queries
from drives.booking.queries import BookingPage
from drives.web import link_cookies, redirects, visitor
from drives.web.redirects import KeyView

DONOR = "donor"


def get_booking_page_or_404(request: HttpRequest, key: str) -> BookingPage:
    """Return the booking page, or raise a 404. The 404 page explains how to find a lost link.

    `key` is the link's token, or the booking's reference. The reference works only if this browser has the token in a
    cookie or has verified the donor's contact.
    """
    now = timezone.now()
    if link_cookies.TOKEN_PATTERN.fullmatch(key):
        page = queries.load_booking_page(key, now)
    else:
        page = queries.load_booking_page_by_reference(
            key, link_cookies.BOOKINGS.read_tokens(request), visitor.read_browser_token(request), now
        )
    if page is None:
        raise Http404
    return page


def redirect_to_booking(key: str, query: str = "") -> HttpResponse:
    return redirects.redirect_after_post("booking", key, query=query)


require_booking_post = redirects.require_post_or_redirect("booking")


def redirect_token_link(view: KeyView) -> KeyView:
    """Redirect a link with a token to the URL without it, if the browser accepts cookies."""

    @wraps(view)
    def guarded(request: HttpRequest, key: str) -> HttpResponse:
        return _redirect_to_clean_address(request, key) or view(request, key)

    return guarded


def _redirect_to_clean_address(request: HttpRequest, key: str) -> HttpResponse | None:
    page = queries.load_booking_page(key, timezone.now()) if link_cookies.TOKEN_PATTERN.fullmatch(key) else None
    if page is None:
        return None
    return link_cookies.exchange_token(
        link_cookies.BOOKINGS, request, key, reverse("booking", args=[page.booking.reference])
    )
