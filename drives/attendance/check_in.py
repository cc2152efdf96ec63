"""Check donors in and record outcomes. Each step can be undone until the drive is completed.

The steps and their conditions are in `drives.booking.rules.STEPS`. `seen` is the state that the caller last read. If
the booking has another state by now, for example because an earlier attempt succeeded, nothing changes.
"""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from drives import refusals
from drives.attendance import close_out, rules
from drives.booking import changes, create, history
from drives.booking import rules as booking_rules
from drives.booking.rules import Act
from drives.capacity import booking_facts, counters, locks, reserved_spots, visit_length
from drives.capacity import rules as capacity_rules
from drives.domain import grid
from drives.eligibility import check
from drives.eligibility import history as eligibility_history
from drives.models import ACTIVE_STATES, OUTCOMES, Booking, BookingChange, BookingState, Drive, DriveState, Slot, Source
from volunteers import registration

UNDO_REASON = "undo"


@transaction.atomic
def check_in_donor(*, booking_id: int, actor: str, now: datetime, override_reason: str = "", seen: str = "") -> Booking:
    """Check a donor in. A second call changes nothing. A donor marked as a no-show can still be checked in.

    Refuses:
    - a check-in before the day of the drive (`drive_not_today`)
    - a donor with another active booking at the drive (`already_booked`)
    - a visit too close to another donation at this organization, unless `override_reason` is given

    `override_reason` is saved. Locks: identities, drive (shared), booking; also slots if the donor was a no-show.
    """
    locks.lock_donors_then_drive([Booking.objects.select_related("registration").get(pk=booking_id)])
    booking = _lock_open_booking(booking_id)
    if booking.state == BookingState.CHECKED_IN or _has_changed_since(booking, seen):
        return booking
    changes.refuse_step(Act.CHECK_IN, booking, actor, now)
    _refuse_too_close(booking, override_reason, max(now, booking.starts_at), now)
    before, booking.checked_in_at = booking.state, now
    _set_state(booking, BookingState.CHECKED_IN, before=before, actor=actor, now=now, reason=override_reason)
    return booking


@transaction.atomic
def record_outcome(
    *, booking_id: int, outcome: str, actor: str, now: datetime, at: datetime | None = None, seen: str = ""
) -> Booking:
    """Record how a visit ended (donated, incomplete, deferred or left), or correct the outcome or its time.

    `at` is the time of the outcome. The default is the recorded time, or `now` if there is none. For donated and
    incomplete, `at` becomes `donated_at`, from which intervals are counted. The same outcome at the same time changes
    nothing. Refuses a booking without a check-in. Locks: drive (shared), booking.
    """
    if outcome not in OUTCOMES:
        raise ValidationError(_("Choose what happened: donated, incomplete, deferred or left."), code="outcome_unknown")
    booking = _lock_open_booking(booking_id)
    happened, before = at or booking.outcome_at or now, booking.state
    if (before == outcome and happened == booking.outcome_at) or _has_changed_since(booking, seen):
        return booking
    changes.refuse_step(Act.RECORD_OUTCOME, booking, actor, now)
    after_needle = outcome in (BookingState.DONATED, BookingState.INCOMPLETE)
    booking.donated_at = happened if after_needle else None
    booking.outcome_at = happened
    _set_state(booking, BookingState(outcome), before=before, actor=actor, now=now)
    return booking


@transaction.atomic
def mark_no_show(*, booking_id: int, actor: str, now: datetime, seen: str = "") -> Booking:
    """Mark a booking as a no-show and free its spot.

    Refuses before the arrival time (`not_due_yet`). Locks: drive (shared), booking, slots.
    """
    booking = _lock_open_booking(booking_id)
    if booking.state == BookingState.NO_SHOW or _has_changed_since(booking, seen):
        return booking
    changes.refuse_step(Act.MARK_NO_SHOW, booking, actor, now)
    _set_state(booking, BookingState.NO_SHOW, before=booking.state, actor=actor, now=now)
    return booking


@transaction.atomic
def undo_last_step(*, booking_id: int, actor: str, now: datetime, seen: str, override_reason: str = "") -> Booking:
    """Undo the last step of the day: an outcome (with all its corrections), a check-in or a no-show.

    `seen` is required, because a repeated call would otherwise undo a second step. Undoing the check-in of a walk-in
    removes the walk-in. If undoing makes the visit count for the interval rules again, the rules are checked as at
    check-in. Refuses a booking without such a step, and a donor with another active booking (`already_booked`). Locks:
    identities, drive (shared), booking; also slots if the booking takes or frees its spot.
    """
    locks.lock_donors_then_drive([Booking.objects.select_related("registration").get(pk=booking_id)])
    booking = _lock_open_booking(booking_id)
    if booking.state != seen:
        return booking
    changes.refuse_step(Act.UNDO, booking, actor, now)
    back_to = _find_previous_state(booking)
    if booking.state in rules.NOT_COUNTED_FOR_INTERVAL:
        _refuse_too_close(booking, override_reason, booking.starts_at, now)
    _clear_times(booking, back_to)
    _set_state(booking, back_to, before=booking.state, actor=actor, now=now, reason=UNDO_REASON)
    return booking


@transaction.atomic
def add_walk_in(
    *,
    drive: Drive,
    name: str,
    visit: str,
    actor: str,
    now: datetime,
    phone: str = "",
    email: str = "",
    override_reason: str = "",
) -> Booking:
    """Check in a donor without a booking, and book the current slot.

    The donor's history at this organization determines the visit type, unless `override_reason` is given. A walk-in is
    allowed even if all chairs are taken, because the helper decides. The drive's dashboard shows how many people are
    above the limit.

    Refuses:
    - a drive that is not in progress
    - a donor with an active booking at the drive
    - a visit too close to another donation at this organization, unless `override_reason` is given

    `override_reason` is saved. Locks: identities, drive (shared), slots.
    """
    typed = registration.compute_typed_identities(phone=phone, email=email, country=drive.organization.country)
    locks.lock_contact_owners_then_drive(typed, drive)
    volunteer = registration.enter_volunteer(
        organization=drive.organization, name=name, phone=phone, email=email, actor=actor, now=now
    )
    donor = eligibility_history.DonorScope(volunteer.pk)
    slot = _find_walk_in_slot(donor, drive, visit, now)
    eligibility = check.check_eligibility(donor, drive, now)
    visit = check.refuse_if_too_close(eligibility, drive, visit, now, is_overridden=bool(override_reason))
    taken = grid.compute_footprint(slot.n, visit_length.compute_visit_shape(drive, visit))
    counters.force_counters(drive_id=drive.pk, deltas=grid.compute_net_deltas(None, taken))
    state, source = BookingState.CHECKED_IN, Source.WALK_IN
    booking = create.build_booking(drive, slot, taken, visit, now, state=state, source=source, volunteer=volunteer)
    create.insert_bookings([booking], actor=actor)
    booking.checked_in_at, booking.override_reason = now, override_reason
    booking.overridden_rules = check.format_rules(eligibility.reasons) if override_reason else []
    booking.save(update_fields=["checked_in_at", "override_reason", "overridden_rules"])
    reserved_spots.close_entries_of_booked_donors([booking], now)
    return booking


def _find_previous_state(booking: Booking) -> BookingState:
    if booking.state in OUTCOMES:
        # Skip all corrections of the outcome. Before its first outcome, the booking was checked in.
        return BookingState.CHECKED_IN
    forward = BookingChange.objects.filter(booking=booking, to_state=booking.state).exclude(reason=UNDO_REASON)
    from_states = forward.order_by("-pk").values_list("from_state", flat=True)
    return BookingState(from_states[0] or BookingState.LAPSED)


def _lock_open_booking(booking_id: int) -> Booking:
    drive_id = Booking.objects.values_list("drive_id", flat=True).get(pk=booking_id)
    locks.lock_drive_shared(drive_id)
    booking = locks.lock_booking(booking_id)
    if booking.drive.state == DriveState.COMPLETED:
        raise refusals.Refusal([booking_rules.build_drive_completed_reason()])
    return booking


def _has_changed_since(booking: Booking, seen: str) -> bool:
    return bool(seen) and booking.state != seen


def _set_state(
    booking: Booking, state: BookingState, *, before: str, actor: str, now: datetime, reason: str = ""
) -> None:
    if state in ACTIVE_STATES and before not in ACTIVE_STATES:
        _refuse_second_booking(booking)
    was_counted, is_counted = booking.is_counted, state not in (BookingState.NO_SHOW, BookingState.LAPSED)
    booking.state, booking.is_counted, booking.changed_at = state, is_counted, now
    booking.save(update_fields=["state", "is_counted", "changed_at", "checked_in_at", "donated_at", "outcome_at"])
    history.record_change(booking, from_state=before, actor=actor, now=now, reason=reason)
    if was_counted and not is_counted:
        counters.change_counters(drive_id=booking.drive_id, deltas=counters.compute_released_deltas([booking]))
    elif is_counted and not was_counted:
        counters.force_counters(
            drive_id=booking.drive_id, deltas=grid.compute_net_deltas(None, counters.build_footprint(booking))
        )
    close_out.update_turnout(drive=booking.drive, now=now)


def reasons_not_to_check_in(booking: Booking, now: datetime) -> list[refusals.Reason]:
    reasons = _check_intervals(booking, max(now, booking.starts_at)).reasons
    return check.list_open_reasons(reasons, booking.overridden_rules)


def _check_intervals(booking: Booking, visit_at: datetime) -> check.EligibilityCheck:
    assert booking.volunteer_id is not None  # only holds have no volunteer
    donor = eligibility_history.DonorScope(booking.volunteer_id, excluded_booking_id=booking.pk)
    return check.check_eligibility(donor, booking.drive, visit_at)


def _refuse_too_close(booking: Booking, override_reason: str, visit_at: datetime, now: datetime) -> None:
    """Refuse a visit at `visit_at` that is too close to another donation, unless a member has overridden the rules.

    A new `override_reason` is saved with the rules that it overrides. An earlier reason covers only the rules and dates
    for which it was given. Refuses a second active booking first, because the interval rules would report it as an
    overlapping visit.
    """
    _refuse_second_booking(booking)
    eligibility = _check_intervals(booking, visit_at)
    if override_reason:
        booking.override_reason = override_reason
        booking.overridden_rules = check.format_rules(eligibility.reasons)
        booking.save(update_fields=["override_reason", "overridden_rules"])
    check.refuse_if_too_close(
        eligibility,
        booking.drive,
        booking.visit,
        now,
        is_overridden=bool(override_reason),
        overridden_rules=booking.overridden_rules,
    )


def _refuse_second_booking(booking: Booking) -> None:
    """Refuse if the donor has another active booking at the drive.

    For example, a helper may have marked the donor as a no-show, and later added the donor as a walk-in.
    """
    same = Booking.objects.active().filter(drive=booking.drive_id, volunteer=booking.volunteer_id)
    if booking.volunteer_id and same.exclude(pk=booking.pk).exists():
        raise refusals.Refusal([refusals.Reason("already_booked", _("This person is already on the list."))])


def _clear_times(booking: Booking, state: str) -> None:
    booking.donated_at = booking.outcome_at = None
    if state != BookingState.CHECKED_IN:
        booking.checked_in_at = None


def _find_walk_in_slot(donor: eligibility_history.DonorScope, drive: Drive, visit: str, now: datetime) -> Slot:
    reasons = [refusals.Reason("drive_not_today", _("This drive is not in progress right now."))]
    if slot := _find_current_slot(drive, visit, now):
        volunteer_id = donor.volunteer_id
        slot_found = booking_facts.load_booking_facts(
            drive_id=drive.pk, slot_id=slot.pk, volunteer_id=volunteer_id, now=now, by_member=True
        )
        reasons = capacity_rules.reasons_not_to_book(slot_found.facts, now)
        if not reasons:
            return slot
    eligibility = check.check_eligibility(donor, drive, now)
    raise refusals.Refusal(reasons, check.list_later_times([eligibility], drive, (visit,), now))


def _find_current_slot(drive: Drive, visit: str, now: datetime) -> Slot | None:
    """Return the current slot. If a visit would no longer fit, return the last slot from which it fits.

    Returns None before the drive's start and after its end.
    """
    last = max(0, Slot.objects.filter(drive=drive).count() - visit_length.compute_visit_shape(drive, visit).steps)
    if drive.ends_at <= now:
        return None
    return Slot.objects.filter(drive=drive, starts_at__lte=now, n__lte=last).order_by("-n").first()
