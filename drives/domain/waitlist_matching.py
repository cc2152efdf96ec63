"""Match freed spots with waitlist entries. Pure functions."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, zip_longest
from typing import TypeAlias

from drives.domain import grid
from drives.domain.grid import Footprint, VisitShape

# Rows ordered by step: id, start, whether it is open, free screening stations, free chairs.
StepRows: TypeAlias = Sequence[tuple[int, datetime, bool, int, int]]


@dataclass(frozen=True)
class ArrivalWindow:
    """The arrival times that suit a donor, from `since` until just before `until`, in UTC. None means no limit."""

    since: datetime | None = None
    until: datetime | None = None

    def contains(self, at: datetime) -> bool:
        return (self.since is None or self.since <= at) and (self.until is None or at < self.until)


ANY_TIME = ArrivalWindow()


@dataclass(frozen=True)
class SpotMatch:
    """An arrival time for a donor, with the visit's footprint and the reserved spots that the visit would use."""

    slot_id: int
    starts_at: datetime
    footprint: Footprint
    reserved_spot_ids: tuple[int, ...]


def find_matches(steps: StepRows, reserved: Mapping[int, Footprint], shape: VisitShape) -> Iterator[SpotMatch]:
    """Yield the arrivals that fit a visit of this shape.

    Arrivals without a reserved spot come first, then those with one, then those that combine several. So a visit does
    not use two reserved spots if one is enough.
    """
    for spot_ids in [(), *((pk,) for pk in reserved)]:
        yield from _find_matches_using(steps, reserved, spot_ids, shape)
    for match in _find_matches_using(steps, reserved, tuple(reserved), shape):
        yield _drop_unneeded_spots(match, steps, reserved, shape)


def compute_remainders(old: Sequence[Footprint], new: Sequence[Footprint]) -> list[Footprint]:
    screening = _count_steps(footprint.screening for footprint in old) - _count_steps(
        footprint.screening for footprint in new
    )
    chairs = _count_steps(footprint.chairs for footprint in old) - _count_steps(footprint.chairs for footprint in new)
    return [
        Footprint(screening_run, chair_run)
        for footprint in old
        for screening_run, chair_run in zip_longest(
            _find_runs(footprint.screening, screening), _find_runs(footprint.chairs, chairs), fillvalue=range(0)
        )
    ]


def _count_steps(taken: Iterable[range]) -> Counter[int]:
    return Counter(chain.from_iterable(taken))


def _find_runs(steps: range, left: Counter[int]) -> list[range]:
    remaining = [n for n in steps if left[n] > 0]
    left.subtract(remaining)
    starts = [n for n in remaining if n - 1 not in remaining]
    ends = [n + 1 for n in remaining if n + 1 not in remaining]
    return [range(start, end) for start, end in zip(starts, ends, strict=True)]


def _find_matches_using(
    steps: StepRows, reserved: Mapping[int, Footprint], spot_ids: tuple[int, ...], shape: VisitShape
) -> Iterator[SpotMatch]:
    screening, chairs = _count_free(steps, [reserved[pk] for pk in spot_ids])
    for n, spots_left in enumerate(grid.count_spots_by_arrival(screening, chairs, shape)):
        slot_id, starts_at, is_open = steps[n][:3]
        if spots_left and is_open:
            yield SpotMatch(slot_id, starts_at, grid.compute_footprint(n, shape), spot_ids)


def _count_free(steps: StepRows, released: Sequence[Footprint]) -> tuple[list[int], list[int]]:
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
        if grid.count_spots_left(*_count_free(steps, without), arrival, shape):
            needed.remove(pk)
    return SpotMatch(match.slot_id, match.starts_at, match.footprint, tuple(needed))
