"""Texts that answer a donor's letter: which booking it means, and why it cannot be carried out."""

from collections.abc import Sequence
from datetime import datetime

from django.utils import translation
from django.utils.translation import gettext as _

from drives.domain import localtime
from drives.domain.reply_parser import ReplyCommand
from drives.models import Booking
from notifications import envelopes, kinds, message_content, outbox
from notifications import queries as notifications_queries
from notifications.envelopes import Addressee
from notifications.message_content import MessageContent, RenderedMessage
from notifications.models import Channel, InboundMessage
from organizations.models import Organization

MOST_BOOKINGS = 4  # the ids of that many fit in the message's `about`
_PREFIX = "which:"


def ask_which(reply: InboundMessage, command: ReplyCommand, bookings: Sequence[Booking], now: datetime) -> None:
    """Ask which booking a letter means, by name and time. The numbers stay with the question."""
    asked = bookings[:MOST_BOOKINGS]
    letter = "C" if command == ReplyCommand.CONFIRM else "X"
    with translation.override(get_language(asked[0])):
        choices = ", ".join(f"{letter} {number} = {_describe(row)}" for number, row in enumerate(asked, 1))
        text = _("%(org)s: Which visit? Reply %(choices)s")
        text %= {"org": asked[0].drive.organization.sms_name, "choices": choices}
    about = _PREFIX + ",".join(str(row.pk) for row in asked)
    _queue_answer(reply, asked[0].drive.organization, get_language(asked[0]), about, text, now)


def explain_refusal(
    reply: InboundMessage, organization: Organization, language: str, about: str, detail: str, now: datetime
) -> None:
    _queue_answer(reply, organization, language, about, f"{organization.sms_name}: {detail}", now)


def list_asked_booking_ids(reply: InboundMessage) -> list[int]:
    """Return the ids of the bookings in the latest "Which one?" question, in the order of the question."""
    question = notifications_queries.find_newest_text_of_kind(reply, kinds.REPLY_ANSWER.name, _PREFIX)
    return [int(pk) for pk in question.about.removeprefix(_PREFIX).split(",")] if question else []


def _describe(booking: Booking) -> str:
    name, zone = get_first_name(booking), booking.drive.site.timezone
    day, time = localtime.format_short_day(booking.starts_at, zone), localtime.format_time(booking.starts_at, zone)
    return f"{name[:12]} {day} {time}"


def get_first_name(booking: Booking) -> str:
    words = booking.volunteer.name.split() if booking.volunteer else []
    return words[0] if words else ""


def get_language(booking: Booking) -> str:
    return booking.volunteer.language if booking.volunteer else "en"


def _queue_answer(
    reply: InboundMessage, organization: Organization, language: str, about: str, text: str, now: datetime
) -> None:
    (envelope,) = envelopes.build_envelopes(
        kinds.REPLY_ANSWER,
        Addressee([(Channel.SMS, reply.address)], language=language),
        key=f"reply:{reply.pk}/{kinds.REPLY_ANSWER.name}",
        about=about,
        due_at=now,
    )
    content = MessageContent(text=message_content.convert_to_gsm(text))
    outbox.queue_messages(organization=organization, messages=[RenderedMessage(envelope, content)], now=now)
