"""Read a CSV file in the formats of common spreadsheet programs. Pure functions."""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from drives.imports import rules

_DELIMITERS: Final = (",", ";", "\t")
_SNIFFED_ROWS: Final = 50
_UTF_16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_WORKBOOK_STARTS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # .xlsx and .ods; .xls
_SEPARATOR_LINE: Final = re.compile(
    r"\A\"?sep=([,;\t])\"?\r?\n", re.IGNORECASE
)  # Excel writes this line, and also follows it
_CONTACT: Final = re.compile(r"\S@\S|\d{3}.*\d{4}")

CountNames = Callable[[list[str]], int]
"""Return how many cells of a row are names of columns."""


@dataclass(frozen=True)
class SheetRow:
    number: int  # the row number in the spreadsheet program
    cells: list[str]


@dataclass(frozen=True)
class Sheet:
    headers: list[str]
    rows: list[SheetRow]

    def list_cells(self, column: int) -> Iterator[str]:
        return (row.cells[column] for row in self.rows if column < len(row.cells))


def read_sheet(content: bytes, count_names: CountNames, *, max_rows: int = rules.MAX_ROWS) -> Sheet:
    """Return the rows below the column names, without blank rows.

    Refuses:
    - a file that is too large, long or wide (`file_too_large`, `file_too_long`, `file_too_wide`)
    - an Excel or OpenDocument file (`file_is_workbook`)
    - a file in an encoding other than UTF-8, UTF-16 and Windows-1252 (`file_encoding`)
    - a quotation mark that is not closed (`file_quotes`)
    - a file with no rows below the column names (`file_empty`)
    - a first row that already contains a phone number or e-mail address (`header_missing`)
    """
    if len(content) > rules.MAX_BYTES:
        raise build_too_large_error()
    text = _decode(content)
    separator = _SEPARATOR_LINE.match(text)
    skipped = 0
    if separator:
        text, skipped = text[separator.end() :], 1
    delimiter = separator[1] if separator else _find_delimiter(text, count_names)
    rows = _read_rows(text, delimiter, skipped, max_rows + rules.MAX_HEADER_ROW + 1)
    at = _find_header(rows[: rules.MAX_HEADER_ROW], count_names)
    below = rows[at + 1 :]
    _require_sound_size(rows, below, max_rows)
    return Sheet(_strip_end(rows[at].cells), below)


def build_too_large_error() -> ValidationError:
    return ValidationError(_("Choose a file of at most 8 MB."), code="file_too_large")


def _decode(content: bytes) -> str:
    if content.startswith(_WORKBOOK_STARTS):
        message = _("This file is a workbook. In your spreadsheet app, save it as CSV, and choose the new file.")
        raise ValidationError(message, code="file_is_workbook")
    try:
        text = _try_encodings(content)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        message = _("We can’t read this file. Save it again as “CSV UTF-8”.")
        raise ValidationError(message, code="file_encoding")
    return text


def _try_encodings(content: bytes) -> str:
    if content.startswith(_UTF_16_MARKS):
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252")


def _find_delimiter(text: str, count_names: CountNames) -> str:
    """Return the delimiter that finds the most column names or, among several, the most rows of equal length."""

    def rate(delimiter: str) -> tuple[int, int]:
        rows = list(_iterate_rows(text, delimiter, 0, _SNIFFED_ROWS, strict=False))
        lengths = Counter(len(row.cells) for row in rows if len(row.cells) > 1)
        return max((count_names(row.cells) for row in rows), default=0), max(lengths.values(), default=0)

    return max(_DELIMITERS, key=rate)


def _read_rows(text: str, delimiter: str, skipped: int, limit: int) -> list[SheetRow]:
    try:
        return list(_iterate_rows(text, delimiter, skipped, limit, strict=True))
    except csv.Error:
        message = _('A quotation mark (") in this file is never closed. Correct the cell, and save the file again.')
        raise ValidationError(message, code="file_quotes") from None


def _iterate_rows(text: str, delimiter: str, skipped: int, limit: int, *, strict: bool) -> Iterator[SheetRow]:
    found = 0
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict)
    for number, cells in enumerate(reader, start=1 + skipped):
        if any(cell.strip() for cell in cells):
            found += 1
            yield SheetRow(number, cells)
        if found >= limit:
            return


def _find_header(rows: list[SheetRow], count_names: CountNames) -> int:
    """Return the position of the row with the most column names.

    If no name is known, return the first row with the most common width.
    """
    if not rows:
        raise _build_empty_error()
    counts = [count_names(row.cells) for row in rows]
    if max(counts):
        return counts.index(max(counts))
    widths = [len(_strip_end(row.cells)) for row in rows]
    [(usual, _times)] = Counter(widths).most_common(1)
    at = widths.index(usual)
    if any(_CONTACT.search(cell) for cell in rows[at].cells):
        message = _("The first row must contain the names of the columns, such as Name, Phone and E-mail.")
        raise ValidationError(message, code="header_missing")
    return at


def _strip_end(cells: list[str]) -> list[str]:
    length = max((n for n, cell in enumerate(cells, start=1) if cell.strip()), default=0)
    return cells[:length]


def _require_sound_size(rows: list[SheetRow], below: list[SheetRow], max_rows: int) -> None:
    if not below:
        raise _build_empty_error()
    if len(below) > max_rows:
        message = _("This file has more than %(count)s rows. Split it into several files.") % {"count": f"{max_rows:,}"}
        raise ValidationError(message, code="file_too_long")
    if max(len(_strip_end(row.cells)) for row in rows) > rules.MAX_COLUMNS:
        message = _("This file has more than %(count)s columns. Remove the ones you don’t need.")
        raise ValidationError(message % {"count": rules.MAX_COLUMNS}, code="file_too_wide")


def _build_empty_error() -> ValidationError:
    return ValidationError(_("This file has no rows below the column names."), code="file_empty")
