"""What every provider looks like from our side."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from notifications.models import MessageState
from notifications.rules import ErrorKind


@dataclass(frozen=True, kw_only=True)
class OutgoingMessage:
    """A message as a gateway needs it."""

    key: str
    token: str  # of this attempt: the provider's reports carry it
    channel: str
    address: str
    text: str
    at: datetime  # when it went through the gate
    expires_at: datetime
    number: str = ""  # SMS: what it leaves from, the one or the other
    messaging_service: str = ""
    name: str = ""  # e-mail: in whose name it comes
    reply_to: str = ""
    subject: str = ""
    html: str = ""
    calendar: str = ""
    calendar_method: str = ""
    unsubscribe_url: str = ""


@dataclass(frozen=True)
class Receipt:
    """The provider's immediate answer: it has the message."""

    provider_id: str
    state: MessageState = MessageState.ACCEPTED


@dataclass(frozen=True)
class ProviderMessage:
    """A message as the provider knows it."""

    provider_id: str
    status: str
    error_code: str
    text: str
    created_at: datetime | None


class ProviderError(Exception):
    """The provider did not take it, or nobody knows. Carries no address and no text: it is logged."""

    def __init__(self, kind: ErrorKind, reason: str, code: str = "", retry_after: timedelta = timedelta()) -> None:
        super().__init__(f"{kind}: {reason} {code}".strip())
        self.kind, self.reason, self.retry_after = kind, reason, retry_after
        self.code = code.replace("\x00", "")[:40]  # as a row can hold it


class Provider(Protocol):
    """A provider. All methods raise ProviderError; `send` is called outside any transaction."""

    parallel_calls: int  # how many calls at once, each in a thread; 0 means one after the other in the caller's thread
    can_look_up: bool  # whether `find` and `fetch` tell what became of a message

    def send(self, message: OutgoingMessage) -> Receipt: ...

    def find(self, message: OutgoingMessage, since: datetime) -> list[ProviderMessage]:
        """Messages to the letter's address from then on."""
        ...

    def fetch(self, provider_id: str) -> ProviderMessage | None: ...

    def close(self) -> None:
        """End idle connections; the gateway can be used again."""
        ...
