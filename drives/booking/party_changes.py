"""A party gets another time of its drive: all of it, or nobody."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from drives import refusals
from drives.booking import changes, confirm_holds, create, history, messages, parties, rules
from drives.booking import party as booking_party
from drives.capacity import availability, counters, facts, locks, reserved_spots
from drives.capacity import rules as capacity_rules
from drives.capacity import visits as capacity_visits
from drives.domain import grid
from drives.eligibility import check
from drives.models import Booking, BookingState, Slot
from volunteers import queries as volunteers_queries


@transaction.atomic
def move_all(
    *,
    booking_id: int,
    slot_id: int,
    actor: str,
    now: datetime,
    reason: str = "",
    by_staff: bool = False,
    override_reason: str = "",
) -> list[Booking]:
    """Give everybody of a party who is still to come another time, all of them or none; one alone moves alike.

    Their own chairs never stand in the way. Who is booked is judged by their own history, unless there is a reason to
    override, which is kept; and is told, who share a phone with one text. Moving to the present times changes nothing.
    Refuses a donor who does not lead a party that is booked. Raises HoldLapsed. Locks: identities, drive (shared),
    bookings, slots.
    """
    asked = Booking.objects.select_related("registration").get(pk=booking_id)
    _lock(asked)
    party = _who_moves(asked, now, by_staff=by_staff)
    drive, visits = party[0].drive, tuple(booking.visit for booking in party)
    found = facts.place_facts(drive_id=drive.pk, slot_id=slot_id, now=now, by_staff=by_staff)
    freed = counters.combined(
        [counters.released(party), create.lapse_in(drive.pk, now) if found.holds_are_over else {}]
    )
    if reasons := capacity_rules.reasons_not_to_take(found.facts, now):
        raise refusals.Refusal(
            reasons, availability.nearest_times(drive, visits, found.facts.slot_starts_at, now, freed)
        )
    slots = booking_party.arrivals(drive, slot_id, visits, freed, now)
    if [slot.pk for slot in slots] == [booking.arrival_id for booking in party]:
        return party
    is_held, old = party[0].state == BookingState.HELD, {booking.pk: booking.starts_at for booking in party}
    if not is_held:
        _judge(party, slots, freed, now, by_staff=by_staff, override_reason=override_reason)
    history.note_moves(zip(party, slots, strict=True), actor=actor, reason=reason, now=now)
    _seat(party, slots, freed, now)
    if not is_held:
        messages.moved_together(party, old, now, actor=actor)
    return party


def _lock(asked: Booking) -> None:
    """A hold is nobody's yet; of who is booked, every contact of each is locked."""
    if asked.volunteer_id is None or asked.party is None:
        return locks.person_then_drive(asked)
    people = Booking.objects.filter(party=asked.party).exclude(volunteer=None).values_list("volunteer", flat=True)
    theirs = {identity for pk in people for identity in volunteers_queries.identities_of(volunteer_id=pk)}
    return locks.identities_then_drive(theirs, asked.drive_id)


def _who_moves(asked: Booking, now: datetime, *, by_staff: bool) -> list[Booking]:
    """Those of the party who are still to come, locked; the one who asked among them, or it is said why not."""
    found = locks.bookings(confirm_holds.party_ids(asked))
    party = [booking for booking in found if booking.is_held(now) or booking.state in rules.MAY_BE_MISSED]
    mine = next((booking for booking in found if booking.pk == asked.pk), asked)
    if mine not in party:
        if reasons := rules.reasons_not_to_change(mine.state, rules.MAY_BE_CHANGED):
            raise refusals.Refusal(reasons)
        raise refusals.HoldLapsed
    if mine.state != BookingState.HELD and mine.party and not by_staff and not parties.party_of(mine).is_shown:
        text = _("Only who booked for all can change the time of all.")
        raise refusals.Refusal([refusals.Reason("not_who_booked", text)])
    return party


def _judge(
    party: Sequence[Booking],
    slots: Sequence[Slot],
    freed: counters.Deltas,
    now: datetime,
    *,
    by_staff: bool,
    override_reason: str,
) -> None:
    """Raise what the interval rules have against the new times, each by name; or keep why they do not count."""
    if override_reason:
        for booking in party:
            booking.override_reason = override_reason
        return
    drive = party[0].drive
    givers = [giver for booking in party if (giver := changes.giver_of(booking, by_staff=by_staff))]
    judged = [check.of(giver, drive, slot.starts_at) for giver, slot in zip(givers, slots, strict=True)]
    refused = [
        confirm_holds.of(booking, reason)
        for booking, each in zip(party, judged, strict=True)
        for reason in each.reasons
    ]
    if not refused:
        return
    visits = tuple(booking.visit for booking in party)
    raise refusals.Refusal(refused, check.later_times(judged, drive, visits, now, freed))


def _seat(party: Sequence[Booking], slots: Sequence[Slot], freed: counters.Deltas, now: datetime) -> None:
    """Give the rows of a party other times, and change the counters; refuses if somebody was quicker."""
    drive, before = party[0].drive, [counters.footprint(booking) for booking in party]
    visits = tuple(booking.visit for booking in party)
    after = [
        grid.footprint(slot.n, capacity_visits.visit_shape(drive, visit))
        for slot, visit in zip(slots, visits, strict=True)
    ]
    for booking, slot, steps in zip(party, slots, after, strict=True):
        booking.arrival, booking.starts_at, booking.changed_at = slot, slot.starts_at, now
        for name, value in create.stored_footprint(steps).items():
            setattr(booking, name, value)
        if booking.state != BookingState.HELD:
            booking.state, booking.revision = BookingState.BOOKED, booking.revision + 1
    kept = ["arrival", "starts_at", "changed_at", "state", "revision", "override_reason", *create.FOOTPRINT]
    Booking.objects.bulk_update(party, kept)
    # Where one of them sits on another's old place, what is left over of it is open to everybody.
    taken = [grid.deltas(new).items() for new in after]
    left = [place for place in before if not any(grid.deltas(place).items() & new for new in taken)]
    deltas = [freed, *(grid.net(None, new) for new in after), reserved_spots.keep(drive.pk, left, now)]
    if not counters.change(drive_id=drive.pk, deltas=counters.combined(deltas)):
        booking_party.refuse_full(drive, visits, party[0].starts_at, now)
