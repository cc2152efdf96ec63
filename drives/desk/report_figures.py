"""Define the figures of a report on drives. Pure arithmetic."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from drives.attendance.turnout_report import ARRIVED_STATES
from drives.desk import rules
from drives.models import BookingState


@dataclass(frozen=True)
class Rate:
    """The share of `part` in `whole`. `percent` is None if the whole is 0."""

    part: int
    whole: int

    @property
    def percent(self) -> int | None:
        return round(100 * self.part / self.whole) if self.whole > 0 else None


@dataclass
class Tally:
    """Numbers of verified bookings by outcome. Walk-ins count only from their check-in on, and never as `booked`."""

    booked: int = 0
    cancelled: int = 0
    came: int = 0  # includes walk-ins
    walk_ins: int = 0
    donated: int = 0
    incomplete: int = 0
    deferred: int = 0
    left: int = 0
    no_show: int = 0

    def add(self, state: str, count: int, *, is_walk_in: bool) -> None:
        if is_walk_in and state not in ARRIVED_STATES:
            return
        if is_walk_in:
            self.walk_ins += count
        else:
            self.booked += count
        self.came += count * (state in ARRIVED_STATES)
        self.cancelled += count * (state == BookingState.CANCELLED)
        self.donated += count * (state == BookingState.DONATED)
        self.incomplete += count * (state == BookingState.INCOMPLETE)
        self.deferred += count * (state == BookingState.DEFERRED)
        self.left += count * (state == BookingState.LEFT)
        self.no_show += count * (state == BookingState.NO_SHOW)

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(**{name: count + getattr(other, name) for name, count in vars(self).items()})

    @property
    def expected(self) -> int:
        """Return the number of bookings that were not cancelled."""
        return self.booked - self.cancelled

    @property
    def came_as_booked(self) -> int:
        return self.came - self.walk_ins

    @property
    def expected_and_walk_ins(self) -> int:
        return self.expected + self.walk_ins

    @property
    def show(self) -> Rate:
        return Rate(self.came_as_booked, self.expected)

    @property
    def no_shows(self) -> Rate:
        return Rate(self.no_show, self.expected)

    @property
    def deferrals(self) -> Rate:
        return Rate(self.deferred, self.came)


@dataclass
class Figures:
    """The figures of one or more drives. `capacity` is the number of return visits that fit in the empty drives."""

    capacity: int = 0
    first: Tally = field(default_factory=Tally)
    returning: Tally = field(default_factory=Tally)

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(self.capacity + other.capacity, self.first + other.first, self.returning + other.returning)

    @property
    def tally(self) -> Tally:
        return self.first + self.returning

    @property
    def fill(self) -> Rate:
        return Rate(self.tally.expected, self.capacity)


@dataclass(frozen=True)
class LeadClass:
    """Bookings made `first` to `last` days before the drive. None means no upper limit."""

    first: int
    last: int | None
    tally: Tally


def classify_lead_times(days: Mapping[int, Tally]) -> list[LeadClass]:
    classes = []
    for first, last in rules.LEAD_CLASSES:
        inside = [tally for day, tally in days.items() if day >= first and (last is None or day <= last)]
        classes.append(LeadClass(first, last, sum(inside, Tally())))
    return classes


def compute_median_lead(days: Mapping[int, Tally]) -> float | None:
    """Return the median number of days between booking and drive, or None without bookings.

    Cancelled bookings do not count.
    """
    counts = Counter({day: tally.expected for day, tally in days.items() if tally.expected > 0})
    total = counts.total()
    if not total:
        return None
    return (_find_nth(counts, (total - 1) // 2) + _find_nth(counts, total // 2)) / 2


def _find_nth(counts: Counter[int], n: int) -> int:
    """Return the n-th smallest value. `n` starts at 0."""
    for value in sorted(counts):
        if n < counts[value]:
            return value
        n -= counts[value]
    raise ValueError(n)


@dataclass
class MessageTally:
    """Numbers of sent messages. `unmeasured` are the texts with an unknown number of segments."""

    texts: int = 0
    segments: int = 0
    unmeasured: int = 0
    emails: int = 0

    def __add__(self, other: "MessageTally") -> "MessageTally":
        return MessageTally(**{name: count + getattr(other, name) for name, count in vars(self).items()})
