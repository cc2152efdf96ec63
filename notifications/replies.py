"""Receive texts from donors."""

from datetime import datetime

from django.db import transaction

from notifications import consents, rules
from notifications.models import InboundMessage, Sender
from notifications.rules import ReplyMeaning


@transaction.atomic(savepoint=False)
def receive_reply(
    *, sender_number: str, provider_id: str, address: str, text: str, now: datetime, messaging_service: str = ""
) -> InboundMessage:
    """Store a text to one of our senders, once for each provider id.

    STOP, START and HELP are handled in this transaction. Other texts wait for `drives.inbox`. CANCEL, or a sentence
    that asks us to stop, ends all texts at once. It also waits for `drives.inbox`, because the donor may have meant the
    booking or said more. We send no confirmation, because the provider itself responds to carrier keywords.
    """
    sender = _find_sender(sender_number, messaging_service)
    reply, is_new = InboundMessage.objects.get_or_create(
        provider_id=provider_id,
        defaults={"sender": sender, "address": address, "text": text.replace("\x00", ""), "received_at": now},
    )
    if is_new and sender:
        _handle_reply(reply, sender, now)
    return reply


def lock_reply(*, reply_id: int) -> InboundMessage | None:
    # Returns None if another worker is handling the reply.
    unhandled = InboundMessage.objects.filter(pk=reply_id, handled_at=None).select_related("sender")
    return unhandled.select_for_update(skip_locked=True, of=("self",)).first()


@transaction.atomic(savepoint=False)
def mark_reply_handled(*, reply_id: int, handled_as: str, now: datetime) -> bool:
    unhandled = InboundMessage.objects.filter(pk=reply_id, handled_at=None)
    return bool(unhandled.update(handled_at=now, handled_as=handled_as))


def _handle_reply(reply: InboundMessage, sender: Sender, now: datetime) -> None:
    meaning = rules.parse_carrier_keyword(reply.text)
    if meaning in rules.STOP_MEANINGS:
        consents.suppress_address(sender=sender, address=reply.address, now=now)
    elif meaning in {ReplyMeaning.START, ReplyMeaning.YES}:
        had_stopped = consents.lift_suppression(sender=sender, address=reply.address, now=now)
        if meaning == ReplyMeaning.YES and not had_stopped:
            return
        meaning = ReplyMeaning.START
    elif meaning == ReplyMeaning.OTHER:
        return
    is_done = meaning in {ReplyMeaning.STOP, ReplyMeaning.START, ReplyMeaning.HELP}
    reply.handled_at, reply.handled_as = now if is_done else None, meaning
    reply.save(update_fields=["handled_at", "handled_as"])


def _find_sender(number: str, messaging_service: str) -> Sender | None:
    sender = Sender.objects.filter(number=number).first() if number else None
    if sender is None and messaging_service:
        sender = Sender.objects.filter(messaging_service=messaging_service).first()
    return sender or Sender.objects.filter(is_default=True).first()
