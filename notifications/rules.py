"""Rules for provider errors, retries, status reports and carrier keywords. No database."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

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


# Carrier keywords ------------------------------------------------------------------------------------------------


class ReplyMeaning(StrEnum):
    """What an inbound text says about our permission to text that number. Stored as the reply's `handled_as`."""

    STOP = "stop"
    STOP_OR_CANCEL = "stop_or_cancel"  # an opt-out for the carrier; the donor may have meant the booking
    STOP_IN_WORDS = "stop_in_words"  # an opt-out in a sentence; a coordinator reads it too, because it may say more
    START = "start"
    YES = "yes"  # START after an opt-out; otherwise the answer to a question
    HELP = "help"
    HELP_UNANSWERED = "help_unanswered"  # Spanish for help; the provider ignores this word, so a coordinator answers it
    OTHER = ""


STOP_MEANINGS = frozenset({ReplyMeaning.STOP, ReplyMeaning.STOP_OR_CANCEL, ReplyMeaning.STOP_IN_WORDS})
_KEYWORDS: Mapping[ReplyMeaning, frozenset[str]] = MappingProxyType(
    {
        ReplyMeaning.STOP_OR_CANCEL: frozenset({"cancel", "cancelar", "cancela"}),
        ReplyMeaning.STOP: frozenset(
            {"stop", "stopall", "unsubscribe", "end", "quit", "revoke", "optout", "opt out", "arret", "no mas"}
            | {"alto", "parar", "pare", "para", "basta", "baja", "detener", "detengan", "fin", "salir", "no more"}
        ),
        ReplyMeaning.START: frozenset({"start", "unstop"}),
        ReplyMeaning.YES: frozenset({"yes", "si"}),
        ReplyMeaning.HELP: frozenset({"help", "info"}),
        ReplyMeaning.HELP_UNANSWERED: frozenset({"ayuda"}),
    }
)
_FILLER_WORDS = re.compile(r"\b(please|pls|plz|thanks|thank you|por favor|gracias|now|ya|all|everything|todo)\b")
_REPEATED_WORD = re.compile(r"\b(\w+)( \1\b)+")
_MESSAGE_WORDS = r"(text|txt|messag|msg|sms|remind|notific|alert|mensaj)"
# Each pattern must match within one sentence: "What time does it end? Please call me." is not an opt-out.
_STOP_SENTENCE = re.compile(
    rf"(?<!not )(?<!never )(?<!wont )(?<!bus )\b(stop|cease|quit)\b(?! by\b).{{0,20}}"
    rf"\b({_MESSAGE_WORDS}|contact|send|writ)"
    r"|^stop( (it|this|that|these|them)\b|$)|\bstop (call|bother|harass|annoy|spam)ing\b"
    rf"|\b(end|cancel\w*) (\w+ ){{0,2}}(texts|messages|msgs|sms|reminders|mensajes|textos|notificaciones|suscripcion)\b"
    rf"|(?<!\bi )\b(do not|dont|never) (ever )?({_MESSAGE_WORDS}|contact|send|write|call)"
    rf"|\b(do not|dont|no longer) (want|wish|need)\b.{{0,25}}\b({_MESSAGE_WORDS}|contact)"
    rf"|\bno more (\w+ )?({_MESSAGE_WORDS}|contact)"
    r"|\b(unsubscribe|opt(ing)? ?out|revoke|wrong number|leave me alone|lose my number)\b"
    r"|\b(remove|delete) (me|my (number|phone)|this number)( please)?$|\btake me off( (it|this))?$"
    r"|\b(remove|take) (me|my (number|phone)|this number) (off|from|out of) (\w+ ){0,2}"
    rf"(list|system|{_MESSAGE_WORDS})"
    r"|\bno (me )?(mas(?! tarde)|envie\w*|mande\w*|escriba\w*|contacte\w*|moleste\w*|textee\w*)\b"
    r"|\bno quiero (mas|recibir|mensajes|textos|que me (escrib|mand|envi|text)\w*)\b"
    r"|\b(deja|deje|dejen|dejar) de\b|\b(de|dar|denme|darme) (de )?baja\b|\bnumero equivocado\b|\ben paz\b"
    r"|\b(alto|par(a|ar|e|en)|deten\w*|basta) (\w+ ){0,2}(mensajes|textos|sms|notificaciones)\b"
    r"|\bborr(a|e|en) mi numero\b"
)


def parse_carrier_keyword(text: str) -> ReplyMeaning:
    """Return the meaning of a carrier keyword, or of a request to stop in other words (47 CFR 64.1200(a)(10)).

    "Can I stop by early?" and "cancel my appointment" are not opt-outs.
    """
    bare = _remove_filler(_normalize_text(text))
    for meaning, words in _KEYWORDS.items():
        if bare in words:
            return meaning
    sentences = (_normalize_text(sentence) for sentence in re.split(r"[.,;:!?¿¡\n]+", text))
    return ReplyMeaning.STOP_IN_WORDS if any(map(_STOP_SENTENCE.search, sentences)) else ReplyMeaning.OTHER


def _normalize_text(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text.casefold())
    plain = re.sub(r"[^\w\s]|_", "", folded.replace("-", " "))
    return " ".join("".join(char for char in plain if not unicodedata.combining(char)).split())


def _remove_filler(plain: str) -> str:
    bare = " ".join(_FILLER_WORDS.sub(" ", plain).split()) or plain
    return _REPEATED_WORD.sub(r"\1", bare)
