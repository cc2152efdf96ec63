"""A notice: a worded, addressed text on its way into the outbox; and how long a text is on a phone."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

# GSM 03.38: the letters that cost one septet, and those of the extension table, which cost two.
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")
_ALPHABET = _BASIC | _EXTENDED
_REPLACEMENTS = str.maketrans(
    {
        "‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "–": "-", "—": "-", "−": "-",
        "‐": "-", "‑": "-", "…": "...", "•": "-", "·": "-", "ç": "c", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ı": "i",
        "`": "'", "´": "'", "ð": "d", "þ": "th", "œ": "oe", "Œ": "OE", "×": "x", "\t": " ", "º": "o", "ª": "a",
    }
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """A message without its text. By itself it is scheduled, and rendered shortly before it is due."""

    key: str  # given by the maker; queueing the same key twice is harmless
    kind: str
    about: str  # "booking:42"
    channel: str
    address: str
    recipient: str = ""  # "volunteer:7", so that a changed address can follow
    revision: int = 0
    purpose: str = ""  # the consent it needs; blank needs none
    language: str = "en"
    zone: str = "UTC"
    keeps_quiet_hours: bool = False
    due_at: datetime
    expires_at: datetime  # from here on it is useless


@dataclass(frozen=True)
class MessageContent:
    """What a message says. Subject, html and calendar are for e-mail."""

    text: str
    subject: str = ""
    html: str = ""
    calendar: str = ""
    calendar_method: str = ""  # the METHOD inside `calendar`: REQUEST, CANCEL or PUBLISH
    unsubscribe_url: str = ""  # answers a POST without log-in (RFC 8058)


@dataclass(frozen=True)
class RenderedMessage:
    """An envelope with its text."""

    envelope: Envelope
    wording: MessageContent


def is_gsm(text: str) -> bool:
    """Whether every character is of the GSM-7 alphabet, so that a text has 160 places and not 70."""
    return _ALPHABET.issuperset(text)


def count_septets(text: str) -> int:
    """The septets a GSM-7 text takes: ^{}[]\\~|€ count twice."""
    return len(text) + sum(map(text.count, _EXTENDED))


def count_segments(text: str) -> int:
    """How many texts are billed: GSM-7 holds 160, or 153 each of several; anything else 70, or 67 (UTF-16 units)."""
    if is_gsm(text):
        return (
            1
            if count_septets(text) <= 160
            else _count_parts((_count_character_septets(character) for character in text), 160, 153)
        )
    return _count_parts((2 if ord(character) > 0xFFFF else 1 for character in text), 70, 67)


def convert_to_gsm(text: str) -> str:
    """The text in GSM-7: accents it lacks are dropped, quotes and dashes made plain, other letters become "?"."""
    composed = unicodedata.normalize("NFC", text)
    return composed if is_gsm(composed) else "".join(map(_convert_character, composed))


def _count_character_septets(character: str) -> int:
    return 2 if character in _EXTENDED else 1


def _count_parts(sizes: Iterable[int], alone: int, each: int) -> int:
    """Parts that the characters fill, when none may be cut in two."""
    total, parts, used = 0, 1, 0
    for size in sizes:
        total += size
        if used + size > each:
            parts, used = parts + 1, 0
        used += size
    return 1 if total <= alone else parts


def _convert_character(character: str) -> str:
    if is_gsm(character):
        return character
    spelled = unicodedata.normalize("NFKD", character.translate(_REPLACEMENTS))
    kept = "".join(letter for letter in spelled if is_gsm(letter))
    return kept or ("?" if character.isalnum() else "")
