"""Confirm held bookings after verification: match volunteers, check eligibility. Parts of `verify.verify_booking`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext as _

from drives import refusals
from drives.booking import create, history
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


def list_party_ids(held: Booking) -> list[int]:
    """The bookings that were made together with this one, and itself."""
    if held.party is None:
        return [held.pk]
    return list(Booking.objects.filter(party=held.party).order_by("pk").values_list("pk", flat=True))


def list_companion_registrations(held: Booking) -> list[Registration]:
    """What was typed of the others of a party."""
    if held.party is None:
        return []
    party = Registration.objects.filter(bookings__party=held.party).order_by("pk")
    return [each for each in party if each.pk != held.registration_id]


def match_volunteers(registrations: Sequence[Registration], booking_for: BookingFor, now: datetime) -> list[Volunteer]:
    """Whom these proved registrations mean; refuses a name that has to be asked about."""
    try:
        return registration.resolve_registrations(registrations=registrations, now=now, booking_for=booking_for)
    except (NameMismatch, TooManyPeople) as problem:
        raise refusals.Refusal([refusals.Reason(str(problem.code), str(problem.message))]) from problem


def assign_volunteers(party: Sequence[Booking], booking_for: BookingFor, now: datetime) -> None:
    """Give each held booking its volunteer, not saved yet, with what was stated before the proof."""
    details = [booking.registration for booking in party if booking.registration]
    for booking, volunteer in zip(party, match_volunteers(details, booking_for, now), strict=True):
        booking.volunteer = volunteer
    self_reported.assign_self_reported(details)


def check_holds(party: Sequence[Booking], now: datetime) -> None:
    """Refuse these people with every reason, each by their own history; of several the reasons name the person.

    The times proposed are those at which all of them fit and may come. The kind of visit follows what was recorded of
    the person, and the time held follows the kind of visit. Two queries for any number of people. Locks: then slots.
    """
    judged = _check_each(party, now)
    reasons = [
        *_find_same_person_reasons(party),
        *(add_person_name(each.booking, reason, party) for each in judged for reason in each.reasons),
    ]
    _refuse_holds(reasons, judged, now)
    if others := [(each.booking, each.visit) for each in judged if each.visit != each.booking.visit]:
        over = any(each.found.has_overdue_holds for each in judged)
        if not create.correct_visit_types(others, now, has_overdue_holds=over):
            longer = next(booking for booking, visit in others if visit == Visit.FIRST)
            _refuse_holds([add_person_name(longer, eligibility_rules.build_first_visit_reason(), party)], judged, now)
        Booking.objects.bulk_update([booking for booking, _visit in others], ["visit", *create.FOOTPRINT_FIELDS])


def confirm_held_bookings(party: Sequence[Booking], now: datetime) -> None:
    """Turn the holds into bookings, with their history. Two statements however many they are."""
    history.record_changes(party, to_state=BookingState.BOOKED, actor="donor", now=now)
    theirs = Registration.objects.filter(bookings=OuterRef("pk")).values("volunteer")
    changes = {"state": BookingState.BOOKED, "held_until": None, "verified_at": now, "changed_at": now}
    Booking.objects.filter(pk__in=[booking.pk for booking in party]).update(volunteer=Subquery(theirs), **changes)
    for booking in party:
        for name, value in changes.items():
            setattr(booking, name, value)


@dataclass(frozen=True)
class _CheckedHold:
    """One person of a party: what stands against them, and the kind of visit that it really is."""

    booking: Booking
    found: capacity_facts.SlotFound
    eligibility_check: EligibilityCheck
    slot_reasons: Sequence[refusals.Reason]

    @property
    def reasons(self) -> list[refusals.Reason]:
        return [*self.slot_reasons, *self.interval_reasons]

    @property
    def interval_reasons(self) -> list[refusals.Reason]:
        """Nothing of who is booked at this drive already: that alone is said."""
        return [] if self.found.facts.has_active_booking else self.eligibility_check.reasons

    @property
    def visit(self) -> str:
        return self.eligibility_check.visit or self.booking.visit


def _check_each(party: Sequence[Booking], now: datetime) -> list[_CheckedHold]:
    drive = party[0].drive
    people = [booking.volunteer_id or 0 for booking in party]  # recognized before
    found = capacity_facts.load_party_facts(drive.pk, [(each.arrival_id, each.volunteer_id) for each in party], now)
    given = eligibility_history.list_donations_by_volunteer(
        dict.fromkeys(people, drive.site.zone), drive.starts_at, all_organizations=True
    )
    return [
        _CheckedHold(
            booking,
            facts,
            check.check_against_donations(given[person], drive, booking.starts_at),
            capacity_rules.reasons_not_to_book(facts.facts, now),
        )
        for booking, facts, person in zip(party, found, people, strict=True)
    ]


def _refuse_holds(reasons: Sequence[refusals.Reason], judged: Sequence[_CheckedHold], now: datetime) -> None:
    create.refuse_with_times(
        reasons,
        judged[0].booking.drive,
        tuple(each.visit for each in judged),
        min(each.booking.starts_at for each in judged),
        now,
        checks=[each.eligibility_check for each in judged] if any(each.interval_reasons for each in judged) else (),
        freed=counters.compute_released_deltas(each.booking for each in judged),
    )


def _find_same_person_reasons(party: Sequence[Booking]) -> list[refusals.Reason]:
    """Names of a party that turn out to be one person."""
    seen: set[int | None] = set()
    found = []
    for booking in party:
        if booking.volunteer_id in seen:
            text = _("This is somebody of your group under another name. Take one of them out.")
            found.append(add_person_name(booking, refusals.Reason("same_person_twice", text), party))
        seen.add(booking.volunteer_id)
    return found


def add_person_name(booking: Booking, reason: refusals.Reason, party: Sequence[Booking]) -> refusals.Reason:
    """The reason, with the name of the person it concerns if there are several, as it was typed."""
    known = booking.registration or booking.volunteer
    if len(party) == 1 or known is None:
        return reason
    return replace(reason, detail=f"{known.name}: {reason.detail}", person=known.name)
