"""A message that a worker has in its hands."""

import dataclasses
from dataclasses import dataclass
from datetime import datetime

from notifications import rules
from notifications.models import Channel
from notifications.providers import Letter


@dataclass(frozen=True)
class Claimed:
    """A message that is ours until its lease runs out, with what it takes to send it. Fields as in `handover.CLAIM`."""

    id: int
    token: str
    key: str
    channel: str
    address: str
    text: str
    subject: str
    html: str
    calendar: str
    calendar_method: str
    unsubscribe_url: str
    zone: str
    keeps_quiet_hours: bool
    expires_at: datetime
    attempts: int
    priority: int
    reason: str  # why it waited before
    sender_id: int | None
    organization_id: int | None
    number: str
    messaging_service: str
    per_minute: int
    per_day: int
    name: str
    reply_to: str
    opens: int
    closes: int
    messages_per_day: int

    @property
    def way_out(self) -> str:
        """What breaks when it breaks: a sender, or the mail server."""
        return f"sender:{self.sender_id}" if self.channel == Channel.SMS else self.channel

    @property
    def is_limited(self) -> bool:
        return self.channel == Channel.SMS and bool(self.per_minute or self.per_day or self.messages_per_day)

    def resumes_at(self, now: datetime) -> datetime | None:
        """When quiet hours allow it to leave; None if now."""
        if not self.keeps_quiet_hours or rules.sendable(now, self.zone, self.opens, self.closes):
            return None
        return rules.next_sendable(now, self.zone, self.opens, self.closes)

    def letter(self, now: datetime) -> Letter:
        shared = {field.name: getattr(self, field.name) for field in dataclasses.fields(Letter) if field.name != "at"}
        return Letter(at=now, **shared)
