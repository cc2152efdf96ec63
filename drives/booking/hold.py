"""Hold places for fifteen minutes and send the code that verifies the contact."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from drives.booking import create
from drives.capacity import counters, facts, locks, visits
from drives.capacity import rules as capacity_rules
from drives.domain import party_fit
from drives.domain.intervals import Stated
from drives.eligibility import self_reported
from drives.models import Booking, BookingState, Drive, Source
from organizations.models import linked
from volunteers import registration, verification
from volunteers.models import Registration


@dataclass(frozen=True)
class Person:
    """What a donor typed. Not normalized yet, and not trusted until the contact is verified."""

    name: str
    phone: str = ""
    email: str = ""
    language: str = "en"
    consents: Sequence[str] = field(default_factory=tuple)
    confirms: Sequence[str] = field(default_factory=tuple)
    stated: Stated | None = None  # a last donation elsewhere
    for_other: bool = False  # "I book for another person": the contact is not this person's own

    def said(self) -> dict[str, Any]:
        """What a coordinator may enter for the person, for `volunteers.registration`."""
        names = ("name", "phone", "email", "language", "consents")
        return {name: getattr(self, name) for name in names}

    def typed(self) -> dict[str, Any]:
        """The same with what only the person can say, before the contact is verified."""
        return {**self.said(), "confirms": self.confirms, "for_other": self.for_other}


@dataclass(frozen=True)
class Companion:
    """Another person of the party: a name and the kind of visit."""

    name: str
    visit: str


def hold_in_transaction(
    *,
    drive: Drive,
    slot_id: int,
    visit: str,
    person: Person,
    companions: Sequence[Companion] = (),
    source: Source = Source.ONLINE,
    ip: str | None,
    now: datetime,
    bound_to: str = "",
    browser_token: str = "",
    then: Callable[[list[Booking]], None] | None = None,
) -> list[Booking]:
    """Hold places for one to six people for fifteen minutes, all or none, and send the code that verifies the contact.

    Runs inside a transaction of the caller. `slot_id` is the time of the first arrival; the others come with them or
    next (`drives.domain.party_fit`). The contact is the person's own, unless `for_other`. The code counts for the
    holder of `bound_to`; without it, for the holder of the first booking's token. A browser that verified this contact
    before gets no code. The answer does not depend on a donor's history. `then` is called before the counters change,
    because the slots stay locked from there to the end of the transaction.

    Refuses (`Refusal`) a drive that takes no bookings, a time that is closed, past, of another drive, full or too close
    to what is stated, and a third live hold of one contact; a party counts as one hold. Malformed details are a
    ValidationError by field; a network may hold few places for parties at a time (TooMany).
    Locks: identity, drive (shared), slots. The number of statements does not grow with the number of people.
    """
    if len(companions) >= party_fit.MOST:
        raise ValidationError({"people": ValidationError(_("Book for up to six people."), code="people_count")})
    first = registration.cleaned(organization=drive.organization, **person.typed(), source=source, ip=ip, now=now)
    everyone = [first, *registration.companions(first, [each.name for each in companions])]
    wanted = (visit, *(each.visit for each in companions))
    self_reported.refuse_impossible(person.stated, drive, now)
    locks.identities_then_drive([first.identity], drive.pk)
    found = facts.place_facts(
        drive_id=drive.pk,
        slot_id=slot_id,
        identity=first.identity,
        shape=None if companions else visits.visit_shape(drive, visit),
        now=now,
    )
    around = found.facts.slot_starts_at
    create.refuse_with_times(capacity_rules.reasons_not_to_take(found.facts, now), drive, wanted, around, now)
    self_reported.refuse_too_close(person.stated, drive, visit, around or drive.starts_at, now)
    registration.keep(everyone)
    if person.stated:
        self_reported.keep(person.stated, drive=drive, actor="donor", now=now, registration=first)
    written = create.write_bookings(
        drive, found, wanted, now, state=BookingState.HELD, source=source, registrations=everyone
    )
    if companions:
        verification.spend_places(count=len(everyone), ip=ip, now=now)
    send_first_code(written.bookings[0], first, bound_to, browser_token, ip, now)
    if then:
        then(written.bookings)
    return create.count(written, now)


hold_bookings = transaction.atomic(hold_in_transaction)


@transaction.atomic
def lapse_holds(*, now: datetime, limit: int = 500) -> int:
    """Free the places of holds after their fifteen minutes. Locks: bookings, slots, drive by drive.

    Returns at how many drives a place is open again: a place that is reserved for the waiting list is not.
    """
    drives = Booking.objects.overdue(now).order_by("drive").values("drive").distinct()
    lapsed = 0
    for drive_id in list(drives.values_list("drive", flat=True)[:limit]):
        locks.drive_shared(drive_id)
        counters.change(drive_id=drive_id, deltas=(freed := create.lapse_in(drive_id, now)))
        lapsed += bool(freed)
    return lapsed


def send_first_code(
    booking: Booking, details: Registration, bound_to: str, browser_token: str, ip: str | None, now: datetime
) -> None:
    """Send the code of a new hold, unless the browser verified the contact before."""
    verification.send_code(
        typed=details,
        bound_to=bound_to or linked.token_digest(booking.token),
        browser=browser_token,
        about=booking.about,
        ip=ip,
        now=now,
    )
