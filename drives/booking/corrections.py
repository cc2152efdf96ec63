"""Correct a hold before it is verified: the people, their visit types, the contact and the time."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from drives.booking import changes, create, history, hold
from drives.booking import party as booking_party
from drives.booking.hold import Companion, Person
from drives.booking.messages import DONOR
from drives.capacity import booking_facts, counters, locks, visit_length
from drives.capacity import rules as capacity_rules
from drives.domain import grid
from drives.eligibility import self_check, self_reported
from drives.models import Booking, BookingState, CancelledBy, Drive, Slot, Source
from drives.refusals import HoldLapsed
from volunteers import limits, registration
from volunteers import queries as volunteers_queries
from volunteers.models import Registration


@transaction.atomic
def correct_hold(
    *,
    booking_id: int,
    slot_id: int,
    visit: str,
    person: Person,
    companions: Sequence[Companion] = (),
    ip: str | None,
    bound_to: str,
    browser_token: str,
    now: datetime,
) -> list[Booking]:
    """Replace the details that a donor typed for a hold and its party, all or nothing. The deadline stays the same.

    - People keep their bookings in the order of entry. Added people get new holds in the same party, and the holds of
      removed people lapse.
    - The times change only if the slot or a visit type changes, or if people are added. Then all arrive at `slot_id` or
      soon after. The chairs that the party occupies now count as free.
    - A new contact gets a code, unless this browser has verified it. The code of an unchanged contact stays valid.
    - The holds of added people and of a new contact count toward the network's limit. A new time, visit type or number
      of people counts toward the donor's limit on changes.

    Raises HoldLapsed, RateLimitExceeded, limits.TooManyChanges, and a Refusal or a ValidationError by field as for a
    new hold (`hold.hold_in_transaction`). Locks: identities, drive (shared), bookings, slots.
    """
    held = Booking.objects.select_related("drive__organization", "drive__policy", "registration").get(pk=booking_id)
    drive, typed_before = held.drive, held.get_registration(now)
    registrations = hold.build_registrations(drive, person, companions, source=held.source, ip=ip, now=now)
    _keep_identity(typed_before, registrations)
    details, visit_types = registrations[0], (visit, *(companion.visit for companion in companions))
    self_reported.refuse_impossible_donation(person.self_reported, drive, now)
    locks.lock_identities_then_drive([typed_before.identity, details.identity], drive.pk)
    party = _lock_held_party(held, now)
    is_other_contact = party[0].get_registration(now).identity != details.identity
    requested = booking_facts.load_booking_facts(
        drive_id=drive.pk, slot_id=slot_id, identity=details.identity if is_other_contact else "", now=now
    )
    is_placed_again = _is_placed_again(party, slot_id, visit_types)
    reasons = (
        capacity_rules.reasons_not_to_book(requested.facts, now)
        if is_placed_again
        else capacity_rules.reasons_against_more_holds(requested.facts.live_hold_count)
    )
    around = requested.facts.slot_starts_at or party[0].starts_at
    released = counters.compute_released_deltas(party)
    create.refuse_with_times(reasons, drive, visit_types, around, now, freed=released)
    self_reported.refuse_too_close_to_self_reported(person.self_reported, drive, visit, around, now)
    if is_placed_again or len(registrations) != len(party):
        changes.spend_change(party[0], DONOR, now)
    registration.save_registrations(registrations)
    if person.self_reported:
        self_reported.save_self_reported(person.self_reported, drive=drive, actor=DONOR, now=now, registration=details)
    before = [counters.build_footprint(booking) for booking in party]
    lapsed = create.lapse_overdue_holds(drive.pk, now) if is_placed_again and requested.has_overdue_holds else {}
    freed = counters.combine_deltas([released, lapsed])
    slots = create.find_arrivals(drive, requested, visit_types, freed, now) if is_placed_again else ()
    corrected = _write_party(drive, party, registrations, visit_types, slots, now)
    new_count = len(registrations) if is_other_contact else len(registrations) - len(party)
    holds = hold.build_hold_limits(drive, requested.steps, new_count, ip, now, corrected[0].held_until or now)
    if is_other_contact:
        hold.send_first_code(corrected[0], details, bound_to, browser_token, ip, now, holds)
    elif new_count > 0 and not volunteers_queries.is_browser_verified(browser_token, details.identity, now):
        limits.spend_limits(limits=holds, now=now)
    after = [counters.build_footprint(booking) for booking in corrected]
    if not changes.replace_footprints(drive.pk, before, after, freed, now):
        create.refuse_full_slot(drive, visit_types, around, now, released)
    return corrected


def _lock_held_party(held: Booking, now: datetime) -> list[Booking]:
    party = [booking for booking in locks.lock_party(held) if booking.is_held(now)]
    if not any(booking.pk == held.pk for booking in party):
        raise HoldLapsed
    return party


def _keep_identity(before: Registration, registrations: Sequence[Registration]) -> None:
    """Keep the identity that the code was sent to, if the donor changed neither phone nor e-mail address.

    After a resend, the code may have gone to the e-mail address instead of the phone.
    """
    if (before.phone, before.email) == (registrations[0].phone, registrations[0].email):
        for typed in registrations:
            typed.identity = before.identity


def _is_placed_again(party: Sequence[Booking], slot_id: int, visit_types: Sequence[str]) -> bool:
    present, chosen = [booking.visit for booking in party], booking_party.find_first_arrival(party).arrival_id
    return chosen != slot_id or list(visit_types) != present[: len(visit_types)]


def _write_party(
    drive: Drive,
    party: Sequence[Booking],
    registrations: Sequence[Registration],
    visit_types: Sequence[str],
    slots: Sequence[Slot],
    now: datetime,
) -> list[Booking]:
    """Save the kept and the added bookings, and lapse the others. `slots` is empty if the times stay the same."""
    first, kept, removed = party[0], party[: len(registrations)], party[len(registrations) :]
    replaced = [booking.registration.pk for booking in kept if booking.registration]
    if len(registrations) > 1 and first.party is None:
        first.party = uuid.uuid4()
    if slots:
        moved = [(booking, slot) for booking, slot in zip(kept, slots, strict=False) if booking.arrival_id != slot.pk]
        history.record_moves(moved, actor=DONOR, now=now)
    for at, (booking, typed) in enumerate(zip(kept, registrations, strict=False)):
        booking.registration, booking.visit = typed, visit_types[at]
        booking.self_check = self_check.validate_self_check(typed.self_check, drive.policy.self_check)
        booking.self_check_policy_id = drive.policy_id if booking.self_check else None
        if slots:
            changes.place_booking(booking, slots[at], now)
    Booking.objects.bulk_update(kept, _CORRECTED_FIELDS)
    Registration.objects.filter(pk__in=replaced).delete()
    if removed:
        changes.end_bookings(removed, actor=DONOR, cancelled_by=CancelledBy.DONOR, now=now)
    return [*kept, *_add_people(drive, first, registrations[len(kept) :], visit_types[len(kept) :], slots, now)]


def _add_people(
    drive: Drive,
    first: Booking,
    registrations: Sequence[Registration],
    visit_types: Sequence[str],
    slots: Sequence[Slot],
    now: datetime,
) -> list[Booking]:
    if not registrations:
        return []
    added = [
        create.build_booking(
            drive,
            slot,
            grid.compute_footprint(slot.n, visit_length.compute_visit_shape(drive, visit)),
            visit,
            now,
            state=BookingState.HELD,
            source=Source(first.source),
            registration=typed,
            party=first.party,
            share_link_id=first.share_link_id,
        )
        for typed, visit, slot in zip(registrations, visit_types, slots[-len(registrations) :], strict=True)
    ]
    for booking in added:
        booking.held_until, booking.is_extended = first.held_until, first.is_extended
    create.insert_bookings(added, actor=DONOR)
    return added


_CORRECTED_FIELDS = [
    "registration",
    "self_check",
    "self_check_policy",
    "party",
    "visit",
    "arrival",
    "starts_at",
    "changed_at",
    *create.FOOTPRINT_FIELDS,
]
