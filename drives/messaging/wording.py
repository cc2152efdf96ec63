from collections.abc import Callable
from dataclasses import replace

from drives.calendars import events, ical
from drives.messaging.texts import booking_texts
from drives.messaging.texts.catalog import CustomTexts
from drives.models import Booking
from notifications.message_content import MessageContent
from notifications.models import Channel

BookingRenderer = Callable[[Booking, str, CustomTexts], MessageContent]


def render_booking_message(
    booking: Booking, render: BookingRenderer, custom: CustomTexts, channel: str, method: str
) -> MessageContent:
    language = booking.volunteer.language if booking.volunteer else "en"
    content = booking_texts.call_in_language(language, lambda: render(booking, channel, custom))
    if channel == Channel.SMS or not method:
        return content
    event = booking_texts.call_in_language(language, lambda: events.build_booking_event(booking))
    body = ical.build_cancellation(event) if method == "CANCEL" else ical.build_invitation(event)
    return replace(content, calendar=body.decode(), calendar_method=method)
