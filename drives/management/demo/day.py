"""One drive of the demo: who comes, when they booked, what becomes of them."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from drives.attendance import check_in, close_out
from drives.booking import book_for_donor, changes, hold, verify
from drives.booking.hold import Person
from drives.capacity import visits
from drives.domain import grid
from drives.domain.matching import ANY_TIME, Window
from drives.management.demo.foundation import Home
from drives.management.demo.people import Donor
from drives.management.demo.timeline import Event
from drives.models import Booking, BookingState, CancelledBy, Drive, Slot, Source, Visit
from drives.planning import drives
from drives.waitlist import entries
from notifications import kinds
from notifications.models import Message
from organizations.models import Organization
from volunteers import registration

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# Sixty who book give forty donations; the rest as it goes.
FATES = (
    *("donated", "donated", "no_show", "donated", "deferred", "donated", "donated", "cancelled", "donated", "donated"),
    *("donated", "no_show", "donated", "donated", "incomplete", "donated", "no_show", "donated", "donated", "late"),
    *("donated", "donated", "left", "donated", "donated", "no_show", "donated", "deferred", "donated", "donated"),
)
NEEDLE = {"donated", "incomplete"}
CAME = NEEDLE | {"deferred", "left"}


@dataclass
class Guest:
    """Somebody with a booking, once it is made."""

    donor: Donor
    visit: str
    fate: str
    n: int  # the step of arrival
    booked_at: datetime
    drive: Drive
    booking_id: int = 0


@dataclass(frozen=True)
class Day:
    """A drive to be planned, with those who book and those who walk in. `seed` decides all that looks like chance."""

    seed: str
    home: Home
    plan: Drive  # unsaved
    guests: Sequence[Donor]
    walk_ins: Sequence[Donor] = field(default_factory=tuple)
    waiting: Sequence[Donor] = field(default_factory=tuple)  # once the day is full
    completed: bool = False


def events(day: Day, now: datetime) -> Iterator[Event]:
    """Plan and publish the drive; then everything that happens around it, past and to come."""
    steps = grid.steps(day.plan.grid)
    booking_ends = min(now, steps[0].starts_at - DAY)
    opened_at = booking_ends - 15 * DAY
    drive = drives.create_drive(drive=day.plan, actor=day.home.planner, now=opened_at - HOUR)
    drives.publish(drive_id=drive.pk, actor=day.home.planner, now=opened_at)
    drive = Drive.objects.select_related("organization", "site", "policy").get(pk=drive.pk)
    chance = random.Random(day.seed)
    for position, guest in enumerate(_guests(day, drive, steps, chance, booking_ends)):
        yield from _life(guest, position, day.home, chance)
    for position, donor in enumerate(day.waiting):
        yield _waiting(donor, position, drive, booking_ends - timedelta(minutes=50 - 10 * position))
    for position, donor in enumerate(day.walk_ins):
        yield from _walk_in(donor, drive, drive.starts_at + (2 * position + 1) * HOUR, day.home.helper)
    yield from _end(drive, day)


def _guests(
    day: Day, drive: Drive, steps: Sequence[grid.Step], chance: random.Random, booking_ends: datetime
) -> Iterator[Guest]:
    """Give each the first time of a shuffled day at which their visit fits; who does not fit stays at home."""
    screening, chairs = [step.screening_limit for step in steps], [step.chairs_limit for step in steps]
    for position, donor in enumerate(day.guests):
        visit = Visit.FIRST if donor.number % 4 == 0 else Visit.RETURN
        shape = visits.visit_shape(drive, visit)
        left = grid.places_by_arrival(screening, chairs, shape)
        free = [n for n, places in enumerate(left) if places]
        if not free:
            continue
        n = chance.choice(free)
        for step, (screened, seated) in grid.deltas(grid.footprint(n, shape)).items():
            screening[step] -= screened
            chairs[step] -= seated
        booked_at = booking_ends - timedelta(minutes=chance.randrange(60, 14 * 24 * 60))
        yield Guest(donor, visit, FATES[position % len(FATES)], n, booked_at, drive)


def _life(guest: Guest, position: int, home: Home, chance: random.Random) -> Iterator[Event]:
    """From the booking to what became of it."""
    due_at = guest.drive.starts_at + guest.n * timedelta(minutes=guest.drive.step_minutes)
    yield from _booking(guest, position, home)
    if guest.fate == "cancelled":
        yield _cancelling(guest, guest.booked_at + (due_at - guest.booked_at) / 3)
    elif guest.fate == "late":
        yield _cancelling(guest, due_at - 5 * HOUR)
    elif position % 3 != 1 and due_at - guest.booked_at > 2 * DAY:
        yield Event(
            due_at - DAY + timedelta(minutes=chance.randrange(10, 300)),
            lambda now: changes.confirm(booking_id=guest.booking_id, actor="donor", now=now),
        )
    if guest.fate in CAME:
        came_at = due_at + timedelta(minutes=chance.randrange(-10, 9))
        yield from _visit(guest, came_at, home.helper)


def _booking(guest: Guest, position: int, home: Home) -> Iterator[Event]:
    """Two of three book online and type the code a minute later, the third calls."""
    if position % 3 == 2:
        yield Event(guest.booked_at, lambda now: _by_phone(guest, home.planner, now), tells=True)
        return
    yield Event(guest.booked_at, lambda now: _hold(guest, now))
    yield Event(guest.booked_at + timedelta(minutes=1), lambda now: _prove(guest, now), tells=True)


def _visit(guest: Guest, came_at: datetime, helper: str) -> Iterator[Event]:
    drive, minutes = guest.drive, timedelta(minutes=guest.drive.step_minutes)
    shape = visits.visit_shape(drive, guest.visit)
    length = shape.steps if guest.fate in NEEDLE else shape.screening_steps
    yield Event(came_at, lambda now: check_in.check_in(booking_id=guest.booking_id, actor=helper, now=now))
    yield Event(
        came_at + length * minutes,
        lambda now: check_in.record_outcome(booking_id=guest.booking_id, outcome=guest.fate, actor=helper, now=now),
    )


def _walk_in(donor: Donor, drive: Drive, came_at: datetime, helper: str) -> Iterator[Event]:
    arrived: list[Booking] = []
    yield Event(
        came_at,
        lambda now: arrived.append(
            check_in.walk_in(
                drive=drive,
                name=donor.name,
                phone=donor.phone,
                email=donor.email,
                visit=Visit.RETURN,
                actor=helper,
                now=now,
            )
        ),
    )
    yield Event(
        came_at + 75 * timedelta(minutes=1),
        lambda now: (
            check_in.record_outcome(booking_id=arrived[0].pk, outcome=BookingState.DONATED, actor=helper, now=now)
            if arrived
            else None
        ),
    )


def _end(drive: Drive, day: Day) -> Iterator[Event]:
    over_at = drive.ends_at + timedelta(minutes=drive.grace_minutes + 1)
    yield Event(over_at, lambda now: close_out.close_out(drive_id=drive.pk, now=now), tells=True)
    if day.completed:
        finish = day.home.planner
        yield Event(over_at + 15 * HOUR, lambda now: close_out.complete(drive_id=drive.pk, actor=finish, now=now))


def _waiting(donor: Donor, position: int, drive: Drive, at: datetime) -> Event:
    return Event(at, lambda now: _wait(donor, position, drive, now), tells=True)


def _cancelling(guest: Guest, at: datetime) -> Event:
    return Event(
        at,
        lambda now: changes.cancel_bookings(booking_id=guest.booking_id, actor="donor", by=CancelledBy.DONOR, now=now),
        tells=True,
    )


def register(donor: Donor, organization: Organization, planner: str, now: datetime) -> None:
    """Enter somebody as a coordinator does who has them on the phone."""
    registration.enter(
        organization=organization,
        name=donor.name,
        phone=donor.phone,
        email=donor.email,
        language=donor.language,
        consents=donor.consents,
        actor=planner,
        now=now,
    )


def _person(donor: Donor, drive: Drive) -> Person:
    confirms = tuple(drive.policy.confirms)
    return Person(donor.name, donor.phone, donor.email, donor.language, donor.consents, confirms)


def _hold(guest: Guest, now: datetime) -> None:
    [held] = hold.hold_bookings(
        drive=guest.drive,
        slot_id=_slot_id(guest),
        visit=guest.visit,
        person=_person(guest.donor, guest.drive),
        source=Source.ONLINE,
        ip="192.0.2.1",
        bound_to=f"demo-{guest.donor.number}",
        now=now,
    )
    guest.booking_id = held.pk


def _prove(guest: Guest, now: datetime) -> None:
    if code := _code(f"booking:{guest.booking_id}"):
        verify.prove(booking_id=guest.booking_id, code=code, bound_to=f"demo-{guest.donor.number}", now=now)


def _wait(donor: Donor, position: int, drive: Drive, now: datetime) -> None:
    """Every other one can only come in the first hour."""
    window, browser = Window(None, drive.starts_at + HOUR) if position % 2 else ANY_TIME, f"demo-{donor.number}"
    asked = entries.join(
        drive=drive,
        wish=entries.Wish(Visit.RETURN, window),
        person=_person(donor, drive),
        ip="192.0.2.1",
        bound_to=browser,
        now=now,
    )
    entries.prove(entry_id=asked.pk, code=_code(asked.about), bound_to=browser, now=now)


def _code(about: str) -> str:
    sent = Message.objects.filter(about=about, kind=kinds.CODE.name).order_by("-pk").first()
    return sent.text[:6] if sent else ""


def _by_phone(guest: Guest, planner: str, now: datetime) -> None:
    """They say on the phone what they agree to."""
    register(guest.donor, guest.drive.organization, planner, now)
    entered = book_for_donor.book_for_donor(
        drive=guest.drive,
        slot_id=_slot_id(guest),
        visit=guest.visit,
        person=_person(guest.donor, guest.drive),
        actor=planner,
        now=now,
    )
    guest.booking_id = entered.pk


def _slot_id(guest: Guest) -> int:
    return Slot.objects.values_list("pk", flat=True).get(drive=guest.drive, n=guest.n)
