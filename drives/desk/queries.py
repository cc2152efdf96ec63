"""The coordinator's desk: how full a drive is, whether it will reach its goal, what needs somebody."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Q

from drives.attendance import turnout
from drives.attendance.turnout import NOT_A_BOOKING
from drives.capacity import availability, visits
from drives.capacity.availability import SlotRow
from drives.domain import forecast, grid
from drives.messaging import call_list, reach
from drives.messaging import delivery as messaging_delivery
from drives.messaging.delivery import Fates
from drives.models import ACTIVE, Booking, BookingState, Drive, DriveState, Slot, Source
from drives.public import queries as public_queries
from drives.public.queries import HourFill
from drives.waitlist import queries as waitlist_queries
from drives.waitlist.queries import Waiting
from drives.web import members
from organizations.models import Organization

HALF_EMPTY_PERCENT = 50
OUT = (BookingState.CANCELLED, BookingState.NO_SHOW)


@dataclass(frozen=True)
class DriveFigures:
    """One drive in figures. `booked` leaves out who cancelled or did not come; `held` are codes still outstanding."""

    drive: Drive
    booked: int
    held: int
    left: int  # return visits that would still fit
    donated: int
    still_expected: int  # booked, confirmed or checked in
    rate: forecast.GiveRate

    @property
    def places(self) -> int:
        return self.booked + self.held + self.left

    @property
    def expected(self) -> int:
        return forecast.expected_donations(self.donated, self.still_expected, self.rate)

    @property
    def needed(self) -> int:
        """How many more bookings the goal takes; 0 without a goal."""
        return forecast.bookings_needed(self.drive.goal or 0, self.expected, self.rate)


@dataclass(frozen=True)
class Share:
    """How many bookings came one way or on one day."""

    label: str
    count: int


@dataclass(frozen=True)
class HourRow:
    """One local hour: how full its chairs are, and how many return visits may still arrive in it."""

    fill: HourFill
    room: int
    fits: bool  # on an empty day, some visit could begin in it
    is_over: bool

    @property
    def is_half_empty(self) -> bool:
        return not self.is_over and self.fill.limit > 0 and self.fill.percent < HALF_EMPTY_PERCENT


@dataclass(frozen=True)
class Desk:
    """All that the page of one drive shows above its roster."""

    figures: DriveFigures
    hours: list[HourRow]
    sources: list[Share]
    days: list[tuple[date, int]]  # bookings made by local day, newest first
    not_reached: list[Booking]  # people whom no message reached with what they need to know, and nobody has called
    delivery: Fates
    told: list[tuple[str, int]]  # of a cancelled drive: messages about that by state, in words
    unresolved: int  # checked in without an outcome after the end
    half_empty: list[HourRow]
    waiting: Waiting


@dataclass(frozen=True)
class Home:
    """The next drive, the other ones by time, and what needs somebody."""

    next: DriveFigures | None
    upcoming: list[DriveFigures]
    past: list[DriveFigures]
    not_reached: int
    replies: int  # that wait for an answer
    has_drives: bool


def desk(drive: Drive, now: datetime) -> Desk:
    """Everything above a drive's roster, in a fixed number of queries."""
    figures = _figures([drive], drive.organization)[0]
    hours = _hours(drive, now)
    made = Booking.objects.filter(drive=drive).exclude(state__in=NOT_A_BOOKING)
    rows = list(made.values_list("source", "created_at"))
    zone = drive.site.zone
    by_day = Counter(created_at.astimezone(zone).date() for _source, created_at in rows)
    by_source = Counter(source for source, _created_at in rows)
    is_ahead = drive.state in (DriveState.PUBLISHED, DriveState.CLOSED) and drive.ends_at > now
    is_cancelled = drive.state == DriveState.CANCELLED
    return Desk(
        figures=figures,
        hours=hours,
        sources=[Share(str(Source(source).label), count) for source, count in by_source.most_common()],
        days=sorted(by_day.items(), reverse=True)[:7],
        not_reached=call_list.people_to_call([drive.pk], now) if is_ahead or is_cancelled else [],
        delivery=messaging_delivery.delivery_summary(drive),
        told=reach.cancellation_progress(drive) if is_cancelled else [],
        unresolved=_unresolved(drive) if drive.ends_at <= now else 0,
        half_empty=[hour for hour in hours if hour.is_half_empty] if is_ahead else [],
        waiting=waitlist_queries.waiting_count(drive),
    )


def home(organization: Organization, now: datetime, past_limit: int = 8) -> Home:
    """An organization's drives by time with figures, and what needs somebody, in a fixed number of queries."""
    rows = Drive.objects.of(organization).select_related("site", "turnout")
    ahead = list(rows.filter(ends_at__gt=now).exclude(state=DriveState.CANCELLED).order_by("starts_at", "pk"))
    behind = Q(ends_at__lte=now) | Q(state=DriveState.CANCELLED)
    past = list(rows.filter(behind).order_by("-starts_at", "-pk")[:past_limit])
    figures = _figures([*ahead, *past], organization)
    upcoming = figures[: len(ahead)]
    following = [row for row in upcoming if row.drive.state != DriveState.DRAFT]
    return Home(
        next=following[0] if following else None,
        upcoming=upcoming,
        past=figures[len(ahead) :],
        not_reached=len(call_list.people_to_call([row.drive.pk for row in following[:1]], now)),
        replies=members.count_waiting(organization),
        has_drives=bool(figures),
    )


def _figures(drives: list[Drive], organization: Organization) -> list[DriveFigures]:
    ids = [drive.pk for drive in drives]
    slots = availability.slots_of(ids)
    states: dict[int, Counter[str]] = {drive_id: Counter() for drive_id in ids}
    counted = Booking.objects.filter(drive__in=ids).values_list("drive", "state").annotate(Count("pk"))
    for drive_id, state, count in counted.order_by("drive", "state"):
        states[drive_id][state] = count
    rate = turnout.give_rate(organization)
    return [_figures_of(drive, states[drive.pk], slots[drive.pk], rate) for drive in drives]


def _figures_of(drive: Drive, states: Counter[str], slots: list[SlotRow], rate: forecast.GiveRate) -> DriveFigures:
    shape = visits.visit_shape(drive, "return")
    return DriveFigures(
        drive=drive,
        booked=sum(count for state, count in states.items() if state not in (*NOT_A_BOOKING, *OUT)),
        held=states[BookingState.HELD],
        left=grid.greedy_fill([row[3] for row in slots], [row[4] for row in slots], shape),
        donated=states[BookingState.DONATED],
        still_expected=sum(states[state] for state in ACTIVE),
        rate=rate,
    )


def _unresolved(drive: Drive) -> int:
    return Booking.objects.filter(drive=drive, state=BookingState.CHECKED_IN).count()


def _hours(drive: Drive, now: datetime) -> list[HourRow]:
    rows = list(Slot.objects.filter(drive=drive).order_by("n"))
    arrivals: dict[datetime, list[int]] = {}
    for row in rows:
        arrivals.setdefault(row.starts_at.astimezone(drive.site.zone).replace(minute=0), []).append(row.n)
    limits = [row.screening_limit for row in rows], [row.chairs_limit for row in rows]
    free = (
        [row.screening_limit - row.screening_taken for row in rows],
        [row.chairs_limit - row.chairs_taken for row in rows],
    )
    return [
        HourRow(
            fill,
            room=_room(drive, *free, arrivals[fill.starts_at]),
            fits=_room(drive, *limits, arrivals[fill.starts_at]) > 0,
            is_over=fill.starts_at + timedelta(hours=1) <= now,
        )
        for fill in public_queries.fill_by_hour(drive)
    ]


def _room(drive: Drive, screening: list[int], chairs: list[int], arrivals: list[int]) -> int:
    """How many return visits a greedy fill would place at these arrival steps alone."""
    shape = visits.visit_shape(drive, "return")
    screening, chairs, placed = list(screening), list(chairs), 0
    for n in arrivals:
        places = grid.places_left(screening, chairs, n, shape)
        for step, (screened, seated) in grid.deltas(grid.footprint(n, shape)).items() if places else ():
            screening[step] -= places * screened
            chairs[step] -= places * seated
        placed += places
    return placed
