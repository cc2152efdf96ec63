"""The providers' error codes: what each code means, and how we treat a message with it. No database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType


class ErrorKind(StrEnum):
    PERMANENT = "permanent"  # a retry cannot help
    OPTED_OUT = "opted_out"  # permanent, for every message to this contact through this sender
    CONFIGURATION = "configuration"  # the sender's account or registration is wrong
    TRANSIENT = "transient"  # certainly not sent; retry later
    EXPIRED = "expired"  # too late to be useful
    IN_DOUBT = "in_doubt"  # may have been sent; look it up before a retry


@dataclass(frozen=True)
class Treatment:
    """How to treat a message after an error code.

    `delays` are the pauses before each resend after a failure report. Without delays, the message is not sent again.
    `stops_sender` is off for configuration errors that depend on the destination. Otherwise a visitor could stop an
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
ADDRESS_REFUSED = "address_refused"  # the mail server does not take mail for this mailbox
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
