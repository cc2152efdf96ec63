"""The interface of every provider."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from notifications.models import MessageState
from notifications.rules import ErrorKind


@dataclass(frozen=True, kw_only=True)
class OutgoingMessage:
    """A message as a provider needs it."""

    key: str
    token: str  # of this attempt; the provider's reports return it
    channel: str
    address: str
    text: str
    at: datetime  # when `claim.admit_messages` let it through
    expires_at: datetime
    number: str = ""  # SMS: the sender is a number or a messaging service
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
    """The provider's immediate answer: it has taken the message."""

    provider_id: str
    state: MessageState = MessageState.ACCEPTED


@dataclass(frozen=True)
class ProviderMessage:
    """A message as the provider lists it."""

    provider_id: str
    status: str
    error_code: str
    text: str
    created_at: datetime | None


class ProviderError(Exception):
    """The provider refused the message, or gave no clear answer. It is logged, so it has no address and no text."""

    def __init__(self, kind: ErrorKind, reason: str, code: str = "", retry_after: timedelta = timedelta()) -> None:
        super().__init__(f"{kind}: {reason} {code}".strip())
        self.kind, self.reason, self.retry_after = kind, reason, retry_after
        self.code = code.replace("\x00", "")[:40]  # so that it fits its column


class Provider(Protocol):
    """All methods raise ProviderError. `send` is called outside any transaction."""

    parallel_calls: int  # calls at once, each in a thread; 0 means one after the other in the caller's thread
    can_look_up: bool  # whether `find` and `fetch` can tell the result of a send

    def send(self, message: OutgoingMessage) -> Receipt: ...

    def find(self, message: OutgoingMessage, since: datetime) -> list[ProviderMessage]: ...

    def fetch(self, provider_id: str) -> ProviderMessage | None: ...

    def close(self) -> None:
        """End idle connections; the provider can be used again."""
        ...
