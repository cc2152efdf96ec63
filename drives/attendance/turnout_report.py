"""Load the turnout report of a drive, in total and by hour."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Count

from drives.booking import donation_rate
from drives.booking.donation_rate import NOT_VERIFIED_STATES
from drives.domain import forecast
from drives.models import Booking, BookingState, Drive, Source, Turnout

ARRIVED_STATES = (
    BookingState.CHECKED_IN,
    BookingState.DONATED,
    BookingState.INCOMPLETE,
    BookingState.DEFERRED,
    BookingState.LEFT,
)


@dataclass(frozen=True)
class HourTurnout:
    """Turnout in one hour of the site's local time. Walk-ins count in the hour of their slot."""

    starts_at: datetime
    states: Counter[str]  # without cancelled bookings
    booked: int  # without walk-ins

    @property
    def people(self) -> int:
        return self.states.total()

    @property
    def arrived(self) -> int:
        return sum(self.states[state] for state in ARRIVED_STATES)

    @property
    def donated(self) -> int:
        return self.states[BookingState.DONATED]

    @property
    def deferred(self) -> int:
        return self.states[BookingState.DEFERRED]

    @property
    def incomplete(self) -> int:
        return self.states[BookingState.INCOMPLETE]

    @property
    def left(self) -> int:
        return self.states[BookingState.LEFT]

    @property
    def unresolved(self) -> int:
        return self.states[BookingState.CHECKED_IN]

    @property
    def no_show(self) -> int:
        return self.states[BookingState.NO_SHOW]


@dataclass(frozen=True)
class TurnoutReport:
    """A drive's turnout. `counts` is None before the close-out."""

    counts: Turnout | None
    hours: list[HourTurnout]
    rate: forecast.DonationRate

    @property
    def show_percent(self) -> int | None:
        rate = self.counts.show_rate if self.counts else None
        return None if rate is None else round(100 * rate)

    @property
    def expected(self) -> int:
        if self.counts is None:
            return 0
        return self.counts.booked_count - self.counts.cancelled_early_count - self.counts.cancelled_late_count

    @property
    def arrived_as_booked(self) -> int:
        return self.counts.arrived_count - self.counts.walk_in_count if self.counts else 0

    @property
    def deferred_percent(self) -> int | None:
        if self.counts is None or not self.counts.arrived_count:
            return None
        return round(100 * self.counts.deferred_count / self.counts.arrived_count)

    @property
    def goal_percent(self) -> int | None:
        if self.counts is None or not self.counts.goal_count:
            return None
        return round(100 * self.counts.donated_count / self.counts.goal_count)

    @property
    def bookings_for_goal(self) -> int | None:
        goal = self.counts.goal_count if self.counts else None
        return forecast.compute_bookings_needed(goal, 0, self.rate) if goal else None


def load_turnout_report(drive: Drive) -> TurnoutReport:
    counts = Turnout.objects.filter(drive=drive).first()
    return TurnoutReport(counts, load_hours(drive), donation_rate.load_donation_rate(drive.organization))


def load_hours(drive: Drive) -> list[HourTurnout]:
    """Load the turnout by hour. One query, with a row for each arrival time, state and source."""
    rows = Booking.objects.filter(drive=drive).exclude(state__in=[*NOT_VERIFIED_STATES, BookingState.CANCELLED])
    counted = rows.values_list("starts_at", "state", "source").annotate(Count("pk")).order_by("starts_at", "state")
    states: dict[datetime, Counter[str]] = defaultdict(Counter)
    booked: Counter[datetime] = Counter()
    for starts_at, state, source, count in counted:
        # In UTC, because a local time occurs twice in the night when the clocks go back.
        hour = starts_at.astimezone(drive.site.zone).replace(minute=0).astimezone(UTC)
        states[hour][state] += count
        booked[hour] += count if source != Source.WALK_IN else 0
    return [HourTurnout(hour, counts, booked[hour]) for hour, counts in states.items()]
