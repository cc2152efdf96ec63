"""Build absolute URLs of donors' pages, and define how long they work."""

from urllib.parse import urljoin

from django.conf import settings
from django.urls import reverse

from drives.models import Booking


def build_booking_link(booking: Booking) -> str:
    return build_absolute_url(reverse("booking", args=[booking.token]))


def compute_booking_link_length() -> int:
    """Return the length of a booking's link, to measure texts before the link exists."""
    return len(build_absolute_url(reverse("booking", args=["x" * 22])))


def build_absolute_url(path: str) -> str:
    """Build the URL from BASE_URL, never from the request's Host header, because a client can forge that."""
    return urljoin(settings.BASE_URL + "/", path)
