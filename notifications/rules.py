"""What is allowed and what follows: errors of the provider, retries, reports, and words that mean stop."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from notifications.models import MessageState

# Errors of the provider ------------------------------------------------------------------------------------------


class Kind(StrEnum):
    PERMANENT = "permanent"  # never again to this address, or never again this text
    OPTED_OUT = "opted_out"  # permanent, and nothing else to this address through this sender
    CONFIGURATION = "configuration"  # the sender is not fit to send: stop it
    TRANSIENT = "transient"  # surely not sent: again later
    EXPIRED = "expired"  # useless by now
    IN_DOUBT = "in_doubt"  # perhaps sent: ask before sending again


@dataclass(frozen=True)
class Treatment:
    """What an error code means. `delays`: when to send again after a report of failure; empty is never.

    Errors of configuration that hang on the destination do not stop the sender: else a stranger could silence an
    organization by typing one number abroad.
    """

    kind: Kind
    reason: str
    delays: tuple[timedelta, ...] = ()
    alert: bool = False
    stops_sender: bool = False


_QUARTER_THEN_TWO_HOURS = (timedelta(minutes=15), timedelta(hours=2))
_SOON = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30))

# Twilio's codes: https://www.twilio.com/docs/api/errors
TREATMENTS: Mapping[str, Treatment] = MappingProxyType(
    {
        "21211": Treatment(Kind.PERMANENT, "number_invalid"),
        "30005": Treatment(Kind.PERMANENT, "number_invalid"),
        "21610": Treatment(Kind.OPTED_OUT, "opted_out"),
        "21614": Treatment(Kind.PERMANENT, "not_a_mobile"),
        "21635": Treatment(Kind.PERMANENT, "not_a_mobile"),
        "30006": Treatment(Kind.PERMANENT, "not_a_mobile"),
        "21408": Treatment(Kind.CONFIGURATION, "region_not_enabled", alert=True),
        "21608": Treatment(Kind.CONFIGURATION, "trial_account", alert=True),
        "21612": Treatment(Kind.CONFIGURATION, "sender_cannot_reach", alert=True),
        "20003": Treatment(Kind.CONFIGURATION, "credentials_refused", alert=True, stops_sender=True),
        "30034": Treatment(Kind.CONFIGURATION, "sender_not_registered", alert=True, stops_sender=True),
        "30003": Treatment(Kind.TRANSIENT, "unreachable", _QUARTER_THEN_TWO_HOURS),
        "30008": Treatment(Kind.TRANSIENT, "unknown_to_carrier", _QUARTER_THEN_TWO_HOURS),
        "30007": Treatment(Kind.PERMANENT, "filtered", alert=True),
        "30001": Treatment(Kind.TRANSIENT, "queue_full", _SOON),
        "21611": Treatment(Kind.TRANSIENT, "queue_full", _SOON),
        "20429": Treatment(Kind.TRANSIENT, "too_many_requests", _SOON),
        "30036": Treatment(Kind.EXPIRED, "expired"),
    }
)
_REFUSED = Treatment(Kind.PERMANENT, "refused")


def treatment(code: str, status: int = 0) -> Treatment:
    """What to do about an error code. An unknown one with an HTTP status of the 500s says nothing about whether the
    message was taken, so it is in doubt; any other is a refusal of this message.
    """
    if code in TREATMENTS:
        return TREATMENTS[code]
    if status >= 500:
        return Treatment(Kind.IN_DOUBT, "no_clear_answer")
    return _REFUSED


def provider_fails(kind: Kind, reason: str, channel: str) -> bool:
    """Whether an error speaks of the provider, not of the message: several in a row shut that way out for a while."""
    if kind == Kind.CONFIGURATION:
        return channel == "email"
    return kind == Kind.IN_DOUBT or (kind == Kind.TRANSIENT and reason not in {"refused_for_now", "queue_full"})


# Retries ---------------------------------------------------------------------------------------------------------

MOST_ATTEMPTS = 10
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=10), timedelta(minutes=30)


def pause(attempt: int, chance: float, asked: timedelta = timedelta()) -> timedelta:
    """How long to wait after an attempt that failed (the first is 1): doubling, no less than the provider asked.

    `chance`, a random number from 0 to 1, spreads the pause over its upper half: many must not return at once.
    """
    whole: timedelta = min(FIRST_PAUSE * 2 ** min(attempt - 1, 16), LONGEST_PAUSE)
    return max(whole * (0.5 + chance / 2), asked + whole * (chance / 10))


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
# Reports come in any order and the highest wins. A retry that is waiting ranks with the failure behind it.
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


def state_reported(status: str) -> MessageState | None:
    """The state that a provider's status word stands for; unknown words change nothing."""
    return _STATES.get(status.lower())


def moves_forward(current: str, reported: str) -> bool:
    """Whether a report may change the state: only upwards, and never what was withdrawn, expired or blocked."""
    return current in _RANKS and _RANKS[reported] > _RANKS[current]


# Words -----------------------------------------------------------------------------------------------------------


class Reading(StrEnum):
    """What an incoming text means for the right to text its sender. `handled_as` of the reply says the same."""

    STOP = "stop"
    STOP_OR_CANCEL = "stop_or_cancel"  # an opt-out for the carrier; its writer may have meant the appointment
    STOP_IN_WORDS = "stop_in_words"  # an opt-out in a sentence, which may say more: a person reads it too
    START = "start"
    YES = "yes"  # opts in again whoever had opted out; from anybody else it answers a question
    HELP = "help"
    HELP_UNANSWERED = "help_unanswered"  # asked for in a word that the provider leaves to us: a person answers
    OTHER = ""


STOPS = frozenset({Reading.STOP, Reading.STOP_OR_CANCEL, Reading.STOP_IN_WORDS})
_WORDS: Mapping[Reading, frozenset[str]] = MappingProxyType(
    {
        Reading.STOP_OR_CANCEL: frozenset({"cancel", "cancelar", "cancela"}),
        Reading.STOP: frozenset(
            {"stop", "stopall", "unsubscribe", "end", "quit", "revoke", "optout", "opt out", "arret", "no mas"}
            | {"alto", "parar", "pare", "para", "basta", "baja", "detener", "detengan", "fin", "salir", "no more"}
        ),
        Reading.START: frozenset({"start", "unstop"}),
        Reading.YES: frozenset({"yes", "si"}),
        Reading.HELP: frozenset({"help", "info"}),
        Reading.HELP_UNANSWERED: frozenset({"ayuda"}),
    }
)
_POLITE = re.compile(r"\b(please|pls|plz|thanks|thank you|por favor|gracias|now|ya|all|everything|todo)\b")
_AGAIN = re.compile(r"\b(\w+)( \1\b)+")
_TEXTS = r"(text|txt|messag|msg|sms|remind|notific|alert|mensaj)"
# Within one sentence each: "What time does it end? Please call me." is two.
_FREE_WORDING = re.compile(
    rf"(?<!not )(?<!never )(?<!wont )(?<!bus )\b(stop|cease|quit)\b(?! by\b).{{0,20}}\b({_TEXTS}|contact|send|writ)"
    r"|^stop( (it|this|that|these|them)\b|$)|\bstop (call|bother|harass|annoy|spam)ing\b"
    rf"|\b(end|cancel\w*) (\w+ ){{0,2}}(texts|messages|msgs|sms|reminders|mensajes|textos|notificaciones|suscripcion)\b"
    rf"|(?<!\bi )\b(do not|dont|never) (ever )?({_TEXTS}|contact|send|write|call)"
    rf"|\b(do not|dont|no longer) (want|wish|need)\b.{{0,25}}\b({_TEXTS}|contact)|\bno more (\w+ )?({_TEXTS}|contact)"
    r"|\b(unsubscribe|opt(ing)? ?out|revoke|wrong number|leave me alone|lose my number)\b"
    r"|\b(remove|delete) (me|my (number|phone)|this number)( please)?$|\btake me off( (it|this))?$"
    rf"|\b(remove|take) (me|my (number|phone)|this number) (off|from|out of) (\w+ ){{0,2}}(list|system|{_TEXTS})"
    r"|\bno (me )?(mas(?! tarde)|envie\w*|mande\w*|escriba\w*|contacte\w*|moleste\w*|textee\w*)\b"
    r"|\bno quiero (mas|recibir|mensajes|textos|que me (escrib|mand|envi|text)\w*)\b"
    r"|\b(deja|deje|dejen|dejar) de\b|\b(de|dar|denme|darme) (de )?baja\b|\bnumero equivocado\b|\ben paz\b"
    r"|\b(alto|par(a|ar|e|en)|deten\w*|basta) (\w+ ){0,2}(mensajes|textos|sms|notificaciones)\b"
    r"|\bborr(a|e|en) mi numero\b"
)


def reading(text: str) -> Reading:
    """What the text means: the carriers' words, and what a reasonable person reads as stop (47 CFR 64.1200(a)(10)).

    "Can I stop by early?" and "cancel my appointment" are not opt-outs.
    """
    bare = _bare(_plain(text))
    for meaning, words in _WORDS.items():
        if bare in words:
            return meaning
    sentences = (_plain(sentence) for sentence in re.split(r"[.,;:!?¿¡\n]+", text))
    return Reading.STOP_IN_WORDS if any(map(_FREE_WORDING.search, sentences)) else Reading.OTHER


def _plain(text: str) -> str:
    """Small letters without accents, punctuation and pictures, single spaces."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    plain = re.sub(r"[^\w\s]|_", "", folded.replace("-", " "))
    return " ".join("".join(letter for letter in plain if not unicodedata.combining(letter)).split())


def _bare(plain: str) -> str:
    """Without words of courtesy, and each word once."""
    bare = " ".join(_POLITE.sub(" ", plain).split()) or plain
    return _AGAIN.sub(r"\1", bare)
