"""Check and import a file of bookings at one drive. The rules are the same as for a coordinator's booking by phone.

All bookings are made in one transaction. The check rolls the transaction back. The import rolls it back if any booking
is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from drives.booking import book_for_donor
from drives.booking.hold import Person
from drives.capacity import availability, locks
from drives.domain import localtime
from drives.imports import check, leases, people_rows, uploads, write
from drives.imports.problems import Problem
from drives.models import Booking, Drive, Import, ImportRow, ImportState, RowResult, Source
from drives.refusals import Refusal
from drives.web import form_errors
from volunteers import imported_people
from volunteers import queries as volunteers_queries
from volunteers.imported_people import KnownPeople
from volunteers.models import Contact

_SUGGESTED = 3


class BookingsCheck:
    def __init__(self, data_import: Import, now: datetime) -> None:
        self.data_import = data_import
        self.now = now
        self.sheet = uploads.read_sheet(data_import)
        self.reader = check.build_reader(data_import, self.sheet, now)

    def do_batch(self) -> bool:
        """Check all rows. Raises LeaseLost."""
        read = [self.reader.read(row) for row in self.sheet.rows]
        rows = [
            check.build_row(self.data_import, row, RowResult.ERROR if row.problems else RowResult.NEW, row.problems)
            for row in read
        ]
        good = [row for row in rows if not row.problems]
        with transaction.atomic():
            outcomes = _Bookings(self.data_import, good, self.now).book()
            transaction.set_rollback(True)
        for row, outcome in zip(good, outcomes, strict=True):
            outcome.save_to(row)
        with transaction.atomic():
            leases.lock_leased(self.data_import)
            ImportRow.objects.bulk_create(rows)
            check.count_rows(self.data_import, rows, read)
            self.data_import.state = ImportState.CHECKED
            self.data_import.save(update_fields=["state", *check.COUNTS])
        return False


class BookingsWrite:
    def __init__(self, data_import: Import, now: datetime) -> None:
        self.data_import = data_import
        self.now = now

    def do_batch(self) -> bool:
        """Make all bookings, or none. Raises LeaseLost.

        If a booking is refused now, the import goes back to the coordinator.
        """
        rows = list(self.data_import.rows.exclude(result=RowResult.ERROR).order_by("number"))
        with transaction.atomic():
            bookings = _Bookings(self.data_import, rows, self.now)
            outcomes = bookings.book()
            is_refused = any(outcome.problem for outcome in outcomes)
            transaction.set_rollback(is_refused)
            if not is_refused:
                self._finish(bookings, rows, outcomes)
        if is_refused:
            self._return_to_coordinator(rows, outcomes)
        return False

    def _finish(self, bookings: "_Bookings", rows: Sequence[ImportRow], outcomes: "Sequence[_Outcome]") -> None:
        current = bookings.current
        current.added_count = sum(outcome.result == RowResult.NEW for outcome in outcomes)
        current.done_count = len(rows)
        write.record_consents(current, write.list_consents(current, rows, bookings.list_owned(outcomes)), self.now)
        current.save(update_fields=["added_count", "done_count", "consent_count", "refused_consent_count"])
        write.finish_import(current, self.now)

    def _return_to_coordinator(self, rows: Sequence[ImportRow], outcomes: "Sequence[_Outcome]") -> None:
        with transaction.atomic():
            current = leases.lock_leased(self.data_import)
            for row, outcome in zip(rows, outcomes, strict=True):
                outcome.save_to(row)
            ImportRow.objects.bulk_update(rows, ["result", "values", "problems"])
            results = list(current.rows.values_list("result", flat=True))
            for result in RowResult:
                setattr(current, f"{result.value}_count", results.count(result))
            current.state = ImportState.CHECKED
            current.save(update_fields=["state", *check.COUNTS])


@dataclass(frozen=True)
class _Outcome:
    result: RowResult
    booking: Booking | None = None
    problem: Problem | None = None

    def save_to(self, row: ImportRow) -> None:
        row.result = self.result
        if self.problem:
            row.values, row.problems = {}, [self.problem.as_json()]


class _Bookings:
    """The bookings of a file's rows. The caller starts the transaction."""

    def __init__(self, data_import: Import, rows: Sequence[ImportRow], now: datetime) -> None:
        self.data_import = data_import
        self.rows = rows
        self.now = now
        self.people = [people_rows.build_person(row.values) for row in rows]
        related = ("organization", "site", "policy", "cause", "center")
        self.drive = Drive.objects.select_related(*related).get(imports=data_import)
        zone = self.drive.site.zone
        self.slots = {f"{row[1].astimezone(zone):%H:%M}": row for row in availability.list_slots(self.drive.pk)}

    def book(self) -> list[_Outcome]:
        """Book each row in a savepoint, in order of time. Raises LeaseLost.

        Locks: identities of all people, drive (shared), import, slots. A booking locks its slots until the transaction
        ends, so the order of time is also the order of the slot locks.
        """
        organization = self.data_import.organization
        identities = imported_people.compute_identities(self.people)
        locks.lock_identities_then_drive(
            volunteers_queries.list_person_identities(organization_id=organization.pk, identities=sorted(identities)),
            self.drive.pk,
        )
        self.current = leases.lock_leased(self.data_import)
        with translation.override(organization.language):
            by_time = sorted(self.rows, key=lambda row: row.values["time"])  # "09:30" comes before "13:00"
            outcomes = {row.number: self._book(row) for row in by_time}
        return [outcomes[row.number] for row in self.rows]

    def list_owned(self, outcomes: Sequence[_Outcome]) -> list[list[str]]:
        """List the contacts of each row that belong to the booked donor."""
        owned = []
        for person, outcome in zip(self.people, outcomes, strict=True):
            volunteer_id = outcome.booking.volunteer_id if outcome.booking else None
            contacts = Contact.objects.filter(owner=volunteer_id, address__in=person.addresses)
            owned.append(list(contacts.values_list("address", flat=True)) if volunteer_id else [])
        return owned

    def _book(self, row: ImportRow) -> _Outcome:
        slot = self.slots.get(row.values["time"])
        if slot is None:
            return _Outcome(RowResult.ERROR, problem=Problem("time", "time_unknown", row.values["time"]))
        person = people_rows.build_person(row.values)
        try:
            with transaction.atomic():
                booking = book_for_donor.create_booking_for_donor(
                    drive=self.drive,
                    slot_id=slot[0],
                    visit=row.values["visit"],
                    person=Person(person.name, person.phone, person.email, person.language),
                    actor=self.data_import.actor,
                    now=self.now,
                    source=Source.IMPORT,
                )
        except ValidationError as error:
            return self._explain(row, error, slot[1])
        return _Outcome(RowResult.NEW, booking)

    def _explain(self, row: ImportRow, error: ValidationError, starts_at: datetime) -> _Outcome:
        error_dict = getattr(error, "error_dict", {"": getattr(error, "error_list", [])})
        problems = [one for several in error_dict.values() for one in several]
        codes = [one.code for one in problems]
        if "already_booked" in codes and (booking := self._find_booking(row, starts_at)):
            is_new = booking.source == Source.IMPORT and booking.created_at == self.now
            return _Outcome(RowResult.REPEATED if is_new else RowResult.KNOWN, booking)
        text = form_errors.format_for_member(ValidationError(problems))
        times = error.alternatives[:_SUGGESTED] if isinstance(error, Refusal) else []
        if times:
            listed = ", ".join(localtime.format_time(one.starts_at, self.drive.site.timezone) for one in times)
            text = f"{text} {_('Open times: %(times)s.') % {'times': listed}}"
        return _Outcome(RowResult.ERROR, problem=Problem("time", codes[0] or "", row.values["time"], text))

    def _find_booking(self, row: ImportRow, starts_at: datetime) -> Booking | None:
        """Return the person's booking at the same time, if the donor is already booked."""
        person = people_rows.build_person(row.values)
        known = KnownPeople(self.data_import.organization)
        known.load(person.addresses)
        found = known.find(person)
        bookings = Booking.objects.filter(drive=self.drive, starts_at=starts_at).active()
        return bookings.filter(volunteer=found.volunteer).first() if found else None
