"""Move, confirm, cancel and restore bookings."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from drives import refusals
from drives.booking import confirm_holds, create, history, messages, rules
from drives.booking import party as booking_party
from drives.booking.rules import Act
from drives.capacity import booking_facts, counters, locks, reserved_spots, visit_length
from drives.capacity import rules as capacity_rules
from drives.domain import grid, waitlist_matching
from drives.eligibility import check
from drives.eligibility import history as eligibility_history
from drives.models import Booking, BookingState, CancelledBy, Slot
from volunteers import limits


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
    """Move a booking or hold, or all movable ones of its party, to another time at the same drive.

    Either all bookings move or none. The chairs that these bookings occupy at their current times count as free. Donors
    with the same phone get one text. A move to the current time changes nothing. With `override_reason`, times too
    close to another donation are allowed, and the reason is saved.

    Refuses:
    - a booking that the actor may not move (`drives.booking.rules.STEPS`)
    - everything that `hold.hold_bookings` refuses about a time; members may use closed and past times
    - a time too close to another donation of one of the donors
    - a donor's move of the whole party, if the donor's own page does not show the party (`not_who_booked`)

    Raises HoldLapsed, and limits.TooManyChanges after too many changes by the donor. Locks: identities, drive (shared),
    bookings, all slots in one statement.
    """
    rows = _find_rows(booking_id, whole_party)  # without locks, because identities must be locked first
    locks.lock_donors_then_drive(rows)
    moving = _select_movable(_lock_rows(_get_requested(rows, booking_id), whole_party), booking_id, actor, now)
    if whole_party and not by_member:
        _refuse_companion(_get_requested(moving, booking_id))
    if all(booking.arrival_id == slot_id for booking in moving):
        return moving
    requested = booking_facts.load_booking_facts(
        drive_id=moving[0].drive_id, slot_id=slot_id, now=now, by_member=by_member
    )
    lapsed = create.lapse_overdue_holds(moving[0].drive_id, now) if requested.has_overdue_holds else {}
    freed = counters.combine_deltas([counters.compute_released_deltas(moving), lapsed])
    for booking in moving:
        booking.override_reason = override_reason or booking.override_reason
    slots = _find_new_slots(moving, requested, freed, now, by_member=by_member, is_overridden=bool(override_reason))
    # No time changes, so there is no new revision and no message.
    if [slot.pk for slot in slots] == [booking.arrival_id for booking in moving]:
        return moving
    spend_change(_get_requested(moving, booking_id), actor, now)
    _apply_moves(moving, slots, freed, actor=actor, reason=reason, now=now)
    return moving


@transaction.atomic
def confirm_bookings(*, booking_ids: Sequence[int], actor: str, now: datetime) -> list[Booking]:
    """Set bookings to confirmed, because their donors plan to come. Either all are confirmed or none.

    All donors must have the same contact. A second call changes nothing. Raises limits.TooManyChanges after too many
    changes by the donor. Locks: bookings.
    """
    bookings = locks.lock_bookings(booking_ids)
    unconfirmed = [booking for booking in bookings if booking.state != BookingState.CONFIRMED]
    for booking in unconfirmed:
        refuse_step(Act.CONFIRM, booking, actor, now)
    if unconfirmed:
        spend_change(unconfirmed[0], actor, now)
    for booking in unconfirmed:
        _change_state(booking, rules.get_next_state(Act.CONFIRM, booking.state), actor=actor, now=now)
    return bookings


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
    """Cancel a booking or hold, or all upcoming ones of its party.

    Frees the spots at once and withdraws the reminders. Donors with the same phone get one text. A second call changes
    nothing. Raises limits.TooManyChanges after too many changes by the donor. An erasure passes `notify=False`, so no
    limit applies and no message is sent. Locks: drive (shared), bookings, slots.
    """
    before = Booking.objects.get(pk=booking_id)
    drive_id = before.drive_id
    locks.lock_drive_shared(drive_id)  # freeing a spot needs no identity locks
    locked = _lock_rows(before, whole_party)
    ending = [row for row in locked if not rules.reasons_not_to_take_step(Act.CANCEL, row, actor, now)]
    if not ending:
        requested = _get_requested(locked, booking_id)
        if requested.state != BookingState.CANCELLED:
            refuse_step(Act.CANCEL, requested, actor, now)
        return locked
    if notify:
        spend_change(next((booking for booking in ending if booking.pk == booking_id), ending[0]), actor, now)
    cancelled = end_bookings(ending, actor=actor, cancelled_by=cancelled_by, reason=reason, now=now)
    reserved = reserved_spots.reserve_freed_spots(drive_id, map(counters.build_footprint, ending), now)
    counters.change_counters(
        drive_id=drive_id, deltas=counters.combine_deltas([counters.compute_released_deltas(ending), reserved])
    )
    if cancelled:
        queue = messages.queue_cancelled if notify else messages.withdraw_all_messages
        queue(cancelled, now)
    return ending


def end_bookings(
    bookings: Sequence[Booking], *, actor: str, cancelled_by: CancelledBy, now: datetime, reason: str = ""
) -> list[Booking]:
    """Lapse the holds among these locked bookings, and cancel the other bookings. Return the cancelled ones.

    The caller must free the spots and queue the messages.
    """
    held = [booking for booking in bookings if booking.state == BookingState.HELD]
    cancelled = [booking for booking in bookings if booking.state != BookingState.HELD]
    history.record_changes(held, to_state=BookingState.LAPSED, actor=actor, reason=reason, now=now)
    history.record_changes(cancelled, to_state=BookingState.CANCELLED, actor=actor, reason=reason, now=now)
    for booking in bookings:
        booking.is_counted, booking.changed_at = False, now
    for booking in bookings:
        booking.state = rules.get_next_state(Act.CANCEL, booking.state)
    for booking in cancelled:
        booking.held_until = None
        booking.cancelled_at, booking.cancelled_by = now, cancelled_by
        # A cancelled drive is not the donor's fault, so the cancellation never counts as late.
        booking.cancelled_late = cancelled_by != CancelledBy.DRIVE and rules.is_late_cancellation(
            booking.starts_at, now
        )
        booking.revision += 1
    Booking.objects.bulk_update(bookings, _END_FIELDS, batch_size=500)
    return cancelled


@transaction.atomic
def restore_booking(*, booking_id: int, actor: str, now: datetime) -> Booking:
    """Undo a donor's cancellation of a booking within 15 minutes, if the spot is still free.

    The drive may have closed for online booking since the cancellation.

    Refuses:
    - a booking that the donor did not cancel within the last 15 minutes
    - a past arrival time
    - a full slot
    - a second active booking at the drive
    - a time that is now too close to another donation

    A booking that is already restored is returned unchanged. Raises limits.TooManyChanges after too many changes by the
    donor. Locks: the same as `move_bookings`, and waitlist entries.
    """
    locks.lock_donors_then_drive(_find_rows(booking_id))
    booking = locks.lock_booking(booking_id)
    if booking.state in rules.UPCOMING_STATES:
        return booking
    refuse_step(Act.RESTORE, booking, actor, now)
    requested = booking_facts.load_booking_facts(
        drive_id=booking.drive_id,
        slot_id=booking.arrival_id,
        volunteer_id=booking.volunteer_id,
        has_reserved_spot=True,
        now=now,
    )
    create.refuse_unless_bookable(requested.facts, booking.drive, booking.visit, now, get_donor_scope(booking))
    spend_change(booking, actor, now)
    if not counters.change_counters(
        drive_id=booking.drive_id, deltas=grid.compute_net_deltas(None, counters.build_footprint(booking))
    ):
        create.refuse_full_slot(booking.drive, (booking.visit,), booking.starts_at, now)
    _restore_row(booking, actor=actor, now=now)
    reserved_spots.close_entries_of_booked_donors([booking], now)
    messages.queue_restored(booking, now)
    return booking


def list_interval_reasons(booking: Booking) -> list[refusals.Reason]:
    donor = get_donor_scope(booking)
    return check.check_eligibility(donor, booking.drive, booking.starts_at).reasons if donor else []


_MOVE_FIELDS = [
    "arrival",
    "starts_at",
    "changed_at",
    "state",
    "revision",
    "override_reason",
    "overridden_rules",
    *create.FOOTPRINT_FIELDS,
]
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


def spend_change(booking: Booking, actor: str, now: datetime) -> None:
    if actor == messages.DONOR:
        limits.spend_change(
            organization=booking.drive.organization,
            record="booking",
            pk=booking.pk,
            identity=limits.find_limited_identity(booking.volunteer),
            phone=booking.drive.phone,
            now=now,
        )


def _find_rows(booking_id: int, whole_party: bool = False) -> list[Booking]:
    rows = Booking.objects.select_related("registration")
    requested = rows.get(pk=booking_id)
    return list(rows.filter(party=requested.party).order_by("pk")) if whole_party and requested.party else [requested]


def _lock_rows(requested: Booking, whole_party: bool) -> list[Booking]:
    return locks.lock_party(requested) if whole_party else locks.lock_bookings([requested.pk])


def _get_requested(rows: Sequence[Booking], booking_id: int) -> Booking:
    return next(booking for booking in rows if booking.pk == booking_id)


def _select_movable(locked: Sequence[Booking], booking_id: int, actor: str, now: datetime) -> list[Booking]:
    requested = _get_requested(locked, booking_id)
    if requested.is_overdue(now):
        raise refusals.HoldLapsed
    refuse_step(Act.MOVE, requested, actor, now)
    return [row for row in locked if not rules.reasons_not_to_take_step(Act.MOVE, row, actor, now)]


def _refuse_companion(booking: Booking) -> None:
    if booking.state != BookingState.HELD and booking.party and not booking_party.load_party(booking).is_shown:
        text = _("Only the person who booked can change the time for everyone.")
        raise refusals.Refusal([refusals.Reason("not_who_booked", text)])


def _find_new_slots(
    moving: Sequence[Booking],
    requested: booking_facts.RequestedSlot,
    freed: counters.Deltas,
    now: datetime,
    *,
    by_member: bool,
    is_overridden: bool,
) -> list[Slot]:
    drive, visit_types, around = (
        moving[0].drive,
        tuple(booking.visit for booking in moving),
        requested.facts.slot_starts_at,
    )
    reasons, slots = capacity_rules.reasons_not_to_book(requested.facts, now), []
    arrivals = [around] * len(moving)
    if not reasons:
        slots = create.find_arrivals(drive, requested, visit_types, freed, now)
        arrivals = [slot.starts_at for slot in slots]
    checked = _check_new_times(moving, arrivals, by_member=by_member)
    for booking, eligibility_check in checked:
        if is_overridden:
            booking.overridden_rules = check.format_rules(eligibility_check.reasons)
        refused = check.list_open_reasons(eligibility_check.reasons, [], is_overridden=is_overridden)
        reasons += [confirm_holds.add_person_name(booking, reason, moving) for reason in refused]
    checks = [eligibility_check for _booking, eligibility_check in checked]
    create.refuse_with_times(reasons, drive, visit_types, around, now, checks=checks, freed=freed)
    return slots


def _check_new_times(
    moving: Sequence[Booking], arrivals: Sequence[datetime | None], *, by_member: bool
) -> list[tuple[Booking, check.EligibilityCheck]]:
    """Check the interval rules for each donor at the new time. At most one query.

    Holds are skipped, because `verify_booking` checks them. The members of a party are verified together, so their
    `DonorScope.everywhere` is the same.
    """
    donors = [get_donor_scope(booking, by_member=by_member) for booking in moving]
    movable = [
        (booking, donor, at) for booking, donor, at in zip(moving, donors, arrivals, strict=True) if donor and at
    ]
    if not movable:
        return []
    drive = moving[0].drive
    donations = eligibility_history.list_donations_by_volunteer(
        {donor.volunteer_id: drive.site.zone for _booking, donor, _at in movable},
        drive.starts_at,
        all_organizations=all(donor.everywhere for _booking, donor, _at in movable),
        excluded_booking_id=[booking.pk for booking, _donor, _at in movable],
    )
    return [
        (booking, check.check_against_donations(donations[donor.volunteer_id], drive, at))
        for booking, donor, at in movable
    ]


def _apply_moves(
    moving: Sequence[Booking],
    slots: Sequence[Slot],
    freed: counters.Deltas,
    *,
    actor: str,
    reason: str,
    now: datetime,
) -> None:
    drive, old_times = moving[0].drive, {booking.pk: booking.starts_at for booking in moving}
    before = [counters.build_footprint(booking) for booking in moving]
    history.record_moves(zip(moving, slots, strict=True), actor=actor, reason=reason, now=now)
    for booking, slot in zip(moving, slots, strict=True):
        place_booking(booking, slot, now)
        if booking.state != BookingState.HELD:
            booking.revision += 1
        booking.state = rules.get_next_state(Act.MOVE, booking.state)
    Booking.objects.bulk_update(moving, _MOVE_FIELDS)
    after = [counters.build_footprint(booking) for booking in moving]
    if not replace_footprints(drive.pk, before, after, freed, now):
        create.refuse_full_slot(
            drive, tuple(booking.visit for booking in moving), min(booking.starts_at for booking in moving), now
        )
    if booked := [booking for booking in moving if booking.state != BookingState.HELD]:
        messages.queue_moved(booked, old_times, now, actor=actor)


def place_booking(booking: Booking, slot: Slot, now: datetime) -> None:
    """Set the booking's arrival, and the footprint for its visit type. The caller saves it and changes the counters."""
    booking.arrival, booking.starts_at, booking.changed_at = slot, slot.starts_at, now
    footprint = grid.compute_footprint(slot.n, visit_length.compute_visit_shape(booking.drive, booking.visit))
    for name, value in create.build_footprint_fields(footprint).items():
        setattr(booking, name, value)


def replace_footprints(
    drive_id: int,
    before: Sequence[grid.Footprint],
    after: Sequence[grid.Footprint],
    freed: counters.Deltas,
    now: datetime,
) -> bool:
    """Change the counters, and return whether all footprints fit.

    `freed` are the counter changes that free `before` and the overdue holds. If donors are on the waitlist, the steps
    that stay free are reserved for them. Locks the slots, so call this last.
    """
    reserved = reserved_spots.reserve_freed_spots(drive_id, waitlist_matching.compute_remainders(before, after), now)
    deltas = counters.combine_deltas([freed, *(grid.compute_net_deltas(None, new) for new in after), reserved])
    return counters.change_counters(drive_id=drive_id, deltas=deltas)


def _restore_row(booking: Booking, *, actor: str, now: datetime) -> None:
    booking.state, booking.is_counted = rules.get_next_state(Act.RESTORE, booking.state), True
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


def refuse_step(act: Act, booking: Booking, actor: str, now: datetime) -> None:
    if reasons := rules.reasons_not_to_take_step(act, booking, actor, now):
        raise refusals.Refusal(reasons)


def get_donor_scope(booking: Booking, *, by_member: bool = False) -> eligibility_history.DonorScope | None:
    """Return which part of the donor's history to check.

    Returns None for a hold, because `verify_booking` checks it. Other organizations' records are checked only if the
    booking is verified and the result is not for a member, because only the donor may see it.
    """
    if booking.volunteer_id is None:
        return None
    everywhere = booking.verified_at is not None and not by_member
    return eligibility_history.DonorScope(booking.volunteer_id, everywhere=everywhere, excluded_booking_id=booking.pk)
