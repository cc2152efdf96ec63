from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from notifications import delivery, outbox
from notifications.message_content import Envelope, MessageContent, RenderedMessage
from notifications.models import Message
from organizations.models import Organization

NOON = datetime(2027, 3, 10, 20, tzinfo=UTC)  # noon in Los Angeles
ANA = "+12135550142"
_keys = count(1)


def envelope(**fields: Any) -> Envelope:
    return Envelope(
        **{
            "key": f"test/{next(_keys)}",
            "kind": {"reminders": "day_before", "news": "invitation"}.get(fields.get("purpose", ""), "moved"),
            "about": "booking:1",
            "channel": "sms",
            "address": ANA,
            "zone": "America/Los_Angeles",
            "due_at": NOON,
            "expires_at": NOON + timedelta(days=1),
            **fields,
        }
    )


def message(text: str = "See you tomorrow", **fields: Any) -> RenderedMessage:
    content = {name: fields.pop(name) for name in ("subject", "html", "calendar", "calendar_method") if name in fields}
    return RenderedMessage(envelope(**fields), MessageContent(text, **content))


def queued(organization: Organization, text: str = "See you tomorrow", **fields: Any) -> Message:
    made = message(text, **fields)
    outbox.queue_messages(organization=organization, messages=[made], now=NOON - timedelta(hours=1))
    return Message.objects.get(key=made.envelope.key)


def many(organization: Organization, number: int, **fields: Any) -> Sequence[Message]:
    messages = [
        message(f"Text {n}", address=f"+1213555{n % 10000:04}", about=f"booking:{n}", **fields) for n in range(number)
    ]
    outbox.queue_messages(organization=organization, messages=messages, now=NOON - timedelta(hours=1))
    return list(Message.objects.order_by("pk"))


def deliver(now: datetime = NOON, seconds: float = 15) -> dict[str, int]:
    """Run a delivery worker once at this time."""
    return delivery.deliver_messages(clock=lambda: now, chance=lambda: 1.0, seconds=seconds)
