"""Hold slots for 15 minutes and send the code that verifies the contact."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from drives.booking import create, rules
from drives.capacity import booking_facts, counters, locks, visit_length
from drives.capacity import rules as capacity_rules
from drives.domain import rules as domain_rules
from drives.domain.intervals import SelfReported
from drives.eligibility import self_reported
from drives.models import Booking, BookingState, Drive, ShareLink, Source
from organizations import sweeps
from organizations.models import linked_model
from volunteers import limits, registration, verification
from volunteers import queries as volunteers_queries
from volunteers.limits import Limit
from volunteers.models import Registration


@dataclass(frozen=True)
class Person:
    """A donor's typed details, unchanged. They are untrusted until the contact is verified."""

    name: str
    phone: str = ""
    email: str = ""
    language: str = "en"
    consents: Sequence[str] = field(default_factory=tuple)
    self_check: Sequence[str] = field(default_factory=tuple)
    self_reported: SelfReported | None = None  # the last donation elsewhere
    is_for_other: bool = False  # the contact belongs to another person

    def contact_fields(self) -> dict[str, Any]:
        names = ("name", "phone", "email", "language", "consents")
        return {name: getattr(self, name) for name in names}

    def registration_fields(self) -> dict[str, Any]:
        return {**self.contact_fields(), "self_check": self.self_check, "is_for_other": self.is_for_other}


@dataclass(frozen=True)
class Companion:
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
    share_code: str = "",
    on_held: Callable[[list[Booking]], None] | None = None,
) -> list[Booking]:
    """Hold slots for one to six people for 15 minutes, all or none, and send the verification code.

    Runs inside the caller's transaction. The first arrival is at `slot_id`, and the others follow at the same time or
    soon after (`drives.domain.party_fit`). The result does not depend on the donor's history.

    - The code works only with `bound_to`. The default is the first booking's token.
    - A browser that has already verified the contact needs no code.
    - `share_code` is the code of a recruiter's link. A code of another drive is ignored.
    - `on_held` is called before the counters change, because the slots are locked from then until the commit.

    Refuses:
    - a drive that takes no bookings
    - a slot that is closed, past, full, or of another drive
    - a slot too close to the self-reported donation
    - a third live hold for one contact (a party counts as one hold)

    Malformed details raise ValidationError by field. Raises RateLimitExceeded for too many codes, or if one network
    holds too many spots without a code. Locks: identity, drive (shared), slots. The number of statements does not
    depend on the party's size.
    """
    registrations = build_registrations(drive, person, companions, source=source, ip=ip, now=now)
    details, visit_types = registrations[0], (visit, *(companion.visit for companion in companions))
    self_reported.refuse_impossible_donation(person.self_reported, drive, now)
    locks.lock_identities_then_drive([details.identity], drive.pk)
    requested = booking_facts.load_booking_facts(
        drive_id=drive.pk,
        slot_id=slot_id,
        identity=details.identity,
        shape=None if companions else visit_length.compute_visit_shape(drive, visit),
        now=now,
    )
    around = requested.facts.slot_starts_at
    create.refuse_with_times(capacity_rules.reasons_not_to_book(requested.facts, now), drive, visit_types, around, now)
    self_reported.refuse_too_close_to_self_reported(person.self_reported, drive, visit, around or drive.starts_at, now)
    registration.save_registrations(registrations)
    if person.self_reported:
        self_reported.save_self_reported(
            person.self_reported, drive=drive, actor="donor", now=now, registration=details
        )
    uncounted = create.write_bookings(
        drive,
        requested,
        visit_types,
        now,
        state=BookingState.HELD,
        source=source,
        registrations=registrations,
        share_link_id=_find_share_link_id(drive, share_code),
    )
    holds = build_hold_limits(drive, requested.steps, len(registrations), ip, now, now + rules.HOLD_FOR)
    send_first_code(uncounted.bookings[0], details, bound_to, browser_token, ip, now, holds)
    if on_held:
        on_held(uncounted.bookings)
    return create.apply_counters(uncounted, now)


def build_registrations(
    drive: Drive, person: Person, companions: Sequence[Companion], *, source: str, ip: str | None, now: datetime
) -> list[Registration]:
    if len(companions) >= domain_rules.MAX_PARTY_SIZE:
        raise ValidationError({"people": ValidationError(_("You can book for up to six people."), code="people_count")})
    details = registration.build_registration(
        organization=drive.organization, **person.registration_fields(), source=source, ip=ip, now=now
    )
    names = [companion.name for companion in companions]
    return [details, *registration.build_companion_registrations(details, names)]


def _find_share_link_id(drive: Drive, code: str) -> int | None:
    if not code:
        return None  # skip the query
    return ShareLink.objects.filter(drive=drive, code=code).values_list("pk", flat=True).first()


hold_bookings = transaction.atomic(hold_in_transaction)


@transaction.atomic
def extend_hold(*, booking_id: int, ip: str | None, browser_token: str, now: datetime) -> Booking:
    """Extend the holds of a booking and its party by 15 minutes, once. Later calls change nothing.

    Raises HoldLapsed. Raises RateLimitExceeded if the network would hold too many spots without a code. Locks:
    bookings.
    """
    party = locks.lock_party(Booking.objects.get(pk=booking_id))
    requested = next(booking for booking in party if booking.pk == booking_id)
    requested.refuse_lapsed(now)
    extended = [booking for booking in party if booking.is_held(now) and not booking.is_extended]
    if not extended:
        return requested
    until = max(booking.held_until for booking in extended if booking.held_until) + rules.HOLD_FOR
    for booking in extended:
        booking.extend(until)
    Booking.objects.bulk_update(extended, ["held_until", "is_extended"])
    identity, drive = requested.get_registration(now).identity, requested.drive
    if not volunteers_queries.is_browser_verified(browser_token, identity, now):
        last = until - timedelta(microseconds=1)  # the hold already counts in the windows before this one
        limits.spend_limits(
            limits=build_hold_limits(drive, drive.slots.count(), len(extended), ip, last, until), now=now
        )
    return requested


def lapse_holds(*, now: datetime, limit: int = 500) -> int:
    """Lapse the overdue holds of up to `limit` drives. Return the number of drives where a spot opened.

    A spot that becomes reserved for the waitlist does not count as open. Locks: bookings, slots.
    """
    drives = Booking.objects.overdue(now).order_by("drive").values("drive").distinct()
    drive_ids = drives.values_list("drive", flat=True)[:limit]
    return sweeps.run_each("lapse_holds", drive_ids, lambda pk: _lapse_holds_of_drive(pk, now), now=now)


@transaction.atomic
def _lapse_holds_of_drive(drive_id: int, now: datetime) -> bool:
    locks.lock_drive_shared(drive_id)
    freed = create.lapse_overdue_holds(drive_id, now)
    counters.change_counters(drive_id=drive_id, deltas=freed)
    return bool(freed)


def build_hold_limits(
    drive: Drive, steps: int, count: int, ip: str | None, since: datetime, until: datetime
) -> list[Limit]:
    spots = visit_length.estimate_spots(drive, steps)
    return verification.build_hold_limits(drive_id=drive.pk, spots=spots, count=count, ip=ip, since=since, until=until)


def send_first_code(
    booking: Booking,
    details: Registration,
    bound_to: str,
    browser_token: str,
    ip: str | None,
    now: datetime,
    holds: Sequence[Limit],
) -> None:
    verification.send_code(
        typed=details,
        bound_to=bound_to or linked_model.hash_token(booking.token),
        browser=browser_token,
        about=booking.about,
        ip=ip,
        now=now,
        holds=holds,
    )
