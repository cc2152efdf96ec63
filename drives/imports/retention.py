"""Delete uploaded files and their rows after a day, and when a person in them is erased."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from drives.imports import uploads
from drives.models import RUNNING_STATES, Import, ImportRow, ImportState
from organizations.models import Organization

_BATCH = 100


def purge_expired_imports(*, now: datetime) -> int:
    """Delete the files and rows of expired imports that are not running. Return the number of imports."""
    expired = Import.objects.filter(expires_at__lte=now).exclude(state__in=RUNNING_STATES)
    return sum(_purge(pk, now) for pk in list(expired.order_by("expires_at").values_list("pk", flat=True)[:_BATCH]))


@transaction.atomic
def _purge(import_id: int, now: datetime) -> bool:
    data_import = uploads.lock_import(import_id)
    is_expired = data_import.expires_at is not None and data_import.expires_at <= now and not data_import.is_running
    if is_expired:
        uploads.delete_file(data_import, state=ImportState.DISCARDED if data_import.is_open else data_import.state)
    return is_expired


@transaction.atomic(savepoint=False)
def erase_from_imports(*, organization: Organization, addresses: Collection[str]) -> None:
    """Remove a person from an organization's uploaded files.

    - Deletes the rows with one of these contacts, and the files that contain them. The other rows can still be
      imported.
    - Discards a file that is not completely checked, because it may contain the person in any spelling.

    Locks: imports. The caller holds the locks of the person's identities, so that an import cannot add the person in
    the meantime.
    """
    with_person = Q(values__phone__in=addresses) | Q(values__email__in=addresses)
    ids = Import.objects.of(organization).filter(expires_at__isnull=False).order_by("pk").values_list("pk", flat=True)
    for pk in list(ids):
        data_import = uploads.lock_import(pk)
        if data_import.state in (ImportState.UPLOADED, ImportState.CHECKING):
            uploads.delete_file(data_import, state=ImportState.DISCARDED)
        elif ImportRow.objects.filter(with_person, data_import=pk).delete()[0]:
            Import.objects.filter(pk=pk).update(content=None, file_name="")
