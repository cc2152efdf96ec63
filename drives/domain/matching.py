"""Match freed spots with waitlist entries, and compute offer deadlines. Pure functions."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, zip_longest
from typing import TypeAlias

from drives.domain import grid, rules
from drives.domain.grid import Footprint, VisitShape
from notifications.quiet_hours import QuietHours

# One row per step, from step 0: id, start, open, free screening stations, free chairs.
StepRows: TypeAlias = Sequence[tuple[int, datetime, bool, int, int]]


@dataclass(frozen=True)
class ArrivalWindow:
    """Arrival times that suit a donor: [since, until), in UTC. None means no limit."""

    since: datetime | None = None
    until: datetime | None = None

    def contains(self, at: datetime) -> bool:
        return (self.since is None or self.since <= at) and (self.until is None or at < self.until)


ANY_TIME = ArrivalWindow()


@dataclass(frozen=True)
class SpotMatch:
    """An arrival that fits a donor, with its footprint and the ids of the reserved spots it uses."""

    slot_id: int
    starts_at: datetime
    footprint: Footprint
    reserved_spot_ids: tuple[int, ...]


def compute_earliest_offered_arrival(now: datetime) -> datetime:
    return now + rules.MIN_OFFER_NOTICE + rules.SHORTEST_OFFER


def compute_offer_deadline(now: datetime, starts_at: datetime, quiet: QuietHours) -> datetime:
    """Return the deadline of an offer made now, rounded up to a full minute.

    - An offer lasts a quarter of the time until the arrival, but at least 15 minutes and at most 24 hours.
    - An offer made in quiet hours starts when they end. If that leaves too little time, it starts now, and the donor
      gets it by e-mail only.
    - If possible, the deadline is outside quiet hours, because we could not text the next donor before the morning.
    """
    morning = quiet.next_open(now)
    begins = morning if compute_earliest_offered_arrival(morning) <= starts_at else now
    duration = min(rules.LONGEST_OFFER, max(rules.SHORTEST_OFFER, (starts_at - begins) / rules.OFFER_TIME_DIVISOR))
    ends = begins + duration
    if quiet.is_quiet(ends) and compute_earliest_offered_arrival(quiet.next_open(ends)) <= starts_at:
        ends = quiet.next_open(ends) + rules.SHORTEST_OFFER
    minute = ends.replace(second=0, microsecond=0)
    return minute if minute == ends else minute + timedelta(minutes=1)


def find_matches(steps: StepRows, reserved: Mapping[int, Footprint], shape: VisitShape) -> Iterator[SpotMatch]:
    """Yield the arrivals that fit a visit of this shape: those with the fewest reserved spots first, then the earliest.

    So one visit does not use two freed spots if one is enough.
    """
    for spot_ids in [(), *((pk,) for pk in reserved)]:
        yield from _matches_using(steps, reserved, spot_ids, shape)
    for match in _matches_using(steps, reserved, tuple(reserved), shape):
        yield _drop_unneeded_spots(match, steps, reserved, shape)


def compute_remainders(old: Sequence[Footprint], new: Sequence[Footprint]) -> list[Footprint]:
    screening = _counts(footprint.screening for footprint in old) - _counts(footprint.screening for footprint in new)
    chairs = _counts(footprint.chairs for footprint in old) - _counts(footprint.chairs for footprint in new)
    return [
        Footprint(screening_run, chair_run)
        for footprint in old
        for screening_run, chair_run in zip_longest(
            _runs(footprint.screening, screening), _runs(footprint.chairs, chairs), fillvalue=range(0)
        )
    ]


def _counts(taken: Iterable[range]) -> Counter[int]:
    return Counter(chain.from_iterable(taken))


def _runs(steps: range, left: Counter[int]) -> list[range]:
    remaining = [n for n in steps if left[n] > 0]
    left.subtract(remaining)
    starts = [n for n in remaining if n - 1 not in remaining]
    ends = [n + 1 for n in remaining if n + 1 not in remaining]
    return [range(start, end) for start, end in zip(starts, ends, strict=True)]


def _matches_using(
    steps: StepRows, reserved: Mapping[int, Footprint], spot_ids: tuple[int, ...], shape: VisitShape
) -> Iterator[SpotMatch]:
    screening, chairs = _free_counts(steps, [reserved[pk] for pk in spot_ids])
    for n, spots_left in enumerate(grid.count_spots_by_arrival(screening, chairs, shape)):
        slot_id, starts_at, is_open = steps[n][:3]
        if spots_left and is_open:
            yield SpotMatch(slot_id, starts_at, grid.compute_footprint(n, shape), spot_ids)


def _free_counts(steps: StepRows, released: Sequence[Footprint]) -> tuple[list[int], list[int]]:
    screening, chairs = [row[3] for row in steps], [row[4] for row in steps]
    for footprint in released:
        for n in footprint.screening:
            screening[n] += 1
        for n in footprint.chairs:
            chairs[n] += 1
    return screening, chairs


def _drop_unneeded_spots(
    match: SpotMatch, steps: StepRows, reserved: Mapping[int, Footprint], shape: VisitShape
) -> SpotMatch:
    needed, arrival = list(match.reserved_spot_ids), match.footprint.screening.start
    for pk in match.reserved_spot_ids:
        without = [reserved[other] for other in needed if other != pk]
        if grid.count_spots_left(*_free_counts(steps, without), arrival, shape):
            needed.remove(pk)
    return SpotMatch(match.slot_id, match.starts_at, match.footprint, tuple(needed))
