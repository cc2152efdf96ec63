"""Texts that answer a donor's reply of one letter: which booking it means, or why it cannot be carried out."""

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

MOST_BOOKINGS = 4  # the ids and revisions of that many fit in the message's `about`
LONGEST_NAME, SHORTEST_NAME = 12, 3
_PREFIX = "which:"


def ask_which(reply: InboundMessage, command: ReplyCommand, bookings: Sequence[Booking], now: datetime) -> bool:
    """Ask which booking the reply means, by name and time. Return False if they do not fit in one text.

    The numbers stay with the question.
    """
    language, lengths = get_language(bookings[0]), range(LONGEST_NAME, SHORTEST_NAME - 1, -1)
    with translation.override(language):
        questions = [_word_question(command, bookings, length) for length in lengths]
    text = next((text for text in questions if message_content.count_segments(text) == 1), "")
    if not text or len(bookings) > MOST_BOOKINGS:
        return False
    about = _PREFIX + ",".join(f"{row.pk}.{row.revision}" for row in bookings)
    _queue_answer(reply, bookings[0].drive.organization, language, about, text, now)
    return True


def explain_refusal(
    reply: InboundMessage, organization: Organization, language: str, about: str, detail: str, now: datetime
) -> None:
    _queue_answer(reply, organization, language, about, f"{organization.sms_name}: {detail}", now)


def load_asked_revisions(reply: InboundMessage) -> dict[int, int]:
    """Return the bookings of the latest "Which visit?" question, in its order: each id, and its revision then."""
    question = notifications_queries.find_newest_text_of_kind(reply, kinds.REPLY_ANSWER.name, _PREFIX)
    asked = question.about.removeprefix(_PREFIX).split(",") if question else []
    return {int(pk): int(revision) for pk, _dot, revision in (part.partition(".") for part in asked)}


def _word_question(command: ReplyCommand, bookings: Sequence[Booking], name_length: int) -> str:
    letter = "C" if command == ReplyCommand.CONFIRM else "X"
    choices, last_day = [], ""
    for number, row in enumerate(bookings, 1):
        zone = row.drive.site.timezone
        day, time = localtime.format_short_day(row.starts_at, zone), localtime.format_time(row.starts_at, zone)
        when = time if day == last_day else f"{day} {time}"  # a party's visits are on one day
        choices.append(f"{letter} {number} = {get_first_name(row)[:name_length]} {when}")
        last_day = day
    words = {"org": bookings[0].drive.organization.sms_name, "choices": ", ".join(choices), "letter": letter}
    if len(bookings) == 1:
        return message_content.convert_to_gsm(_("%(org)s: Which visit? Reply %(choices)s") % words)
    return message_content.convert_to_gsm(_("%(org)s: Which visit? Reply %(choices)s, or %(letter)s all") % words)


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
