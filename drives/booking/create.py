"""Create bookings. Callers hold the locks."""

import json
import secrets
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from django.db import connection, transaction

from drives import refusals
from drives.booking import history, rules
from drives.capacity import availability, counters, reserved_spots, visits
from drives.capacity import facts as capacity_facts
from drives.capacity import rules as capacity_rules
from drives.domain import grid, party_fit
from drives.eligibility import check, self_check
from drives.eligibility import history as eligibility_history
from drives.eligibility import rules as eligibility_rules
from drives.models import Booking, BookingState, Drive, Slot, Source, Visit
from volunteers.models import Registration, Volunteer

_INSERT = Path(__file__).with_name("insert_bookings.sql").read_text()
_COLUMNS = [field.attname for field in Booking._meta.concrete_fields]
REFERENCE_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # none that are taken for another


def refuse_unless_possible(
    facts: capacity_rules.PlaceFacts,
    drive: Drive,
    visit: str,
    now: datetime,
    giver: eligibility_history.Giver | None = None,
) -> str:
    """Refuse one person a place, with every reason and with other times; else return the kind of visit.

    The kind of visit follows what was recorded of the giver. Without a giver the interval rules are not asked: a
    coordinator may override them. A person with a booking at this drive is told only that.
    """
    reasons, wanted = capacity_rules.reasons_not_to_take(facts, now), facts.slot_starts_at
    judged = [check.of(giver, drive, wanted)] if giver and wanted and not facts.active_booking else []
    for one in judged:
        visit = one.visit or visit
        reasons += one.reasons
    refuse_with_times(reasons, drive, (visit,), wanted, now, judged=judged)
    return visit


def refuse_with_times(
    reasons: Sequence[refusals.Reason],
    drive: Drive,
    wanted: visits.Visits,
    around: datetime | None,
    now: datetime,
    *,
    judged: Sequence[check.Spacing] = (),
    freed: availability.Freed | None = None,
) -> None:
    """Raise these reasons, if there are any, with other times at which all of these visits fit.

    They are the nearest ones; if an interval stands against one of those judged, the next that all of them may take.
    `freed` is what the people have at this drive by now.
    """
    if not reasons:
        return
    if any(one.reasons for one in judged):
        times = check.later_times(judged, drive, wanted, now, freed)
    else:
        times = availability.nearest_times(drive, wanted, around, now, freed)
    raise refusals.Refusal(reasons, times)


def refuse_full(
    drive: Drive, wanted: visits.Visits, around: datetime, now: datetime, freed: availability.Freed | None = None
) -> NoReturn:
    """Raise that there is no room for all of these visits, with the nearest times at which there is."""
    reason = rules.party_full() if len(wanted) > 1 else capacity_rules.slot_full()
    raise refusals.Refusal([reason], availability.nearest_times(drive, wanted, around, now, freed))


def find_arrivals(
    drive: Drive, found: capacity_facts.PlaceFound, wanted: visits.Visits, freed: counters.Deltas, now: datetime
) -> list[Slot]:
    """The slot in which each visit begins, the earliest in the slot that was found; refuses visits that do not fit.

    For one visit no other slot is read: whether it fits, the counters judge. `freed` are changes of the counters that
    are not applied yet.
    """
    slot, shapes = found.slot, visits.shapes(drive, wanted)
    assert slot is not None  # the rules refused a slot of another drive
    if len(shapes) == 1:
        if slot.n + shapes[0].steps > found.steps:
            refuse_with_times([rules.visit_does_not_fit()], drive, wanted, slot.starts_at, now, freed=freed)
        if found.is_full and not freed:  # plainly full: do not wait for its slots
            refuse_full(drive, wanted, slot.starts_at, now)
        return [slot]
    steps = availability.steps_of(drive.pk)
    arrivals = party_fit.arrivals(availability.room(steps, now, freed), slot.n, shapes)
    if arrivals is None:
        refuse_full(drive, wanted, slot.starts_at, now, freed)
    return [Slot(pk=steps[n][0], drive=drive, n=n, starts_at=steps[n][1]) for n in arrivals]


@dataclass(frozen=True)
class Written:
    """Bookings that are written and not yet counted."""

    bookings: list[Booking]
    deltas: counters.Deltas


def write_bookings(
    drive: Drive,
    found: capacity_facts.PlaceFound,
    wanted: visits.Visits,
    now: datetime,
    *,
    state: BookingState,
    source: Source,
    registrations: Sequence[Registration] = (),
    volunteer: Volunteer | None = None,
    actor: str = "donor",
) -> Written:
    """Write a booking for each visit, with its history, and lapse holds that are over; `count` must follow, last.

    The people are those of the registrations, or one volunteer. Refuses visits that do not fit.
    """
    freed = lapse_in(drive.pk, now) if found.holds_are_over else {}
    slots = find_arrivals(drive, found, wanted, freed, now)
    party = uuid.uuid4() if len(wanted) > 1 else None
    bookings = [
        new_booking(
            drive,
            slot,
            grid.footprint(slot.n, visits.visit_shape(drive, visit)),
            visit,
            now,
            state=state,
            source=source,
            registration=registration,
            volunteer=volunteer,
            party=party,
        )
        for slot, visit, registration in zip(slots, wanted, registrations or (None,), strict=True)
    ]
    insert_bookings(bookings, actor=actor)
    return Written(bookings, counters.combined([freed, *(grid.net(None, counters.footprint(one)) for one in bookings)]))


def count(written: Written, now: datetime) -> list[Booking]:
    """Change the counters, or refuse a full time and with it everything written before.

    Last, because the slots stay locked until the transaction ends: other donors of the same time wait only shortly.
    """
    bookings = written.bookings
    drive = bookings[0].drive
    if not counters.change(drive_id=drive.pk, deltas=written.deltas):
        refuse_full(drive, tuple(one.visit for one in bookings), min(one.starts_at for one in bookings), now)
    return bookings


def book_volunteer(
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
    """Book a known volunteer by facts that were read under the locks; the caller sends the messages.

    The kind of visit follows what was recorded of the giver; without one the interval rules are not asked.
    """
    known = refuse_unless_possible(found.facts, drive, visit, now, giver)
    with says_if_longer(asked=visit, visit=known):
        written = write_bookings(
            drive, found, (known,), now, state=BookingState.BOOKED, source=source, volunteer=volunteer, actor=actor
        )
        [booking] = count(written, now)
    reserved_spots.end_waiting([booking], now)
    return booking


def insert_bookings(bookings: Sequence[Booking], *, actor: str) -> None:
    """Write new bookings and how their history begins, in one statement. The caller changes the counters."""
    rows = [{column: getattr(booking, column) for column in _COLUMNS} for booking in bookings]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, {"bookings": json.dumps(rows, default=str), "actor": actor})
        ids = sorted(pk for (pk,) in cursor.fetchall())
    for booking, pk in zip(bookings, ids, strict=True):
        booking.pk, booking._state.adding = pk, False


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
    """A booking that is not written yet."""
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


def correct_visits(corrections: Corrections, now: datetime, *, holds_are_over: bool) -> bool:
    """Give locked holds of one drive the steps of the kind of visit that they really are; the caller saves them.

    A return visit that finds no nearer chair keeps the longer time. False if a first visit does not fit. Locks: slots,
    of all in one statement.
    """
    firsts = [each for each in corrections if each[1] == Visit.FIRST]
    if _fit(corrections, now, holds_are_over=holds_are_over):
        fitting = corrections
    elif not firsts or (len(firsts) < len(corrections) and _fit(firsts, now, holds_are_over=holds_are_over)):
        fitting = firsts
    else:
        return False
    for booking, visit in fitting:
        for name, value in stored_footprint(_as(booking, visit)).items():
            setattr(booking, name, value)
    for booking, visit in corrections:
        booking.visit = visit
    return True


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
