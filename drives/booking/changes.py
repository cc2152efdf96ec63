"""Change bookings: move, confirm, cancel, restore."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from drives import refusals
from drives.booking import confirm_holds, create, history, messages, queries, rules
from drives.booking import party as booking_party
from drives.capacity import booking_facts, counters, locks, reserved_spots, visits
from drives.capacity import rules as capacity_rules
from drives.domain import grid, matching
from drives.eligibility import check
from drives.eligibility import history as eligibility_history
from drives.models import Booking, BookingState, CancelledBy, Slot


@transaction.atomic
def move_bookings(
    *,
    booking_id: int,
    slot_id: int,
    actor: str,
    now: datetime,
    whole_party: bool = False,
    reason: str = "",
    by_member: bool = False,
    override_reason: str = "",
) -> list[Booking]:
    """Give a booking or a hold, or all of its party that are still to come, another time of the same drive.

    All of them move or none does: a full time is refused and the old places stay. Their own chairs never stand in the
    way. Each donor is judged by their own history, unless there is a reason to override, which is kept; donors with
    one phone get one text. Moving to the present time changes nothing.

    Refuses a time too close to another donation, and a donor's move of a party that another donor booked.
    Raises HoldLapsed. Locks: identities, drive (shared), bookings, slots of all times in one statement.
    """
    rows = _find_rows(booking_id, whole_party)
    locks.lock_donors_then_drive(rows)
    moving = _select_movable(locks.lock_bookings([row.pk for row in rows]), booking_id, now)
    if whole_party and not by_member:
        _refuse_companion(next(one for one in moving if one.pk == booking_id))
    if all(one.arrival_id == slot_id for one in moving):
        return moving
    found = booking_facts.load_booking_facts(drive_id=moving[0].drive_id, slot_id=slot_id, now=now, by_member=by_member)
    lapsed = create.lapse_overdue_holds(moving[0].drive_id, now) if found.has_overdue_holds else {}
    freed = counters.combine_deltas([counters.compute_released_deltas(moving), lapsed])
    for one in moving:
        one.override_reason = override_reason or one.override_reason
    slots = _find_new_slots(moving, found, freed, now, by_member=by_member, is_overridden=bool(override_reason))
    if [slot.pk for slot in slots] == [one.arrival_id for one in moving]:
        return moving
    _apply_moves(moving, slots, freed, actor=actor, reason=reason, now=now)
    return moving


@transaction.atomic
def confirm_booking(*, booking_id: int, actor: str, now: datetime) -> Booking:
    """The donor says that they are coming. Confirming twice changes nothing. Locks: booking."""
    booking = locks.lock_booking(booking_id)
    if booking.state == BookingState.CONFIRMED:
        return booking
    _refuse_state(booking, rules.CONFIRMABLE_STATES)
    _change_state(booking, BookingState.CONFIRMED, actor=actor, now=now)
    return booking


@transaction.atomic
def cancel_bookings(
    *,
    booking_id: int,
    actor: str,
    cancelled_by: CancelledBy,
    now: datetime,
    whole_party: bool = False,
    reason: str = "",
    notify: bool = True,
) -> list[Booking]:
    """Cancel a booking or give up a hold, or all of its party that are still to come.

    The places are free at once, reminders are withdrawn, calendar entries end; donors with one phone get one text.
    Cancelling twice changes nothing. `tell` is false during an erasure: the donor may get no more messages.
    Locks: drive (shared), bookings, slots.
    """
    rows = _find_rows(booking_id, whole_party)
    drive_id = rows[0].drive_id
    locks.lock_drive_shared(drive_id)
    locked = locks.lock_bookings([row.pk for row in rows])
    given_up = [one for one in locked if one.state in rules.CHANGEABLE_STATES]
    if not given_up:
        asked = next(one for one in locked if one.pk == booking_id)
        _refuse_state(asked, rules.CHANGEABLE_STATES | {BookingState.CANCELLED})
        return locked
    cancelled = end_bookings(given_up, actor=actor, cancelled_by=cancelled_by, reason=reason, now=now)
    kept = reserved_spots.reserve_freed_spots(drive_id, map(counters.build_footprint, given_up), now)
    counters.change_counters(
        drive_id=drive_id, deltas=counters.combine_deltas([counters.compute_released_deltas(given_up), kept])
    )
    if cancelled:
        say = messages.queue_cancelled if notify else messages.withdraw_all_messages
        say(cancelled, now)
    return given_up


def end_bookings(
    bookings: Sequence[Booking], *, actor: str, cancelled_by: CancelledBy, now: datetime, reason: str = ""
) -> list[Booking]:
    """Lapse the holds among locked bookings and cancel the others, with their history; return those cancelled.

    The caller frees the places and sends the messages. A fixed number of statements.
    """
    held = [one for one in bookings if one.state == BookingState.HELD]
    cancelled = [one for one in bookings if one.state != BookingState.HELD]
    history.record_changes(held, to_state=BookingState.LAPSED, actor=actor, reason=reason, now=now)
    history.record_changes(cancelled, to_state=BookingState.CANCELLED, actor=actor, reason=reason, now=now)
    for one in bookings:
        one.is_counted, one.changed_at = False, now
    for one in held:
        one.state = BookingState.LAPSED
    for one in cancelled:
        one.state, one.held_until = BookingState.CANCELLED, None
        one.cancelled_at, one.cancelled_by = now, cancelled_by
        # A drive that is cancelled is not the donor's doing.
        one.cancelled_late = cancelled_by != CancelledBy.DRIVE and rules.is_late_cancellation(one.starts_at, now)
        one.revision += 1
    Booking.objects.bulk_update(bookings, _END_FIELDS, batch_size=500)
    return cancelled


@transaction.atomic
def restore_booking(*, booking_id: int, actor: str, now: datetime) -> Booking:
    """Undo a donor's cancellation of the last fifteen minutes, while the place is still free.

    Also if online booking has closed meanwhile: the place was theirs. Refuses a place that is taken, a booking that
    cannot be restored, a second active booking, and a time that is by now too close to another donation. Locks as
    `move_bookings`.
    """
    locks.lock_donors_then_drive(_find_rows(booking_id))
    booking = locks.lock_booking(booking_id)
    if booking.state in rules.UPCOMING_STATES:
        return booking
    if not queries.may_restore(booking, now):
        raise refusals.Refusal(rules.reasons_not_to_change(booking.state, frozenset()))
    found = booking_facts.load_booking_facts(
        drive_id=booking.drive_id,
        slot_id=booking.arrival_id,
        volunteer_id=booking.volunteer_id,
        has_reserved_spot=True,
        now=now,
    )
    create.refuse_unless_bookable(found.facts, booking.drive, booking.visit, now, get_donor_scope(booking))
    if not counters.change_counters(
        drive_id=booking.drive_id, deltas=grid.compute_net_deltas(None, counters.build_footprint(booking))
    ):
        create.refuse_full_slot(booking.drive, (booking.visit,), booking.starts_at, now)
    _restore_row(booking, actor=actor, now=now)
    reserved_spots.close_entries_of_booked_donors([booking], now)
    messages.queue_restored(booking, now)
    return booking


def list_interval_reasons(booking: Booking) -> list[refusals.Reason]:
    """The interval rules that a booking breaks by now, by what was stated or given since. One query."""
    giver = get_donor_scope(booking)
    return check.check_eligibility(giver, booking.drive, booking.starts_at).reasons if giver else []


_MOVE_FIELDS = ["arrival", "starts_at", "changed_at", "state", "revision", "override_reason", *create.FOOTPRINT_FIELDS]
_END_FIELDS = [
    "state",
    "is_counted",
    "cancelled_at",
    "cancelled_by",
    "cancelled_late",
    "revision",
    "changed_at",
    "held_until",
]


def _find_rows(booking_id: int, whole_party: bool = False) -> list[Booking]:
    """The booking, or all of its party, not locked."""
    found = Booking.objects.select_related("registration")
    asked = found.get(pk=booking_id)
    return list(found.filter(party=asked.party).order_by("pk")) if whole_party and asked.party else [asked]


def _select_movable(locked: Sequence[Booking], booking_id: int, now: datetime) -> list[Booking]:
    """The bookings that are still to come, among them the one asked about; refuses if that one is not."""
    moving = [one for one in locked if one.is_held(now) or one.state in rules.UPCOMING_STATES]
    asked = next(one for one in locked if one.pk == booking_id)
    if asked not in moving:
        _refuse_state(asked, rules.CHANGEABLE_STATES)
        raise refusals.HoldLapsed
    return moving


def _refuse_companion(booking: Booking) -> None:
    """Refuse a donor of a booked party, unless they lead it."""
    if booking.state != BookingState.HELD and booking.party and not booking_party.load_party(booking).is_shown:
        text = _("Only the person who booked for the group can change the time of the whole group.")
        raise refusals.Refusal([refusals.Reason("not_who_booked", text)])


def _find_new_slots(
    moving: Sequence[Booking],
    found: booking_facts.SlotFound,
    freed: counters.Deltas,
    now: datetime,
    *,
    by_member: bool,
    is_overridden: bool,
) -> list[Slot]:
    """The new slot of each booking; refuses with everything that stands against the time or against a donor."""
    drive, wanted, around = moving[0].drive, tuple(one.visit for one in moving), found.facts.slot_starts_at
    reasons, slots = capacity_rules.reasons_not_to_book(found.facts, now), []
    arrivals = [around] * len(moving)
    if not reasons:
        slots = create.find_arrivals(drive, found, wanted, freed, now)
        arrivals = [slot.starts_at for slot in slots]
    judged = [] if is_overridden else _check_new_times(moving, arrivals, by_member=by_member)
    for one, eligibility_check in judged:
        reasons += [confirm_holds.add_person_name(one, reason, moving) for reason in eligibility_check.reasons]
    spacings = [eligibility_check for _one, eligibility_check in judged]
    create.refuse_with_times(reasons, drive, wanted, around, now, checks=spacings, freed=freed)
    return slots


def _check_new_times(
    moving: Sequence[Booking], arrivals: Sequence[datetime | None], *, by_member: bool
) -> list[tuple[Booking, check.EligibilityCheck]]:
    """What the interval rules say to the new time of each donor; nothing of holds. At most one query.

    All donors of a party were verified together, so `everywhere` is the same for all.
    """
    givers = [get_donor_scope(one, by_member=by_member) for one in moving]
    placed = [(one, giver, at) for one, giver, at in zip(moving, givers, arrivals, strict=True) if giver and at]
    if not placed:
        return []
    drive = moving[0].drive
    donations = eligibility_history.list_donations_by_volunteer(
        {giver.volunteer_id: drive.site.zone for _one, giver, _at in placed},
        drive.starts_at,
        all_organizations=all(giver.everywhere for _one, giver, _at in placed),
        excluded_booking_id=[one.pk for one, _giver, _at in placed],
    )
    return [(one, check.check_against_donations(donations[giver.volunteer_id], drive, at)) for one, giver, at in placed]


def _apply_moves(
    moving: Sequence[Booking],
    slots: Sequence[Slot],
    freed: counters.Deltas,
    *,
    actor: str,
    reason: str,
    now: datetime,
) -> None:
    """Give the bookings their new times, send the messages and change the counters; refuses a time that is full."""
    drive, old = moving[0].drive, {one.pk: one.starts_at for one in moving}
    before = [counters.build_footprint(one) for one in moving]
    history.record_moves(zip(moving, slots, strict=True), actor=actor, reason=reason, now=now)
    for one, slot in zip(moving, slots, strict=True):
        one.arrival, one.starts_at, one.changed_at = slot, slot.starts_at, now
        taken = grid.compute_footprint(slot.n, visits.compute_visit_shape(drive, one.visit))
        for name, value in create.build_footprint_fields(taken).items():
            setattr(one, name, value)
        if one.state != BookingState.HELD:
            one.state, one.revision = BookingState.BOOKED, one.revision + 1
    Booking.objects.bulk_update(moving, _MOVE_FIELDS)
    after = [counters.build_footprint(one) for one in moving]
    kept = reserved_spots.reserve_freed_spots(drive.pk, matching.compute_remainders(before, after), now)
    deltas = counters.combine_deltas([freed, *(grid.compute_net_deltas(None, new) for new in after), kept])
    if not counters.change_counters(drive_id=drive.pk, deltas=deltas):
        create.refuse_full_slot(drive, tuple(one.visit for one in moving), min(one.starts_at for one in moving), now)
    if booked := [one for one in moving if one.state != BookingState.HELD]:
        messages.queue_moved(booked, old, now, actor=actor)


def _restore_row(booking: Booking, *, actor: str, now: datetime) -> None:
    booking.state, booking.is_counted = BookingState.BOOKED, True
    booking.cancelled_at, booking.cancelled_by, booking.cancelled_late = None, "", False
    booking.revision += 1
    booking.changed_at = now
    booking.save()
    history.record_change(booking, from_state=BookingState.CANCELLED, actor=actor, now=now)


def _change_state(booking: Booking, state: BookingState, *, actor: str, now: datetime) -> None:
    before = booking.state
    booking.state, booking.changed_at = state, now
    booking.save(update_fields=["state", "changed_at"])
    history.record_change(booking, from_state=before, actor=actor, now=now)


def _refuse_state(booking: Booking, allowed: frozenset[BookingState]) -> None:
    if reasons := rules.reasons_not_to_change(booking.state, allowed):
        raise refusals.Refusal(reasons)


def get_donor_scope(booking: Booking, *, by_member: bool = False) -> eligibility_history.DonorScope | None:
    """Return the donor's history to judge for a change; none for a hold, which is judged when it is confirmed.

    Over all organizations only for a booking that was verified: only its donor has its link.
    """
    if booking.volunteer_id is None:
        return None
    everywhere = booking.verified_at is not None and not by_member
    return eligibility_history.DonorScope(booking.volunteer_id, everywhere=everywhere, excluded_booking_id=booking.pk)
