"""Rules for provider errors, retries, status reports and possible opt-outs. No database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from zoneinfo import ZoneInfo

from notifications.models import MessageState

# Errors of the provider ------------------------------------------------------------------------------------------


class ErrorKind(StrEnum):
    PERMANENT = "permanent"  # a retry cannot help
    OPTED_OUT = "opted_out"  # permanent, for every message to this contact through this sender
    CONFIGURATION = "configuration"  # the sender's account or registration is wrong
    TRANSIENT = "transient"  # certainly not sent; retry later
    EXPIRED = "expired"  # too late to be useful
    IN_DOUBT = "in_doubt"  # may have been sent; look it up before a retry


@dataclass(frozen=True)
class Treatment:
    """What to do about an error code.

    `delays` are the pauses before each resend after a failure report. If it is empty, the message is not sent again.
    `stops_sender` is off for configuration errors that depend on the destination. Otherwise anyone could stop an
    organization's sender by typing a foreign number.
    """

    kind: ErrorKind
    reason: str
    delays: tuple[timedelta, ...] = ()
    alert: bool = False
    stops_sender: bool = False


_QUARTER_THEN_TWO_HOURS = (timedelta(minutes=15), timedelta(hours=2))
_SOON = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30))

# Twilio's codes: https://www.twilio.com/docs/api/errors
TREATMENTS: Mapping[str, Treatment] = MappingProxyType(
    {
        "21211": Treatment(ErrorKind.PERMANENT, "number_invalid"),
        "30005": Treatment(ErrorKind.PERMANENT, "number_invalid"),
        "21610": Treatment(ErrorKind.OPTED_OUT, "opted_out"),
        "21614": Treatment(ErrorKind.PERMANENT, "not_a_mobile"),
        "21635": Treatment(ErrorKind.PERMANENT, "not_a_mobile"),
        "30006": Treatment(ErrorKind.PERMANENT, "not_a_mobile"),
        "21408": Treatment(ErrorKind.CONFIGURATION, "region_not_enabled", alert=True),
        "21608": Treatment(ErrorKind.CONFIGURATION, "trial_account", alert=True),
        "21612": Treatment(ErrorKind.CONFIGURATION, "sender_cannot_reach", alert=True),
        "20003": Treatment(ErrorKind.CONFIGURATION, "credentials_refused", alert=True, stops_sender=True),
        "30034": Treatment(ErrorKind.CONFIGURATION, "sender_not_registered", alert=True, stops_sender=True),
        "30003": Treatment(ErrorKind.TRANSIENT, "unreachable", _QUARTER_THEN_TWO_HOURS),
        "30008": Treatment(ErrorKind.TRANSIENT, "unknown_to_carrier", _QUARTER_THEN_TWO_HOURS),
        "30007": Treatment(ErrorKind.PERMANENT, "filtered", alert=True),
        "30001": Treatment(ErrorKind.TRANSIENT, "queue_full", _SOON),
        "21611": Treatment(ErrorKind.TRANSIENT, "queue_full", _SOON),
        "20429": Treatment(ErrorKind.TRANSIENT, "too_many_requests", _SOON),
        "30036": Treatment(ErrorKind.EXPIRED, "expired"),
    }
)
_REFUSED = Treatment(ErrorKind.PERMANENT, "refused")


def choose_treatment(code: str, status: int = 0) -> Treatment:
    if code in TREATMENTS:
        return TREATMENTS[code]
    if status >= 500:  # the provider may have accepted the message
        return Treatment(ErrorKind.IN_DOUBT, "no_clear_answer")
    return _REFUSED


def is_provider_failure(kind: ErrorKind, reason: str, channel: str) -> bool:
    if kind == ErrorKind.CONFIGURATION:
        return channel == "email"
    return kind == ErrorKind.IN_DOUBT or (
        kind == ErrorKind.TRANSIENT and reason not in {"refused_for_now", "queue_full"}
    )


# Retries ---------------------------------------------------------------------------------------------------------

MOST_ATTEMPTS = 10
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=10), timedelta(minutes=30)


def compute_pause(attempt: int, chance: float, retry_after: timedelta = timedelta()) -> timedelta:
    """Return the pause after a failed attempt (the first is 1). It doubles each time and is at least `retry_after`.

    `chance` is a random number from 0 to 1. It picks a time in the upper half of the pause, so that retries do not all
    come at once.
    """
    whole: timedelta = min(FIRST_PAUSE * 2 ** min(attempt - 1, 16), LONGEST_PAUSE)
    return max(whole * (0.5 + chance / 2), retry_after + whole * (chance / 10))


# Reports ---------------------------------------------------------------------------------------------------------

_STATES: Mapping[str, MessageState] = MappingProxyType(
    {
        "accepted": MessageState.ACCEPTED,
        "scheduled": MessageState.ACCEPTED,
        "queued": MessageState.ACCEPTED,
        "sending": MessageState.ACCEPTED,
        "sent": MessageState.SENT,
        "failed": MessageState.FAILED,
        "canceled": MessageState.FAILED,
        "undelivered": MessageState.UNDELIVERED,
        "delivered": MessageState.DELIVERED,
        "read": MessageState.DELIVERED,
    }
)
# Reports come in any order, and the highest rank wins. A queued retry has the rank of the failure that caused it.
_RANKS: Mapping[str, int] = MappingProxyType(
    {
        MessageState.SENDING: 0,
        MessageState.IN_DOUBT: 0,
        MessageState.ACCEPTED: 1,
        MessageState.SENT: 2,
        MessageState.FAILED: 3,
        MessageState.UNDELIVERED: 4,
        MessageState.QUEUED: 4,
        MessageState.CLAIMED: 4,
        MessageState.DELIVERED: 5,
    }
)
FINAL = frozenset({MessageState.FAILED, MessageState.UNDELIVERED, MessageState.DELIVERED})


def parse_status(status: str) -> MessageState | None:
    return _STATES.get(status.lower())


def is_forward_move(current: str, reported: str) -> bool:
    # Withdrawn, expired and blocked messages have no rank, so they never change.
    return current in _RANKS and _RANKS[reported] > _RANKS[current]


# Possible opt-outs -----------------------------------------------------------------------------------------------

DECIDE_WITHIN_BUSINESS_DAYS = 2
PAUSE_CHECK = timedelta(minutes=15)  # how often a paused message is tried again
_SATURDAY = 5


def compute_decision_deadline(asked_at: datetime, zone: str) -> datetime:
    """Return the same time of day two business days later. After it, a possible opt-out counts as an opt-out."""
    local, days = asked_at.astimezone(ZoneInfo(zone)), 0
    while days < DECIDE_WITHIN_BUSINESS_DAYS:
        local += timedelta(days=1)
        days += local.weekday() < _SATURDAY
    return local.astimezone(asked_at.tzinfo)
