"""Compare the slot counters with the bookings and reserved spots that they count."""

import logging

from django.db import connection

log = logging.getLogger(__name__)


def report_drift(count: int) -> int:
    if count:
        log.error("slot counters drifted", extra={"slots": count})
    return count


# Recount each step from counted bookings and reserved spots. After a move, a reserved spot's screening and chair steps
# may overlap. Such a step counts in both.
_DRIFT_SQL = """
WITH footprint AS (
    SELECT drive_id, first_step, first_step + screening_steps AS screened, chair_from, chair_to
    FROM drives_booking WHERE is_counted
    UNION ALL SELECT drive_id, first_step, first_step + screening_steps, chair_from, chair_to FROM drives_reservedspot
),
used AS (
    SELECT slot.id,
        count(*) FILTER (WHERE slot.n >= footprint.first_step AND slot.n < footprint.screened) AS screening,
        count(*) FILTER (WHERE slot.n >= footprint.chair_from AND slot.n < footprint.chair_to) AS chairs
    FROM footprint JOIN drives_slot AS slot
        ON slot.drive_id = footprint.drive_id
        AND slot.n >= least(footprint.first_step, footprint.chair_from)
        AND slot.n < greatest(footprint.screened, footprint.chair_to)
    GROUP BY slot.id
)
SELECT count(*) FROM drives_slot AS slot LEFT JOIN used ON used.id = slot.id
WHERE slot.screening_taken <> coalesce(used.screening, 0) OR slot.chairs_taken <> coalesce(used.chairs, 0)
"""


def count_drifted_slots() -> int:
    """Count the slots whose counters differ from their bookings and reserved spots.

    The result must be 0. `/readyz` and a task check it.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DRIFT_SQL)
        return int(cursor.fetchone()[0])
