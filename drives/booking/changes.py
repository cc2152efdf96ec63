"""What a donor or a coordinator changes about a booking: move, confirm, cancel, undo."""

from datetime import datetime

from django.db import transaction

from drives import refusals
from drives.booking import create, history, messages, queries, rules
from drives.capacity import availability, counters, facts, locks, reserved_spots
from drives.capacity import rules as capacity_rules
from drives.domain import grid, matching
from drives.eligibility import check
from drives.eligibility import history as eligibility_history
from drives.models import Booking, BookingState, CancelledBy, Slot


@transaction.atomic
def move(
    *,
    booking_id: int,
    slot_id: int,
    actor: str,
    now: datetime,
    reason: str = "",
    by_staff: bool = False,
    override_reason: str = "",
) -> Booking:
    """Give a booking (or a hold) another time of the same drive; its own chair never stands in the way.

    The whole move happens or none of it: a full time is refused and the old place stays. Moving to the present time
    changes nothing. A time too close to another donation is refused, unless there is a reason to override, which is
    kept. Locks: identities, drive (shared), booking, slots of both times in one statement.
    """
    locks.person_then_drive(Booking.objects.select_related("registration").get(pk=booking_id))
    booking = locks.booking(booking_id)
    _refuse_change(booking, now)
    if booking.arrival_id == slot_id:
        return booking
    found = facts.place_facts(drive_id=booking.drive_id, slot_id=slot_id, now=now, by_staff=by_staff)
    booking.override_reason = override_reason or booking.override_reason
    giver = None if override_reason else giver_of(booking, by_staff=by_staff)
    create.refuse_unless_possible(found.facts, booking.drive, booking.visit, now, giver)
    slot = found.slot
    assert slot is not None  # the rules refused a slot of another drive
    taken = create.footprint_or_refuse(booking.drive, slot, booking.visit, found.steps, now)
    freed = create.lapse_in(booking.drive_id, now) if found.holds_are_over else {}
    old = counters.footprint(booking)
    kept = reserved_spots.keep(booking.drive_id, matching.remainders(old, taken), now)
    deltas = counters.combined([freed, grid.net(old, taken), kept])
    if deltas and not counters.change(drive_id=booking.drive_id, deltas=deltas):
        raise refusals.Refusal(
            [capacity_rules.slot_full()],
            availability.nearest_times(booking.drive, (booking.visit,), slot.starts_at, now),
        )
    _put(booking, slot, taken, actor=actor, reason=reason, now=now)
    return booking


@transaction.atomic
def confirm(*, booking_id: int, actor: str, now: datetime) -> Booking:
    """The donor says that they are coming. Confirming twice changes nothing. Locks: booking."""
    booking = locks.booking(booking_id)
    if booking.state == BookingState.CONFIRMED:
        return booking
    _refuse(booking, rules.MAY_BE_CONFIRMED)
    _enter_state(booking, BookingState.CONFIRMED, actor=actor, now=now)
    return booking


@transaction.atomic
def cancel(
    *, booking_id: int, actor: str, by: CancelledBy, now: datetime, reason: str = "", tell: bool = True
) -> Booking:
    """Give up a booking or a hold; its place is free at once, its reminders are withdrawn, its calendar entry ends.

    Cancelling twice changes nothing. Who is being erased is not told (`tell`): nobody may be written to any more.
    Locks: drive (shared), booking, slots.
    """
    drive_id = Booking.objects.values_list("drive_id", flat=True).get(pk=booking_id)
    locks.drive_shared(drive_id)
    booking = locks.booking(booking_id)
    if booking.state == BookingState.CANCELLED:
        return booking
    _refuse(booking, rules.MAY_BE_CHANGED)
    if booking.state == BookingState.HELD:
        return _give_up_hold(booking, actor, now)
    before = booking.state
    mark_cancelled(booking, by=by, now=now)
    booking.save(update_fields=CANCEL_FIELDS)
    history.note(booking, from_state=before, actor=actor, reason=reason, now=now)
    _free(booking, now)
    say = messages.cancelled if tell else messages.silenced
    say(booking, now)
    return booking


@transaction.atomic
def restore(*, booking_id: int, actor: str, now: datetime) -> Booking:
    """Undo a donor's cancellation of the last quarter of an hour, while the place is still free.

    Also where online booking has closed meanwhile: the place was theirs. Refuses when it is not free, when the booking
    cannot be restored, a second active booking, and a time that is by now too close to another donation. Locks as
    `move`.
    """
    locks.person_then_drive(Booking.objects.select_related("registration").get(pk=booking_id))
    booking = locks.booking(booking_id)
    if booking.state in rules.MAY_BE_MISSED:
        return booking
    if not queries.may_be_restored(booking, now):
        raise refusals.Refusal(rules.reasons_not_to_change(booking.state, frozenset()))
    found = facts.place_facts(
        drive_id=booking.drive_id,
        slot_id=booking.arrival_id,
        volunteer_id=booking.volunteer_id,
        promised=True,
        now=now,
    )
    create.refuse_unless_possible(found.facts, booking.drive, booking.visit, now, giver_of(booking))
    if not counters.change(drive_id=booking.drive_id, deltas=grid.net(None, counters.footprint(booking))):
        raise refusals.Refusal(
            [capacity_rules.slot_full()],
            availability.nearest_times(booking.drive, (booking.visit,), booking.starts_at, now),
        )
    _revive(booking, actor=actor, now=now)
    reserved_spots.has_place(booking, now)
    messages.restored(booking, now)
    return booking


def reasons_against(booking: Booking) -> list[refusals.Reason]:
    """What the interval rules have by now against a booking that stands: what was stated or given since. One query."""
    giver = giver_of(booking)
    return check.of(giver, booking.drive, booking.starts_at).reasons if giver else []


CANCEL_FIELDS = [
    "state",
    "holds_place",
    "cancelled_at",
    "cancelled_by",
    "cancelled_late",
    "revision",
    "changed_at",
    "held_until",
]


def mark_cancelled(booking: Booking, *, by: CancelledBy, now: datetime) -> None:
    """Set a locked booking's fields to cancelled; the caller saves it, frees the places and tells."""
    booking.state, booking.holds_place, booking.held_until = BookingState.CANCELLED, False, None
    booking.cancelled_at, booking.cancelled_by = now, by
    booking.cancelled_late = rules.is_late_cancellation(booking.starts_at, now)
    booking.revision += 1
    booking.changed_at = now


def _put(booking: Booking, slot: Slot, taken: grid.Footprint, *, actor: str, reason: str, now: datetime) -> None:
    old_arrival, old_starts_at = booking.arrival, booking.starts_at
    booking.arrival, booking.starts_at = slot, slot.starts_at
    for field, value in create.stored_footprint(taken).items():
        setattr(booking, field, value)
    booking.changed_at = now
    state = booking.state
    if state != BookingState.HELD:
        booking.state, booking.revision = BookingState.BOOKED, booking.revision + 1
    booking.save()
    history.note(
        booking, from_state=state, from_arrival=old_arrival, to_arrival=slot, actor=actor, reason=reason, now=now
    )
    if booking.state != BookingState.HELD:
        messages.moved(booking, old_starts_at, now, actor=actor)


def _give_up_hold(booking: Booking, actor: str, now: datetime) -> Booking:
    booking.state, booking.holds_place, booking.changed_at = BookingState.LAPSED, False, now
    booking.save(update_fields=["state", "holds_place", "changed_at"])
    _free(booking, now)
    history.note(booking, from_state=BookingState.HELD, actor=actor, now=now)
    return booking


def _free(booking: Booking, now: datetime) -> None:
    """Its place is open to everybody, or kept for who waits."""
    kept = reserved_spots.keep(booking.drive_id, [counters.footprint(booking)], now)
    counters.change(drive_id=booking.drive_id, deltas=counters.combined([counters.released([booking]), kept]))


def _revive(booking: Booking, *, actor: str, now: datetime) -> None:
    booking.state, booking.holds_place = BookingState.BOOKED, True
    booking.cancelled_at, booking.cancelled_by, booking.cancelled_late = None, "", False
    booking.revision += 1
    booking.changed_at = now
    booking.save()
    history.note(booking, from_state=BookingState.CANCELLED, actor=actor, now=now)


def _enter_state(booking: Booking, state: BookingState, *, actor: str, now: datetime) -> None:
    before = booking.state
    booking.state, booking.changed_at = state, now
    booking.save(update_fields=["state", "changed_at"])
    history.note(booking, from_state=before, actor=actor, now=now)


def _refuse_change(booking: Booking, now: datetime) -> None:
    _refuse(booking, rules.MAY_BE_CHANGED)
    booking.refuse_lapsed(now)


def _refuse(booking: Booking, allowed: frozenset[BookingState]) -> None:
    if reasons := rules.reasons_not_to_change(booking.state, allowed):
        raise refusals.Refusal(reasons)


def giver_of(booking: Booking, *, by_staff: bool = False) -> eligibility_history.Giver | None:
    """Whose history stands against a change; nobody's for a hold, which is judged when it is proved.

    Over all organizations only for a booking that was proved: only its donor has got its link.
    """
    if booking.volunteer_id is None:
        return None
    everywhere = booking.proved_at is not None and not by_staff
    return eligibility_history.Giver(booking.volunteer_id, everywhere=everywhere, besides=booking.pk)
