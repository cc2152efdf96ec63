"""What donors text back: a letter answers the newest unexpired prompt of that sender; the rest waits for a person."""

import logging
from datetime import datetime

from django.db import transaction

from drives import refusals
from drives.booking import changes
from drives.domain import reply_parser
from drives.domain.reply_parser import ReplyCommand
from drives.inbox import conversations
from drives.messaging import shared_contacts
from drives.models import Booking, BookingState, CancelledBy, Offer
from drives.waitlist import messages as waitlist_messages
from drives.waitlist import offers
from drives.waitlist import queries as waitlist_queries
from notifications import kinds, replies
from notifications import queries as notifications_queries
from notifications.models import InboundMessage, Message

BATCH_SIZE = 100
REFUSED, UNCLEAR, OTHER, FAILED = "refused", "unclear", "other", "failed"
TOO_LATE = "too_late"  # for an offered place, and answered so
DONE_BY_COMMAND = frozenset({*ReplyCommand, TOO_LATE})

log = logging.getLogger(__name__)


def handle_new_replies(*, now: datetime) -> dict[str, int]:
    """Act on each new reply in a transaction of its own: done and marked together, or neither.

    One that fails in a way nobody foresaw is laid before the coordinator like any other; the rest go on.
    """
    counts: dict[str, int] = {}
    for reply in notifications_queries.list_unhandled_replies(BATCH_SIZE):
        try:
            outcome = _handle_reply(reply.pk, now)
        except Exception as error:
            log.error("reply %s cannot be processed: %s", reply.pk, type(error).__name__)
            outcome = _file_failed_reply(reply.pk, now)
        counts[outcome] = counts.get(outcome, 0) + 1
    return counts


@transaction.atomic
def _handle_reply(reply_id: int, now: datetime) -> str:
    reply = replies.lock_reply(reply_id=reply_id)
    if reply is None:
        return "taken"
    prompt, letter = _find_prompt(reply, now), reply_parser.parse_reply_command(reply.text)
    handled_as = reply.handled_as or OTHER  # a CANCEL comes with its meaning
    if prompt is not None and letter is not None and not reply.handled_as:
        handled_as = _apply_command(letter, prompt, reply, now)
    return _file_reply(reply, handled_as, prompt, now)


@transaction.atomic
def _file_failed_reply(reply_id: int, now: datetime) -> str:
    reply = replies.lock_reply(reply_id=reply_id)
    return _file_reply(reply, reply.handled_as or FAILED, None, now) if reply else "taken"


def _file_reply(reply: InboundMessage, handled_as: str, prompt: Message | None, now: datetime) -> str:
    """Lay it before a person unless a letter did what it says. Words belong to who wrote last, not to who asked."""
    conversations.file_reply(
        reply=reply,
        organization=prompt.organization if prompt and reply_parser.parse_reply_command(reply.text) else None,
        needs_a_person=handled_as not in DONE_BY_COMMAND,
        may_mean_cancel=reply_parser.may_mean_cancel(reply.text),
    )
    replies.mark_reply_handled(reply_id=reply.pk, handled_as=handled_as, now=now)
    return handled_as


def _find_prompt(reply: InboundMessage, now: datetime) -> Message | None:
    """The question that a letter answers: one that stands, else an offer that is over, if that came last."""
    if prompt := notifications_queries.find_prompt(reply, now):
        return prompt
    last = notifications_queries.find_newest_text(reply)
    return last if last is not None and last.kind == kinds.OFFER.name else None


def _apply_command(command: ReplyCommand, prompt: Message, reply: InboundMessage, now: datetime) -> str:
    """Do what the letter says to what the prompt asked about."""
    kind, _, number = prompt.about.partition(":")
    if kind == "offer" and Offer.objects.filter(pk=int(number)).exists():
        return _answer_offer(command, int(number), reply, now)
    booking = Booking.objects.filter(pk=int(number)).first() if kind == "booking" else None
    return UNCLEAR if booking is None else _apply_to_booking(booking, command, prompt, reply, now)


def _answer_offer(command: ReplyCommand, offer_id: int, reply: InboundMessage, now: datetime) -> str:
    """Take the offered place or pass it on; who is too late is told so, and where they stand in line."""
    try:
        with transaction.atomic():
            if command == ReplyCommand.CONFIRM:
                offers.accept_offer(offer_id=offer_id, actor="donor", now=now)
            else:
                offers.decline_offer(offer_id=offer_id, now=now, by_text=True)
            return str(command)
    except refusals.Refusal as refusal:
        if not refusal.codes[0].startswith("offer_"):
            return REFUSED
    waitlist_messages.queue_too_late(waitlist_queries.load_offer(offer_id), reply.pk, now)
    return TOO_LATE


def _apply_to_booking(
    booking: Booking, command: ReplyCommand, prompt: Message, reply: InboundMessage, now: datetime
) -> str:
    """Confirm or cancel a booking, if its donor knows how it now stands. A second X finds it done.

    A text to a party asks only whether all of them come: who of them does not, a letter cannot say.
    """
    given_up = booking.state == BookingState.CANCELLED and booking.cancelled_by == CancelledBy.DONOR
    if given_up and command == ReplyCommand.CANCEL:
        return str(command)
    # Moved meanwhile, and the word of it had not reached them: they answered for the old time.
    if notifications_queries.find_newest_text(reply, prompt.about, booking.revision) is None:
        return UNCLEAR
    companions = shared_contacts.list_other_bookings_of_text(prompt)
    if companions and command == ReplyCommand.CANCEL:
        return UNCLEAR
    try:
        with transaction.atomic():
            if command == ReplyCommand.CONFIRM:
                for each in (booking, *companions):
                    changes.confirm_booking(booking_id=each.pk, actor="donor", now=now)
            else:
                changes.cancel_bookings(
                    booking_id=booking.pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=now, reason="text"
                )
            return str(command)
    except refusals.Refusal:
        return REFUSED
