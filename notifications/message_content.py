"""The content of a message, and the length of a text on a phone."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

# GSM 03.38: a basic character takes one septet, a character from the extension table takes two.
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
    """A message without its text.

    Without content, an envelope becomes a scheduled message, which is rendered shortly before it is due.
    """

    key: str  # chosen by the caller; queueing the same key twice is harmless
    kind: str
    about: str  # "booking:42"
    channel: str
    address: str
    recipient: str = ""  # "volunteer:7", so that messages follow a changed contact
    revision: int = 0
    purpose: str = ""  # the consent it needs; blank if none
    language: str = "en"
    zone: str = "UTC"
    keeps_quiet_hours: bool = False
    due_at: datetime
    expires_at: datetime  # not sent after this time
    has_unverified_mailbox: bool = False  # only a few e-mails about one subject are queued


@dataclass(frozen=True)
class MessageContent:
    """The content of a message. Subject, html and calendar are used for e-mail only."""

    text: str
    subject: str = ""
    html: str = ""
    calendar: str = ""
    calendar_method: str = ""  # the METHOD of `calendar`: REQUEST, CANCEL or PUBLISH
    unsubscribe_url: str = ""  # accepts a POST without a login (RFC 8058)


@dataclass(frozen=True)
class RenderedMessage:
    envelope: Envelope
    content: MessageContent


def is_gsm(text: str) -> bool:
    return _ALPHABET.issuperset(text)


def count_septets(text: str) -> int:
    return len(text) + sum(map(text.count, _EXTENDED))  # each of these takes two septets


def count_segments(text: str) -> int:
    """Return the number of segments that the carrier bills for a text.

    A text of one segment holds 160 GSM-7 septets. A longer text has segments of 153 septets. With characters outside
    GSM-7, the limits are 70 and 67 UTF-16 units.
    """
    if is_gsm(text):
        return (
            1
            if count_septets(text) <= 160
            else _count_parts((_count_character_septets(character) for character in text), 160, 153)
        )
    return _count_parts((2 if ord(character) > 0xFFFF else 1 for character in text), 70, 67)


def convert_to_gsm(text: str) -> str:
    """Convert to GSM-7: drop accents if necessary, use plain quotes and dashes, and write "?" for other characters."""
    # NFC first, because a letter and its combining accent may form one GSM-7 character.
    composed = unicodedata.normalize("NFC", text)
    return composed if is_gsm(composed) else "".join(map(_convert_character, composed))


def _count_character_septets(character: str) -> int:
    return 2 if character in _EXTENDED else 1


def _count_parts(sizes: Iterable[int], alone: int, each: int) -> int:
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
    plain = "".join(char for char in spelled if is_gsm(char))
    return plain or ("?" if character.isalnum() else "")
