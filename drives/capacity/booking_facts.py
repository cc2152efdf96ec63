"""Load the facts that decide whether a donor may take a slot, in one statement. Callers hold the locks."""

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
class RequestedSlot:
    facts: rules.BookingFacts
    slot: Slot | None
    steps: int  # number of steps in the drive's grid
    has_overdue_holds: bool  # at the drive; they must lapse first
    is_full: bool  # in some step, the requested visit has no station or chair


_FACTS_SQL = Path(__file__).with_name("booking_facts.sql").read_text()
# A single slot has its own statement, because PostgreSQL would plan the array version again each time.
_FACTS_OF_EACH_SQL = f"""
SELECT facts.* FROM unnest(%(slots)s::bigint[], %(volunteers)s::bigint[])
    WITH ORDINALITY AS requested (slot, volunteer, position)
CROSS JOIN LATERAL (
{_FACTS_SQL.replace("%(slot)s", "requested.slot").replace("%(volunteer)s", "requested.volunteer")}
) AS facts ORDER BY requested.position
"""  # noqa: S608  our own file


def load_booking_facts(
    *,
    drive_id: int,
    slot_id: int,
    now: datetime,
    identity: str = "",
    volunteer_id: int | None = None,
    by_member: bool = False,
    has_reserved_spot: bool = False,
    shape: grid.VisitShape | None = None,
) -> RequestedSlot:
    """Load the facts about one slot. The caller holds the locks. One query.

    Pass `identity` to count the contact's live holds. Pass `volunteer_id` to find the donor's active booking. Pass
    `shape` to check whether the slot is full for such a visit (`is_full`).
    """
    parameters = {"slot": slot_id, "volunteer": volunteer_id}
    rows = _fetch_rows(_FACTS_SQL, parameters, drive_id, now, identity, shape or grid.VisitShape(0, 0))
    if not rows:
        raise Drive.DoesNotExist
    return _build_requested_slot(drive_id, rows[0], by_member=by_member, has_reserved_spot=has_reserved_spot)


def load_party_facts(drive_id: int, pairs: Sequence[tuple[int, int | None]], now: datetime) -> list[RequestedSlot]:
    """Load the facts for the (slot id, volunteer id) pairs of held bookings, in the order of `pairs`. One query."""
    slots, volunteers = zip(*pairs, strict=True)
    parameters = {"slots": list(slots), "volunteers": list(volunteers)}
    rows = _fetch_rows(_FACTS_OF_EACH_SQL, parameters, drive_id, now, "", grid.VisitShape(0, 0))
    return [_build_requested_slot(drive_id, row, by_member=False, has_reserved_spot=True) for row in rows]


def _fetch_rows(
    statement: str,
    parameters: Mapping[str, Any],
    drive_id: int,
    now: datetime,
    identity: str,
    shape: grid.VisitShape,
) -> list[tuple[Any, ...]]:
    size = {"screening": shape.screening_steps, "steps": shape.steps}
    with connection.cursor() as cursor:
        cursor.execute(statement, {**parameters, **size, "drive": drive_id, "now": now, "identity": identity})
        return list(cursor.fetchall())


def _build_requested_slot(
    drive_id: int, row: tuple[Any, ...], *, by_member: bool, has_reserved_spot: bool
) -> RequestedSlot:
    state, ends_at, slot_id, n, starts_at, is_open, steps, has_overdue_holds, live_hold_count, active, is_full = row
    slot = Slot(pk=slot_id, drive_id=drive_id, n=n, starts_at=starts_at, open=is_open) if slot_id else None
    facts = rules.BookingFacts(
        drive_state=DriveState(state),
        drive_ends_at=ends_at,
        is_slot_of_drive=slot is not None,
        is_slot_open=bool(is_open),
        slot_starts_at=starts_at,
        by_member=by_member,
        has_reserved_spot=has_reserved_spot,
        live_hold_count=live_hold_count,
        has_active_booking=active,
    )
    return RequestedSlot(facts, slot, steps or 0, has_overdue_holds, is_full)
