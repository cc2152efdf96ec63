"""Find open times at a drive, for one visit or a party."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from drives import refusals
from drives.capacity import rules, visit_length
from drives.domain import grid, party_fit
from drives.models import Drive, DriveState, Slot

SlotRow = tuple[int, datetime, bool, int, int]
"""One step: id, start (UTC), open, free screening stations, free chairs."""
FreedDeltas = Mapping[int, tuple[int, int]]
"""Counter changes by step that are not applied yet; see `counters.compute_released_deltas`."""


def list_open_times(
    drive: Drive, visit_types: visit_length.VisitTypes, now: datetime, freed: FreedDeltas | None = None
) -> list[refusals.OpenTime]:
    return list(
        select_open_times(list_slots(drive.pk), visit_length.compute_visit_shapes(drive, visit_types), now, freed)
    )


def select_open_times(
    slots: list[SlotRow], shapes: Sequence[grid.VisitShape], now: datetime, freed: FreedDeltas | None = None
) -> Iterator[refusals.OpenTime]:
    free = compute_free_capacity(slots, now, freed)
    if len(shapes) > 1:
        for arrivals in party_fit.fit_party_at_each_step(free, shapes):
            yield refusals.OpenTime(slots[min(arrivals)][0], tuple(slots[n][1] for n in arrivals))
    else:  # for a single visit, also return the number of spots
        spots_by_slot = grid.count_spots_by_arrival(free.free_screening, free.free_chairs, shapes[0])
        for slot, may_arrive, spots_left in zip(slots, free.may_arrive, spots_by_slot, strict=True):
            if spots_left and may_arrive:
                yield refusals.OpenTime(slot[0], (slot[1],), spots_left)


def compute_free_capacity(
    slots: list[SlotRow], now: datetime, freed: FreedDeltas | None = None
) -> party_fit.FreeCapacity:
    screening, chairs = [row[3] for row in slots], [row[4] for row in slots]
    for n, (screening_change, chair_change) in (freed or {}).items():
        screening[n] -= screening_change
        chairs[n] -= chair_change
    return party_fit.FreeCapacity(
        screening, chairs, [is_open and at > now for _id, at, is_open, _screening, _chairs in slots]
    )


def list_nearest_times(
    drive: Drive,
    visit_types: visit_length.VisitTypes,
    around: datetime | None,
    now: datetime,
    freed: FreedDeltas | None = None,
) -> list[refusals.OpenTime]:
    if drive.state != DriveState.PUBLISHED:
        return []
    wanted_at = around or drive.starts_at
    nearest = sorted(list_open_times(drive, visit_types, now, freed), key=lambda time: abs(time.starts_at - wanted_at))[
        : rules.NEAREST_COUNT
    ]
    return sorted(nearest, key=lambda time: time.starts_at)


def count_drive_spots_left(drive: Drive, now: datetime) -> int:
    """Count the return visits that still fit at the drive. Pages show this number as the spots left. One query."""
    return count_spots_left(drive, list_slots(drive.pk), now)


def count_spots_left(drive: Drive, slots: Sequence[SlotRow], now: datetime) -> int:
    ahead = [row for row in slots if row[1] > now]
    shape = visit_length.compute_visit_shape(drive, "return")
    return grid.count_fitting_visits([row[3] for row in ahead], [row[4] for row in ahead], shape)


def list_slots(drive_id: int) -> list[SlotRow]:
    """List a drive's slots. The index in the list is the step number. One query."""
    return list_slots_by_drive([drive_id])[drive_id]


def list_slots_by_drive(drive_ids: list[int]) -> dict[int, list[SlotRow]]:
    rows = Slot.objects.filter(drive__in=drive_ids).order_by("drive", "n")
    columns = ("drive_id", "id", "starts_at", "open")
    limits = ("screening_limit", "screening_taken", "chairs_limit", "chairs_taken")
    slots_by_drive: dict[int, list[SlotRow]] = {drive_id: [] for drive_id in drive_ids}
    for drive_id, pk, starts_at, is_open, screening, in_screening, chairs, in_chairs in rows.values_list(
        *columns, *limits
    ):
        slots_by_drive[drive_id].append((pk, starts_at, is_open, screening - in_screening, chairs - in_chairs))
    return slots_by_drive
