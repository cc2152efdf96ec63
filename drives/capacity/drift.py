"""Compare the slot counters with the bookings and reserved spots that they count."""

import logging
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from django.db import connection, transaction
from django.db.models import Count

from drives.models import Booking, CounterAudit, Drive, DriveState

UNCHANGEABLE_STATES = (DriveState.COMPLETED, DriveState.CANCELLED)
_COUNT_DRIFT_SQL = Path(__file__).with_name("count_drift.sql").read_text()

log = logging.getLogger(__name__)


@transaction.atomic(savepoint=False)
def audit_counters(*, now: datetime) -> CounterAudit:
    """Count the drifted slots of all drives that can still change, and keep the result for `/readyz` and `/metrics`.

    The result must be 0. The cost grows with the number of these drives, not with the number of bookings.
    """
    drives = Drive.objects.exclude(state__in=UNCHANGEABLE_STATES).values_list("pk", flat=True)
    bookings = Booking.objects.filter(drive__in=list(drives)).order_by("state").values_list("state")
    audit = CounterAudit(
        pk=1,
        audited_at=now,
        drifted_slots=count_drifted_slots(left_out=UNCHANGEABLE_STATES),
        booking_counts=dict(bookings.annotate(Count("pk"))),
    )
    audit.save()
    if audit.drifted_slots:
        log.error("slot counters drifted", extra={"fields": {"slots": audit.drifted_slots}})
    return audit


def find_last_audit() -> CounterAudit | None:
    return CounterAudit.objects.first()


def count_drifted_slots(*, left_out: Sequence[DriveState] = ()) -> int:
    """Count the slots whose counters differ from their bookings and reserved spots."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_DRIFT_SQL, {"left_out": list(map(str, left_out))})
        return int(cursor.fetchone()[0])
