"""Build absolute URLs of pages, and links that share a URL by WhatsApp or mail."""

from urllib.parse import quote, urljoin

from django.conf import settings

from drives.models import Booking

# The pages that messages link to, by the names of their routes. `reverse` would import the views of all pages, which
# would take a seventh of a worker's memory.
LINKED_PAGES = {
    "booking": "/b/%s/",
    "drive": "/d/%s/",
    "offer": "/offer/%s/",
    "organizer_drive": "/organizer/drives/%s/",
    "slot": "/t/%s/",
    "slot_first_visit": "/t/%s/first/",
    "stop_messages": "/stop/%s/",
    "waitlist_entry": "/w/%s/",
}


def build_link(page: str, key: object) -> str:
    """Build the URL of a page that messages link to. `key` is the token, slug or number in the page's route."""
    return build_absolute_url(LINKED_PAGES[page] % key)


def build_booking_link(booking: Booking) -> str:
    return build_link("booking", booking.token)


def compute_booking_link_length() -> int:
    """Return the number of characters in a booking's link, to measure a text before its booking exists."""
    return len(build_link("booking", "x" * 22))


def build_absolute_url(path: str) -> str:
    """Build the URL from BASE_URL, not from the Host header, which a client can forge."""
    return urljoin(settings.BASE_URL + "/", path)


def build_whatsapp_link(message: str) -> str:
    return f"https://wa.me/?text={quote(message)}"


def build_mail_link(subject: str, body: str) -> str:
    return f"mailto:?subject={quote(subject)}&body={quote(body)}"
