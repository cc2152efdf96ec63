"""Compare the slot counters with the bookings and reserved spots that they should count."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import connection, transaction
from django.db.models import Count

from drives.capacity import counters, locks, rules
from drives.models import Booking, CounterAudit, Drive, DriveState
from organizations import audit

UNCHANGEABLE_STATES = (DriveState.COMPLETED, DriveState.CANCELLED)
_LIST_DRIFT_SQL = Path(__file__).with_name("list_drift.sql").read_text()

log = logging.getLogger(__name__)


@transaction.atomic(savepoint=False)
def audit_counters(*, now: datetime) -> CounterAudit:
    """Count the slots with wrong counters at drives that are neither completed nor cancelled, and save the result.

    `/readyz` and `/metrics` show the number of wrong slots, which must be 0. The result also includes the number of
    bookings in each state.
    """
    drives = Drive.objects.exclude(state__in=UNCHANGEABLE_STATES).values_list("pk", flat=True)
    bookings = Booking.objects.filter(drive__in=list(drives)).order_by("state").values_list("state")
    found = CounterAudit(
        pk=1,
        audited_at=now,
        drifted_slots=count_drifted_slots(left_out=UNCHANGEABLE_STATES),
        booking_counts=dict(bookings.annotate(Count("pk"))),
    )
    found.save()
    if found.drifted_slots:
        log.error("slot counters drifted", extra={"fields": {"slots": found.drifted_slots}})
    return found


def audit_counters_when_due(*, now: datetime) -> CounterAudit | None:
    """Audit the counters if the last audit is at least an hour old.

    Celery beat runs this more often than once an hour, because each restart of beat delays its tasks.
    """
    last = find_last_audit()
    if last and now - rules.AUDIT_INTERVAL < last.audited_at <= now:
        return None
    return audit_counters(now=now)


def find_last_audit() -> CounterAudit | None:
    return CounterAudit.objects.first()


def count_drifted_slots(*, left_out: Sequence[DriveState] = ()) -> int:
    return len(list_drifted_slots(left_out=left_out))


@dataclass(frozen=True)
class DriftedSlot:
    drive_id: int
    n: int
    starts_at: datetime
    screening_taken: int  # according to the counter
    screening: int  # according to the bookings and reserved spots
    chairs_taken: int
    chairs: int


def list_drifted_slots(*, left_out: Sequence[DriveState] = (), drive_id: int | None = None) -> list[DriftedSlot]:
    with connection.cursor() as cursor:
        cursor.execute(_LIST_DRIFT_SQL, {"left_out": list(map(str, left_out)), "drive": drive_id})
        return [DriftedSlot(*row) for row in cursor.fetchall()]


@transaction.atomic
def mend_drift(*, drive_id: int, actor: str, now: datetime) -> list[DriftedSlot]:
    """Set the counters of a drive to match its bookings and reserved spots. Return the slots that were wrong.

    Locks the drive (exclusive), so that no booking changes during the count.
    """
    locks.lock_drive_exclusive(drive_id)
    drifted = list_drifted_slots(drive_id=drive_id)
    deltas = {one.n: (one.screening - one.screening_taken, one.chairs - one.chairs_taken) for one in drifted}
    counters.force_counters(drive_id=drive_id, deltas=deltas)
    if drifted:
        drive = Drive.objects.select_related("organization").get(pk=drive_id)
        audit.add_audit_entry(
            organization=drive.organization,
            actor=actor,
            verb="mended_counters",
            about=f"drive:{drive_id}",
            fields=[f"slot {one.n}" for one in drifted],
            now=now,
        )
    return drifted
