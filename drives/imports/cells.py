"""Read single cells: what a spreadsheet program left of names, phone numbers, dates and answers. No database."""

import re
from collections.abc import Iterable
from datetime import date, time
from typing import Final

from django.core.exceptions import ValidationError

from notifications import contact_address

_BLANKS: Final = frozenset(
    (
        "#n/a",
        "#na",
        "#ref!",
        "#value!",
        "#name?",
        "#div/0!",
        "#null!",
        "#num!",
        "#getting_data",
        "#error!",
        "n/a",
        "(null)",
        "nan",
        "-",
        "--",
        "–",
        "—",
    )
)
# Only in capitals, because Null is a family name.
_EXACT_BLANKS: Final = frozenset({"NULL", "NONE", "NA"})
# Our own files have an apostrophe before a cell that a spreadsheet program would take for a formula.
_ESCAPED: Final = re.compile(r"^'(?=[=+\-@])")
# 2.13556E+09, also with a comma
_SCIENTIFIC: Final = re.compile(r"^[+-]?\d+(?:[.,]\d+)?E[+-]?\d+$", re.IGNORECASE)
_WHOLE_NUMBER: Final = re.compile(r"^(\d{7,15})\.0+$")
_ISO_DATE: Final = re.compile(r"^(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]00:00(?::00)?)?$")
_SLASHED_DATE: Final = re.compile(r"^(\d{1,2})/(\d{1,2})/(\d{4})$")
_YES: Final = frozenset(
    (
        "yes",
        "y",
        "true",
        "t",
        "x",
        "1",
        "ok",
        "✓",
        "✔",
        "si",
        "sí",
        "s",
        "verdadero",
        "agreed",
        "subscribed",
        "opted in",
        "acepta",
        "acepto",
    )
)
_NO: Final = frozenset(
    (
        "no",
        "n",
        "false",
        "f",
        "0",
        "✗",
        "✘",
        "falso",
        "not agreed",
        "unsubscribed",
        "opted out",
        "no acepta",
        "no acepto",
    )
)
_LANGUAGES: Final = {
    **dict.fromkeys(("en", "eng", "english", "inglés", "ingles"), "en"),
    **dict.fromkeys(("es", "spa", "spanish", "español", "espanol", "castellano"), "es"),
}
_TIME: Final = re.compile(
    r"^(?:\d{4}-\d{2}-\d{2}[T ])?(\d{1,2})(?::(\d{2})(?::00)?)?\s*(?:([ap])\.?\s?m\.?)?$", re.IGNORECASE
)
_VISITS: Final = {
    **dict.fromkeys(("first", "first visit", "new", "primera", "primera visita"), "first"),
    **dict.fromkeys(
        ("return", "return visit", "returning", "repeat", "siguiente", "de regreso", "recurrente"), "return"
    ),
}
_FIRST_YEAR: Final = 1900


def clean_cell(text: str) -> str:
    """Return the cell on one line. Error values and placeholders of spreadsheets (#N/A, NULL) become ""."""
    plain = _ESCAPED.sub("", contact_address.clean_line(text, kept=contact_address.JOINERS))
    return "" if is_placeholder(plain) else plain


def is_placeholder(text: str) -> bool:
    plain = text.strip()
    return plain.lower() in _BLANKS or plain in _EXACT_BLANKS


def clean_phone(text: str) -> str:
    """Refuse a number that the spreadsheet program has rounded, because its last digits are lost.

    A number that was saved with decimals ("2135550142.0") has lost nothing.
    """
    if _SCIENTIFIC.match(text.replace(" ", "")):
        raise ValidationError("", code="phone_scientific")
    return _WHOLE_NUMBER.sub(r"\1", text)


def parse_answer(text: str) -> bool:
    answer = text.casefold()
    if answer in _YES:
        return True
    if answer in _NO or not answer:
        return False
    raise ValidationError("", code="answer_unknown")


def parse_language(text: str) -> str:
    base = re.split(r"[-_]", text.casefold())[0].strip()
    if base and base not in _LANGUAGES:
        raise ValidationError("", code="language_unknown")
    return _LANGUAGES.get(base, "")


def shows_month_first(texts: Iterable[str]) -> bool:
    """Return whether some dates of a column can only be month/day/year, and none can only be day/month/year."""
    pairs = [(int(match[1]), int(match[2])) for text in texts if (match := _SLASHED_DATE.match(text.strip()))]
    return any(second > 12 for _first, second in pairs) and not any(first > 12 for first, _second in pairs)


def parse_date(text: str, *, is_month_first: bool) -> date | None:
    """Read 2026-03-04, or 3/4/2026 if `is_month_first`. Without that, refuse a date that could be read in two ways."""
    if not text:
        return None
    if match := _ISO_DATE.match(text):
        return _build_date(match[1], match[2], match[3])
    if not (match := _SLASHED_DATE.match(text)):
        raise ValidationError("", code="date_invalid")
    first, second, year = match.groups()
    if not is_month_first and int(first) <= 12 and int(second) <= 12 and int(first) != int(second):
        raise ValidationError("", code="date_ambiguous")
    return _build_date(year, first, second)


def _build_date(year: str, month: str, day: str) -> date:
    try:
        found = date(int(year), int(month), int(day))
    except ValueError:
        raise ValidationError("", code="date_invalid") from None
    if found.year < _FIRST_YEAR:
        raise ValidationError("", code="date_invalid")
    return found


def parse_time(text: str) -> time:
    """Read 9:30 AM, 9 a.m., 09:30 or 13:30, also with seconds or an ISO date before it."""
    match = _TIME.match(text)
    if match is None or not (match[2] or match[3]):  # "9" could be anything
        raise ValidationError("", code="time_invalid")
    hour, minute = int(match[1]), int(match[2] or 0)
    if match[3]:
        if not 1 <= hour <= 12:
            raise ValidationError("", code="time_invalid")
        hour = hour % 12 + (12 if match[3].lower() == "p" else 0)
    if hour > 23 or minute > 59:
        raise ValidationError("", code="time_invalid")
    return time(hour, minute)


def parse_visit(text: str) -> str:
    """Return the visit type. An empty cell is a return visit; the donor's history decides anyway."""
    visit = _VISITS.get(text.casefold(), "" if text else "return")
    if not visit:
        raise ValidationError("", code="visit_unknown")
    return visit
