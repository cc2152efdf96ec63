"""Load the coordinator's desk: how full the drives are, whether they will reach their goals, and what is to do."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count

from drives.attendance import turnout
from drives.attendance.turnout import NOT_VERIFIED_STATES
from drives.capacity import visit_length
from drives.desk import parked, rules
from drives.domain import forecast, grid
from drives.messaging import call_list, delivery_counts, reach
from drives.messaging.delivery_counts import DeliverySummary
from drives.messaging.reach import MessageSubject
from drives.models import ACTIVE_STATES, Booking, BookingState, Drive, DriveState, Slot, Source
from drives.public import queries as public_queries
from drives.public.queries import HourFill
from drives.waitlist import queries as waitlist_queries
from drives.waitlist.queries import WaitlistCounts
from drives.web import members
from organizations.models import Organization

NOT_COMING = (BookingState.CANCELLED, BookingState.NO_SHOW)


@dataclass(frozen=True)
class DriveFigures:
    """The figures of a drive. `booked` excludes cancellations and no-shows. `held` counts unverified bookings."""

    drive: Drive
    booked: int
    held: int
    capacity: int  # how many return visits fit in the empty drive; no booking changes it
    spots_left: int  # for return visits from now on
    donated: int
    still_expected: int  # booked, confirmed or checked in
    rate: forecast.DonationRate

    @property
    def takes_fewer(self) -> bool:
        """Return whether bookings and open spots together are fewer than the visits that fit in an empty drive."""
        return self.booked + self.held + self.spots_left < self.capacity

    @property
    def expected(self) -> int:
        return forecast.compute_expected_donations(self.donated, self.still_expected, self.rate)

    @property
    def needed(self) -> int:
        return forecast.compute_bookings_needed(self.drive.goal or 0, self.expected, self.rate)


@dataclass(frozen=True)
class BookingShare:
    label: str
    count: int


@dataclass(frozen=True)
class HourRow:
    """How full the chairs are in one local hour, and how many more return visits can start in it."""

    fill: HourFill
    spots_left: int
    takes_arrivals: bool  # a visit could begin in this hour if all chairs were free
    is_over: bool
    above_limit: int  # the most people above the limit at one time of this hour

    @property
    def is_half_empty(self) -> bool:
        # Without an open spot no donor can book the free chairs, for example because all screening stations are taken.
        may_fill = not self.is_over and self.fill.limit > 0 and self.spots_left > 0
        return may_fill and self.fill.percent < rules.HALF_EMPTY_PERCENT


@dataclass(frozen=True)
class DeskPage:
    figures: DriveFigures
    hours: list[HourRow]
    sources: list[BookingShare]
    days: list[tuple[date, int]]  # number of bookings made on each local day, newest first
    not_reached: list[MessageSubject]  # donors that no message reached and no coordinator has called
    delivery: DeliverySummary
    cancellation_messages: list[tuple[str, int]]  # of a cancelled drive: state label and number of messages
    unresolved: int  # checked in, but without an outcome after the drive's end
    has_too_few_spots: bool  # fewer than the goal still needs
    half_empty: list[HourRow]
    waitlist: WaitlistCounts


@dataclass(frozen=True)
class HomePage:
    next: DriveFigures | None
    upcoming: list[DriveFigures]
    past: list[DriveFigures]
    not_reached: list[tuple[Drive, int]]  # drives with donors to call, and their number
    replies: int  # unanswered conversations
    failed_tasks: int  # parked rows of sweeps
    has_drives: bool
    has_more_upcoming: bool


def load_desk(drive: Drive, now: datetime) -> DeskPage:
    figures = _load_figures([drive], drive.organization, now)[0]
    hours = _load_hours(drive, now)
    verified = Booking.objects.filter(drive=drive).exclude(state__in=NOT_VERIFIED_STATES)
    rows = list(verified.values_list("source", "created_at"))
    zone = drive.site.zone
    by_day = Counter(created_at.astimezone(zone).date() for _source, created_at in rows)
    by_source = Counter(source for source, _created_at in rows)
    is_ahead = drive.state in (DriveState.PUBLISHED, DriveState.CLOSED) and drive.ends_at > now
    is_cancelled = drive.state == DriveState.CANCELLED
    return DeskPage(
        figures=figures,
        hours=hours,
        sources=[BookingShare(str(Source(source).label), count) for source, count in by_source.most_common()],
        days=sorted(by_day.items(), reverse=True)[:7],
        not_reached=call_list.list_subjects_to_call([drive.pk], now),
        delivery=delivery_counts.load_delivery_summary(drive),
        cancellation_messages=reach.load_cancellation_progress(drive) if is_cancelled else [],
        unresolved=_count_unresolved(drive) if drive.ends_at <= now else 0,
        has_too_few_spots=is_ahead and figures.needed > figures.spots_left,
        half_empty=[hour for hour in hours if hour.is_half_empty] if drive.state == DriveState.PUBLISHED else [],
        waitlist=waitlist_queries.count_waitlist(drive),
    )


def load_home(organization: Organization, now: datetime) -> HomePage:
    """Load the organization's next and last drives. The page of all drives lists the others."""
    rows = Drive.objects.of(organization).select_related("site", "turnout")
    # A drive lasts at most a day. The condition on `starts_at` lets PostgreSQL use the index.
    soon = rows.filter(starts_at__gt=now - timedelta(days=1), ends_at__gt=now).order_by("starts_at", "pk")
    found = list(soon[: rules.UPCOMING_DRIVES_SHOWN + 1])
    ahead = found[: rules.UPCOMING_DRIVES_SHOWN]
    past = list(rows.filter(ends_at__lte=now).order_by("-starts_at", "-pk")[: rules.PAST_DRIVES_SHOWN])
    listed = [*ahead, *past]
    figures = _load_figures(listed, organization, now)
    upcoming = figures[: len(ahead)]
    following = [row for row in upcoming if row.drive.state not in (DriveState.DRAFT, DriveState.CANCELLED)]
    # Include past drives: a waitlist may close when its drive ends, and donors that no message reached need a call.
    to_call = Counter(
        subject.drive_id for subject in call_list.list_subjects_to_call([drive.pk for drive in listed], now)
    )
    return HomePage(
        next=following[0] if following else None,
        upcoming=upcoming,
        past=figures[len(ahead) :],
        not_reached=[(drive, to_call[drive.pk]) for drive in listed if drive.pk in to_call],
        replies=members.count_open_conversations(organization),
        failed_tasks=parked.filter_parked_rows(organization).count(),
        has_drives=bool(figures),
        has_more_upcoming=len(found) > len(ahead),
    )


def _load_figures(drives: list[Drive], organization: Organization, now: datetime) -> list[DriveFigures]:
    ids = [drive.pk for drive in drives]
    slots: dict[int, list[Slot]] = {drive_id: [] for drive_id in ids}
    for slot in Slot.objects.filter(drive__in=ids).order_by("drive", "n"):
        slots[slot.drive_id].append(slot)
    states: dict[int, Counter[str]] = {drive_id: Counter() for drive_id in ids}
    counted = Booking.objects.filter(drive__in=ids).values_list("drive", "state").annotate(Count("pk"))
    for drive_id, state, count in counted.order_by("drive", "state"):
        states[drive_id][state] = count
    rate = turnout.load_donation_rate(organization)
    return [_build_figures(drive, states[drive.pk], slots[drive.pk], rate, now) for drive in drives]


def _build_figures(
    drive: Drive, states: Counter[str], slots: list[Slot], rate: forecast.DonationRate, now: datetime
) -> DriveFigures:
    ahead = [slot for slot in slots if slot.starts_at > now]
    shape = visit_length.compute_visit_shape(drive, "return")
    return DriveFigures(
        drive=drive,
        booked=sum(count for state, count in states.items() if state not in (*NOT_VERIFIED_STATES, *NOT_COMING)),
        held=states[BookingState.HELD],
        capacity=grid.count_fitting_visits(
            [slot.screening_limit for slot in slots], [slot.chairs_limit for slot in slots], shape
        ),
        spots_left=grid.count_fitting_visits(
            [slot.screening_limit - slot.screening_taken for slot in ahead],
            [slot.chairs_limit - slot.chairs_taken for slot in ahead],
            shape,
        ),
        donated=states[BookingState.DONATED],
        still_expected=sum(states[state] for state in ACTIVE_STATES),
        rate=rate,
    )


def _count_unresolved(drive: Drive) -> int:
    return Booking.objects.filter(drive=drive, state=BookingState.CHECKED_IN).count()


def _load_hours(drive: Drive, now: datetime) -> list[HourRow]:
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
            spots_left=_count_arrivals(drive, *free, arrivals[fill.starts_at]),
            takes_arrivals=_count_arrivals(drive, *limits, arrivals[fill.starts_at]) > 0,
            is_over=fill.starts_at + timedelta(hours=1) <= now,
            above_limit=max(rows[n].over for n in arrivals[fill.starts_at]),
        )
        for fill in public_queries.load_hourly_fill(drive)
    ]


def _count_arrivals(drive: Drive, screening: list[int], chairs: list[int], arrivals: list[int]) -> int:
    """Count the return visits that still fit. Each arrival step, in the given order, takes as many as it can.

    `screening` and `chairs` are the free stations and chairs at each step.
    """
    shape = visit_length.compute_visit_shape(drive, "return")
    # Copy the lists, because each visit placed below takes capacity from later ones.
    screening, chairs, placed = list(screening), list(chairs), 0
    for n in arrivals:
        spots = grid.count_spots_left(screening, chairs, n, shape)
        for step, (screened, seated) in grid.compute_deltas(grid.compute_footprint(n, shape)).items() if spots else ():
            screening[step] -= spots * screened
            chairs[step] -= spots * seated
        placed += spots
    return placed
