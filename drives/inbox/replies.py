"""Carry out commands in donors' texts (C or X) for the newest open question. Other texts go to a coordinator."""

import logging
from datetime import datetime

from django.db import transaction
from django.utils import translation

from drives import refusals
from drives.booking import changes
from drives.domain import reply_parser
from drives.domain.reply_parser import ParsedReply, ReplyCommand
from drives.inbox import conversations, questions, reply_answers
from drives.inbox.questions import Question
from drives.messaging import shared_contacts
from drives.models import Booking, BookingState, CancelledBy, Offer
from drives.waitlist import messages as waitlist_messages
from drives.waitlist import offers
from drives.waitlist import queries as waitlist_queries
from notifications import kinds, replies
from notifications import queries as notifications_queries
from notifications.models import InboundMessage, Message
from organizations import sweeps
from volunteers.limits import TooManyChanges

BATCH_SIZE = 100
REFUSED, UNCLEAR, OTHER, FAILED = "refused", "unclear", "other", "failed"
TOO_LATE = "too_late"  # the offer had expired, and the donor was told by text
REACTION = "reaction"  # such as "Loved “…”", which needs no answer
ASKED = "asked"  # the reply fits several bookings, and the donor was asked which
DONE = frozenset({*ReplyCommand, TOO_LATE, REACTION, ASKED})

log = logging.getLogger(__name__)


def handle_new_replies(*, now: datetime) -> dict[str, int]:
    """Handle new texts from donors, each in its own transaction. Return the number of texts by outcome.

    If handling fails for a text, the error is logged and a coordinator gets the text. The other texts are still
    handled.
    """
    counts: dict[str, int] = {}

    def handle(pk: int) -> int:
        try:
            outcome = _handle_reply(pk, now)
        except Exception as error:
            log.error("reply %s cannot be processed: %s", pk, type(error).__name__)
            outcome = _file_failed_reply(pk, now)
        counts[outcome] = counts.get(outcome, 0) + 1
        return 1

    unhandled = [reply.pk for reply in notifications_queries.list_unhandled_replies(BATCH_SIZE)]
    sweeps.run_each("replies", unhandled, handle, now=now)
    return counts


@transaction.atomic
def _handle_reply(reply_id: int, now: datetime) -> str:
    reply = replies.lock_reply(reply_id=reply_id)
    if reply is None:
        return "taken"
    prompt, parsed = _find_prompt(reply, now), _parse_reply(reply)
    handled_as = reply.handled_as or OTHER  # the webhook has already handled some texts, such as CANCEL
    if prompt is not None and parsed is not None and not reply.handled_as:
        handled_as = _apply_reply(parsed, prompt, reply, now)
    return _file_reply(reply, handled_as, prompt, parsed, now)


@transaction.atomic
def _file_failed_reply(reply_id: int, now: datetime) -> str:
    reply = replies.lock_reply(reply_id=reply_id)
    return _file_reply(reply, reply.handled_as or FAILED, None, None, now) if reply else "taken"


def _parse_reply(reply: InboundMessage) -> ParsedReply | None:
    """Find the command in a text: C or X.

    A choice such as "2" is also a command, if our last text asked "Which visit?".
    """
    if parsed := reply_parser.parse_reply(reply.text):
        return parsed
    choice = reply_parser.parse_choice(reply.text)
    asked = reply_answers.load_asked_questions(reply) if choice else None
    if asked is None or not asked.is_newest_text or not questions.filter_chosen(asked.numbered, choice):
        return None
    # A donor may send "X" and "2" at the same time. Then the "2" does not answer an older question about C.
    if notifications_queries.has_reply_between(reply, asked.reply_id, ASKED):
        return None
    return ParsedReply(asked.command, choice=choice)


def _file_reply(
    reply: InboundMessage, handled_as: str, prompt: Message | None, parsed: ParsedReply | None, now: datetime
) -> str:
    conversations.file_reply(
        reply=reply,
        # Free text goes to the organization that texted last, which may not be the one that sent the prompt.
        organization=prompt.organization if prompt and parsed else None,
        needs_a_person=handled_as not in DONE or bool(parsed and parsed.says_more),
        may_mean_cancel=reply_parser.may_mean_cancel(reply.text),
    )
    replies.mark_reply_handled(reply_id=reply.pk, handled_as=handled_as, now=now)
    return handled_as


def _find_prompt(reply: InboundMessage, now: datetime) -> Message | None:
    """Find the text to which a command belongs.

    This is the newest open question, or our last text if it was an offer that has expired.
    """
    return notifications_queries.find_prompt(reply, now) or _find_ended_offer(reply, now)


def _find_ended_offer(reply: InboundMessage, now: datetime) -> Message | None:
    newest = notifications_queries.find_newest_text(reply)
    is_offer = newest is not None and newest.kind == kinds.OFFER.name
    return newest if newest and is_offer and newest.expires_at and newest.expires_at <= now else None


def _apply_reply(parsed: ParsedReply, prompt: Message, reply: InboundMessage, now: datetime) -> str:
    """Carry out C or X, or ask the donor which visit is meant.

    - If the reply also chooses a visit, such as "X 2", carry out the command for that visit.
    - If we asked about one visit, carry out the command.
    - If we asked about several visits, ask. Exception: if one text asked about all of them, C confirms all.
    - If an offer has expired since the question, ask, because the donor may mean the offer.
    """
    command = parsed.command
    if parsed.choice:
        return _apply_choice(parsed, reply, now)
    asked = questions.list_questions(reply, now)
    open_ones = [one for one in asked if one.is_open(command, now)]
    is_after_offer = _find_ended_offer(reply, now) not in (None, prompt)
    is_confirmed_by_all = command == ReplyCommand.CONFIRM and questions.asks_about_all(prompt, open_ones)
    if open_ones and (is_after_offer or (len(asked) > 1 and not is_confirmed_by_all)):
        return ASKED if reply_answers.ask_which(reply, command, open_ones, now) else UNCLEAR
    return _apply_command(command, prompt, reply, now)


def _apply_choice(parsed: ParsedReply, reply: InboundMessage, now: datetime) -> str:
    """Carry out "X 2", "X Ana" or "X all" for the latest "Which visit?" question. Explain each refusal in a text."""
    asked = reply_answers.load_asked_questions(reply)
    chosen = questions.filter_chosen(asked.numbered, parsed.choice) if asked else []
    if asked is None or not chosen or asked.has_moved(chosen):  # after a move, the question names the old time
        return UNCLEAR
    outcomes = {_answer_question(one, parsed.command, reply, now) for one in chosen}
    return str(next(outcome for outcome in (REFUSED, UNCLEAR, TOO_LATE, *ReplyCommand) if outcome in outcomes))


def _answer_question(question: Question, command: ReplyCommand, reply: InboundMessage, now: datetime) -> str:
    if question.booking:
        return _apply_to_booking(question.booking, command, None, reply, now)
    return _answer_offer(command, question.subject.pk, reply, now)


def _apply_command(command: ReplyCommand, prompt: Message, reply: InboundMessage, now: datetime) -> str:
    kind, _, number = prompt.about.partition(":")
    offer = Offer.objects.filter(pk=int(number)).first() if kind == "offer" else None
    if offer is not None and offer.booking is not None and command == ReplyCommand.CANCEL:
        return _apply_to_booking(offer.booking, command, None, reply, now)  # X after C gives the spot back
    if offer is not None:
        return _answer_offer(command, offer.pk, reply, now)
    booking = Booking.objects.filter(pk=int(number)).first() if kind == "booking" else None
    return UNCLEAR if booking is None else _apply_to_booking(booking, command, prompt, reply, now)


def _answer_offer(command: ReplyCommand, offer_id: int, reply: InboundMessage, now: datetime) -> str:
    entry = waitlist_queries.load_offer(offer_id).entry
    language = entry.volunteer.language if entry.volunteer else "en"
    try:
        with translation.override(language), transaction.atomic():
            if command == ReplyCommand.CONFIRM:
                offers.accept_offer(offer_id=offer_id, actor="donor", now=now)
            else:
                offers.decline_offer(offer_id=offer_id, now=now, by_text=True)
            return str(command)
    except (refusals.Refusal, TooManyChanges) as refusal:
        if isinstance(refusal, TooManyChanges) or not refusal.codes[0].startswith("offer_"):
            about = f"offer:{offer_id}"
            reply_answers.explain_refusal(reply, entry.drive.organization, language, about, refusal.messages[0], now)
            return REFUSED
    waitlist_messages.queue_too_late(waitlist_queries.load_offer(offer_id), reply.pk, now)
    return TOO_LATE


def _apply_to_booking(
    booking: Booking, command: ReplyCommand, prompt: Message | None, reply: InboundMessage, now: datetime
) -> str:
    """Confirm or cancel a booking if the donor knows its current time. A second X changes nothing.

    A text to a party asks whether everyone is coming, so C confirms all bookings in that text. `prompt` is None if the
    donor chose this booking by number, name or time. A refusal is explained in a text.
    """
    was_cancelled = booking.state == BookingState.CANCELLED and booking.cancelled_by == CancelledBy.DONOR
    if was_cancelled and command == ReplyCommand.CANCEL:
        return str(command)
    # No text with the new time was sent yet, so the donor meant the old time.
    if prompt and notifications_queries.find_newest_text(reply, prompt.about, booking.revision) is None:
        return UNCLEAR
    companions = shared_contacts.list_other_bookings_of_text(prompt) if prompt else []
    language = booking.volunteer.language if booking.volunteer else "en"
    try:
        with translation.override(language), transaction.atomic():
            if command == ReplyCommand.CONFIRM:
                members = [booking.pk, *(companion.pk for companion in companions)]
                changes.confirm_bookings(booking_ids=members, actor="donor", now=now)
            else:
                changes.cancel_bookings(
                    booking_id=booking.pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=now, reason="text"
                )
            return str(command)
    except (refusals.Refusal, TooManyChanges) as refusal:
        organization, detail = booking.drive.organization, refusal.messages[0]
        reply_answers.explain_refusal(reply, organization, language, booking.about, detail, now)
        return REFUSED
