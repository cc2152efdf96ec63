"""Builders for tests: Ana (donor), Ben (coordinator), Cleo (another organization)."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any

from django.db import transaction
from django.utils import timezone

from drives.attendance import check_in
from drives.booking import changes as booking_changes
from drives.booking import hold, verify
from drives.booking.hold import Companion, Person
from drives.domain.waitlist_matching import ANY_TIME, ArrivalWindow
from drives.models import Booking, CancelledBy, Drive, Offer, Policy, Site, Slot, Visit, WaitlistEntry
from drives.planning import lifecycle
from drives.waitlist import entries
from drives.waitlist.entries import WaitlistRequest
from notifications import consents
from notifications.models import Message, Sender
from organizations.models import Membership, Organization, Role, User
from volunteers import browsers
from volunteers import rules as volunteers_rules
from volunteers.models import Contact

NOW = datetime(2027, 3, 1, 18, 0, tzinfo=UTC)  # a Monday morning in Los Angeles
DRIVE_DAY = date(2027, 3, 13)  # a Saturday, the day before the clocks go forward
CHAIRS = {
    "chairs": 4,
    "screening_stations": 4,
    "first_screening_steps": 3,
    "first_chair_steps": 3,
    "return_screening_steps": 1,
    "return_chair_steps": 3,
}
PASSWORD = "a long enough made-up password"
PARTY = (("Test Ana Alder", "return"), ("Test Bo Alder", "return"), ("Test Ida Alder", "first"))
_numbers = count(1)


def organization(name: str = "Hope Foundation", **fields: Any) -> Organization:
    number = next(_numbers)
    made = Organization.objects.create(
        **{
            "name": name,
            "slug": f"hope-{number}",
            "sms_name": "Hope Foundation",
            "email": "office@example.org",
            "created_at": NOW,
            **fields,
        }
    )
    sender(made)
    return made


def sender(of: Organization) -> Sender:
    made = Sender.objects.create(name="Texts", number=f"+1202555{next(_numbers):04}", per_minute=0, per_day=0)
    made.organizations.add(of)
    return made


def member(of: Organization, role: str = Role.OWNER, email: str = "") -> Membership:
    user = User.objects.create_user(email or f"ben{next(_numbers)}@example.org", PASSWORD)
    return Membership.objects.create(user=user, organization=of, role=role)


def policy(**fields: Any) -> Policy:
    return Policy.objects.create(
        **{
            "code": f"TEST_{next(_numbers)}",
            "name": "Test programme",
            "min_hours": 48,
            "windows": [[2, 7]],
            "first_minutes": 120,
            "return_minutes": 75,
            "first_screening_minutes": 45,
            "return_screening_minutes": 15,
            "chair_minutes": 45,
            "source": "made up for tests",
            **fields,
        }
    )


def lax() -> Policy:
    """Create a policy without intervals. A donor may then book two drives close together."""
    return policy(min_hours=None, windows=[])


def site(of: Organization, timezone: str = "America/Los_Angeles", **fields: Any) -> Site:
    made = {
        "name": "St Mary Hall",
        "sms_name": "St Mary Hall",
        "address": "12 Oak St",
        "city": "Los Angeles",
        "region": "CA",
        "postal_code": "90001",
    }
    return Site.objects.create(organization=of, timezone=timezone, **{**made, **fields})


def posted_plan(of: Organization, **changes: Any) -> dict[str, Any]:
    """Create a site and a policy. Return a plan with them in the API's format: 9:00 to 15:00 on DRIVE_DAY."""
    return {
        "site": str(site(of).pk),
        "policy": str(policy().pk),
        "title": "Plasma drive",
        "day": DRIVE_DAY.isoformat(),
        "opens": "09:00",
        "closes": "15:00",
        **CHAIRS,
        **changes,
    }


def plan(at: Site, **changes: Any) -> Drive:
    """Build an unsaved drive from 9:00 to 15:00 in steps of 15 minutes.

    A first visit takes 3 + 3 steps (screening and chair), a return visit 1 + 3.
    """
    planned: dict[str, Any] = {
        "organization": at.organization,
        "site": at,
        "title": "Plasma drive",
        "day": DRIVE_DAY,
        "opens": time(9),
        "closes": time(15),
        **CHAIRS,
        **changes,
    }
    if not {"policy", "policy_id"} & set(planned):
        planned["policy"] = policy()
    return Drive(**planned)


def replanned(drive: Drive, **changes: Any) -> Drive:
    """Return the saved drive with unsaved changes."""
    again = Drive.objects.get(pk=drive.pk)
    for name, value in changes.items():
        setattr(again, name, value)
    return again


def plain(at: Site, *, spots: int, steps: int = 4, **changes: Any) -> Drive:
    """Build an unsaved drive without screening.

    A visit takes one step in a chair, and every step has `spots` spots.
    """
    closes = (datetime.combine(DRIVE_DAY, time(9)) + timedelta(minutes=15 * steps)).time()
    shape = {
        "first_screening_steps": 0,
        "first_chair_steps": 1,
        "return_screening_steps": 0,
        "return_chair_steps": 1,
        "screening_stations": 0,
    }
    return plan(at, chairs=spots, closes=closes, **{**shape, **changes})


def drive(
    of: Organization | None = None,
    planned: Drive | None = None,
    *,
    published: bool = True,
    now: datetime = NOW,
    **changes: Any,
) -> Drive:
    owner = of or organization()
    planned = planned or plan(site(owner), **changes)
    planned.organization = owner
    made = lifecycle.create_drive(drive=planned, actor="user:1", now=now)
    if published:
        lifecycle.publish_drive(drive_id=made.pk, actor="user:1", now=now)
    return Drive.objects.select_related("organization", "site", "policy").get(pk=made.pk)


def coming_drive(*, of: Organization | None = None, shape: Callable[..., Drive] = plan, **changes: Any) -> Drive:
    """Create a drive twelve days from the real time.

    Tests that start the service's programs need such a drive, because a program reads the real clock.
    """
    present, owner = timezone.now(), of or organization()
    return drive(owner, shape(site(owner), day=present.date() + timedelta(days=12), **changes), now=present)


def slot(of: Drive, n: int = 0) -> Slot:
    return Slot.objects.get(drive=of, n=n)


def phone(number: int) -> str:
    """Return a phone number in the fictional range +1 xxx 555 01xx."""
    area = 201 + number // 100
    return f"+1{area}55501{number % 100:02}"


def person(number: int = 42, **changes: Any) -> Person:
    return Person(**{"name": "Test Ana Alder", "phone": phone(number), "consents": ("reminders",), **changes})


def held(
    of: Drive,
    *,
    n: int = 0,
    number: int = 42,
    visit: str = Visit.RETURN,
    now: datetime = NOW,
    ip: str = "",
    **who: Any,
) -> Booking:
    [booking] = hold.hold_bookings(
        drive=of,
        slot_id=slot(of, n).pk,
        visit=visit,
        person=person(number, **who),
        ip=ip or f"192.0.2.{number % 250}",
        bound_to=f"browser-{number}",
        now=now,
    )
    return booking


def code_of(asked: Booking | WaitlistEntry) -> str:
    """Return the newest code sent for a hold or a waitlist entry."""
    sent = Message.objects.filter(about=asked.about, kind="code").order_by("-pk")[0]
    return next(word for word in sent.text.replace("#", " ").split() if word.isdigit() and len(word) == 6)


def verified(booking: Booking, *, number: int = 42, now: datetime = NOW) -> Booking:
    return verify.verify_booking(booking_id=booking.pk, code=code_of(booking), bound_to=f"browser-{number}", now=now)


def booked(
    of: Drive, *, n: int = 0, number: int = 42, visit: str = Visit.RETURN, now: datetime = NOW, **who: Any
) -> Booking:
    """Create a verified booking."""
    return verified(held(of, n=n, number=number, visit=visit, now=now, **who), number=number, now=now)


def gave(
    of: Drive, *, n: int = 0, number: int = 42, outcome: str = "donated", booked_at: datetime = NOW, **who: Any
) -> Booking:
    """Create a booking, check the donor in at its start, and record the outcome an hour later."""
    booking = booked(of, n=n, number=number, now=booked_at, **who)
    came = booking.starts_at
    check_in.check_in_donor(booking_id=booking.pk, actor="user:1", now=came)
    return check_in.record_outcome(
        booking_id=booking.pk, outcome=outcome, actor="user:1", now=came + timedelta(hours=1)
    )


def agreed(of: Organization, address: str, *purposes: str, given: bool = True, now: datetime = NOW) -> None:
    """Record consent, or with `given=False` an opt-out. The default purpose is reminders."""
    consents.record_consents(
        organization=of,
        address=address,
        purposes=list(purposes) or ["reminders"],
        given=given,
        wording_version="test",
        wording="made up",
        source="page",
        actor="donor",
        ip=None,
        now=now,
    )


def full_drive(*, spots: int = 1, steps: int = 4, of: Organization | None = None, **changes: Any) -> list[Booking]:
    """Create a plain drive, and book every spot. Return the bookings.

    The donors have the numbers 1, 2, 3 and so on, in order of time.
    """
    owner = of or organization(codes_per_day=100_000)
    made = drive(owner, plain(site(owner), spots=spots, steps=steps, **changes))
    return [booked(made, n=n, number=1 + n * spots + spot) for n in range(steps) for spot in range(spots)]


def asked_to_wait(
    at: Drive,
    *,
    number: int = 42,
    visit: str = Visit.RETURN,
    window: ArrivalWindow = ANY_TIME,
    now: datetime = NOW,
    **who: Any,
) -> WaitlistEntry:
    """Create an unverified waitlist entry."""
    return entries.join_waitlist(
        drive=at,
        waitlist_request=WaitlistRequest(visit, window),
        person=person(number, **who),
        ip=f"192.0.2.{number % 250}",
        bound_to=f"browser-{number}",
        now=now,
    )


def waits(at: Drive, *, number: int = 42, now: datetime = NOW, **asking: Any) -> WaitlistEntry:
    """Create a verified waitlist entry."""
    asked = asked_to_wait(at, number=number, now=now, **asking)
    return entries.verify_entry(entry_id=asked.pk, code=code_of(asked), bound_to=f"browser-{number}", now=now)


def cancelled(booking: Booking, now: datetime = NOW) -> Booking:
    [row] = booking_changes.cancel_bookings(
        booking_id=booking.pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=now
    )
    return row


def browser_of(*addresses: str, now: datetime = NOW) -> str:
    """Save that a browser verified these contacts. Return the browser's token."""
    token = f"browser-{next(_numbers)}".ljust(43, "x")
    for address in addresses:
        browsers.save_verified_browser(token=token, identity=volunteers_rules.compute_identity(address), now=now)
    return token


@contextmanager
def rolled_back() -> Iterator[None]:
    """Roll back what the block changes in the database.

    Each round of a loop then starts with the same rows.
    """
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def verify_mailbox(address: str, now: datetime = NOW) -> None:
    """Mark a mailbox as verified. The service sends only two e-mails about a booking to an unverified mailbox."""
    Contact.objects.filter(address=address).update(verified_at=now)


def offer_to(entry: WaitlistEntry) -> Offer | None:
    return Offer.objects.open().filter(entry=entry).first()


def held_together(
    of: Drive,
    *,
    n: int = 0,
    number: int = 42,
    people: Sequence[tuple[str, str]] = PARTY,
    now: datetime = NOW,
    **who: Any,
) -> list[Booking]:
    """Hold slots for a party. `people` has a name and visit type for each donor.

    A test that verifies the first hold books the whole party.
    """
    (name, visit), *others = people
    return hold.hold_bookings(
        drive=of,
        slot_id=slot(of, n).pk,
        visit=visit,
        person=person(number, **{"name": name, **who}),
        companions=[Companion(*other) for other in others],
        ip=f"192.0.2.{number % 250}",
        bound_to=f"browser-{number}",
        now=now,
    )


def booked_together(of: Drive, *, number: int = 42, now: datetime = NOW, **how: Any) -> list[Booking]:
    """Create a verified party."""
    party = held_together(of, number=number, now=now, **how)
    verified(party[0], number=number, now=now)
    return list(Booking.objects.filter(party=party[0].party).select_related("volunteer").order_by("pk"))
