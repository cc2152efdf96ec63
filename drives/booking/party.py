"""Two to six people who come together: held and cancelled as one, each with a booking of their own."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NoReturn

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from drives import refusals
from drives.booking import changes, create, history, messages, rules
from drives.booking import hold as booking_hold
from drives.booking.changes import CANCEL_FIELDS
from drives.booking.hold import Person
from drives.capacity import availability, counters, facts, locks, reserved_spots
from drives.capacity import rules as capacity_rules
from drives.capacity import visits as capacity_visits
from drives.capacity.visits import Visits
from drives.domain import grid, party_fit
from drives.models import Booking, BookingState, CancelledBy, Drive, Slot, Source
from organizations.models import Organization
from volunteers import registration, verification
from volunteers.models import Registration


@dataclass(frozen=True)
class Companion:
    """One person of a party: a name and the kind of visit."""

    name: str
    visit: str


def hold_within(
    *,
    drive: Drive,
    slot_id: int,
    people: Sequence[Companion],
    contact: Person,
    source: Source = Source.ONLINE,
    ip: str | None,
    now: datetime,
    bound_to: str = "",
    browser_token: str = "",
) -> list[Booking]:
    """Keep places for two to six people reached through one contact, or none at all; inside a caller's transaction.

    `slot_id` is the time of the first who arrives; the others come with them or next (`drives.domain.party_fit`). The
    first person is the one whose contact it is, unless `contact.for_other`. One code proves all. Refuses as
    `booking.hold`; a party counts as one hold of its contact, and a network may keep few places for parties at a time.
    Locks: identity, drive (shared), slots. The same number of statements for two and for six.
    """
    if not 2 <= len(people) <= party_fit.MOST:
        raise ValidationError({"people": ValidationError(_("Book for two to six people."), code="people_count")})
    details = _registered(drive.organization, people, contact, source, ip, now)
    locks.identities_then_drive([details[0].identity], drive.pk)
    found = facts.place_facts(drive_id=drive.pk, slot_id=slot_id, identity=details[0].identity, now=now)
    visits = tuple(person.visit for person in people)
    if reasons := capacity_rules.reasons_not_to_take(found.facts, now):
        raise refusals.Refusal(reasons, availability.nearest_times(drive, visits, found.facts.slot_starts_at, now))
    freed = create.lapse_in(drive.pk, now) if found.holds_are_over else {}
    rows = _written(drive, slot_id, visits, details, source, freed, now)
    verification.spend_places(count=len(rows), ip=ip, now=now)
    booking_hold.send_first_code(rows[0], details[0], bound_to, browser_token, ip, now)
    taken = [grid.net(None, counters.footprint(row)) for row in rows]
    if not counters.change(drive_id=drive.pk, deltas=counters.combined([freed, *taken])):
        refuse_full(drive, visits, rows[0].starts_at, now)
    return rows


hold = transaction.atomic(hold_within)


@transaction.atomic
def cancel_all(*, booking_id: int, actor: str, by: CancelledBy, now: datetime) -> list[Booking]:
    """Give up every place of a party that is still ahead, holds too; who shares a phone gets one text.

    What cannot be given up any more stays as it is; twice is as once. Locks: drive (shared), bookings, slots.
    """
    found = Booking.objects.values_list("drive_id", "party").get(pk=booking_id)
    locks.drive_shared(found[0])
    ids = Booking.objects.filter(party=found[1]).values_list("pk", flat=True) if found[1] else [booking_id]
    party = [booking for booking in locks.bookings(list(ids)) if booking.state in rules.MAY_BE_CHANGED]
    held = [booking for booking in party if booking.state == BookingState.HELD]
    booked = [booking for booking in party if booking.state != BookingState.HELD]
    history.note_all(held, to_state=BookingState.LAPSED, actor=actor, now=now)
    history.note_all(booked, to_state=BookingState.CANCELLED, actor=actor, now=now)
    Booking.objects.filter(pk__in=[booking.pk for booking in held]).update(
        state=BookingState.LAPSED, holds_place=False, changed_at=now
    )
    for booking in booked:
        changes.mark_cancelled(booking, by=by, now=now)
    Booking.objects.bulk_update(booked, CANCEL_FIELDS)
    kept = reserved_spots.keep(found[0], map(counters.footprint, party), now)
    counters.change(drive_id=found[0], deltas=counters.combined([counters.released(party), kept]))
    if booked:
        messages.cancelled_together(booked, now)
    return party


def _registered(
    organization: Organization,
    people: Sequence[Companion],
    contact: Person,
    source: Source,
    ip: str | None,
    now: datetime,
) -> list[Registration]:
    typed = replace(contact, name=people[0].name).typed()
    first = registration.keep(registration.cleaned(organization=organization, **typed, source=source, ip=ip, now=now))
    return [first, *registration.register_others(first=first, names=[person.name for person in people[1:]])]


def _written(
    drive: Drive,
    slot_id: int,
    visits: Visits,
    details: Sequence[Registration],
    source: Source,
    freed: counters.Deltas,
    now: datetime,
) -> list[Booking]:
    """The rows of a party, at the times at which it fits; refuses if there are none."""
    slots = arrivals(drive, slot_id, visits, freed, now)
    party = uuid.uuid4()
    rows = Booking.objects.bulk_create(
        create.new_booking(
            drive,
            slot,
            grid.footprint(slot.n, capacity_visits.visit_shape(drive, visit)),
            visit,
            now,
            state=BookingState.HELD,
            source=source,
            registration=typed,
            party=party,
        )
        for slot, visit, typed in zip(slots, visits, details, strict=True)
    )
    history.note_new(rows, actor="donor", now=now)
    return rows


def arrivals(drive: Drive, slot_id: int, visits: Visits, freed: counters.Deltas, now: datetime) -> list[Slot]:
    """When each of them comes if the first comes at this time; refuses if they do not fit so."""
    steps = availability.steps_of(drive.pk)
    first = next(n for n, row in enumerate(steps) if row[0] == slot_id)
    found = party_fit.arrivals(availability.room(steps, now, freed), first, capacity_visits.shapes(drive, visits))
    if found is None:
        refuse_full(drive, visits, steps[first][1], now, freed)
    return [Slot(pk=steps[n][0], drive=drive, n=n, starts_at=steps[n][1]) for n in found]


def refuse_full(
    drive: Drive, visits: Visits, wanted: datetime, now: datetime, freed: counters.Deltas | None = None
) -> NoReturn:
    """Raise that there is no room for all of them, with the nearest times at which there is."""
    raise refusals.Refusal([rules.party_full()], availability.nearest_times(drive, visits, wanted, now, freed))
