"""Detect whether this database was restored from a backup. If so, no sweep runs until an administrator accepts it."""

from datetime import datetime
from typing import Any

from django.db import connection, transaction

from organizations.models import DatabaseMarker

# The ids of the cluster, the database and a table. A restore creates the tables again, so at least one id changes.
_MARKER = """
concat_ws('/',
    CASE WHEN has_function_privilege('pg_control_system()', 'execute')
         THEN (SELECT system_identifier FROM pg_control_system()) END,
    (SELECT oid FROM pg_database WHERE datname = current_database()),
    'organizations_databasemarker'::regclass::oid)
"""
_COMPARE = f"SELECT marker = {_MARKER} FROM organizations_databasemarker ORDER BY id LIMIT 1"  # noqa: S608
_HELD = "held"  # a marker that no database has


def read_marker() -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_MARKER}")
        return str(cursor.fetchone()[0])


def is_restored_copy(*, now: datetime) -> bool:
    """Return whether this database was restored from a backup. One query, except in a restored copy.

    The first call records the database. The first call in a restored copy records the time.
    """
    with connection.cursor() as cursor:
        cursor.execute(_COMPARE)
        row = cursor.fetchone()
    if row is None:
        accept_database(now=now)
        return False
    if row[0]:
        return False
    current = read_marker()
    DatabaseMarker.objects.exclude(copy_marker=current).update(copy_marker=current, copy_seen_at=now)
    return True


def find_copy_start() -> datetime | None:
    """Return when a process first started on this restored copy. Two queries.

    Return None if this is no restored copy, or if no process has started on it yet.
    """
    # A copy of a copy has the time of the first one, with the first one's marker.
    recorded = DatabaseMarker.objects.first()
    return recorded.copy_seen_at if recorded and recorded.copy_marker == read_marker() else None


def find_held_marker() -> DatabaseMarker | None:
    """Return the recorded marker if this database is a restored copy, else None. Change nothing."""
    recorded = DatabaseMarker.objects.first()
    return recorded if recorded and recorded.marker != read_marker() else None


def find_recorded_time() -> datetime | None:
    """Return when this database was recorded: at its first sweep, or when it was last accepted after a restore."""
    return DatabaseMarker.objects.values_list("recorded_at", flat=True).first()


def hold_sweeps(*, now: datetime) -> None:
    """Treat this database as a restored copy until `accept_database` is called."""
    _record(now, marker=_HELD)


def accept_database(*, now: datetime) -> None:
    _record(now, marker=read_marker(), copy_marker="", copy_seen_at=None)


@transaction.atomic(savepoint=False)
def _record(now: datetime, **fields: Any) -> None:
    DatabaseMarker.objects.update_or_create(pk=1, defaults={"recorded_at": now, **fields})
