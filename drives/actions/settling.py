"""From held places to bookings: who the people are, and what the rules say of each. Parts of `booking.prove`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext as _

from drives import queries, rules
from drives.actions import history, stating, taking
from drives.models import Booking, BookingState
from volunteers.actions import registration
from volunteers.actions.recognizing import OtherName, TooManyPeople, Whose
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
        raise rules.Refusal([rules.Reason(str(problem.code), str(problem.message))]) from problem


def recognize(party: Sequence[Booking], whose: Whose, now: datetime) -> None:
    """Give each held booking its volunteer, not saved yet, with what was stated before the proof."""
    details = [booking.registration for booking in party if booking.registration]
    for booking, volunteer in zip(party, people(details, whose, now), strict=True):
        booking.volunteer = volunteer
    stating.adopt(details)


def judge(party: Sequence[Booking], now: datetime) -> None:
    """Raise what stands against these people, each by their own history; of several it is said whom it concerns.

    What was recorded says which kind of visit each really is: the times kept follow it. Locks: then slots.
    """
    judged = {booking.pk: _judged(booking, now) for booking in party}
    refusals = [(booking, found) for booking in party if isinstance(found := judged[booking.pk].verdict, rules.Refusal)]
    if len(party) == 1 and refusals:
        raise refusals[0][1]
    if reasons := _twice(party) + [_of(booking, why) for booking, refusal in refusals for why in refusal.reasons]:
        raise rules.Refusal(reasons)
    kinds = [(booking, str(judged[booking.pk].verdict)) for booking in party]
    if others := [(booking, visit) for booking, visit in kinds if visit != booking.visit]:
        over = any(each.holds_are_over for each in judged.values())
        taking.correct_visits(others, now, holds_are_over=over)
        for booking, _visit in others:
            booking.save(update_fields=["visit", *taking.FOOTPRINT])


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
    """One person of a party: the kind of visit that it really is, or why it may not be."""

    verdict: str | rules.Refusal
    holds_are_over: bool


def _judged(booking: Booking, now: datetime) -> _Judged:
    assert booking.volunteer_id is not None  # recognized before
    found = queries.place_facts(
        drive_id=booking.drive_id, slot_id=booking.arrival_id, volunteer_id=booking.volunteer_id, now=now
    )
    giver = queries.Giver(booking.volunteer_id, everywhere=True)
    try:
        visit = taking.refuse_unless_possible(found.facts, booking.drive, booking.visit, now, giver)
    except rules.Refusal as refusal:
        return _Judged(refusal, found.holds_are_over)
    return _Judged(visit, found.holds_are_over)


def _twice(party: Sequence[Booking]) -> list[rules.Reason]:
    """Two names of a party that are known to be one person."""
    seen: set[int | None] = set()
    found = []
    for booking in party:
        if booking.volunteer_id in seen:
            text = _("This is somebody of your group under another name. Take one of them out.")
            found.append(_of(booking, rules.Reason("same_person_twice", text)))
        seen.add(booking.volunteer_id)
    return found


def _of(booking: Booking, reason: rules.Reason) -> rules.Reason:
    name = booking.registration.name if booking.registration else ""
    return replace(reason, detail=f"{name}: {reason.detail}", person=name)
