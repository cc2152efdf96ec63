"""Send Django's own mail (password resets, member invitations) through the outbox."""

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
    """Django's mail backend. It queues e-mails instead of sending them.

    So requests do not wait for the mail server, and no e-mail is lost if the server is down.
    """

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        now = timezone.now()
        messages = [message for email in email_messages for message in _build_messages(email, now)]
        outbox.queue_messages(organization=None, messages=messages, now=now)
        return len(email_messages)


def _build_messages(message: EmailMessage, now: datetime) -> Iterator[RenderedMessage]:
    html = next((str(body) for body, kind in getattr(message, "alternatives", []) if kind == "text/html"), "")
    content = MessageContent(text=str(message.body), subject=str(message.subject)[:200], html=html)
    for address in message.recipients():
        to = Addressee([(Channel.EMAIL, address)])
        for envelope in envelopes.build_envelopes(
            kinds.ACCOUNT, to, key=f"account/{uuid.uuid4()}", about="account", due_at=now
        ):
            yield RenderedMessage(envelope, content)
