import dataclasses
from dataclasses import dataclass
from datetime import datetime

from notifications import quiet_hours
from notifications.models import Channel
from notifications.providers.base import OutgoingMessage
from notifications.quiet_hours import QuietHours


@dataclass(frozen=True)
class ClaimedMessage:
    """A message that a worker has claimed, with everything that the worker needs to send the message.

    The fields are in the same order as the columns of `claim.CLAIM`.
    """

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
    reason: str  # why the message was deferred the last time, or ""
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
    def breaker_subject(self) -> str:
        return f"sender:{self.sender_id}" if self.channel == Channel.SMS else self.channel

    @property
    def is_limited(self) -> bool:
        return self.channel == Channel.SMS and bool(self.per_minute or self.per_day or self.messages_per_day)

    @property
    def quiet_hours(self) -> QuietHours:
        return QuietHours(quiet_hours.parse_zone(self.zone), self.opens, self.closes)

    def compute_resume_time(self, now: datetime) -> datetime | None:
        if not self.keeps_quiet_hours or not self.quiet_hours.is_quiet(now):
            return None
        return self.quiet_hours.next_open(now)

    def build_outgoing_message(self, now: datetime) -> OutgoingMessage:
        shared = {
            field.name: getattr(self, field.name) for field in dataclasses.fields(OutgoingMessage) if field.name != "at"
        }
        return OutgoingMessage(at=now, **shared)
