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
from drives.capacity import booking_facts as capacity_facts
from drives.capacity import rules as capacity_rules
from drives.domain import grid, party_fit
from drives.eligibility import check, self_check
from drives.eligibility import history as eligibility_history
from drives.eligibility import rules as eligibility_rules
from drives.models import Booking, BookingState, Drive, Slot, Source, Visit
from volunteers.models import Registration, Volunteer

_INSERT_SQL = Path(__file__).with_name("insert_bookings.sql").read_text()
_COLUMNS = [field.attname for field in Booking._meta.concrete_fields]
REFERENCE_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # none that are taken for another


def refuse_unless_bookable(
    facts: capacity_rules.BookingFacts,
    drive: Drive,
    visit: str,
    now: datetime,
    donor: eligibility_history.DonorScope | None = None,
) -> str:
    """Refuse one person a place, with every reason and with other times; else return the kind of visit.

    The kind of visit follows what was recorded of the giver. Without a giver the interval rules are not asked: a
    coordinator may override them. A person with a booking at this drive is told only that.
    """
    reasons, wanted = capacity_rules.reasons_not_to_book(facts, now), facts.slot_starts_at
    judged = (
        [check.check_eligibility(donor, drive, wanted)] if donor and wanted and not facts.has_active_booking else []
    )
    for one in judged:
        visit = one.visit or visit
        reasons += one.reasons
    refuse_with_times(reasons, drive, (visit,), wanted, now, checks=judged)
    return visit


def refuse_with_times(
    reasons: Sequence[refusals.Reason],
    drive: Drive,
    visit_types: visits.VisitTypes,
    around: datetime | None,
    now: datetime,
    *,
    checks: Sequence[check.EligibilityCheck] = (),
    freed: availability.FreedDeltas | None = None,
) -> None:
    """Raise these reasons, if there are any, with other times at which all of these visits fit.

    They are the nearest ones; if an interval stands against one of those judged, the next that all of them may take.
    `freed` is what the people have at this drive by now.
    """
    if not reasons:
        return
    if any(one.reasons for one in checks):
        times = check.list_later_times(checks, drive, visit_types, now, freed)
    else:
        times = availability.list_nearest_times(drive, visit_types, around, now, freed)
    raise refusals.Refusal(reasons, times)


def refuse_full_slot(
    drive: Drive,
    visit_types: visits.VisitTypes,
    around: datetime,
    now: datetime,
    freed: availability.FreedDeltas | None = None,
) -> NoReturn:
    """Raise that there is no room for all of these visits, with the nearest times at which there is."""
    reason = rules.build_party_full_reason() if len(visit_types) > 1 else capacity_rules.build_slot_full_reason()
    raise refusals.Refusal([reason], availability.list_nearest_times(drive, visit_types, around, now, freed))


def find_arrivals(
    drive: Drive, found: capacity_facts.SlotFound, visit_types: visits.VisitTypes, freed: counters.Deltas, now: datetime
) -> list[Slot]:
    """The slot in which each visit begins, the earliest in the slot that was found; refuses visits that do not fit.

    For one visit no other slot is read: whether it fits, the counters judge. `freed` are changes of the counters that
    are not applied yet.
    """
    slot, shapes = found.slot, visits.compute_visit_shapes(drive, visit_types)
    assert slot is not None  # the rules refused a slot of another drive
    if len(shapes) == 1:
        if slot.n + shapes[0].steps > found.steps:
            refuse_with_times(
                [rules.build_visit_too_long_reason()], drive, visit_types, slot.starts_at, now, freed=freed
            )
        if found.is_full and not freed:  # plainly full: do not wait for its slots
            refuse_full_slot(drive, visit_types, slot.starts_at, now)
        return [slot]
    steps = availability.list_slots(drive.pk)
    arrivals = party_fit.fit_party(availability.compute_free_capacity(steps, now, freed), slot.n, shapes)
    if arrivals is None:
        refuse_full_slot(drive, visit_types, slot.starts_at, now, freed)
    return [Slot(pk=steps[n][0], drive=drive, n=n, starts_at=steps[n][1]) for n in arrivals]


@dataclass(frozen=True)
class UncountedBookings:
    """Bookings that are written and not yet counted."""

    bookings: list[Booking]
    deltas: counters.Deltas


def write_bookings(
    drive: Drive,
    found: capacity_facts.SlotFound,
    visit_types: visits.VisitTypes,
    now: datetime,
    *,
    state: BookingState,
    source: Source,
    registrations: Sequence[Registration] = (),
    volunteer: Volunteer | None = None,
    actor: str = "donor",
) -> UncountedBookings:
    """Write a booking for each visit, with its history, and lapse holds that are over; `count` must follow, last.

    The people are those of the registrations, or one volunteer. Refuses visits that do not fit.
    """
    freed = lapse_overdue_holds(drive.pk, now) if found.has_overdue_holds else {}
    slots = find_arrivals(drive, found, visit_types, freed, now)
    party = uuid.uuid4() if len(visit_types) > 1 else None
    bookings = [
        build_booking(
            drive,
            slot,
            grid.compute_footprint(slot.n, visits.compute_visit_shape(drive, visit)),
            visit,
            now,
            state=state,
            source=source,
            registration=registration,
            volunteer=volunteer,
            party=party,
        )
        for slot, visit, registration in zip(slots, visit_types, registrations or (None,), strict=True)
    ]
    insert_bookings(bookings, actor=actor)
    return UncountedBookings(
        bookings,
        counters.combine_deltas(
            [freed, *(grid.compute_net_deltas(None, counters.build_footprint(one)) for one in bookings)]
        ),
    )


def apply_counters(uncounted: UncountedBookings, now: datetime) -> list[Booking]:
    """Change the counters, or refuse a full time and with it everything written before.

    Last, because the slots stay locked until the transaction ends: other donors of the same time wait only shortly.
    """
    bookings = uncounted.bookings
    drive = bookings[0].drive
    if not counters.change_counters(drive_id=drive.pk, deltas=uncounted.deltas):
        refuse_full_slot(drive, tuple(one.visit for one in bookings), min(one.starts_at for one in bookings), now)
    return bookings


def book_volunteer(
    drive: Drive,
    found: capacity_facts.SlotFound,
    visit: str,
    now: datetime,
    *,
    volunteer: Volunteer,
    donor: eligibility_history.DonorScope | None,
    source: Source,
    actor: str,
) -> Booking:
    """Book a known volunteer by facts that were read under the locks; the caller sends the messages.

    The kind of visit follows what was recorded of the giver; without one the interval rules are not asked.
    """
    known = refuse_unless_bookable(found.facts, drive, visit, now, donor)
    with explain_longer_visit(asked=visit, visit=known):
        written = write_bookings(
            drive, found, (known,), now, state=BookingState.BOOKED, source=source, volunteer=volunteer, actor=actor
        )
        [booking] = apply_counters(written, now)
    reserved_spots.close_entries_of_booked_donors([booking], now)
    return booking


def insert_bookings(bookings: Sequence[Booking], *, actor: str) -> None:
    """Write new bookings and how their history begins, in one statement. The caller changes the counters."""
    rows = [{column: getattr(booking, column) for column in _COLUMNS} for booking in bookings]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT_SQL, {"bookings": json.dumps(rows, default=str), "actor": actor})
        ids = sorted(pk for (pk,) in cursor.fetchall())
    for booking, pk in zip(bookings, ids, strict=True):
        booking.pk, booking._state.adding = pk, False


def build_booking(
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
    said = self_check.validate_self_check(registration.self_check, drive.policy.self_check) if registration else []
    return Booking(
        **Booking.build_link_fields(),
        reference=generate_reference(),
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
        **build_footprint_fields(taken),
        self_check_policy_id=drive.policy_id if said else None,
        self_check=said,
        created_at=now,
        changed_at=now,
    )


def generate_reference() -> str:
    """What a booking is called at the door."""
    return "".join(secrets.choice(REFERENCE_LETTERS) for _position in range(7))


VisitCorrections = Sequence[tuple[Booking, str]]
"""Locked holds, each with the kind of visit that it really is."""


def correct_visit_types(corrections: VisitCorrections, now: datetime, *, has_overdue_holds: bool) -> bool:
    """Give locked holds of one drive the steps of the kind of visit that they really are; the caller saves them.

    A return visit that finds no nearer chair keeps the longer time. False if a first visit does not fit. Locks: slots,
    of all in one statement.
    """
    firsts = [each for each in corrections if each[1] == Visit.FIRST]
    if _try_corrections(corrections, now, has_overdue_holds=has_overdue_holds):
        fitting = corrections
    elif not firsts or (
        len(firsts) < len(corrections) and _try_corrections(firsts, now, has_overdue_holds=has_overdue_holds)
    ):
        fitting = firsts
    else:
        return False
    for booking, visit in fitting:
        for name, value in build_footprint_fields(_compute_corrected_footprint(booking, visit)).items():
            setattr(booking, name, value)
    for booking, visit in corrections:
        booking.visit = visit
    return True


def _try_corrections(corrections: VisitCorrections, now: datetime, *, has_overdue_holds: bool) -> bool:
    """Change the counters for all of these, or for none."""
    drive_id = corrections[0][0].drive_id
    with transaction.atomic():
        freed = lapse_overdue_holds(drive_id, now) if has_overdue_holds else {}
        changes = [
            grid.compute_net_deltas(counters.build_footprint(booking), _compute_corrected_footprint(booking, visit))
            for booking, visit in corrections
        ]
        fits = counters.change_counters(drive_id=drive_id, deltas=counters.combine_deltas([freed, *changes]))
        transaction.set_rollback(not fits)
    return fits


def _compute_corrected_footprint(booking: Booking, visit: str) -> grid.Footprint:
    return grid.compute_footprint(booking.first_step, visits.compute_visit_shape(booking.drive, visit))


@contextmanager
def explain_longer_visit(*, asked: str, visit: str) -> Iterator[None]:
    """Where the record made a visit longer than was asked for, a place that is refused is refused for that."""
    try:
        yield
    except refusals.Refusal as refusal:
        if visit != Visit.FIRST or asked == visit:
            raise
        raise refusals.Refusal([eligibility_rules.build_first_visit_reason()], refusal.alternatives) from refusal


FOOTPRINT_FIELDS = ("first_step", "screening_steps", "chair_from", "chair_to")


def build_footprint_fields(taken: grid.Footprint) -> dict[str, int]:
    """A footprint as a booking's fields."""
    return {
        "first_step": taken.screening.start,
        "screening_steps": len(taken.screening),
        "chair_from": taken.chairs.start,
        "chair_to": taken.chairs.stop,
    }


def lapse_overdue_holds(drive_id: int, now: datetime) -> dict[int, tuple[int, int]]:
    """Lapse one drive's holds that are over; the caller applies what their slots get back. Skips locked ones.

    While somebody waits, their places are kept: the slots get nothing back.
    """
    over = Booking.objects.overdue(now).filter(drive=drive_id).order_by("pk")
    lapsed = list(over.select_for_update(no_key=True, skip_locked=True, of=("self",)))
    if not lapsed:
        return {}
    Booking.objects.filter(pk__in=[booking.pk for booking in lapsed]).update(
        state=BookingState.LAPSED, is_counted=False, changed_at=now
    )
    history.record_changes(lapsed, to_state=BookingState.LAPSED, actor="worker", now=now)
    return counters.combine_deltas(
        [
            counters.compute_released_deltas(lapsed),
            reserved_spots.reserve_freed_spots(drive_id, map(counters.build_footprint, lapsed), now),
        ]
    )
