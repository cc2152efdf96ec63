from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import QuerySet

from drives.domain import localtime
from drives.imports import columns, rules
from drives.imports.columns import Field
from drives.imports.csv_reader import Sheet
from drives.imports.problems import SENTENCES
from drives.models import Import, ImportRow, RowResult
from drives.web import actors
from notifications.models import Purpose
from organizations.models import Organization

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

PURPOSE_FIELDS = {Purpose.REMINDERS.value: Field.REMINDERS, Purpose.NEWS.value: Field.NEWS}


@dataclass(frozen=True)
class ImportLine:
    data_import: Import
    actor: str


def load_lines(imports: Sequence[Import], organization: Organization) -> list[ImportLine]:
    names = actors.describe_actors({one.actor for one in imports}, organization.pk)
    return [ImportLine(one, names.get(one.actor, one.actor)) for one in imports]


@dataclass(frozen=True)
class ColumnSample:
    label: str
    cells: list[str]


def list_column_samples(sheet: Sheet) -> list[ColumnSample]:
    """List the columns, each with its first cells that have text."""
    return [
        ColumnSample(label, list(_iterate_first_cells(sheet, column)))
        for column, label in enumerate(columns.list_column_labels(sheet.headers))
    ]


def _iterate_first_cells(sheet: Sheet, column: int) -> Iterator[str]:
    found = 0
    for cell in sheet.list_cells(column):
        if cell.strip():
            yield cell.strip()[:40]
            found += 1
        if found == rules.SAMPLE_CELLS:
            return


@dataclass(frozen=True)
class PreviewRow:
    number: int
    values: Mapping[str, Any]
    time: str
    language: str
    agreed_to: list[str]
    result: "StrOrPromise"


def list_preview_rows(data_import: Import) -> list[PreviewRow]:
    languages = dict(settings.LANGUAGES)
    rows = data_import.rows.exclude(result=RowResult.ERROR).order_by("number")[: rules.ROWS_PREVIEWED]
    return [
        PreviewRow(
            row.number,
            row.values,
            _format_time_of_day(row.values.get("time", "")),
            languages.get(row.values["language"], ""),
            [str(PURPOSE_FIELDS[purpose].label) for purpose in row.values["consents"]],
            row.get_result_display(),
        )
        for row in rows
    ]


def _format_time_of_day(value: str) -> str:
    """Format a stored arrival time, such as 13:30, as all pages do."""
    if not value:
        return ""
    at = datetime.combine(date(2000, 1, 1), time.fromisoformat(value), UTC)
    return localtime.format_time(at, "UTC")


@dataclass(frozen=True)
class ErrorLine:
    number: int
    field: "StrOrPromise"
    value: str
    sentence: "StrOrPromise"


def filter_error_rows(data_import: Import) -> QuerySet[ImportRow]:
    return data_import.rows.filter(result=RowResult.ERROR).order_by("number")


def list_error_lines(rows: Sequence[ImportRow] | QuerySet[ImportRow]) -> Iterator[ErrorLine]:
    labels = dict(Field.choices)
    for row in rows:
        for problem in row.problems:
            sentence = problem["text"] or SENTENCES.get(problem["code"], problem["code"])
            yield ErrorLine(row.number, labels.get(problem["field"], ""), problem["value"], sentence)
