"""Run a sweep row by row. If a row fails, log it, skip it for an hour ("park" it), and continue with the next row."""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime

from celery.exceptions import SoftTimeLimitExceeded
from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Count, F

from organizations import rules
from organizations.models import ParkedRow

log = logging.getLogger(__name__)


def run_each(sweep: str, rows: Iterable[int], action: Callable[[int], int], *, now: datetime) -> int:
    """Run the action for each row that is not parked, and return the sum of the results.

    Each action must run in its own transaction, or in a savepoint of the caller's transaction. If an action fails, its
    row is parked for an hour. A lost database connection or the end of the task's time ends the sweep and parks no row.
    """
    ids = list(rows)
    parked = dict(ParkedRow.objects.filter(sweep=sweep, row__in=ids).values_list("row", "retry_at")) if ids else {}
    done = 0
    for pk in ids:
        if pk in parked and parked[pk] > now:
            continue
        try:
            done += action(pk)
        except SoftTimeLimitExceeded:
            raise
        except Exception as error:
            if isinstance(error, DatabaseError | InterfaceError) and not connection.is_usable():
                raise
            _park_row(sweep, pk, error, now)
        else:
            if pk in parked:
                ParkedRow.objects.filter(sweep=sweep, row=pk).delete()
    return done


def count_parked_rows() -> dict[str, int]:
    """Count the parked rows by sweep. One query."""
    return dict(ParkedRow.objects.values_list("sweep").annotate(Count("pk")).order_by("sweep"))


def retry_parked_row(*, parked_id: int, now: datetime) -> None:
    """Let the next run of the sweep handle the row."""
    ParkedRow.objects.filter(pk=parked_id).update(retry_at=now)


def _park_row(sweep: str, pk: int, error: Exception, now: datetime) -> None:
    name = type(error).__name__[:80]
    log.error("%s: row %s is parked: %s", sweep, pk, name)
    parked = {"error": name, "retry_at": now + rules.RETRY_PARKED_ROW_AFTER}
    rows = ParkedRow.objects.filter(sweep=sweep, row=pk)
    if not rows.update(**parked, failures=F("failures") + 1):
        ParkedRow.objects.bulk_create([ParkedRow(sweep=sweep, row=pk, **parked)], ignore_conflicts=True)
