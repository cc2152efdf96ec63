"""Parse a donor's text as a confirmation, a cancellation, or text that a person must read. Pure functions."""

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
    """Return the command in a text such as "C", "x.", "C 👍", "Yes please", "Confirmo, gracias".

    A longer sentence is not a command, even if it starts with one, because it may say more.
    """
    normalized = _normalize_text(text)
    without_politeness = " ".join(_POLITE_WORDS.sub(" ", normalized).split())
    if without_politeness in _CONFIRM_TEXTS:
        return ReplyCommand.CONFIRM
    return ReplyCommand.CANCEL if without_politeness in _CANCEL_TEXTS else None


def may_mean_cancel(text: str) -> bool:
    return parse_reply_command(text) == ReplyCommand.CANCEL or bool(_CANCEL_PHRASES.search(_normalize_text(text)))


def _normalize_text(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text.casefold())
    without_accents = "".join(
        character for character in folded if not unicodedata.combining(character) and character not in "'’"
    )
    return " ".join(re.sub(r"[^\w\s]|_", " ", without_accents).split())
