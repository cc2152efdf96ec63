"""Who can have a freed place, and until when it is theirs. Pure: free places and instants in, choices out."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, zip_longest
from typing import TypeAlias

from drives.domain import grid
from drives.domain.grid import Footprint, VisitShape
from notifications.quiet_hours import QuietHours

OFFER_TIME_DIVISOR = 4  # an offer stands for a quarter of the time that is left
LONGEST_OFFER, SHORTEST_OFFER = timedelta(hours=24), timedelta(minutes=15)
MIN_NOTICE = timedelta(minutes=30)  # from the deadline to the arrival: people have to get there

# Id, start, open, free screening places, free chairs of each step of a drive's grid, from step 0 on.
StepRows: TypeAlias = Sequence[tuple[int, datetime, bool, int, int]]


@dataclass(frozen=True)
class ArrivalWindow:
    """The arrival times somebody can make: [since, until), UTC; None is any time."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, at: datetime) -> bool:
        return (self.since is None or self.since <= at) and (self.until is None or at < self.until)


ANY_TIME = ArrivalWindow()


@dataclass(frozen=True)
class SpotMatch:
    """A way to seat somebody: the arrival, what it takes, and the kept places (by id) that are used up for it."""

    slot_id: int
    starts_at: datetime
    footprint: Footprint
    uses: tuple[int, ...]


def compute_earliest_offered_arrival(now: datetime) -> datetime:
    """Arrivals before this instant are too near to be offered."""
    return now + MIN_NOTICE + SHORTEST_OFFER


def compute_offer_deadline(now: datetime, starts_at: datetime, quiet: QuietHours) -> datetime:
    """Until when an offer stands that is made now, to the next full minute: a quarter of the time to the arrival.

    At most a day, at least a quarter of an hour. One that is made in quiet hours counts from their end, unless too
    little would then be left: it counts from now, and who has a mailbox hears of it. Nor does one end while people
    sleep, if it can be helped: who is next would not be told before the morning.
    """
    morning = quiet.next_open(now)
    begins = morning if compute_earliest_offered_arrival(morning) <= starts_at else now
    stands = min(LONGEST_OFFER, max(SHORTEST_OFFER, (starts_at - begins) / OFFER_TIME_DIVISOR))
    ends = begins + stands
    if quiet.is_quiet(ends) and compute_earliest_offered_arrival(quiet.next_open(ends)) <= starts_at:
        ends = quiet.next_open(ends) + SHORTEST_OFFER
    minute = ends.replace(second=0, microsecond=0)
    return minute if minute == ends else minute + timedelta(minutes=1)


def find_matches(steps: StepRows, reserved: Mapping[int, Footprint], shape: VisitShape) -> Iterator[SpotMatch]:
    """Every way to seat a visit of this shape: those that use up the fewest kept places first, then the earliest.

    So of two freed places none is spoilt for a visit between them while it can be helped.
    """
    for uses in [(), *((pk,) for pk in reserved)]:
        yield from _matches_using(steps, reserved, uses, shape)
    for fit in _matches_using(steps, reserved, tuple(reserved), shape):
        yield _drop_unneeded_spots(fit, steps, reserved, shape)


def compute_remainders(old: Sequence[Footprint], new: Sequence[Footprint]) -> list[Footprint]:
    """What a move of one or several visits leaves over of their old places, in runs of steps."""
    screening = _counts(place.screening for place in old) - _counts(place.screening for place in new)
    chairs = _counts(place.chairs for place in old) - _counts(place.chairs for place in new)
    return [
        Footprint(screened, seated)
        for place in old
        for screened, seated in zip_longest(
            _runs(place.screening, screening), _runs(place.chairs, chairs), fillvalue=range(0)
        )
    ]


def _counts(taken: Iterable[range]) -> Counter[int]:
    return Counter(chain.from_iterable(taken))


def _runs(steps: range, left: Counter[int]) -> list[range]:
    """The runs among these steps of which something is left; it is taken off."""
    found = [n for n in steps if left[n] > 0]
    left.subtract(found)
    starts = [n for n in found if n - 1 not in found]
    ends = [n + 1 for n in found if n + 1 not in found]
    return [range(start, end) for start, end in zip(starts, ends, strict=True)]


def _matches_using(
    steps: StepRows, kept: Mapping[int, Footprint], uses: tuple[int, ...], shape: VisitShape
) -> Iterator[SpotMatch]:
    screening, chairs = _free_counts(steps, [kept[pk] for pk in uses])
    for n, places in enumerate(grid.count_spots_by_arrival(screening, chairs, shape)):
        slot_id, starts_at, is_open = steps[n][:3]
        if places and is_open:
            yield SpotMatch(slot_id, starts_at, grid.compute_footprint(n, shape), uses)


def _free_counts(steps: StepRows, given_back: Sequence[Footprint]) -> tuple[list[int], list[int]]:
    screening, chairs = [row[3] for row in steps], [row[4] for row in steps]
    for place in given_back:
        for n in place.screening:
            screening[n] += 1
        for n in place.chairs:
            chairs[n] += 1
    return screening, chairs


def _drop_unneeded_spots(
    fit: SpotMatch, steps: StepRows, kept: Mapping[int, Footprint], shape: VisitShape
) -> SpotMatch:
    """The same arrival without the kept places that it does not need."""
    needed, arrival = list(fit.uses), fit.footprint.screening.start
    for pk in fit.uses:
        without = [kept[other] for other in needed if other != pk]
        if grid.count_spots_left(*_free_counts(steps, without), arrival, shape):
            needed.remove(pk)
    return SpotMatch(fit.slot_id, fit.starts_at, fit.footprint, tuple(needed))
