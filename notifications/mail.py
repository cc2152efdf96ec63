"""Django's own mail (password resets, invitations to coordinators) takes the same way as every other message."""

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone

from notifications import envelopes, kinds, outbox
from notifications.envelopes import Addressee
from notifications.message_content import MessageContent, RenderedMessage
from notifications.models import Channel


class OutboxBackend(BaseEmailBackend):
    """Queues mail instead of sending it: nobody is kept waiting, and a mail server that is down loses nothing."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        now = timezone.now()
        notices = [notice for message in email_messages for notice in _build_messages(message, now)]
        outbox.queue_messages(organization=None, messages=notices, now=now)
        return len(email_messages)


def _build_messages(message: EmailMessage, now: datetime) -> Iterator[RenderedMessage]:
    """One for each recipient. Attachments and other headers do not travel; account mail has none."""
    html = next((str(body) for body, kind in getattr(message, "alternatives", []) if kind == "text/html"), "")
    wording = MessageContent(text=str(message.body), subject=str(message.subject)[:200], html=html)
    for address in message.recipients():
        to = Addressee([(Channel.EMAIL, address)])
        for envelope in envelopes.build_envelopes(
            kinds.ACCOUNT, to, key=f"account/{uuid.uuid4()}", about="account", due_at=now
        ):
            yield RenderedMessage(envelope, wording)
