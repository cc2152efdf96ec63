"""The counters of a drive's slots: the only code that changes them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from django.db import connection

from drives.domain import grid
from drives.models import Booking, ReservedSpot

Deltas = Mapping[int, tuple[int, int]]
"""Per step n of one drive: change of screening places and of chairs taken."""

_CHANGE_SQL = Path(__file__).with_name("change_counters.sql").read_text()


def change_counters(*, drive_id: int, deltas: Deltas) -> bool:
    """Applies the changes to all slots or says False: one ordered, conditional UPDATE that locks the slots.

    On False some slots may have changed: the caller raises, so that the transaction leaves nothing behind.
    """
    return not deltas or _update_counters(drive_id, deltas, forced=False) == len(deltas)


def force_counters(*, drive_id: int, deltas: Deltas) -> None:
    """Applies the changes whatever the limits; what is above them shows as `over`, allowed on purpose."""
    if deltas:
        _update_counters(drive_id, deltas, forced=True)


def build_footprint(row: Booking | ReservedSpot) -> grid.Footprint:
    """The steps of a booking or a reserved spot as it was booked, whatever the drive's plan says today."""
    return grid.Footprint(
        range(row.first_step, row.first_step + row.screening_steps),
        range(row.chair_from, row.chair_to),
    )


def compute_released_deltas(rows: Iterable[Booking | ReservedSpot]) -> dict[int, tuple[int, int]]:
    """What the slots get back when these places are given up."""
    return combine_deltas(grid.compute_net_deltas(build_footprint(place), None) for place in rows)


def combine_deltas(changes: Iterable[Deltas]) -> dict[int, tuple[int, int]]:
    """The sum of several changes, steps that come out even left out."""
    screening: Counter[int] = Counter()
    chairs: Counter[int] = Counter()
    for deltas in changes:
        for n, (screening_change, chair_change) in deltas.items():
            screening[n] += screening_change
            chairs[n] += chair_change
    sums = {n: (screening[n], chairs[n]) for n in sorted(screening)}
    return {n: pair for n, pair in sums.items() if pair != (0, 0)}


def _update_counters(drive_id: int, deltas: Deltas, *, forced: bool) -> int:
    """Change the counters; how many slots were changed."""
    screening, chairs = zip(*deltas.values(), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            _CHANGE_SQL,
            {
                "drive": drive_id,
                "n": list(deltas),
                "screening": list(screening),
                "chairs": list(chairs),
                "forced": forced,
            },
        )
        return int(cursor.rowcount)
