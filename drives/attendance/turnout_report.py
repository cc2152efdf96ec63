"""The turnout report of a drive, in numbers and by hour."""

from dataclasses import dataclass
from datetime import datetime

from drives.attendance import turnout
from drives.attendance.turnout import NOT_VERIFIED_STATES
from drives.domain import forecast
from drives.models import Booking, BookingState, Drive, Source, Turnout

ARRIVED_STATES = (
    BookingState.CHECKED_IN,
    BookingState.DONATED,
    BookingState.INCOMPLETE,
    BookingState.DEFERRED,
    BookingState.LEFT,
)


@dataclass
class HourTurnout:
    """The bookings in one local hour, by outcome. Walk-ins count in the hour in which they arrived."""

    starts_at: datetime
    booked: int = 0
    arrived: int = 0
    donated: int = 0


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
    return TurnoutReport(counts, _load_hours(drive), turnout.load_donation_rate(drive.organization))


def _load_hours(drive: Drive) -> list[HourTurnout]:
    hours: dict[datetime, HourTurnout] = {}
    rows = Booking.objects.filter(drive=drive).exclude(state__in=[*NOT_VERIFIED_STATES, BookingState.CANCELLED])
    for starts_at, state, source in rows.order_by("starts_at", "pk").values_list("starts_at", "state", "source"):
        start = starts_at.astimezone(drive.site.zone).replace(minute=0)
        hour = hours.setdefault(start, HourTurnout(start))
        hour.booked += source != Source.WALK_IN
        hour.arrived += state in ARRIVED_STATES
        hour.donated += state == BookingState.DONATED
    return list(hours.values())
