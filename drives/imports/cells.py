"""Parse single cells: names, phone numbers, dates and answers, as a spreadsheet program saves them. Pure functions."""

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
# Match capitals only, because Null is also a family name.
_EXACT_BLANKS: Final = frozenset({"NULL", "NONE", "NA"})
# `csv_file.escape_formula` puts an apostrophe in front of a cell that looks like a formula.
_ESCAPED: Final = re.compile(r"^'(?=[=+\-@])")
# such as 2.13556E+09, also with a comma
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
        (
            "return",
            "return visit",
            "returning",
            "repeat",
            "regreso",
            "visita de regreso",
            "siguiente",
            "de regreso",
            "recurrente",
        ),
        "return",
    ),
}
_FIRST_YEAR: Final = 1900


def clean_cell(text: str) -> str:
    """Return the cell on one line. Return "" for error values and placeholders of spreadsheets (#N/A, NULL)."""
    plain = _ESCAPED.sub("", contact_address.clean_line(text, kept=contact_address.JOINERS))
    return "" if is_placeholder(plain) else plain


def is_placeholder(text: str) -> bool:
    plain = text.strip()
    return plain.lower() in _BLANKS or plain in _EXACT_BLANKS


def clean_phone(text: str) -> str:
    """Return the phone number. Refuse a number that the spreadsheet program has rounded.

    The last digits of such a number are lost. A number with decimals ("2135550142.0") is complete, so it is accepted.
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
    """Return whether a column's dates are month/day/year.

    True if some date is valid only as month/day/year, and no date is valid only as day/month/year.
    """
    pairs = [(int(match[1]), int(match[2])) for text in texts if (match := _SLASHED_DATE.match(text.strip()))]
    return any(second > 12 for _first, second in pairs) and not any(first > 12 for first, _second in pairs)


def parse_date(text: str, *, is_month_first: bool) -> date | None:
    """Parse 2026-03-04 or month/day/year.

    Unless `is_month_first`, refuse a date that could also be day/month/year.
    """
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
    """Parse 9:30 AM, 9 a.m., 09:30 or 13:30. Ignore seconds, and an ISO date in front."""
    match = _TIME.match(text)
    if match is None or not (match[2] or match[3]):  # a plain "9" may not be a time
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
    """Return the visit type. An empty cell means a return visit, because the donor's history decides later."""
    visit = _VISITS.get(text.casefold(), "" if text else "return")
    if not visit:
        raise ValidationError("", code="visit_unknown")
    return visit
