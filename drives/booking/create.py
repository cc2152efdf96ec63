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
from drives.capacity import availability, counters, reserved_spots, visit_length
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
REFERENCE_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # no I, L, O, 0 or 1, which are easily misread


def refuse_unless_bookable(
    facts: capacity_rules.BookingFacts,
    drive: Drive,
    visit: str,
    now: datetime,
    donor: eligibility_history.DonorScope | None = None,
    *,
    is_overridden: bool = False,
) -> str:
    """Return the visit type, or raise Refusal with all reasons and with alternative times.

    The donor's history determines the visit type, unless a coordinator overrides the interval rules. If the donor
    already has an active booking at this drive, the interval rules are not checked.
    """
    reasons, wanted_at = capacity_rules.reasons_not_to_book(facts, now), facts.slot_starts_at
    checks = (
        [check.check_eligibility(donor, drive, wanted_at)]
        if donor and wanted_at and not facts.has_active_booking
        else []
    )
    for eligibility in checks:
        visit = visit if is_overridden else eligibility.visit or visit
        reasons += check.list_open_reasons(eligibility.reasons, [], is_overridden=is_overridden)
    refuse_with_times(reasons, drive, (visit,), wanted_at, now, checks=checks)
    return visit


def refuse_with_times(
    reasons: Sequence[refusals.Reason],
    drive: Drive,
    visit_types: visit_length.VisitTypes,
    around: datetime | None,
    now: datetime,
    *,
    checks: Sequence[check.EligibilityCheck] = (),
    freed: availability.FreedDeltas | None = None,
) -> None:
    """Raise a Refusal with these reasons and with times that fit all of these visits. Without reasons, do nothing.

    The times are the nearest ones. After a failed interval check, they are the next ones that the rules allow for every
    donor. `freed` is the capacity that the donors' current bookings would free.
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
    visit_types: visit_length.VisitTypes,
    around: datetime,
    now: datetime,
    freed: availability.FreedDeltas | None = None,
) -> NoReturn:
    reason = rules.build_party_full_reason() if len(visit_types) > 1 else capacity_rules.build_slot_full_reason()
    raise refusals.Refusal([reason], availability.list_nearest_times(drive, visit_types, around, now, freed))


def find_arrivals(
    drive: Drive,
    requested: capacity_facts.RequestedSlot,
    visit_types: visit_length.VisitTypes,
    freed: counters.Deltas,
    now: datetime,
) -> list[Slot]:
    """Return the arrival slot of each visit. The earliest is the requested slot. Refuses visits that do not fit.

    For a single visit that fits the hours, this function reads no other slot, because `apply_counters` later refuses a
    full slot. `freed` are counter changes that are not in the database yet.
    """
    slot, shapes = requested.slot, visit_length.compute_visit_shapes(drive, visit_types)
    assert slot is not None  # the rules refuse a slot of another drive
    if len(shapes) == 1:
        if slot.n + shapes[0].steps > requested.steps:
            refuse_with_times(
                [rules.build_visit_too_long_reason()], drive, visit_types, slot.starts_at, now, freed=freed
            )
        if requested.is_full and not freed:  # refuse now, without waiting for the slot locks
            refuse_full_slot(drive, visit_types, slot.starts_at, now)
        return [slot]
    steps = availability.list_slots(drive.pk)
    arrivals = party_fit.fit_party(availability.compute_free_capacity(steps, now, freed), slot.n, shapes)
    if arrivals is None:
        refuse_full_slot(drive, visit_types, slot.starts_at, now, freed)
    return [Slot(pk=steps[n][0], drive=drive, n=n, starts_at=steps[n][1]) for n in arrivals]


@dataclass(frozen=True)
class UncountedBookings:
    """Inserted bookings, with the counter changes that are still to be applied."""

    bookings: list[Booking]
    deltas: counters.Deltas


def write_bookings(
    drive: Drive,
    requested: capacity_facts.RequestedSlot,
    visit_types: visit_length.VisitTypes,
    now: datetime,
    *,
    state: BookingState,
    source: Source,
    registrations: Sequence[Registration] = (),
    volunteer: Volunteer | None = None,
    share_link_id: int | None = None,
    actor: str = "donor",
) -> UncountedBookings:
    """Insert a booking and its first history row for each visit. Lapse the drive's overdue holds first.

    Pass one registration per visit, or `volunteer` for a single visit. Refuses visits that do not fit. The caller must
    call `apply_counters` as the last step.
    """
    freed = lapse_overdue_holds(drive.pk, now) if requested.has_overdue_holds else {}
    slots = find_arrivals(drive, requested, visit_types, freed, now)
    party = uuid.uuid4() if len(visit_types) > 1 else None
    bookings = [
        build_booking(
            drive,
            slot,
            grid.compute_footprint(slot.n, visit_length.compute_visit_shape(drive, visit)),
            visit,
            now,
            state=state,
            source=source,
            registration=registration,
            volunteer=volunteer,
            party=party,
            share_link_id=share_link_id,
        )
        for slot, visit, registration in zip(slots, visit_types, registrations or (None,), strict=True)
    ]
    insert_bookings(bookings, actor=actor)
    return UncountedBookings(
        bookings,
        counters.combine_deltas(
            [freed, *(grid.compute_net_deltas(None, counters.build_footprint(booking)) for booking in bookings)]
        ),
    )


def apply_counters(uncounted: UncountedBookings, now: datetime) -> list[Booking]:
    """Change the slot counters for these bookings. Refuses a full slot, which rolls back the bookings.

    Call this function last, because other bookings for the same slot wait until the transaction ends.
    """
    bookings = uncounted.bookings
    drive = bookings[0].drive
    if not counters.change_counters(drive_id=drive.pk, deltas=uncounted.deltas):
        refuse_full_slot(
            drive, tuple(booking.visit for booking in bookings), min(booking.starts_at for booking in bookings), now
        )
    return bookings


def book_volunteer(
    drive: Drive,
    requested: capacity_facts.RequestedSlot,
    visit: str,
    now: datetime,
    *,
    volunteer: Volunteer,
    donor: eligibility_history.DonorScope,
    source: Source,
    actor: str,
    is_overridden: bool = False,
) -> Booking:
    """Book a known volunteer. The caller holds the locks and queues the messages.

    The donor's history determines the visit type, unless a coordinator overrides the interval rules.
    """
    actual_visit = refuse_unless_bookable(requested.facts, drive, visit, now, donor, is_overridden=is_overridden)
    with explain_longer_visit(requested=visit, visit=actual_visit):
        uncounted = write_bookings(
            drive,
            requested,
            (actual_visit,),
            now,
            state=BookingState.BOOKED,
            source=source,
            volunteer=volunteer,
            actor=actor,
        )
        [booking] = apply_counters(uncounted, now)
    reserved_spots.close_entries_of_booked_donors([booking], now)
    return booking


def insert_bookings(bookings: Sequence[Booking], *, actor: str) -> None:
    """Insert bookings and their first history rows in one statement. The caller changes the counters."""
    rows = [{column: getattr(booking, column) for column in _COLUMNS} for booking in bookings]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT_SQL, {"bookings": json.dumps(rows, default=str), "actor": actor})
        # RETURNING guarantees no order, but ids increase in the order of the input.
        ids = sorted(pk for (pk,) in cursor.fetchall())
    for booking, pk in zip(bookings, ids, strict=True):
        booking.pk, booking._state.adding = pk, False


def build_booking(
    drive: Drive,
    slot: Slot,
    footprint: grid.Footprint,
    visit: str,
    now: datetime,
    *,
    state: BookingState,
    source: Source,
    registration: Registration | None = None,
    volunteer: Volunteer | None = None,
    party: uuid.UUID | None = None,
    share_link_id: int | None = None,
) -> Booking:
    answers = self_check.validate_self_check(registration.self_check, drive.policy.self_check) if registration else []
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
        share_link_id=share_link_id,
        held_until=now + rules.HOLD_FOR if state == BookingState.HELD else None,
        **build_footprint_fields(footprint),
        self_check_policy_id=drive.policy_id if answers else None,
        self_check=answers,
        created_at=now,
        changed_at=now,
    )


def generate_reference() -> str:
    return "".join(secrets.choice(REFERENCE_LETTERS) for _position in range(7))


VisitCorrections = Sequence[tuple[Booking, str]]
"""Locked holds, each with its actual visit type."""


def correct_visit_types(corrections: VisitCorrections, now: datetime, *, has_overdue_holds: bool) -> bool:
    """Set the actual visit types and footprints of locked holds at one drive. The caller saves the holds.

    A return visit has a shorter screening, and so needs a chair earlier. If no chair is free then, the hold keeps its
    longer footprint. Returns False if a first visit, which is longer, does not fit. Locks the slots of all holds in one
    statement.
    """
    firsts = [correction for correction in corrections if correction[1] == Visit.FIRST]
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
    return grid.compute_footprint(booking.first_step, visit_length.compute_visit_shape(booking.drive, visit))


@contextmanager
def explain_longer_visit(*, requested: str, visit: str) -> Iterator[None]:
    """Replace the reasons of a Refusal in the block if the donor requested a return visit, but needs a first visit.

    The new reason explains that the longer first visit does not fit.
    """
    try:
        yield
    except refusals.Refusal as refusal:
        if visit != Visit.FIRST or requested == visit:
            raise
        raise refusals.Refusal([eligibility_rules.build_first_visit_reason()], refusal.alternatives) from refusal


FOOTPRINT_FIELDS = ("first_step", "screening_steps", "chair_from", "chair_to")


def build_footprint_fields(footprint: grid.Footprint) -> dict[str, int]:
    return {
        "first_step": footprint.screening.start,
        "screening_steps": len(footprint.screening),
        "chair_from": footprint.chairs.start,
        "chair_to": footprint.chairs.stop,
    }


def lapse_overdue_holds(drive_id: int, now: datetime) -> dict[int, tuple[int, int]]:
    """Lapse a drive's overdue holds. Return the counter changes, which the caller applies.

    Holds that another transaction has locked are skipped. If donors are on the waitlist, the freed spots are reserved
    for the waitlist.
    """
    overdue = Booking.objects.overdue(now).filter(drive=drive_id).order_by("pk")
    lapsed = list(overdue.select_for_update(no_key=True, skip_locked=True, of=("self",)))
    if not lapsed:
        return {}
    state = rules.get_next_state(rules.Act.LAPSE, BookingState.HELD)
    Booking.objects.filter(pk__in=[booking.pk for booking in lapsed]).update(
        state=state, is_counted=False, changed_at=now
    )
    history.record_changes(lapsed, to_state=state, actor="worker", now=now)
    return counters.combine_deltas(
        [
            counters.compute_released_deltas(lapsed),
            reserved_spots.reserve_freed_spots(drive_id, map(counters.build_footprint, lapsed), now),
        ]
    )
