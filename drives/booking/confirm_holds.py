"""Confirm held bookings after verification: match volunteers, check eligibility. Parts of `verify.prove`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext as _

from drives import refusals
from drives.booking import create, history
from drives.capacity import counters
from drives.capacity import facts as capacity_facts
from drives.capacity import rules as capacity_rules
from drives.eligibility import check, self_reported
from drives.eligibility import history as eligibility_history
from drives.eligibility import rules as eligibility_rules
from drives.eligibility.check import Spacing
from drives.models import Booking, BookingState, Visit
from volunteers import registration
from volunteers.matching import OtherName, TooManyPeople, Whose
from volunteers.models import Registration, Volunteer


def party_ids(held: Booking) -> list[int]:
    """The bookings that were made together with this one, and itself."""
    if held.party is None:
        return [held.pk]
    return list(Booking.objects.filter(party=held.party).order_by("pk").values_list("pk", flat=True))


def companions(held: Booking) -> list[Registration]:
    """What was typed of the others of a party."""
    if held.party is None:
        return []
    party = Registration.objects.filter(bookings__party=held.party).order_by("pk")
    return [each for each in party if each.pk != held.registration_id]


def people(registrations: Sequence[Registration], whose: Whose, now: datetime) -> list[Volunteer]:
    """Whom these proved registrations mean; refuses a name that has to be asked about."""
    try:
        return registration.resolve_all(registrations=registrations, now=now, whose=whose)
    except (OtherName, TooManyPeople) as problem:
        raise refusals.Refusal([refusals.Reason(str(problem.code), str(problem.message))]) from problem


def recognize(party: Sequence[Booking], whose: Whose, now: datetime) -> None:
    """Give each held booking its volunteer, not saved yet, with what was stated before the proof."""
    details = [booking.registration for booking in party if booking.registration]
    for booking, volunteer in zip(party, people(details, whose, now), strict=True):
        booking.volunteer = volunteer
    self_reported.adopt(details)


def judge(party: Sequence[Booking], now: datetime) -> None:
    """Refuse these people with every reason, each by their own history; of several the reasons name the person.

    The times proposed are those at which all of them fit and may come. The kind of visit follows what was recorded of
    the person, and the time held follows the kind of visit. Two queries for any number of people. Locks: then slots.
    """
    judged = _judged(party, now)
    reasons = [*_twice(party), *(named(each.booking, reason, party) for each in judged for reason in each.reasons)]
    _refuse(reasons, judged, now)
    if others := [(each.booking, each.visit) for each in judged if each.visit != each.booking.visit]:
        over = any(each.found.holds_are_over for each in judged)
        if not create.correct_visits(others, now, holds_are_over=over):
            longer = next(booking for booking, visit in others if visit == Visit.FIRST)
            _refuse([named(longer, eligibility_rules.visit_is_first(), party)], judged, now)
        Booking.objects.bulk_update([booking for booking, _visit in others], ["visit", *create.FOOTPRINT])


def keep(party: Sequence[Booking], now: datetime) -> None:
    """Turn the holds into bookings, with their history. Two statements however many they are."""
    history.note_all(party, to_state=BookingState.BOOKED, actor="donor", now=now)
    theirs = Registration.objects.filter(bookings=OuterRef("pk")).values("volunteer")
    changes = {"state": BookingState.BOOKED, "held_until": None, "proved_at": now, "changed_at": now}
    Booking.objects.filter(pk__in=[booking.pk for booking in party]).update(volunteer=Subquery(theirs), **changes)
    for booking in party:
        for name, value in changes.items():
            setattr(booking, name, value)


@dataclass(frozen=True)
class _Judged:
    """One person of a party: what stands against them, and the kind of visit that it really is."""

    booking: Booking
    found: capacity_facts.PlaceFound
    spacing: Spacing
    against_place: Sequence[refusals.Reason]

    @property
    def reasons(self) -> list[refusals.Reason]:
        return [*self.against_place, *self.against_interval]

    @property
    def against_interval(self) -> list[refusals.Reason]:
        """Nothing of who is booked at this drive already: that alone is said."""
        return [] if self.found.facts.active_booking else self.spacing.reasons

    @property
    def visit(self) -> str:
        return self.spacing.visit or self.booking.visit


def _judged(party: Sequence[Booking], now: datetime) -> list[_Judged]:
    drive = party[0].drive
    people = [booking.volunteer_id or 0 for booking in party]  # recognized before
    found = capacity_facts.places_facts(drive.pk, [(each.arrival_id, each.volunteer_id) for each in party], now)
    given = eligibility_history.donations_of_many(
        dict.fromkeys(people, drive.site.zone), drive.starts_at, everywhere=True
    )
    return [
        _Judged(
            booking,
            facts,
            check.between(given[person], drive, booking.starts_at),
            capacity_rules.reasons_not_to_take(facts.facts, now),
        )
        for booking, facts, person in zip(party, found, people, strict=True)
    ]


def _refuse(reasons: Sequence[refusals.Reason], judged: Sequence[_Judged], now: datetime) -> None:
    create.refuse_with_times(
        reasons,
        judged[0].booking.drive,
        tuple(each.visit for each in judged),
        min(each.booking.starts_at for each in judged),
        now,
        judged=[each.spacing for each in judged] if any(each.against_interval for each in judged) else (),
        freed=counters.released(each.booking for each in judged),
    )


def _twice(party: Sequence[Booking]) -> list[refusals.Reason]:
    """Names of a party that turn out to be one person."""
    seen: set[int | None] = set()
    found = []
    for booking in party:
        if booking.volunteer_id in seen:
            text = _("This is somebody of your group under another name. Take one of them out.")
            found.append(named(booking, refusals.Reason("same_person_twice", text), party))
        seen.add(booking.volunteer_id)
    return found


def named(booking: Booking, reason: refusals.Reason, party: Sequence[Booking]) -> refusals.Reason:
    """The reason, with the name of the person it concerns if there are several, as it was typed."""
    known = booking.registration or booking.volunteer
    if len(party) == 1 or known is None:
        return reason
    return replace(reason, detail=f"{known.name}: {reason.detail}", person=known.name)
