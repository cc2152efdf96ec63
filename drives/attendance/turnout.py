from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Count, Q

from drives.booking import donation_rate
from drives.domain import forecast
from drives.models import Booking, BookingState, Drive, DriveState, Source, Visit
from organizations.models import Organization


@dataclass(frozen=True)
class TurnoutNumbers:
    booked_count: int
    confirmed_count: int
    arrived_count: int
    donated_count: int
    incomplete_count: int
    deferred_count: int
    left_count: int
    no_show_count: int
    cancelled_early_count: int
    cancelled_late_count: int
    walk_in_count: int
    first_visit_count: int
    unresolved_count: int


@dataclass(frozen=True)
class DriveTurnout:
    drive: Drive
    counts: TurnoutNumbers

    @property
    def final(self) -> bool:
        return self.drive.state == DriveState.COMPLETED


_ARRIVED = Q(
    state__in=[
        BookingState.CHECKED_IN,
        BookingState.DONATED,
        BookingState.INCOMPLETE,
        BookingState.DEFERRED,
        BookingState.LEFT,
    ]
)
_WALK_IN = Q(source=Source.WALK_IN)


def count_states(drive_ids: Collection[int]) -> dict[int, Counter[str]]:
    """Count the bookings of each drive by state. One query."""
    states: dict[int, Counter[str]] = {drive_id: Counter() for drive_id in drive_ids}
    counted = Booking.objects.filter(drive__in=drive_ids).values_list("drive", "state").annotate(Count("pk"))
    for drive_id, state, count in counted.order_by("drive", "state"):
        states[drive_id][state] = count
    return states


@dataclass(frozen=True)
class GoalFacts:
    """The numbers of bookings and the donation rate, for comparing drives with their goals."""

    states: dict[int, Counter[str]]  # number of bookings, by drive id and state
    rate: forecast.DonationRate


def load_goal_facts(drive_ids: Collection[int], organization: Organization) -> GoalFacts:
    """Load the figures for these drives of the organization. Two queries."""
    return GoalFacts(count_states(drive_ids), donation_rate.load_donation_rate(organization))


def count_turnout(drive: Drive) -> TurnoutNumbers:
    """Count a drive's bookings by outcome. Unverified holds do not count. Two queries."""
    rows = Booking.objects.filter(drive=drive).exclude(state__in=[BookingState.HELD, BookingState.LAPSED])
    # Count in the history, because a confirmed booking changes to other states later.
    confirmed = rows.filter(changes__to_state=BookingState.CONFIRMED).distinct().count()
    counts = rows.aggregate(
        booked_count=Count("pk", filter=~_WALK_IN),
        arrived_count=Count("pk", filter=_ARRIVED),
        donated_count=_count_state(BookingState.DONATED),
        incomplete_count=_count_state(BookingState.INCOMPLETE),
        deferred_count=_count_state(BookingState.DEFERRED),
        left_count=_count_state(BookingState.LEFT),
        no_show_count=_count_state(BookingState.NO_SHOW),
        cancelled_early_count=Count("pk", filter=Q(state=BookingState.CANCELLED, cancelled_late=False)),
        cancelled_late_count=Count("pk", filter=Q(state=BookingState.CANCELLED, cancelled_late=True)),
        walk_in_count=Count("pk", filter=_WALK_IN & _ARRIVED),
        first_visit_count=Count("pk", filter=_ARRIVED & Q(visit=Visit.FIRST)),
        unresolved_count=_count_state(BookingState.CHECKED_IN),
    )
    return TurnoutNumbers(confirmed_count=confirmed, **counts)


def _count_state(state: BookingState) -> Count:
    return Count("pk", filter=Q(state=state))
