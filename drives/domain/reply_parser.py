"""What a donor's text means for a booking: a letter, a wish to cancel, or something a person must read. Pure."""

import re
import unicodedata
from enum import StrEnum


class ReplyCommand(StrEnum):
    CONFIRM = "confirm"
    CANCEL = "cancel"


_CONFIRM_TEXTS = frozenset(
    {"c", "confirm", "confirmed", "confirmo", "confirmado", "confirmada", "confirmar", "yes", "si"}
)
_CANCEL_TEXTS = frozenset({"x", "x cancel", "x cancelar", "cancel x"})
_POLITE_WORDS = re.compile(r"\b(please|pls|plz|thanks|thank you|thx|ok|okay|por favor|gracias)\b")
_CANCEL_PHRASES = re.compile(
    r"\b(cancel\w*|anular|anule|anulen)\b"
    r"|\b(cant|cannot|can not|wont|not able to|unable to) (come|make|be there|attend|go)\b"
    r"|\bnot coming\b|\bno (puedo|podre|podemos|voy a) (ir|venir|llegar|asistir|poder)\b|\bno (voy|ire|iremos|vengo)\b"
)


def parse_reply_command(text: str) -> ReplyCommand | None:
    """The letter that a text is, whatever stands around it: "C", "x.", "C 👍", "Yes please", "Confirmo, gracias".

    A sentence is none, however it begins: it may say more than its first word.
    """
    plain = _normalize_text(text)
    bare = " ".join(_POLITE_WORDS.sub(" ", plain).split())
    if bare in _CONFIRM_TEXTS:
        return ReplyCommand.CONFIRM
    return ReplyCommand.CANCEL if bare in _CANCEL_TEXTS else None


def may_mean_cancel(text: str) -> bool:
    """Whether a person should look at this as a wish to give the appointment up."""
    return parse_reply_command(text) == ReplyCommand.CANCEL or bool(_CANCEL_PHRASES.search(_normalize_text(text)))


def _normalize_text(text: str) -> str:
    """Small letters without accents, punctuation and pictures, single spaces."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    seen = "".join(one for one in folded if not unicodedata.combining(one) and one not in "'’")
    return " ".join(re.sub(r"[^\w\s]|_", " ", seen).split())
