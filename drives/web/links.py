"""Build absolute URLs of donors' pages, and WhatsApp and mail links that share such a URL."""

from urllib.parse import quote, urljoin

from django.conf import settings
from django.urls import reverse

from drives.models import Booking


def build_booking_link(booking: Booking) -> str:
    return build_absolute_url(reverse("booking", args=[booking.token]))


def compute_booking_link_length() -> int:
    """Return the length of a booking's link in characters. Texts are measured before the link exists."""
    return len(build_absolute_url(reverse("booking", args=["x" * 22])))


def build_absolute_url(path: str) -> str:
    """Build the URL from BASE_URL, never from the request's Host header, because a client can forge that."""
    return urljoin(settings.BASE_URL + "/", path)


def build_whatsapp_link(message: str) -> str:
    return f"https://wa.me/?text={quote(message)}"


def build_mail_link(subject: str, body: str) -> str:
    return f"mailto:?subject={quote(subject)}&body={quote(body)}"
