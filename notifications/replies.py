"""Receive texts from donors, and act on the keywords that start and stop texts."""

from datetime import datetime

from django.db import transaction

from notifications import consents, opt_out_words, opt_outs
from notifications.models import InboundMessage, OptOutBasis, Sender
from notifications.opt_out_words import STOP_MEANINGS, ReplyMeaning


@transaction.atomic(savepoint=False)
def receive_reply(
    *,
    sender_number: str,
    provider_id: str,
    address: str,
    text: str,
    now: datetime,
    messaging_service: str = "",
    opt_out_type: str = "",
    media_count: int = 0,
    is_confirmed_by_provider: bool = False,
) -> InboundMessage:
    """Store a donor's text to one of our senders. A second call with the same provider id changes nothing.

    - STOP, START and HELP: handled in this transaction
    - CANCEL, or a sentence that asks us to stop: stops all texts; `drives.inbox` also handles the text later, because
      the donor may have meant the booking or said more
    - a possible opt-out: pauses texts until a coordinator decides
    - other texts: handled later by `drives.inbox`

    With `is_confirmed_by_provider`, we do not confirm the provider's own keywords, because the provider does.
    """
    sender = _find_sender(sender_number, messaging_service)
    reply, is_new = InboundMessage.objects.get_or_create(
        provider_id=provider_id,
        defaults={
            "sender": sender,
            "address": address,
            "text": text.replace("\x00", ""),
            "received_at": now,
            "media_count": media_count,
        },
    )
    if is_new and sender:
        _handle_reply(reply, sender, now, opt_out_type, is_confirmed_by_provider=is_confirmed_by_provider)
    return reply


def lock_reply(*, reply_id: int) -> InboundMessage | None:
    # Returns None if another worker is handling the reply.
    unhandled = InboundMessage.objects.filter(pk=reply_id, handled_at=None).select_related("sender")
    return unhandled.select_for_update(skip_locked=True, of=("self",)).first()


@transaction.atomic(savepoint=False)
def mark_reply_handled(*, reply_id: int, handled_as: str, now: datetime) -> bool:
    unhandled = InboundMessage.objects.filter(pk=reply_id, handled_at=None)
    return bool(unhandled.update(handled_at=now, handled_as=handled_as))


def _handle_reply(
    reply: InboundMessage, sender: Sender, now: datetime, opt_out_type: str, *, is_confirmed_by_provider: bool
) -> None:
    meaning = opt_out_words.parse_reply_meaning(reply.text, opt_out_type)
    if meaning in STOP_MEANINGS:
        is_carrier_word = bool(opt_out_type) or opt_out_words.is_carrier_stop_word(reply.text)
        opt_outs.stop_texts(
            sender=sender,
            address=reply.address,
            basis=OptOutBasis.SENTENCE if meaning == ReplyMeaning.STOP_IN_WORDS else OptOutBasis.KEYWORD,
            is_confirmed_by_provider=is_confirmed_by_provider and is_carrier_word,
            now=now,
        )
    elif meaning == ReplyMeaning.MAYBE_STOP:
        opt_outs.pause_texts(sender=sender, address=reply.address, now=now)
    elif meaning in {ReplyMeaning.START, ReplyMeaning.YES} and not _start_texts(reply, sender, meaning, now):
        return
    if meaning != ReplyMeaning.OTHER:
        _record_meaning(reply, ReplyMeaning.START if meaning == ReplyMeaning.YES else meaning, now)


def _start_texts(reply: InboundMessage, sender: Sender, meaning: ReplyMeaning, now: datetime) -> bool:
    """Handle START, and YES after an opt-out.

    Return False for YES without an opt-out, because the donor may be answering a question about a booking.
    """
    bases = [OptOutBasis.KEYWORD, OptOutBasis.SENTENCE]
    if meaning == ReplyMeaning.START:
        bases.append(OptOutBasis.UNDECIDED)
    had_stopped = consents.lift_suppression(sender=sender, address=reply.address, bases=bases, now=now)
    return had_stopped or meaning == ReplyMeaning.START


def _record_meaning(reply: InboundMessage, meaning: ReplyMeaning, now: datetime) -> None:
    is_done = meaning in {ReplyMeaning.STOP, ReplyMeaning.START, ReplyMeaning.HELP}
    reply.handled_at, reply.handled_as = now if is_done else None, meaning
    reply.save(update_fields=["handled_at", "handled_as"])


def _find_sender(number: str, messaging_service: str) -> Sender | None:
    sender = Sender.objects.filter(number=number).first() if number else None
    if sender is None and messaging_service:
        sender = Sender.objects.filter(messaging_service=messaging_service).first()
    return sender or Sender.objects.filter(is_default=True).first()
