"""Create the bookings and outcomes of one demo drive."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from drives.attendance import check_in, close_out
from drives.booking import book_for_donor, changes, hold, verify
from drives.booking.hold import Person
from drives.capacity import visit_length
from drives.checklist import drive_tasks
from drives.domain import grid
from drives.domain.waitlist_matching import ANY_TIME, ArrivalWindow
from drives.management.demo.foundation import DemoOrganization
from drives.management.demo.people import DemoDonor
from drives.management.demo.timeline import Event
from drives.models import Booking, BookingState, CancelledBy, ChecklistItem, Drive, Slot, Source, Visit
from drives.planning import lifecycle
from drives.sharing import links
from drives.waitlist import entries
from notifications import kinds
from notifications.models import Message
from organizations.models import Organization
from organizations.translated_text import TranslatedString
from volunteers import registration

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# The Red Cross expects 40 donations from 60 bookings.
OUTCOMES = (
    *("donated", "donated", "no_show", "donated", "deferred", "donated", "donated", "cancelled", "donated", "donated"),
    *("donated", "no_show", "donated", "donated", "incomplete", "donated", "no_show", "donated", "donated", "late"),
    *("donated", "donated", "left", "donated", "donated", "no_show", "donated", "deferred", "donated", "donated"),
)
STARTED_DONATION = {"donated", "incomplete"}
ARRIVED = STARTED_DONATION | {"deferred", "left"}


@dataclass
class Guest:
    donor: DemoDonor
    visit: str
    outcome: str
    n: int  # number of the arrival step
    booked_at: datetime
    drive: Drive
    booking_id: int = 0


@dataclass(frozen=True)
class Day:
    """A drive to plan, with its donors. `seed` makes all random choices repeatable."""

    seed: str
    demo_organization: DemoOrganization
    plan: Drive  # unsaved
    guests: Sequence[DemoDonor]
    walk_ins: Sequence[DemoDonor] = field(default_factory=tuple)
    waiting: Sequence[DemoDonor] = field(default_factory=tuple)  # donors who join the waitlist of the full drive
    completed: bool = False
    done_tasks: Sequence[str] = ("confirmed", "room", "posters", "helpers", "site", "roster", "signs")
    recruiter: str = "Dana"  # name on the recruiter's link
    own_task: TranslatedString = field(default_factory=TranslatedString)


def build_events(day: Day, now: datetime) -> Iterator[Event]:
    steps = grid.build_steps(day.plan.grid)
    booking_ends = min(now, steps[0].starts_at - DAY)
    opened_at = booking_ends - 15 * DAY
    drive = lifecycle.create_drive(drive=day.plan, actor=day.demo_organization.coordinator, now=opened_at - HOUR)
    lifecycle.publish_drive(drive_id=drive.pk, actor=day.demo_organization.coordinator, now=opened_at)
    drive = Drive.objects.select_related("organization", "site", "policy").get(pk=drive.pk)
    chance = random.Random(day.seed)
    for position, guest in enumerate(_assign_times(day, drive, steps, chance, booking_ends)):
        yield from _build_donor_events(guest, position, day.demo_organization, chance)
    for position, donor in enumerate(day.waiting):
        yield _build_waitlist_event(donor, position, drive, booking_ends - timedelta(minutes=50 - 10 * position))
    for position, donor in enumerate(day.walk_ins):
        yield from _build_walk_in_events(
            donor, drive, drive.starts_at + (2 * position + 1) * HOUR, day.demo_organization.helper
        )
    yield from _build_checklist_events(drive, day, opened_at)
    yield from _build_close_out_events(drive, day)


def _assign_times(
    day: Day, drive: Drive, steps: Sequence[grid.Step], chance: random.Random, booking_ends: datetime
) -> Iterator[Guest]:
    """Give each donor a random slot that fits the visit. Skip donors for whom no slot fits."""
    screening, chairs = [step.screening_limit for step in steps], [step.chairs_limit for step in steps]
    for position, donor in enumerate(day.guests):
        visit = Visit.FIRST if donor.number % 4 == 0 else Visit.RETURN
        shape = visit_length.compute_visit_shape(drive, visit)
        left = grid.count_spots_by_arrival(screening, chairs, shape)
        free = [n for n, places in enumerate(left) if places]
        if not free:
            continue
        n = chance.choice(free)
        for step, (screened, seated) in grid.compute_deltas(grid.compute_footprint(n, shape)).items():
            screening[step] -= screened
            chairs[step] -= seated
        booked_at = booking_ends - timedelta(minutes=chance.randrange(60, 14 * 24 * 60))
        yield Guest(donor, visit, OUTCOMES[position % len(OUTCOMES)], n, booked_at, drive)


def _build_donor_events(
    guest: Guest, position: int, demo_organization: DemoOrganization, chance: random.Random
) -> Iterator[Event]:
    due_at = guest.drive.starts_at + guest.n * timedelta(minutes=guest.drive.step_minutes)
    yield from _build_booking_events(guest, position, demo_organization)
    if guest.outcome == "cancelled":
        yield _build_cancellation_event(guest, guest.booked_at + (due_at - guest.booked_at) / 3)
    elif guest.outcome == "late":
        yield _build_cancellation_event(guest, due_at - 5 * HOUR)
    elif position % 3 != 1 and due_at - guest.booked_at > 2 * DAY:
        yield Event(
            due_at - DAY + timedelta(minutes=chance.randrange(10, 300)),
            lambda now: changes.confirm_bookings(booking_ids=[guest.booking_id], actor="donor", now=now),
        )
    if guest.outcome in ARRIVED:
        came_at = due_at + timedelta(minutes=chance.randrange(-10, 9))
        yield from _build_visit_events(guest, came_at, demo_organization.helper)


def _build_booking_events(guest: Guest, position: int, demo_organization: DemoOrganization) -> Iterator[Event]:
    """Yield the events of a booking.

    Two out of three donors book online and verify a minute later. The others book by phone.
    """
    if position % 3 == 2:
        yield Event(
            guest.booked_at, lambda now: _book_by_phone(guest, demo_organization.coordinator, now), sends_messages=True
        )
        return
    yield Event(guest.booked_at, lambda now: _hold_slot(guest, now))
    yield Event(guest.booked_at + timedelta(minutes=1), lambda now: _verify_hold(guest, now), sends_messages=True)


def _build_visit_events(guest: Guest, came_at: datetime, helper: str) -> Iterator[Event]:
    drive, minutes = guest.drive, timedelta(minutes=guest.drive.step_minutes)
    shape = visit_length.compute_visit_shape(drive, guest.visit)
    length = shape.steps if guest.outcome in STARTED_DONATION else shape.screening_steps
    yield Event(came_at, lambda now: check_in.check_in_donor(booking_id=guest.booking_id, actor=helper, now=now))
    yield Event(
        came_at + length * minutes,
        lambda now: check_in.record_outcome(booking_id=guest.booking_id, outcome=guest.outcome, actor=helper, now=now),
    )


def _build_walk_in_events(donor: DemoDonor, drive: Drive, came_at: datetime, helper: str) -> Iterator[Event]:
    arrived: list[Booking] = []
    yield Event(
        came_at,
        lambda now: arrived.append(
            check_in.add_walk_in(
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


def _build_checklist_events(drive: Drive, day: Day, opened_at: datetime) -> Iterator[Event]:
    """Yield events in which the coordinator prepares the drive, and then checks off one task a day."""
    coordinator = day.demo_organization.coordinator
    if day.recruiter:
        yield Event(
            opened_at + HOUR,
            lambda now: links.create_link(drive=drive, name=day.recruiter, actor=coordinator, now=now),
        )
    if day.own_task:
        item = ChecklistItem(organization=drive.organization, title=day.own_task, days=2)
        yield Event(
            opened_at + HOUR,
            lambda now: drive_tasks.add_own_task(drive=drive, item=item, actor=coordinator, now=now),
        )
    for number, code in enumerate(day.done_tasks, start=1):
        yield Event(opened_at + number * DAY, partial(_check_off_task, drive, code, coordinator))


def _check_off_task(drive: Drive, code: str, coordinator: str, now: datetime) -> None:
    drive_tasks.check_off_task(drive=drive, code=code, actor=coordinator, now=now)


def _build_close_out_events(drive: Drive, day: Day) -> Iterator[Event]:
    over_at = drive.close_out_at + timedelta(minutes=1)
    yield Event(over_at, lambda now: close_out.close_out_drive(drive_id=drive.pk, now=now), sends_messages=True)
    if day.completed:
        coordinator = day.demo_organization.coordinator
        yield Event(
            over_at + 15 * HOUR, lambda now: close_out.complete_drive(drive_id=drive.pk, actor=coordinator, now=now)
        )


def _build_waitlist_event(donor: DemoDonor, position: int, drive: Drive, at: datetime) -> Event:
    return Event(at, lambda now: _join_waitlist(donor, position, drive, now), sends_messages=True)


def _build_cancellation_event(guest: Guest, at: datetime) -> Event:
    return Event(
        at,
        lambda now: changes.cancel_bookings(
            booking_id=guest.booking_id, actor="donor", cancelled_by=CancelledBy.DONOR, now=now
        ),
        sends_messages=True,
    )


def register_donor(donor: DemoDonor, organization: Organization, coordinator: str, now: datetime) -> None:
    registration.enter_volunteer(
        organization=organization,
        name=donor.name,
        phone=donor.phone,
        email=donor.email,
        language=donor.language,
        consents=donor.consents,
        actor=coordinator,
        now=now,
    )


def _build_person(donor: DemoDonor, drive: Drive) -> Person:
    self_check = tuple(drive.policy.self_check)
    return Person(donor.name, donor.phone, donor.email, donor.language, donor.consents, self_check)


def _hold_slot(guest: Guest, now: datetime) -> None:
    [held] = hold.hold_bookings(
        drive=guest.drive,
        slot_id=_get_slot_id(guest),
        visit=guest.visit,
        person=_build_person(guest.donor, guest.drive),
        source=Source.ONLINE,
        ip="192.0.2.1",
        bound_to=f"demo-{guest.donor.number}",
        now=now,
    )
    guest.booking_id = held.pk


def _verify_hold(guest: Guest, now: datetime) -> None:
    if code := _read_code(f"booking:{guest.booking_id}"):
        verify.verify_booking(booking_id=guest.booking_id, code=code, bound_to=f"demo-{guest.donor.number}", now=now)


def _join_waitlist(donor: DemoDonor, position: int, drive: Drive, now: datetime) -> None:
    window, browser = ArrivalWindow(None, drive.starts_at + HOUR) if position % 2 else ANY_TIME, f"demo-{donor.number}"
    entry = entries.join_waitlist(
        drive=drive,
        waitlist_request=entries.WaitlistRequest(Visit.RETURN, window),
        person=_build_person(donor, drive),
        ip="192.0.2.1",
        bound_to=browser,
        now=now,
    )
    entries.verify_entry(entry_id=entry.pk, code=_read_code(entry.about), bound_to=browser, now=now)


def _read_code(about: str) -> str:
    sent = Message.objects.filter(about=about, kind=kinds.CODE.name).order_by("-pk").first()
    return sent.text[:6] if sent else ""


def _book_by_phone(guest: Guest, coordinator: str, now: datetime) -> None:
    register_donor(guest.donor, guest.drive.organization, coordinator, now)
    booking = book_for_donor.create_booking_for_donor(
        drive=guest.drive,
        slot_id=_get_slot_id(guest),
        visit=guest.visit,
        person=_build_person(guest.donor, guest.drive),
        actor=coordinator,
        now=now,
    )
    guest.booking_id = booking.pk


def _get_slot_id(guest: Guest) -> int:
    return Slot.objects.values_list("pk", flat=True).get(drive=guest.drive, n=guest.n)
