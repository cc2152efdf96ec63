"""Hold a slot for fifteen minutes and send the code that verifies the contact."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from drives.booking import create
from drives.capacity import counters, facts, locks, visits
from drives.domain.intervals import Stated
from drives.eligibility import self_reported
from drives.models import Booking, BookingState, Drive, Source
from organizations.models import Organization, linked
from volunteers import registration, verification
from volunteers.models import Registration


@dataclass(frozen=True)
class Person:
    """What somebody typed about themselves. Not yet normalized, not believed until the contact is proved."""

    name: str
    phone: str = ""
    email: str = ""
    language: str = "en"
    consents: Sequence[str] = field(default_factory=tuple)
    confirms: Sequence[str] = field(default_factory=tuple)
    stated: Stated | None = None  # a last donation elsewhere
    for_other: bool = False  # "I book for another person"

    def said(self) -> dict[str, Any]:
        """What the organization may keep of it, for `volunteers.registration`."""
        names = ("name", "phone", "email", "language", "consents")
        return {name: getattr(self, name) for name in names}

    def typed(self) -> dict[str, Any]:
        """The same with what only they can say, for who is yet to prove the contact."""
        return {**self.said(), "confirms": self.confirms, "for_other": self.for_other}


def hold_within(
    *,
    drive: Drive,
    slot_id: int,
    visit: str,
    person: Person,
    source: Source = Source.ONLINE,
    ip: str | None,
    now: datetime,
    bound_to: str = "",
    browser_token: str = "",
    beside: Callable[[Booking], None] | None = None,
) -> Booking:
    """Keep a place for fifteen minutes and send the code that proves the contact; inside a transaction of the caller's.

    The code counts for whoever holds `bound_to`; without it, for whoever holds the booking's own token. What `beside`
    writes about the booking is written before the counters, which stay locked until the transaction ends.
    A browser that proved this contact before gets no code. The answer does not depend on the person's history.
    Refuses (`Refusal`) a drive that takes no bookings, a time that is closed, past, of another drive, full or too close
    to what is stated, and a third live hold of one contact; malformed details are a ValidationError by field.
    Locks: identity, drive (shared), slots.
    """
    details = registration.cleaned(organization=drive.organization, **person.typed(), source=source, ip=ip, now=now)
    self_reported.refuse_impossible(person.stated, drive, now)
    locks.identities_then_drive([details.identity], drive.pk)
    found = facts.place_facts(
        drive_id=drive.pk, slot_id=slot_id, identity=details.identity, shape=visits.visit_shape(drive, visit), now=now
    )
    create.refuse_unless_possible(found.facts, drive, visit, now)
    self_reported.refuse_too_close(person.stated, drive, visit, found.facts.slot_starts_at or drive.starts_at, now)
    registration.keep(details)
    self_reported.keep(person.stated, drive=drive, actor="donor", now=now, registration=details)
    taken = create.write(drive, found, visit, now, state=BookingState.HELD, source=source, registration=details)
    send_first_code(taken.booking, details, bound_to, browser_token, ip, now)
    if beside:
        beside(taken.booking)
    return create.count(taken, now)


hold = transaction.atomic(hold_within)


@transaction.atomic
def lapse_holds(*, now: datetime, limit: int = 500) -> int:
    """Free the places of holds whose fifteen minutes are over. Locks: bookings, slots, drive by drive.

    Returns at how many drives a place is open again: one that is kept for who waits is not.
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
    """Send the code of a new hold, unless the browser proved the contact before. Part of its caller."""
    verification.send_code(
        typed=details,
        bound_to=bound_to or linked.token_digest(booking.token),
        browser=browser_token,
        about=booking.about,
        ip=ip,
        now=now,
    )


def drive_of(organization: Organization, drive_id: int) -> Drive:
    """The organization's drive with all that booking needs. Raises Drive.DoesNotExist."""
    return Drive.objects.of(organization).select_related("organization", "site", "policy").get(pk=drive_id)
