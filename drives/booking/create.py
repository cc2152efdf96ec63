"""Taking a place: the one way from facts that were read under the locks to a booking's row."""

import json
import secrets
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from django.db import connection, transaction

from drives import refusals
from drives.booking import history, rules
from drives.capacity import availability, counters, reserved_spots, visits
from drives.capacity import facts as capacity_facts
from drives.capacity import rules as capacity_rules
from drives.domain import grid
from drives.eligibility import check, self_check
from drives.eligibility import history as eligibility_history
from drives.eligibility import rules as eligibility_rules
from drives.models import Booking, BookingState, Drive, Slot, Source, Visit
from volunteers.models import Registration, Volunteer

_INSERT = Path(__file__).with_name("insert_booking.sql").read_text()
REFERENCE_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # none that are taken for another


def refuse_unless_possible(
    facts: capacity_rules.PlaceFacts,
    drive: Drive,
    visit: str,
    now: datetime,
    giver: eligibility_history.Giver | None = None,
) -> str:
    """Raise every reason that stands against this place, with the nearest times that fit the visit.

    Returns the kind of visit: what was recorded of the giver says it, else what was asked for.

    Without a `giver` the interval rules are not asked: a hold counts in nobody's, and a coordinator may override them.
    With one, the times proposed keep them. Who is booked at this drive already is told that alone.
    """
    reasons = capacity_rules.reasons_not_to_take(facts, now)
    wanted = facts.slot_starts_at
    if giver and wanted and not facts.active_booking:
        judged = check.of(giver, drive, wanted)
        visit = judged.visit or visit
        if judged.reasons:
            raise refusals.Refusal([*reasons, *judged.reasons], check.later_times([judged], drive, (visit,), now))
    if reasons:
        raise refusals.Refusal(reasons, availability.nearest_times(drive, (visit,), wanted, now))
    return visit


def footprint_or_refuse(drive: Drive, slot: Slot, visit: str, steps: int, now: datetime) -> grid.Footprint:
    """The steps a visit would take from this slot; refuses one that would not end by closing."""
    shape = visits.visit_shape(drive, visit)
    if slot.n + shape.steps > steps:
        raise refusals.Refusal(
            [rules.visit_does_not_fit()], availability.nearest_times(drive, (visit,), slot.starts_at, now)
        )
    return grid.footprint(slot.n, shape)


@dataclass(frozen=True)
class Taken:
    """A booking that is written and not yet counted."""

    booking: Booking
    deltas: counters.Deltas


def write(
    drive: Drive,
    found: capacity_facts.PlaceFound,
    visit: str,
    now: datetime,
    *,
    state: BookingState,
    source: Source,
    registration: Registration | None = None,
    volunteer: Volunteer | None = None,
    actor: str = "donor",
) -> Taken:
    """Write a booking and its history, and lapse what is over; `count` must follow, last of all.

    Refuses a visit that does not end by closing, and a time that is plainly full, without waiting for its slots.
    """
    slot = found.slot
    assert slot is not None  # the rules refused a slot of another drive
    taken = footprint_or_refuse(drive, slot, visit, found.steps, now)
    freed = lapse_in(drive.pk, now) if found.holds_are_over else {}
    deltas = counters.combined([freed, grid.net(None, taken)])
    if found.is_full and not freed:
        refuse_full(drive, visit, slot.starts_at, now)
    who: dict[str, Any] = {"registration": registration, "volunteer": volunteer, "actor": actor}
    return Taken(create_booking(drive, slot, taken, visit, now, state=state, source=source, **who), deltas)


def count(taken: Taken, now: datetime) -> Booking:
    """Change the counters, or refuse a full time and with it everything written before.

    Last, because the slots stay locked until the transaction ends: who wants the same time waits as little as can be.
    """
    booking = taken.booking
    if not counters.change(drive_id=booking.drive_id, deltas=taken.deltas):
        refuse_full(booking.drive, booking.visit, booking.starts_at, now)
    return booking


def enter(
    drive: Drive,
    found: capacity_facts.PlaceFound,
    visit: str,
    now: datetime,
    *,
    volunteer: Volunteer,
    giver: eligibility_history.Giver | None,
    source: Source,
    actor: str,
) -> Booking:
    """Book for somebody who is known, by facts that were read under the locks; the caller tells them.

    The kind of visit follows what was recorded of the giver; without one the interval rules are not asked.
    """
    known = refuse_unless_possible(found.facts, drive, visit, now, giver)
    with says_if_longer(asked=visit, visit=known):
        taken = write(
            drive, found, known, now, state=BookingState.BOOKED, source=source, volunteer=volunteer, actor=actor
        )
        booking = count(taken, now)
    reserved_spots.has_place(booking, now)
    return booking


def refuse_full(drive: Drive, visit: str, wanted: datetime, now: datetime) -> NoReturn:
    """Somebody was quicker: say so, with the nearest times."""
    raise refusals.Refusal([capacity_rules.slot_full()], availability.nearest_times(drive, (visit,), wanted, now))


def create_booking(
    drive: Drive,
    slot: Slot,
    taken: grid.Footprint,
    visit: str,
    now: datetime,
    *,
    state: BookingState,
    source: Source,
    registration: Registration | None = None,
    volunteer: Volunteer | None = None,
    actor: str,
) -> Booking:
    """Write the row of a place, and how its history begins. Part of its caller, which changes the counters."""
    booking = new_booking(
        drive, slot, taken, visit, now, state=state, source=source, registration=registration, volunteer=volunteer
    )
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, {**vars(booking), "confirms": json.dumps(booking.confirms), "actor": actor})
        (booking.pk,) = cursor.fetchone()
    booking._state.adding = False
    return booking


def new_booking(
    drive: Drive,
    slot: Slot,
    taken: grid.Footprint,
    visit: str,
    now: datetime,
    *,
    state: BookingState,
    source: Source,
    registration: Registration | None = None,
    volunteer: Volunteer | None = None,
    party: uuid.UUID | None = None,
) -> Booking:
    """The row of a place, not written yet."""
    said = self_check.outcome(registration.confirms, drive.policy.confirms) if registration else []
    return Booking(
        **Booking.new_link(),
        reference=new_reference(),
        drive=drive,
        arrival=slot,
        starts_at=slot.starts_at,
        volunteer=volunteer,
        registration=registration,
        party=party,
        visit=visit,
        state=state,
        source=source,
        held_until=now + rules.HOLD_FOR if state == BookingState.HELD else None,
        **stored_footprint(taken),
        confirmed_policy_id=drive.policy_id if said else None,
        confirms=said,
        created_at=now,
        changed_at=now,
    )


def new_reference() -> str:
    """What a booking is called at the door."""
    return "".join(secrets.choice(REFERENCE_LETTERS) for _position in range(7))


Corrections = Sequence[tuple[Booking, str]]
"""Locked holds, each with the kind of visit that it really is."""


def correct_visits(corrections: Corrections, now: datetime, *, holds_are_over: bool) -> None:
    """Give locked holds of one drive the steps of the kind of visit that they really are; the caller saves them.

    A return visit that finds no nearer chair keeps the longer time. Refuses a first visit that does not fit, with the
    nearest times that do. Locks: slots, of all in one statement.
    """
    firsts = [each for each in corrections if each[1] == Visit.FIRST]
    if _fit(corrections, now, holds_are_over=holds_are_over):
        fitting = corrections
    elif not firsts or (len(firsts) < len(corrections) and _fit(firsts, now, holds_are_over=holds_are_over)):
        fitting = firsts
    else:
        booking, visit = firsts[0]
        nearest = availability.nearest_times(booking.drive, (visit,), booking.starts_at, now)
        raise refusals.Refusal([eligibility_rules.visit_is_first()], nearest)
    for booking, visit in fitting:
        for name, value in stored_footprint(_as(booking, visit)).items():
            setattr(booking, name, value)
    for booking, visit in corrections:
        booking.visit = visit


def _fit(corrections: Corrections, now: datetime, *, holds_are_over: bool) -> bool:
    """Change the counters for all of these, or for none."""
    drive_id = corrections[0][0].drive_id
    with transaction.atomic():
        freed = lapse_in(drive_id, now) if holds_are_over else {}
        changes = [grid.net(counters.footprint(booking), _as(booking, visit)) for booking, visit in corrections]
        fits = counters.change(drive_id=drive_id, deltas=counters.combined([freed, *changes]))
        transaction.set_rollback(not fits)
    return fits


def _as(booking: Booking, visit: str) -> grid.Footprint:
    return grid.footprint(booking.first_step, visits.visit_shape(booking.drive, visit))


@contextmanager
def says_if_longer(*, asked: str, visit: str) -> Iterator[None]:
    """Where the record made a visit longer than was asked for, a place that is refused is refused for that."""
    try:
        yield
    except refusals.Refusal as refusal:
        if visit != Visit.FIRST or asked == visit:
            raise
        raise refusals.Refusal([eligibility_rules.visit_is_first()], refusal.alternatives) from refusal


FOOTPRINT = ("first_step", "screening_steps", "chair_from", "chair_to")


def stored_footprint(taken: grid.Footprint) -> dict[str, int]:
    """A footprint as a booking's fields."""
    return {
        "first_step": taken.screening.start,
        "screening_steps": len(taken.screening),
        "chair_from": taken.chairs.start,
        "chair_to": taken.chairs.stop,
    }


def lapse_in(drive_id: int, now: datetime) -> dict[int, tuple[int, int]]:
    """Lapse one drive's holds that are over; the caller applies what their slots get back. Skips locked ones.

    While somebody waits, their places are kept: the slots get nothing back.
    """
    over = Booking.objects.overdue(now).filter(drive=drive_id).order_by("pk")
    lapsed = list(over.select_for_update(no_key=True, skip_locked=True, of=("self",)))
    if not lapsed:
        return {}
    Booking.objects.filter(pk__in=[booking.pk for booking in lapsed]).update(
        state=BookingState.LAPSED, holds_place=False, changed_at=now
    )
    history.note_all(lapsed, to_state=BookingState.LAPSED, actor="worker", now=now)
    return counters.combined(
        [counters.released(lapsed), reserved_spots.keep(drive_id, map(counters.footprint, lapsed), now)]
    )
