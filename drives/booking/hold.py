"""Hold places for fifteen minutes and send the code that verifies the contact."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from drives.booking import create
from drives.capacity import booking_facts, counters, locks, visits
from drives.capacity import rules as capacity_rules
from drives.domain import party_fit
from drives.domain.intervals import SelfReported
from drives.eligibility import self_reported
from drives.models import Booking, BookingState, Drive, Source
from organizations.models import linked_model
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
    self_check: Sequence[str] = field(default_factory=tuple)
    self_reported: SelfReported | None = None  # a last donation elsewhere
    is_for_other: bool = False  # "I book for another person": the contact is not this person's own

    def said(self) -> dict[str, Any]:
        """What a coordinator may enter for the person, for `volunteers.registration`."""
        names = ("name", "phone", "email", "language", "consents")
        return {name: getattr(self, name) for name in names}

    def typed(self) -> dict[str, Any]:
        """The same with what only the person can say, before the contact is verified."""
        return {**self.said(), "self_check": self.self_check, "is_for_other": self.is_for_other}


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
    on_held: Callable[[list[Booking]], None] | None = None,
) -> list[Booking]:
    """Hold places for one to six people for fifteen minutes, all or none, and send the code that verifies the contact.

    Runs inside a transaction of the caller. `slot_id` is the time of the first arrival; the others come with them or
    next (`drives.domain.party_fit`). The contact is the person's own, unless `is_for_other`. The code counts for the
    holder of `compute_browser_digest`; without it, for the holder of the first booking's token. A browser that
    verified this contact
    before gets no code. The answer does not depend on a donor's history. `then` is called before the counters change,
    because the slots stay locked from there to the end of the transaction.

    Refuses (`Refusal`) a drive that takes no bookings, a time that is closed, past, of another drive, full or too close
    to what is stated, and a third live hold of one contact; a party counts as one hold. Malformed details are a
    ValidationError by field; a network may hold few places for parties at a time (RateLimitExceeded).
    Locks: identity, drive (shared), slots. The number of statements does not grow with the number of people.
    """
    if len(companions) >= party_fit.MAX_PARTY_SIZE:
        raise ValidationError({"people": ValidationError(_("Book for up to six people."), code="people_count")})
    first = registration.build_registration(
        organization=drive.organization, **person.typed(), source=source, ip=ip, now=now
    )
    everyone = [first, *registration.build_companion_registrations(first, [each.name for each in companions])]
    wanted = (visit, *(each.visit for each in companions))
    self_reported.refuse_impossible_donation(person.self_reported, drive, now)
    locks.lock_identities_then_drive([first.identity], drive.pk)
    found = booking_facts.load_booking_facts(
        drive_id=drive.pk,
        slot_id=slot_id,
        identity=first.identity,
        shape=None if companions else visits.compute_visit_shape(drive, visit),
        now=now,
    )
    around = found.facts.slot_starts_at
    create.refuse_with_times(capacity_rules.reasons_not_to_book(found.facts, now), drive, wanted, around, now)
    self_reported.refuse_too_close_to_self_reported(person.self_reported, drive, visit, around or drive.starts_at, now)
    registration.save_registrations(everyone)
    if person.self_reported:
        self_reported.save_self_reported(person.self_reported, drive=drive, actor="donor", now=now, registration=first)
    written = create.write_bookings(
        drive, found, wanted, now, state=BookingState.HELD, source=source, registrations=everyone
    )
    if companions:
        verification.spend_party_spots(count=len(everyone), ip=ip, now=now)
    send_first_code(written.bookings[0], first, bound_to, browser_token, ip, now)
    if on_held:
        on_held(written.bookings)
    return create.apply_counters(written, now)


hold_bookings = transaction.atomic(hold_in_transaction)


@transaction.atomic
def lapse_holds(*, now: datetime, limit: int = 500) -> int:
    """Free the places of holds after their fifteen minutes. Locks: bookings, slots, drive by drive.

    Returns at how many drives a place is open again: a place that is reserved for the waiting list is not.
    """
    drives = Booking.objects.overdue(now).order_by("drive").values("drive").distinct()
    lapsed = 0
    for drive_id in list(drives.values_list("drive", flat=True)[:limit]):
        locks.lock_drive_shared(drive_id)
        counters.change_counters(drive_id=drive_id, deltas=(freed := create.lapse_overdue_holds(drive_id, now)))
        lapsed += bool(freed)
    return lapsed


def send_first_code(
    booking: Booking, details: Registration, bound_to: str, browser_token: str, ip: str | None, now: datetime
) -> None:
    """Send the code of a new hold, unless the browser verified the contact before."""
    verification.send_code(
        typed=details,
        bound_to=bound_to or linked_model.hash_token(booking.token),
        browser=browser_token,
        about=booking.about,
        ip=ip,
        now=now,
    )
