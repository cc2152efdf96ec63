"""Load the desk: how full the drives are, whether they will reach their goals, and what needs attention."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet

from drives.attendance import turnout
from drives.attendance.turnout import GoalFacts
from drives.booking.donation_rate import NOT_VERIFIED_STATES
from drives.capacity import visit_length
from drives.checklist import queries as checklist_queries
from drives.checklist.queries import Checklist
from drives.desk import booking_sources, bookings_by_day, day_picture, forecast_picture, parked, rules
from drives.desk.booking_sources import SourceShare
from drives.desk.bookings_by_day import BookingsByDay
from drives.desk.day_picture import DayPicture
from drives.desk.forecast_picture import ForecastPicture
from drives.domain import forecast, grid
from drives.messaging import call_list, delivery_counts, reach
from drives.messaging.delivery_counts import DeliverySummary
from drives.messaging.reach import MessageSubject
from drives.models import ACTIVE_STATES, Booking, BookingState, Drive, DriveState, Slot
from drives.planning import rules as planning_rules
from drives.waitlist import queries as waitlist_queries
from drives.waitlist.queries import WaitlistCounts
from drives.web import members, time_zones
from organizations.models import Organization

NOT_COMING = (BookingState.CANCELLED, BookingState.NO_SHOW)


@dataclass(frozen=True)
class DriveFigures:
    """The figures of a drive. `booked` excludes cancelled bookings and no-shows. `held` are unverified bookings."""

    drive: Drive
    booked: int
    held: int
    capacity: int  # number of return visits that fit in the empty drive
    spots_left: int  # return visits that can still be booked
    donated: int
    still_expected: int  # booked, confirmed or checked in
    rate: forecast.DonationRate

    @property
    def takes_fewer(self) -> bool:
        """Return whether bookings and open spots together are fewer than the capacity.

        For example, first visits need more chair time, but the capacity is the number of return visits that fit.
        """
        return self.booked + self.held + self.spots_left < self.capacity

    @property
    def expected(self) -> int:
        return forecast.compute_expected_donations(self.donated, self.still_expected, self.rate)

    @property
    def expected_range(self) -> forecast.DonationRange:
        return forecast.compute_donation_range(self.donated, self.still_expected, self.rate)

    def is_under_filled(self, now: datetime) -> bool:
        is_open = self.drive.state == DriveState.PUBLISHED and planning_rules.is_near(self.drive.starts_at, now)
        return is_open and planning_rules.is_under_filled(self.still_expected, self.spots_left)

    @property
    def needed(self) -> int:
        return forecast.compute_bookings_needed(self.drive.goal or 0, self.expected, self.rate)

    @property
    def bookings_for_goal(self) -> int:
        """Return the total number of bookings that the goal needs, or 0 without a goal."""
        if self.needed:
            return self.booked + self.needed
        return min(self.booked, forecast.compute_bookings_needed(self.drive.goal or 0, 0, self.rate))


@dataclass(frozen=True)
class HourFill:
    """The number of taken and of all chair steps in one local hour."""

    starts_at: datetime
    taken: int
    limit: int

    @property
    def percent(self) -> int:
        return round(100 * self.taken / self.limit) if self.limit else 0


@dataclass(frozen=True)
class HourRow:
    """One local hour: how full its chairs are, and how many more return visits can start in it."""

    fill: HourFill
    spots_left: int
    takes_arrivals: bool  # a visit could start in this hour if the drive were empty
    is_over: bool
    above_limit: int  # highest number of people above the limit in this hour

    @property
    def is_half_empty(self) -> bool:
        # Without an open spot, no donor can book the free chairs. For example, all screening stations may be taken.
        may_fill = not self.is_over and self.fill.limit > 0 and self.spots_left > 0
        return may_fill and self.fill.percent < rules.HALF_EMPTY_PERCENT


@dataclass(frozen=True)
class DeskPage:
    figures: DriveFigures
    hours: list[HourRow]
    sources: list[SourceShare]
    day: DayPicture
    by_day: BookingsByDay | None
    forecast: ForecastPicture | None  # None after the drive
    not_reached: list[MessageSubject]  # donors that no message reached and no coordinator has called
    delivery: DeliverySummary
    cancellation_messages: list[tuple[str, int]]  # (state label, number of messages), if the drive is cancelled
    unresolved: int  # checked in, but without an outcome after the drive's end
    has_too_few_spots: bool  # for the bookings that the goal still needs
    half_empty: list[HourRow]  # empty unless the drive is near or behind earlier drives
    overdue: list[Checklist]  # the drive's checklist if it has overdue tasks
    waitlist: WaitlistCounts


@dataclass(frozen=True)
class PastDrive:
    drive: Drive
    booked: int  # excludes cancellations and no-shows


@dataclass(frozen=True)
class HomePage:
    next: DriveFigures | None
    upcoming: list[DriveFigures]
    past: list[PastDrive]
    not_reached: list[tuple[Drive, int]]  # drives, each with the number of donors to call; also drives not listed
    replies: int  # unanswered conversations
    failed_tasks: int  # number of rows on which a sweep has failed
    under_filled: list[DriveFigures]  # all of the next days; also drives not listed
    offers: list[tuple[Drive, int]]  # drives, each with the number of offers that wait for an answer
    to_complete: list[Drive]  # closed out, but no coordinator has reviewed the turnout
    overdue: list[Checklist]  # checklists with overdue tasks, in order of the drives
    has_drives: bool
    has_more_upcoming: bool


def compute_today(organization: Organization, now: datetime) -> date:
    return now.astimezone(ZoneInfo(time_zones.find_zone(organization))).date()


def load_desk(drive: Drive, now: datetime) -> DeskPage:
    slots = list(Slot.objects.filter(drive=drive).order_by("n"))
    goal_facts = turnout.load_goal_facts([drive.pk], drive.organization)
    figures = _build_figures(drive, goal_facts, [_count_slot(slot, now) for slot in slots])
    hours = _list_hours(drive, slots, now)
    by_day = bookings_by_day.load_bookings_by_day(drive, figures.bookings_for_goal, now)
    is_ahead = drive.state in (DriveState.PUBLISHED, DriveState.CLOSED) and drive.ends_at > now
    is_plan = drive.state == DriveState.DRAFT and drive.ends_at > now
    is_cancelled = drive.state == DriveState.CANCELLED
    return DeskPage(
        figures=figures,
        hours=hours,
        sources=booking_sources.load_sources(drive),
        day=day_picture.load_day_picture(drive, slots, now),
        by_day=by_day,
        forecast=forecast_picture.draw_forecast(figures.expected, figures.expected_range, drive.goal)
        if is_ahead
        else None,
        not_reached=call_list.list_subjects_to_call([drive.pk], now),
        delivery=delivery_counts.load_delivery_summary(drive),
        cancellation_messages=reach.load_cancellation_progress(drive) if is_cancelled else [],
        unresolved=_count_unresolved(drive) if drive.ends_at <= now else 0,
        has_too_few_spots=(is_ahead or is_plan) and figures.needed > figures.spots_left,
        half_empty=[hour for hour in hours if hour.is_half_empty] if _needs_donors(drive, by_day, now) else [],
        overdue=checklist_queries.list_overdue_checklists([drive], drive.organization, goal_facts, now),
        waitlist=waitlist_queries.count_waitlist(drive),
    )


def _needs_donors(drive: Drive, by_day: BookingsByDay | None, now: datetime) -> bool:
    """Return whether empty hours are a reason to act. A drive that was just published has nothing but empty hours."""
    if drive.state != DriveState.PUBLISHED:
        return False
    is_today = drive.starts_at <= now < drive.ends_at
    return is_today or planning_rules.is_near(drive.starts_at, now) or (by_day is not None and by_day.is_behind)


def load_home(organization: Organization, now: datetime) -> HomePage:
    """Load the organization's next and last drives. Other drives are on the page of all drives."""
    rows = Drive.objects.of(organization).select_related("site", "turnout")
    # A drive lasts at most a day. The condition on `starts_at` lets PostgreSQL use the index.
    soon = rows.filter(starts_at__gt=now - timedelta(days=1), ends_at__gt=now).order_by("starts_at", "pk")
    found = list(soon[: rules.UPCOMING_DRIVES_SHOWN + 1])
    ahead = found[: rules.UPCOMING_DRIVES_SHOWN]
    past = list(rows.filter(ends_at__lte=now).order_by("-starts_at", "-pk")[: rules.PAST_DRIVES_SHOWN])
    near = _list_other_near_drives(rows, found, now)
    coming = [*ahead, *near]
    goal_facts = turnout.load_goal_facts([drive.pk for drive in [*coming, *past]], organization)
    slots = _load_slot_counts([drive.pk for drive in coming], now)
    figures = [_build_figures(drive, goal_facts, slots[drive.pk]) for drive in coming]
    upcoming = figures[: len(ahead)]
    following = [row for row in upcoming if row.drive.state not in (DriveState.DRAFT, DriveState.CANCELLED)]
    # Include past drives, because donors whose waitlist closed at the end of the drive may still need a call.
    called = Drive.objects.of(organization).filter(ends_at__gt=now - rules.CALLS_AFTER_DRIVE)
    to_call = call_list.count_donors_to_call(list(called.values_list("pk", flat=True)), now)
    offers = waitlist_queries.count_open_offers(organization, now)
    titles = Drive.objects.of(organization).only("title").order_by("starts_at", "pk")
    affected = titles.filter(pk__in={*to_call, *offers})
    to_complete = titles.filter(state=DriveState.CLOSED, closed_out_at__isnull=False)
    return HomePage(
        next=following[0] if following else None,
        upcoming=upcoming,
        past=[PastDrive(drive, _count_booked(goal_facts.states[drive.pk])) for drive in past],
        not_reached=[(drive, to_call[drive.pk]) for drive in affected if drive.pk in to_call],
        replies=members.count_open_conversations(organization),
        failed_tasks=parked.filter_parked_rows(organization).count(),
        under_filled=[row for row in figures if row.is_under_filled(now)],
        offers=[(drive, offers[drive.pk]) for drive in affected if drive.pk in offers],
        to_complete=list(to_complete[: rules.UPCOMING_DRIVES_SHOWN]),
        overdue=checklist_queries.list_overdue_checklists(coming, organization, goal_facts, now),
        has_drives=bool(coming or past),
        has_more_upcoming=len(found) > len(ahead),
    )


def _list_other_near_drives(rows: QuerySet[Drive], found: Sequence[Drive], now: datetime) -> list[Drive]:
    """List the published drives of the next days that the home page does not list. At most one query.

    `found` are the next drives, with one more than the page lists. Few organizations have more in a week.
    """
    until = now + planning_rules.UNDER_FILLED_WITHIN
    if len(found) <= rules.UPCOMING_DRIVES_SHOWN or found[-1].starts_at > until:
        return []
    listed = [drive.pk for drive in found[: rules.UPCOMING_DRIVES_SHOWN]]
    near = rows.filter(state=DriveState.PUBLISHED, starts_at__gt=now, starts_at__lte=until)
    return list(near.exclude(pk__in=listed).order_by("starts_at", "pk"))


class SlotCounts(NamedTuple):
    """The columns of a slot that the figures need. The home page reads hundreds of slots, and models are slow."""

    is_ahead: bool
    screening_limit: int
    screening_taken: int
    chairs_limit: int
    chairs_taken: int


def _load_slot_counts(drive_ids: Sequence[int], now: datetime) -> dict[int, list[SlotCounts]]:
    slots: dict[int, list[SlotCounts]] = {drive_id: [] for drive_id in drive_ids}
    is_ahead = ExpressionWrapper(Q(starts_at__gt=now), BooleanField())
    rows = Slot.objects.filter(drive__in=drive_ids).annotate(is_ahead=is_ahead).order_by("drive", "n")
    columns = ("is_ahead", "screening_limit", "screening_taken", "chairs_limit", "chairs_taken")
    for drive_id, *counts in rows.values_list("drive", *columns):
        slots[drive_id].append(SlotCounts(*counts))
    return slots


def _count_slot(slot: Slot, now: datetime) -> SlotCounts:
    is_ahead = slot.starts_at > now
    return SlotCounts(is_ahead, slot.screening_limit, slot.screening_taken, slot.chairs_limit, slot.chairs_taken)


def _build_figures(drive: Drive, goal_facts: GoalFacts, slots: Sequence[SlotCounts]) -> DriveFigures:
    states = goal_facts.states[drive.pk]
    ahead = [slot for slot in slots if slot.is_ahead]
    shape = visit_length.compute_visit_shape(drive, "return")
    return DriveFigures(
        drive=drive,
        booked=_count_booked(states),
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
        rate=goal_facts.rate,
    )


def _count_booked(states: Counter[str]) -> int:
    return sum(count for state, count in states.items() if state not in (*NOT_VERIFIED_STATES, *NOT_COMING))


def _count_unresolved(drive: Drive) -> int:
    return Booking.objects.filter(drive=drive, state=BookingState.CHECKED_IN).count()


def _list_hours(drive: Drive, slots: list[Slot], now: datetime) -> list[HourRow]:
    hours: dict[datetime, list[Slot]] = {}
    for slot in slots:
        # In UTC, because a local time occurs twice in the night when the clocks go back.
        hour = slot.starts_at.astimezone(drive.site.zone).replace(minute=0).astimezone(UTC)
        hours.setdefault(hour, []).append(slot)
    limits = [slot.screening_limit for slot in slots], [slot.chairs_limit for slot in slots]
    free = (
        [slot.screening_limit - slot.screening_taken for slot in slots],
        [slot.chairs_limit - slot.chairs_taken for slot in slots],
    )
    return [
        HourRow(
            HourFill(hour, sum(slot.chairs_taken for slot in steps), sum(slot.chairs_limit for slot in steps)),
            spots_left=_count_arrivals(drive, *free, [slot.n for slot in steps]),
            takes_arrivals=_count_arrivals(drive, *limits, [slot.n for slot in steps]) > 0,
            is_over=hour + timedelta(hours=1) <= now,
            above_limit=max(slot.over for slot in steps),
        )
        for hour, steps in hours.items()
    ]


def _count_arrivals(drive: Drive, screening: list[int], chairs: list[int], arrivals: list[int]) -> int:
    """Count the return visits that still fit. Each arrival step takes as many as possible, in the given order.

    `screening` and `chairs` are the free stations and chairs in each step.
    """
    shape = visit_length.compute_visit_shape(drive, "return")
    # Copy the lists, because the loop takes the capacity of each visit from them.
    screening, chairs, placed = list(screening), list(chairs), 0
    for n in arrivals:
        spots = grid.count_spots_left(screening, chairs, n, shape)
        for step, (screened, seated) in grid.compute_deltas(grid.compute_footprint(n, shape)).items() if spots else ():
            screening[step] -= spots * screened
            chairs[step] -= spots * seated
        placed += spots
    return placed
