"""The counters of a drive's slots: the only code that changes them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from drives import queries, timetable
from drives.models import Booking, Hold
from organizations.models import Sql, Statement

Deltas = Mapping[int, tuple[int, int]]
"""Per step n of one drive: change of screening places and of chairs taken."""

_CHANGE = """
WITH wanted AS (
    SELECT * FROM unnest(%(n)s::int[], %(screening)s::int[], %(chairs)s::int[]) AS change (n, screening, chairs)
),
locked AS (
    SELECT slot.id, wanted.screening, wanted.chairs
    FROM drives_slot AS slot JOIN wanted ON wanted.n = slot.n
    WHERE slot.drive_id = %(drive)s AND slot.n = ANY (%(n)s::int[])
    ORDER BY slot.starts_at, slot.id
    FOR NO KEY UPDATE OF slot
)
UPDATE drives_slot AS slot
SET screening_taken = slot.screening_taken + locked.screening,
    chairs_taken = slot.chairs_taken + locked.chairs,
    over = greatest(
        0,
        slot.screening_taken + locked.screening - slot.screening_limit,
        slot.chairs_taken + locked.chairs - slot.chairs_limit
    )
FROM locked
WHERE slot.id = locked.id"""
_FITS = """
  AND (locked.screening <= 0 OR slot.screening_taken + locked.screening <= slot.screening_limit)
  AND (locked.chairs <= 0 OR slot.chairs_taken + locked.chairs <= slot.chairs_limit)"""
_CHANGED = "\nRETURNING slot.n"
_FITTING, _FORCED = Sql(_CHANGE + _FITS + _CHANGED), Sql(_CHANGE + _CHANGED)


def change(*, drive_id: int, deltas: Deltas) -> bool:
    """Applies the changes to all slots or says False: one ordered, conditional UPDATE that locks the slots.

    On False some slots may have changed: the caller raises, so that the transaction leaves nothing behind.
    """
    return not deltas or changing(drive_id=drive_id, deltas=deltas).answer()


def changing(*, drive_id: int, deltas: Deltas) -> Statement[bool]:
    """The same, for who sends it behind other statements."""
    return _FITTING.asks(lambda changed: len(changed) == len(deltas), **_columns(drive_id, deltas))


def force(*, drive_id: int, deltas: Deltas) -> None:
    """Applies the changes whatever the limits; what is above them shows as `over`, allowed on purpose."""
    if deltas:
        _FORCED.asks(lambda _changed: None, **_columns(drive_id, deltas)).answer()


footprint = queries.steps_taken  # as it was booked


def released(given_up: Iterable[Booking | Hold]) -> dict[int, tuple[int, int]]:
    """What the slots get back when these places are given up."""
    return combined(timetable.net(footprint(place), None) for place in given_up)


def combined(changes: Iterable[Deltas]) -> dict[int, tuple[int, int]]:
    """The sum of several changes, steps that come out even left out."""
    screening: Counter[int] = Counter()
    chairs: Counter[int] = Counter()
    for deltas in changes:
        for n, (screening_change, chair_change) in deltas.items():
            screening[n] += screening_change
            chairs[n] += chair_change
    sums = {n: (screening[n], chairs[n]) for n in sorted(screening)}
    return {n: pair for n, pair in sums.items() if pair != (0, 0)}


def _columns(drive_id: int, deltas: Deltas) -> dict[str, Any]:
    return {
        "drive": drive_id,
        "n": list(deltas),
        "screening": [screening for screening, _ in deltas.values()],
        "chairs": [chairs for _, chairs in deltas.values()],
    }
