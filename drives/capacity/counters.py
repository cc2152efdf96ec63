"""Change the slot counters of a drive. No other module may change them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from django.db import connection

from drives.domain import grid
from drives.models import Booking, ReservedSpot

Deltas = Mapping[int, tuple[int, int]]
"""For each step `n` of a drive, how many more screening stations and chairs are taken."""

_CHANGE_SQL = Path(__file__).with_name("change_counters.sql").read_text()


def change_counters(*, drive_id: int, deltas: Deltas) -> bool:
    """Change the counters, and return whether all of them stay within the limits.

    One ordered, conditional UPDATE locks the slots. If the function returns False, some counters may have changed
    already, so the caller must roll back.
    """
    return not deltas or _update_counters(drive_id, deltas, forced=False) == len(deltas)


def force_counters(*, drive_id: int, deltas: Deltas) -> None:
    """Change the counters even beyond the limits. `Slot.over` stores by how much a limit is exceeded."""
    if deltas:
        _update_counters(drive_id, deltas, forced=True)


def build_footprint(row: Booking | ReservedSpot) -> grid.Footprint:
    """Return the stored footprint, even if the drive's plan has changed since it was stored."""
    return grid.Footprint(
        range(row.first_step, row.first_step + row.screening_steps),
        range(row.chair_from, row.chair_to),
    )


def compute_released_deltas(rows: Iterable[Booking | ReservedSpot]) -> dict[int, tuple[int, int]]:
    return combine_deltas(grid.compute_net_deltas(build_footprint(row), None) for row in rows)


def combine_deltas(changes: Iterable[Deltas]) -> dict[int, tuple[int, int]]:
    screening: Counter[int] = Counter()
    chairs: Counter[int] = Counter()
    for deltas in changes:
        for n, (screening_change, chair_change) in deltas.items():
            screening[n] += screening_change
            chairs[n] += chair_change
    sums = {n: (screening[n], chairs[n]) for n in sorted(screening)}
    return {n: change for n, change in sums.items() if change != (0, 0)}


def _update_counters(drive_id: int, deltas: Deltas, *, forced: bool) -> int:
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
