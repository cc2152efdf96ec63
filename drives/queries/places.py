"""Which places there are, and what stands against taking one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connection

from drives import refusals
from drives.capacity import rules as capacity_rules
from drives.capacity import visits
from drives.domain import grid
from drives.models import Booking, Drive, DriveState, Hold, Slot

NEAREST = 3


@dataclass(frozen=True)
class PlaceFound:
    """A place as read under the drive's lock: the facts for the rules, and what taking it needs."""

    facts: capacity_rules.PlaceFacts
    slot: Slot | None
    steps: int  # of the drive's grid
    holds_are_over: bool  # some hold of this drive may be lapsed first
    is_full: bool  # a resource of the visit that was asked about is used up in some step


_FACTS = Path(__file__).with_name("place_facts.sql").read_text()
# For one place the statement stands alone: with the array PostgreSQL would plan it anew each time.
_FACTS_OF_EACH = f"""
SELECT facts.* FROM unnest(%(slots)s::bigint[], %(volunteers)s::bigint[])
    WITH ORDINALITY AS asked (slot, volunteer, position)
CROSS JOIN LATERAL (
{_FACTS.replace("%(slot)s", "asked.slot").replace("%(volunteer)s", "asked.volunteer")}
) AS facts ORDER BY asked.position
"""  # noqa: S608  our own file


def place_facts(
    *,
    drive_id: int,
    slot_id: int,
    now: datetime,
    identity: str = "",
    volunteer_id: int | None = None,
    by_staff: bool = False,
    promised: bool = False,
    shape: grid.VisitShape | None = None,
) -> PlaceFound:
    """All that the rules ask about one place: one query, to be sent after the locks are taken.

    `identity` counts a contact's live holds, `volunteer_id` finds an active booking, `shape` asks for room for a visit.
    """
    asked = {"slot": slot_id, "volunteer": volunteer_id}
    rows = _facts(_FACTS, asked, drive_id, now, identity, shape or grid.VisitShape(0, 0))
    if not rows:
        raise Drive.DoesNotExist
    return _found(drive_id, rows[0], by_staff=by_staff, promised=promised)


def places_facts(drive_id: int, places: Sequence[tuple[int, int | None]], now: datetime) -> list[PlaceFound]:
    """The same for several people whose times are kept, each a slot and a volunteer, in their order. One query."""
    slots, volunteers = zip(*places, strict=True)
    asked = {"slots": list(slots), "volunteers": list(volunteers)}
    rows = _facts(_FACTS_OF_EACH, asked, drive_id, now, "", grid.VisitShape(0, 0))
    return [_found(drive_id, row, by_staff=False, promised=True) for row in rows]


def _facts(
    statement: str,
    asked: Mapping[str, Any],
    drive_id: int,
    now: datetime,
    identity: str,
    shape: grid.VisitShape,
) -> list[tuple[Any, ...]]:
    size = {"screening": shape.screening_steps, "steps": shape.steps}
    with connection.cursor() as cursor:
        cursor.execute(statement, {**asked, **size, "drive": drive_id, "now": now, "identity": identity})
        return list(cursor.fetchall())


def _found(drive_id: int, row: tuple[Any, ...], *, by_staff: bool, promised: bool) -> PlaceFound:
    state, ends_at, found_id, n, starts_at, is_open, steps, holds_are_over, live_holds, active, is_full = row
    slot = Slot(pk=found_id, drive_id=drive_id, n=n, starts_at=starts_at, open=is_open) if found_id else None
    facts = capacity_rules.PlaceFacts(
        drive_state=DriveState(state),
        drive_ends_at=ends_at,
        slot_of_drive=slot is not None,
        slot_open=bool(is_open),
        slot_starts_at=starts_at,
        by_staff=by_staff,
        promised=promised,
        live_holds=live_holds,
        active_booking=active,
    )
    return PlaceFound(facts, slot, steps or 0, holds_are_over, is_full)


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
