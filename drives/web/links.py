"""Addresses of the donors' pages, and how long they work."""

from datetime import timedelta
from urllib.parse import urljoin

from django.conf import settings
from django.urls import reverse

from drives.models import Booking

LINK_VALID_FOR = timedelta(days=30)  # after the drive


def build_booking_link(booking: Booking) -> str:
    """The address of a donor's own page."""
    return build_absolute_url(reverse("booking", args=[booking.token]))


def compute_booking_link_length() -> int:
    """How long the address of a donor's own page is."""
    return len(build_absolute_url(reverse("booking", args=["x" * 22])))


def build_absolute_url(path: str) -> str:
    """A path on the configured public address, never on that of a request."""
    return urljoin(settings.BASE_URL + "/", path)
