"""The wording of a message about a booking, in the donor's language, with its calendar object."""

from collections.abc import Callable
from dataclasses import replace

from drives.calendars import events, ical
from drives.messaging.texts import bookings
from drives.messaging.texts.catalog import Own
from drives.models import Booking
from notifications.models import Channel
from notifications.notice import Wording

Wording_ = Callable[[Booking, str, Own], Wording]


def worded(booking: Booking, word: Wording_, own: Own, channel: str, method: str) -> Wording:
    """What is said, in the person's language; a mail with the calendar object of that METHOD, if any."""
    language = booking.volunteer.language if booking.volunteer else "en"
    wording = bookings.in_language(language, lambda: word(booking, channel, own))
    if channel == Channel.SMS or not method:
        return wording
    appointment = bookings.in_language(language, lambda: events.of_booking(booking))
    body = ical.cancellation(appointment) if method == "CANCEL" else ical.invitation(appointment)
    return replace(wording, calendar=body.decode(), calendar_method=method)
