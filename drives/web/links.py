"""Build absolute URLs of donors' pages, and links that share a URL by WhatsApp or mail."""

from urllib.parse import quote, urljoin

from django.conf import settings
from django.urls import reverse

from drives.models import Booking


def build_booking_link(booking: Booking) -> str:
    return build_absolute_url(reverse("booking", args=[booking.token]))


def compute_booking_link_length() -> int:
    """Return the number of characters in a booking's link, to measure a text before its booking exists."""
    return len(build_absolute_url(reverse("booking", args=["x" * 22])))


def build_absolute_url(path: str) -> str:
    """Build the URL from BASE_URL, not from the Host header, which a client can forge."""
    return urljoin(settings.BASE_URL + "/", path)


def build_whatsapp_link(message: str) -> str:
    return f"https://wa.me/?text={quote(message)}"


def build_mail_link(subject: str, body: str) -> str:
    return f"mailto:?subject={quote(subject)}&body={quote(body)}"
