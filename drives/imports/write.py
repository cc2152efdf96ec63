"""Add the people of a checked file in short transactions. If a worker dies, all completed batches stay."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction

from drives.capacity import locks
from drives.imports import leases, people_rows, rules, uploads
from drives.models import Import, ImportRow, ImportState, RowResult
from notifications import consents
from notifications.consents import ConsentOnFile
from organizations import audit
from volunteers import imported_people


class PeopleWrite:
    """The import of rows in batches. Each batch is a transaction that also saves the number of its last row."""

    def __init__(self, data_import: Import, now: datetime) -> None:
        self.data_import = data_import
        self.now = now

    @transaction.atomic
    def do_batch(self) -> bool:
        """Import the next rows. Return whether more rows follow. Raises LeaseLost.

        Locks: identities, the import, contacts.
        """
        numbers, identities = self._find_next_rows()
        locks.lock_identities(identities)
        current = leases.lock_leased(self.data_import)
        rows = list(current.rows.filter(number__in=numbers).order_by("number"))  # an erasure may have removed some
        if rows:
            self._add_people(current, rows)
        if numbers:
            current.done_until = numbers[-1]
            current.done_count += len(numbers)
            current.save(
                update_fields=[
                    *("done_until", "done_count", "added_count", "consent_count", "refused_consent_count"),
                ]
            )
        self.data_import.done_until = current.done_until
        if len(numbers) == rules.ROWS_IMPORTED_PER_BATCH:
            return True
        finish_import(current, self.now)
        return False

    def _find_next_rows(self) -> tuple[list[int], set[str]]:
        rows = self.data_import.rows.exclude(result=RowResult.ERROR).filter(number__gt=self.data_import.done_until)
        batch = list(rows.order_by("number").values_list("number", "values")[: rules.ROWS_IMPORTED_PER_BATCH])
        people = [people_rows.build_person(values) for _number, values in batch]
        return [number for number, _values in batch], imported_people.compute_identities(people)

    def _add_people(self, current: Import, rows: Sequence[ImportRow]) -> None:
        organization = self.data_import.organization
        added = imported_people.add_imported_people(
            organization=organization, people=[people_rows.build_person(row.values) for row in rows], now=self.now
        )
        current.added_count += added.new_count
        record_consents(current, list_consents(current, rows, added.owned), self.now)


def list_consents(
    data_import: Import, rows: Sequence[ImportRow], owned: Sequence[Collection[str]]
) -> list[ConsentOnFile]:
    """List the consents of the rows, for contacts that belong to the row's person."""
    proof = f"{data_import.consent_wording}\n{data_import.consent_source}"
    return [
        ConsentOnFile(address, purpose, f"{proof}, {row.values['consented_on']}")
        for row, addresses in zip(rows, owned, strict=True)
        for address in addresses
        for purpose in row.values["consents"]
    ]


def record_consents(current: Import, on_file: Sequence[ConsentOnFile], now: datetime) -> None:
    """Add the consents to the ledger. Update the import's numbers of consents, which the caller saves."""
    if on_file:
        new_count, refused_count = consents.record_consents_on_file(
            organization=current.organization,
            consents=on_file,
            wording_version=f"import-{current.pk}",
            source="import",
            actor=current.actor,
            now=now,
        )
        current.consent_count += new_count
        current.refused_consent_count += refused_count


def finish_import(current: Import, now: datetime) -> None:
    """Delete the file and the imported rows.

    Rows that were left out stay until the import expires, because the coordinator may download them.
    """
    current.rows.exclude(result=RowResult.ERROR).delete()
    Import.objects.filter(pk=current.pk).update(
        **{**uploads.FILE_DELETED, "expires_at": current.expires_at if current.error_count else None},
        state=ImportState.FINISHED,
        lease_until=None,
        finished_at=now,
    )
    audit.add_audit_entry(
        organization=current.organization, actor=current.actor, verb="imported", about=current.about, now=now
    )
