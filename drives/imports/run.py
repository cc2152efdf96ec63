"""The sweep that checks and imports files, for a few seconds in each run."""

from datetime import datetime
from time import monotonic

from drives.imports import leases, rules
from drives.imports.bookings import BookingsCheck, BookingsWrite
from drives.imports.check import PeopleCheck
from drives.imports.write import PeopleWrite
from drives.models import Import, ImportState
from organizations import sweeps


def run_imports(*, now: datetime, seconds: float = rules.RUN_SECONDS) -> int:
    """Continue the waiting imports for about `seconds`. Return the number of batches."""
    started = monotonic()

    def run(import_id: int) -> int:
        is_late = monotonic() - started > seconds > 0  # if late, leave the import to the next run
        return 0 if is_late else _run_import(import_id, now, seconds)

    return sweeps.run_each("imports", leases.list_waiting_imports(now), run, now=now)


def _run_import(import_id: int, now: datetime, seconds: float) -> int:
    data_import = leases.take_import(import_id, now)
    if data_import is None:
        return 0
    batches = 0
    try:
        work = _get_steps(data_import)(data_import, now)
        deadline = monotonic() + seconds  # counted after reading the file, so that each run has time for batches
        has_more = True
        while has_more and (not batches or monotonic() < deadline):
            has_more = work.do_batch()
            batches += 1
    except leases.LeaseLost:
        pass
    finally:
        leases.release_import(data_import)
    return batches


def _get_steps(data_import: Import) -> "type[PeopleCheck | PeopleWrite | BookingsCheck | BookingsWrite]":
    if data_import.state == ImportState.CHECKING:
        return BookingsCheck if data_import.drive_id else PeopleCheck
    return BookingsWrite if data_import.drive_id else PeopleWrite
