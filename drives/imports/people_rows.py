"""Convert a row of a sheet to a person with consents. Pure functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from typing import Any

from drives.imports import cells
from drives.imports.columns import CONSENT_FIELDS, Field
from drives.imports.csv_reader import Sheet, SheetRow
from drives.imports.problems import Problem, Problems
from notifications import contact_address
from volunteers import rules as volunteers_rules
from volunteers.imported_people import ImportedPerson


@dataclass(frozen=True)
class PersonRow:
    number: int
    person: ImportedPerson
    consents: list[str]  # purposes
    consented_on: date | None
    problems: list[Problem]
    blank_count: int = 0  # cells such as #N/A
    arrival: time | None = None  # for a booking
    visit: str = ""

    def as_json(self) -> dict[str, Any]:
        on = self.consented_on.isoformat() if self.consented_on else ""
        booking = {"time": f"{self.arrival:%H:%M}", "visit": self.visit} if self.arrival else {}
        return {**vars(self.person), "consents": self.consents, "consented_on": on, **booking}


def build_person(values: Mapping[str, Any]) -> ImportedPerson:
    return ImportedPerson(*(values[name] for name in ("name", "phone", "email", "language")))


@dataclass(frozen=True)
class RowReader:
    columns: Mapping[str, int]
    column_count: int
    country: str
    is_month_first: bool
    today: date
    consented_on: date | None  # for rows without their own date

    @classmethod
    def from_sheet(
        cls, sheet: Sheet, columns: Mapping[str, int], *, country: str, today: date, consented_on: date | None
    ) -> "RowReader":
        dates = sheet.list_cells(columns[Field.CONSENTED_ON]) if Field.CONSENTED_ON in columns else ()
        return cls(columns, len(sheet.headers), country, cells.shows_month_first(dates), today, consented_on)

    def read(self, row: SheetRow) -> PersonRow:
        problems = Problems()
        texts = {name: self._get_cell(row.cells, column) for name, column in self.columns.items()}
        blank_count = sum(cells.is_placeholder(text) for text in texts.values())
        clean = {name: cells.clean_cell(text) for name, text in texts.items()}
        if any(text.strip() for text in row.cells[self.column_count :]):
            # With extra cells, the other cells are probably in the wrong columns.
            return PersonRow(row.number, ImportedPerson(""), [], None, [Problem("", "cells_extra")])
        person = self._read_person(clean, problems)
        consents = [
            field.value
            for field in CONSENT_FIELDS
            if problems.collect(field, clean.get(field, ""), cells.parse_answer, default=False)
        ]
        consented_on = self._read_consent_day(clean, problems) if consents else None
        read = PersonRow(row.number, person, consents, consented_on, problems.found, blank_count)
        return self._read_booking(read, clean, problems) if Field.TIME in self.columns else read

    @staticmethod
    def _read_booking(read: PersonRow, clean: Mapping[str, str], problems: Problems) -> PersonRow:
        arrival: time | None = problems.collect(Field.TIME, clean[Field.TIME], cells.parse_time, None)
        visit = problems.collect(Field.VISIT, clean.get(Field.VISIT, ""), cells.parse_visit, "")
        return replace(read, arrival=arrival, visit=visit)

    def _read_person(self, clean: Mapping[str, str], problems: Problems) -> ImportedPerson:
        parts = (clean.get(field, "") for field in (Field.NAME, Field.FIRST_NAME, Field.LAST_NAME))
        name, phone, email = " ".join(filter(None, parts)), clean.get(Field.PHONE, ""), clean.get(Field.EMAIL, "")
        if not phone and not email:
            problems.add(Field.PHONE, "contact_missing")
        return ImportedPerson(
            problems.collect(Field.NAME, name, _clean_name, ""),
            problems.collect(Field.PHONE, phone, self._clean_phone, "") if phone else "",
            problems.collect(Field.EMAIL, email, contact_address.normalize_email, "") if email else "",
            problems.collect(Field.LANGUAGE, clean.get(Field.LANGUAGE, ""), cells.parse_language, ""),
        )

    def _clean_phone(self, text: str) -> str:
        return contact_address.normalize_phone(cells.clean_phone(text), self.country)

    def _read_consent_day(self, clean: Mapping[str, str], problems: Problems) -> date | None:
        text = clean.get(Field.CONSENTED_ON, "")
        count = len(problems.found)
        day = problems.collect(Field.CONSENTED_ON, text, self._parse_date, None) or self.consented_on
        if day and day > self.today:
            problems.add(Field.CONSENTED_ON, "date_future", text)
        if day is None and len(problems.found) == count:
            problems.add(Field.CONSENTED_ON, "date_missing")
        return day

    def _parse_date(self, text: str) -> date | None:
        return cells.parse_date(text, is_month_first=self.is_month_first)

    @staticmethod
    def _get_cell(row: Sequence[str], column: int) -> str:
        return row[column] if column < len(row) else ""


def _clean_name(text: str) -> str:
    return volunteers_rules.clean_name(text[: volunteers_rules.NAME_MAX_TYPED], is_own_name=False)
