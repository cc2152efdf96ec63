"""Upload a file, match its columns, start the import, or discard it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from drives.imports import columns, csv_reader, rules
from drives.models import OPEN_STATES, Drive, Import, ImportState
from organizations import audit
from organizations.models import Organization

UNCHECKED = {
    **dict.fromkeys(("checked_count", "blank_count", "new_count", "known_count", "repeated_count", "error_count"), 0),
    "lease_until": None,
}
FILE_DELETED = {"content": None, "file_name": "", "expires_at": None}


@dataclass(frozen=True)
class ConsentProof:
    """The evidence for the consents in a file: the wording, its source, and the date."""

    wording: str = ""
    source: str = ""
    day: date | None = None


@transaction.atomic
def upload_file(
    *,
    organization: Organization,
    content: bytes,
    file_name: str,
    actor: str,
    now: datetime,
    drive: Drive | None = None,
) -> Import:
    """Store a file for a day. If an open import has the same file, return that import.

    Refuses everything that `csv_reader.read_sheet` refuses.
    """
    max_rows = rules.MAX_BOOKING_ROWS if drive else rules.MAX_ROWS
    sheet = csv_reader.read_sheet(content, columns.count_names, max_rows=max_rows)
    scope = f"drive:{drive.pk}".encode() if drive else b""
    fresh = Import(
        organization=organization,
        drive=drive,
        actor=actor,
        file_name=file_name[:120],
        content=content,
        digest=hashlib.sha256(scope + content).hexdigest(),
        columns=columns.propose_columns(sheet.headers, has_bookings=drive is not None),
        row_count=len(sheet.rows),
        created_at=now,
        expires_at=now + rules.KEPT_FOR,
    )
    Import.objects.bulk_create([fresh], ignore_conflicts=True)
    # `bulk_create` returns no id if it ignores conflicts.
    rows = Import.objects.of(organization).defer("content")
    stored = rows.get(digest=fresh.digest, state__in=OPEN_STATES)
    if (stored.created_at, stored.actor) == (now, actor):
        audit.add_audit_entry(organization=organization, actor=actor, verb="uploaded_file", about=stored.about, now=now)
    return stored


def read_sheet(data_import: Import) -> csv_reader.Sheet:
    return csv_reader.read_sheet(bytes(data_import.content or b""), columns.count_names)


@transaction.atomic
def match_columns(*, import_id: int, matched: Mapping[str, int], proof: ConsentProof, now: datetime) -> None:
    """Save the column of each field, and queue the file for the check. Refuses an import that has started."""
    data_import = lock_import(import_id)
    if data_import.state not in (ImportState.UPLOADED, ImportState.CHECKING, ImportState.CHECKED):
        raise _build_too_late_error()
    data_import.rows.all().delete()
    _update(
        data_import,
        **UNCHECKED,
        state=ImportState.CHECKING,
        columns=dict(matched),
        consent_wording=proof.wording,
        consent_source=proof.source,
        consented_on=proof.day,
    )


@transaction.atomic
def start_import(*, import_id: int, left_out_count: int, actor: str, now: datetime) -> None:
    """Queue the checked rows for the import. A second call changes nothing.

    `left_out_count` is the number of rows with errors that the coordinator agreed to leave out. Refuses any other
    number.
    """
    data_import = lock_import(import_id)
    if data_import.state in (ImportState.IMPORTING, ImportState.FINISHED):
        return
    if data_import.state != ImportState.CHECKED:
        raise _build_too_late_error()
    if data_import.error_count != left_out_count:
        message = _("Some rows have errors. Correct them in your file and choose it again, or leave these rows out.")
        raise ValidationError(message, code="rows_have_errors")
    if not data_import.good_count:
        raise ValidationError(_("There are no rows to import. Correct your file, and choose it again."), code="no_rows")
    _update(
        data_import,
        state=ImportState.IMPORTING,
        leaves_out_errors=bool(left_out_count),
        actor=actor,
    )
    audit.add_audit_entry(
        organization=data_import.organization, actor=actor, verb="started_import", about=data_import.about, now=now
    )


@transaction.atomic
def discard_import(*, import_id: int) -> None:
    """Delete the file and its rows without importing anything. Refuses an import that has started."""
    data_import = lock_import(import_id)
    if data_import.state == ImportState.DISCARDED:
        return
    if data_import.state in (ImportState.IMPORTING, ImportState.FINISHED):
        raise _build_too_late_error()
    delete_file(data_import, state=ImportState.DISCARDED)


def delete_file(data_import: Import, *, state: str) -> None:
    """Delete the file and the rows. The caller locks the import."""
    data_import.rows.all().delete()
    _update(data_import, **FILE_DELETED, state=state, lease_until=None)


def lock_import(import_id: int) -> Import:
    rows = Import.objects.select_related("organization").defer("content")
    return rows.select_for_update(no_key=True, of=("self",)).get(pk=import_id)


def _update(data_import: Import, **values: object) -> None:
    Import.objects.filter(pk=data_import.pk).update(**values)


def _build_too_late_error() -> ValidationError:
    return ValidationError(_("This import has already started or ended. Choose the file again."), code="too_late")
