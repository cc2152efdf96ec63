"""Check the rows of a file of people. Store each row with its values, or with its problems."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from drives.imports import leases, people_rows, rules, uploads
from drives.imports.csv_reader import Sheet
from drives.imports.people_rows import PersonRow, RowReader
from drives.imports.problems import Problem
from drives.models import Import, ImportRow, ImportState, RowResult
from drives.web import time_zones
from volunteers import rules as volunteers_rules
from volunteers.imported_people import KnownPeople

COUNTS = ("checked_count", "blank_count", "new_count", "known_count", "repeated_count", "error_count")


class PeopleCheck:
    """The check of a file's rows in batches. If a worker dies, another continues after the last complete batch."""

    def __init__(self, data_import: Import, now: datetime) -> None:
        self.data_import = data_import
        self.sheet = uploads.read_sheet(data_import)
        self.reader = build_reader(data_import, self.sheet, now)
        self.known = KnownPeople(data_import.organization)
        self._load_checked_rows()

    def do_batch(self) -> bool:
        """Check the next rows. Return whether more rows follow. Raises LeaseLost."""
        start = self.data_import.checked_count
        batch = self.sheet.rows[start : start + rules.ROWS_CHECKED_PER_BATCH]
        read = [self.reader.read(row) for row in batch]
        self.known.load(address for row in read for address in row.person.addresses)
        checked = [self._judge(row) for row in read]
        is_last = start + len(batch) >= len(self.sheet.rows)
        with transaction.atomic():
            leases.lock_leased(self.data_import)
            ImportRow.objects.bulk_create(checked)
            count_rows(self.data_import, checked, read)
            self.data_import.state = ImportState.CHECKED if is_last else ImportState.CHECKING
            self.data_import.save(update_fields=["state", *COUNTS])
        return not is_last

    def _load_checked_rows(self) -> None:
        rows = self.data_import.rows.exclude(result=RowResult.ERROR).order_by("number")
        people = [people_rows.build_person(values) for values in rows.values_list("values", flat=True)]
        self.known.load(address for person in people for address in person.addresses)
        for person in people:
            if found := self.known.find(person):
                self.known.add_contacts(found, person)
            else:
                self.known.add(person)

    def _judge(self, row: PersonRow) -> ImportRow:
        problems = list(row.problems)
        result = RowResult.ERROR if problems else self._match(row)
        if result == RowResult.ERROR and not problems:
            problems = [Problem("phone", "too_many_people")]
        return build_row(self.data_import, row, result, problems)

    def _match(self, row: PersonRow) -> RowResult:
        if found := self.known.find(row.person):
            self.known.add_contacts(found, row.person)
            return RowResult.KNOWN if found.volunteer else RowResult.REPEATED
        if self.known.count_people(row.person) >= volunteers_rules.MAX_PEOPLE_PER_CONTACT:
            return RowResult.ERROR
        self.known.add(row.person)
        return RowResult.NEW


def build_reader(data_import: Import, sheet: Sheet, now: datetime) -> RowReader:
    organization = data_import.organization
    return RowReader.from_sheet(
        sheet,
        data_import.columns,
        country=organization.country,
        today=now.astimezone(ZoneInfo(time_zones.find_zone(organization))).date(),
        consented_on=data_import.consented_on,
    )


def build_row(data_import: Import, row: PersonRow, result: RowResult, problems: Sequence[Problem]) -> ImportRow:
    return ImportRow(
        data_import=data_import,
        number=row.number,
        result=result,
        values={} if problems else row.as_json(),  # a row with errors is not imported, so do not store its values
        problems=[problem.as_json() for problem in problems],
    )


def count_rows(data_import: Import, checked: Iterable[ImportRow], read: Iterable[PersonRow]) -> None:
    """Add the rows to the counts of the import. The caller saves them."""
    data_import.blank_count += sum(row.blank_count for row in read)
    for row in checked:
        data_import.checked_count += 1
        name = f"{RowResult(row.result).value}_count"
        setattr(data_import, name, getattr(data_import, name) + 1)
