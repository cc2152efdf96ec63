"""Addresses of the donors' pages, and how long they work."""

from datetime import timedelta
from urllib.parse import urljoin

from django.conf import settings
from django.urls import reverse

from drives.models import Booking

LINK_GOOD_FOR = timedelta(days=30)  # after the drive


def link(booking: Booking) -> str:
    """The address of a donor's own page."""
    return absolute(reverse("booking", args=[booking.token]))


def link_length() -> int:
    """How long the address of a donor's own page is."""
    return len(absolute(reverse("booking", args=["x" * 22])))


def absolute(path: str) -> str:
    """A path on the configured public address, never on that of a request."""
    return urljoin(settings.BASE_URL + "/", path)
