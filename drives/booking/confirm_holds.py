"""Confirm held bookings after verification: match volunteers and check eligibility."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext as _

from drives import refusals
from drives.booking import create, history, rules
from drives.capacity import booking_facts as capacity_facts
from drives.capacity import counters
from drives.capacity import rules as capacity_rules
from drives.eligibility import check, self_reported
from drives.eligibility import history as eligibility_history
from drives.eligibility import rules as eligibility_rules
from drives.eligibility.check import EligibilityCheck
from drives.models import Booking, BookingState, Visit
from volunteers import registration
from volunteers.matching import BookingFor, NameMismatch, TooManyPeople
from volunteers.models import Registration, Volunteer


def list_companion_registrations(held: Booking) -> list[Registration]:
    if held.party is None:
        return []
    party = Registration.objects.filter(bookings__party=held.party, bookings__state=BookingState.HELD).order_by("pk")
    return [companion for companion in party if companion.pk != held.registration_id]


def match_volunteers(registrations: Sequence[Registration], booking_for: BookingFor, now: datetime) -> list[Volunteer]:
    """Match verified registrations to volunteers.

    Refuses a name that differs from the name of the contact's owner (`other_name`), unless another person with the
    contact has this name or `booking_for` is given. Refuses a contact that would belong to too many people.
    """
    try:
        return registration.resolve_registrations(registrations=registrations, now=now, booking_for=booking_for)
    except (NameMismatch, TooManyPeople) as problem:
        raise refusals.Refusal([refusals.Reason(str(problem.code), str(problem.message))]) from problem


def assign_volunteers(party: Sequence[Booking], booking_for: BookingFor, now: datetime) -> None:
    details = [booking.registration for booking in party if booking.registration]
    for booking, volunteer in zip(party, match_volunteers(details, booking_for, now), strict=True):
        booking.volunteer = volunteer
    self_reported.assign_self_reported(details)


def check_holds(party: Sequence[Booking], now: datetime) -> None:
    """Check the slot and the interval rules for each hold of a party. If any hold is refused, refuse the whole party.

    The refusal lists all reasons. In a party, each reason names its donor. The donor's history determines the visit
    type, which determines the footprint. The alternative times fit the whole party. Locks: slots, if a visit type
    changes.
    """
    checked = _check_each(party, now)
    reasons = [
        *_find_same_person_reasons(party),
        *(add_person_name(hold.booking, reason, party) for hold in checked for reason in hold.reasons),
    ]
    _refuse_holds(reasons, checked, now)
    if corrections := [(hold.booking, hold.visit) for hold in checked if hold.visit != hold.booking.visit]:
        has_overdue_holds = any(hold.slot.has_overdue_holds for hold in checked)
        if not create.correct_visit_types(corrections, now, has_overdue_holds=has_overdue_holds):
            longer = next(booking for booking, visit in corrections if visit == Visit.FIRST)
            _refuse_holds([add_person_name(longer, eligibility_rules.build_first_visit_reason(), party)], checked, now)
        Booking.objects.bulk_update([booking for booking, _visit in corrections], ["visit", *create.FOOTPRINT_FIELDS])


def confirm_held_bookings(party: Sequence[Booking], now: datetime) -> None:
    state = rules.get_next_state(rules.Act.VERIFY, BookingState.HELD)
    history.record_changes(party, to_state=state, actor="donor", now=now)
    volunteer_of_registration = Registration.objects.filter(bookings=OuterRef("pk")).values("volunteer")
    changes = {"state": state, "held_until": None, "verified_at": now, "changed_at": now}
    Booking.objects.filter(pk__in=[booking.pk for booking in party]).update(
        volunteer=Subquery(volunteer_of_registration), **changes
    )
    for booking in party:
        for name, value in changes.items():
            setattr(booking, name, value)


@dataclass(frozen=True)
class _CheckedHold:
    booking: Booking
    slot: capacity_facts.RequestedSlot
    eligibility_check: EligibilityCheck
    slot_reasons: Sequence[refusals.Reason]

    @property
    def reasons(self) -> list[refusals.Reason]:
        return [*self.slot_reasons, *self.interval_reasons]

    @property
    def interval_reasons(self) -> list[refusals.Reason]:
        # If the donor is already booked at this drive, give only that reason.
        return [] if self.slot.facts.has_active_booking else self.eligibility_check.reasons

    @property
    def visit(self) -> str:
        return self.eligibility_check.visit or self.booking.visit


def _check_each(party: Sequence[Booking], now: datetime) -> list[_CheckedHold]:
    drive = party[0].drive
    volunteer_ids = [booking.volunteer_id or 0 for booking in party]  # already set by `assign_volunteers`
    slots = capacity_facts.load_party_facts(
        drive.pk, [(booking.arrival_id, booking.volunteer_id) for booking in party], now
    )
    # Check all organizations, because only the verified donor sees the result.
    donations = eligibility_history.list_donations_by_volunteer(
        dict.fromkeys(volunteer_ids, drive.site.zone), drive.starts_at, all_organizations=True
    )
    return [
        _CheckedHold(
            booking,
            slot,
            check.check_against_donations(donations[volunteer_id], drive, booking.starts_at),
            capacity_rules.reasons_not_to_book(slot.facts, now),
        )
        for booking, slot, volunteer_id in zip(party, slots, volunteer_ids, strict=True)
    ]


def _refuse_holds(reasons: Sequence[refusals.Reason], checked: Sequence[_CheckedHold], now: datetime) -> None:
    create.refuse_with_times(
        reasons,
        checked[0].booking.drive,
        tuple(hold.visit for hold in checked),
        min(hold.booking.starts_at for hold in checked),
        now,
        checks=[hold.eligibility_check for hold in checked] if any(hold.interval_reasons for hold in checked) else (),
        freed=counters.compute_released_deltas(hold.booking for hold in checked),
    )


def _find_same_person_reasons(party: Sequence[Booking]) -> list[refusals.Reason]:
    seen: set[int | None] = set()
    reasons = []
    for booking in party:
        if booking.volunteer_id in seen:
            text = _("This person is already in your group under another name. Remove one of them.")
            reasons.append(add_person_name(booking, refusals.Reason("same_person_twice", text), party))
        seen.add(booking.volunteer_id)
    return reasons


def add_person_name(booking: Booking, reason: refusals.Reason, party: Sequence[Booking]) -> refusals.Reason:
    person = booking.registration or booking.volunteer
    if len(party) == 1 or person is None:
        return reason
    return replace(reason, detail=f"{person.name}: {reason.detail}", person=person.name)
