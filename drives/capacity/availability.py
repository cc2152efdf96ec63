"""Which places there are, and what stands against taking one."""

from datetime import datetime

from drives import refusals
from drives.capacity import visits
from drives.domain import grid
from drives.models import Booking, Drive, DriveState, Hold, Slot

NEAREST = 3


def open_times(drive: Drive, visit: str, now: datetime) -> list[refusals.OpenTime]:
    """The arrival times of a drive that still have places for this kind of visit, in order. One query."""
    return times_in(_slots(drive.pk), visits.visit_shape(drive, visit), now)


def times_in(slots: "list[SlotRow]", shape: grid.VisitShape, now: datetime) -> list[refusals.OpenTime]:
    """The arrival times among a drive's steps that have places for such a visit."""
    left = grid.places_by_arrival([row[3] for row in slots], [row[4] for row in slots], shape)
    return [
        refusals.OpenTime(slot_id, starts_at, places)
        for (slot_id, starts_at, is_open, _screening, _chairs), places in zip(slots, left, strict=True)
        if places and is_open and starts_at > now
    ]


def nearest_times(drive: Drive, visit: str, wanted: datetime | None, now: datetime) -> list[refusals.OpenTime]:
    """The three open times nearest to the one that was wanted, in order of time. At most one query."""
    if drive.state != DriveState.PUBLISHED:
        return []
    around = wanted or drive.starts_at
    nearest = sorted(open_times(drive, visit, now), key=lambda time: abs(time.starts_at - around))[:NEAREST]
    return sorted(nearest, key=lambda time: time.starts_at)


def places_left(drive: Drive, now: datetime) -> int:
    """How many return visits a greedy fill would still place: the drive's one figure. One query."""
    slots = [row for row in _slots(drive.pk) if row[1] > now]
    shape = visits.visit_shape(drive, "return")
    return grid.greedy_fill([row[3] for row in slots], [row[4] for row in slots], shape)


SlotRow = tuple[int, datetime, bool, int, int]


def _slots(drive_id: int) -> list[SlotRow]:
    """Id, start, open, free screening places, free chairs of each step."""
    return slots_of([drive_id])[drive_id]


def slots_of(drive_ids: list[int]) -> dict[int, list[SlotRow]]:
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


def steps_taken(place: Booking | Hold) -> grid.Footprint:
    """The steps of a booking (or a kept place) as it was booked, whatever the drive's plan says today."""
    return grid.Footprint(
        range(place.first_step, place.first_step + place.screening_steps),
        range(place.chair_from, place.chair_to),
    )
