"""The interface that every provider implements."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from notifications.error_codes import ErrorKind
from notifications.models import MessageState


@dataclass(frozen=True, kw_only=True)
class OutgoingMessage:
    key: str
    token: str  # identifies this attempt; the provider's reports include it
    channel: str
    address: str
    text: str
    at: datetime  # when `claim.admit_messages` admitted it
    expires_at: datetime
    number: str = ""  # SMS: set if the sender is a number; otherwise it is a messaging service
    messaging_service: str = ""
    name: str = ""  # e-mail: the display name of the sender
    reply_to: str = ""
    subject: str = ""
    html: str = ""
    calendar: str = ""
    calendar_method: str = ""
    unsubscribe_url: str = ""


@dataclass(frozen=True)
class Receipt:
    """The provider's confirmation that it accepted the message."""

    provider_id: str
    state: MessageState = MessageState.ACCEPTED


@dataclass(frozen=True)
class ProviderMessage:
    """A message as it appears in the provider's list."""

    provider_id: str
    status: str
    error_code: str
    text: str
    created_at: datetime | None


class ProviderError(Exception):
    """The provider refused the message or gave no clear response.

    The error is logged, so it contains neither the contact nor the text.
    """

    def __init__(self, kind: ErrorKind, reason: str, code: str = "", retry_after: timedelta = timedelta()) -> None:
        super().__init__(f"{kind}: {reason} {code}".strip())
        self.kind, self.reason, self.retry_after = kind, reason, retry_after
        self.code = code.replace("\x00", "")[:40]  # so that it fits its column


class Provider(Protocol):
    """A provider of texts or e-mails. All methods raise ProviderError. Call `send` outside of transactions."""

    parallel_calls: int  # calls at once, each in a thread; 0 means one at a time in the caller's thread
    can_look_up: bool  # whether `find` and `fetch` can tell the result of a send

    def send(self, message: OutgoingMessage) -> Receipt: ...

    def find(self, message: OutgoingMessage, since: datetime) -> list[ProviderMessage]: ...

    def fetch(self, provider_id: str) -> ProviderMessage | None: ...

    def check(self, number: str) -> None:
        """Check that our account works and, unless `number` is "", that it has this number. Send nothing."""

    def close(self) -> None: ...
