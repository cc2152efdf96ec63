"""The facts that decide whether a donor may take a slot, read in one statement under the locks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connection

from drives.capacity import rules
from drives.domain import grid
from drives.models import Drive, DriveState, Slot


@dataclass(frozen=True)
class PlaceFound:
    """A place as read under the drive's lock: the facts for the rules, and what taking it needs."""

    facts: rules.PlaceFacts
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
    facts = rules.PlaceFacts(
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
