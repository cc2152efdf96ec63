"""Which times of a drive are open, for one visit or for several together."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from drives import refusals
from drives.capacity import visits
from drives.domain import grid, party_fit
from drives.models import Drive, DriveState, Slot

NEAREST_COUNT = 3
SlotRow = tuple[int, datetime, bool, int, int]
"""Id, start, open, free screening places, free chairs of one step."""
FreedDeltas = Mapping[int, tuple[int, int]]
"""Per step: changes of the counters that are not applied yet, as `counters.compute_released_deltas` gives them."""


def list_open_times(
    drive: Drive, visit_types: visits.VisitTypes, now: datetime, freed: FreedDeltas | None = None
) -> list[refusals.OpenTime]:
    """The times of a drive at which all of these visits fit together, in order. One query."""
    return list(select_open_times(list_slots(drive.pk), visits.compute_visit_shapes(drive, visit_types), now, freed))


def select_open_times(
    slots: list[SlotRow], shapes: Sequence[grid.VisitShape], now: datetime, freed: FreedDeltas | None = None
) -> Iterator[refusals.OpenTime]:
    """The times among a drive's steps at which visits of these shapes fit together, in order."""
    free = compute_free_capacity(slots, now, freed)
    if len(shapes) > 1:
        for found in party_fit.fit_party_at_each_step(free, shapes):
            yield refusals.OpenTime(slots[min(found)][0], tuple(slots[n][1] for n in found))
    else:  # counts the places besides, in a few passes
        left = grid.count_spots_by_arrival(free.free_screening, free.free_chairs, shapes[0])
        for slot, may_arrive, places in zip(slots, free.may_arrive, left, strict=True):
            if places and may_arrive:
                yield refusals.OpenTime(slot[0], (slot[1],), places)


def compute_free_capacity(
    slots: list[SlotRow], now: datetime, freed: FreedDeltas | None = None
) -> party_fit.FreeCapacity:
    """What is free in a drive's steps; `freed` are changes of the counters that are not applied yet."""
    screening, chairs = [row[3] for row in slots], [row[4] for row in slots]
    for n, (screened, seated) in (freed or {}).items():
        screening[n] -= screened
        chairs[n] -= seated
    return party_fit.FreeCapacity(
        screening, chairs, [is_open and at > now for _id, at, is_open, _screening, _chairs in slots]
    )


def list_nearest_times(
    drive: Drive,
    visit_types: visits.VisitTypes,
    around: datetime | None,
    now: datetime,
    freed: FreedDeltas | None = None,
) -> list[refusals.OpenTime]:
    """The three open times nearest to the one that was asked for, in order of time. At most one query."""
    if drive.state != DriveState.PUBLISHED:
        return []
    asked = around or drive.starts_at
    nearest = sorted(list_open_times(drive, visit_types, now, freed), key=lambda time: abs(time.starts_at - asked))[
        :NEAREST_COUNT
    ]
    return sorted(nearest, key=lambda time: time.starts_at)


def count_drive_spots_left(drive: Drive, now: datetime) -> int:
    """How many return visits a greedy fill would still place: the drive's one figure. One query."""
    slots = [row for row in list_slots(drive.pk) if row[1] > now]
    shape = visits.compute_visit_shape(drive, "return")
    return grid.count_fitting_visits([row[3] for row in slots], [row[4] for row in slots], shape)


def list_slots(drive_id: int) -> list[SlotRow]:
    """A drive's steps in order: the n-th is step n. One query."""
    return list_slots_by_drive([drive_id])[drive_id]


def list_slots_by_drive(drive_ids: list[int]) -> dict[int, list[SlotRow]]:
    """The steps of several drives in one query."""
    rows = Slot.objects.filter(drive__in=drive_ids).order_by("drive", "n")
    columns = ("drive_id", "id", "starts_at", "open")
    limits = ("screening_limit", "screening_taken", "chairs_limit", "chairs_taken")
    found: dict[int, list[SlotRow]] = {drive_id: [] for drive_id in drive_ids}
    for drive_id, pk, starts_at, is_open, screening, in_screening, chairs, in_chairs in rows.values_list(
        *columns, *limits
    ):
        found[drive_id].append((pk, starts_at, is_open, screening - in_screening, chairs - in_chairs))
    return found
