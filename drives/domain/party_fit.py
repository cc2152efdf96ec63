"""Times for a family or a group: arrivals at which several visits fit into a drive's grid together. Pure.

Together means at the same time, else one after the other: nobody arrives later than the one before them leaves the
chair they sat in. A party is at most six people.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from drives.domain import grid
from drives.domain.grid import FreeCounts, VisitShape

MAX_PARTY_SIZE = 6
PARTY_SIZES = range(1, MAX_PARTY_SIZE + 1)
MAX_PLACEMENTS = 3_000  # placements; with a fine grid, few chairs and two kinds of visit there are millions of ways


@dataclass(frozen=True)
class FreeCapacity:
    """What is free in each step of a drive, and in which steps somebody may arrive."""

    free_screening: FreeCounts
    free_chairs: FreeCounts
    may_arrive: Sequence[bool]


def fit_party(capacity: FreeCapacity, first: int, shapes: Sequence[VisitShape]) -> list[int] | None:
    """The arrival step of each visit, the earliest of them in step `first`; None if they do not fit together then.

    Of all ways that fit, one in which the last person arrives as early as can be; after `MAX_PLACEMENTS` placements,
    the
    best of those that were seen. Visits of one shape arrive in the order in which they are named.
    """
    if not 0 <= first < len(capacity.may_arrive) or not shapes:
        return None
    return _Search(capacity, shapes).beginning(first, MAX_PLACEMENTS)


def fit_party_at_each_step(capacity: FreeCapacity, shapes: Sequence[VisitShape]) -> Iterator[list[int]]:
    """What `arrivals` finds from each step on, in order, where it finds something; they share `MAX_PLACEMENTS`."""
    search, steps = _Search(capacity, shapes), range(len(capacity.may_arrive))
    for first in steps:
        if found := search.beginning(first, MAX_PLACEMENTS // len(steps)):
            yield found


PlacedVisit = tuple[int, int]  # an arrival, and which of the kinds
RemainingCounts = tuple[int, ...]  # how many of each kind are still to be placed


class _Search:
    """Places visits in order of arrival; what is best for the rest, given who still sits then, is found once."""

    def __init__(self, room: FreeCapacity, shapes: Sequence[VisitShape]) -> None:
        self.room, self.shapes = room, shapes
        self.kinds = list(dict.fromkeys(shapes))
        self.gap = max(shape.chair_steps for shape in shapes)
        self.screening, self.chairs = list(room.free_screening), list(room.free_chairs)
        # Where a visit would fit if nobody else came: nowhere else will one fit.
        self.alone = [grid.count_spots_by_arrival(room.free_screening, room.free_chairs, kind) for kind in self.kinds]
        self.known: dict[
            tuple[RemainingCounts, PlacedVisit, tuple[PlacedVisit, ...]], tuple[PlacedVisit, ...] | None
        ] = {}
        screening = [kind.screening_steps for kind in self.kinds]
        self.spread = max(screening) - min(screening)
        self.shortest, self.most_chairs = min(kind.chair_steps for kind in self.kinds), max(1, *self.chairs)
        self.tries_left = 0

    def beginning(self, first: int, at_most: int) -> list[int] | None:
        """The arrangement that begins in this step, after at most so many placements."""
        self.tries_left, left = at_most, tuple(self.shapes.count(kind) for kind in self.kinds)
        placed = self._best(left, first, first, 0, ())
        return self._named(placed) if placed else None

    def _rest(
        self, left: RemainingCounts, before: PlacedVisit, seated: tuple[PlacedVisit, ...]
    ) -> tuple[PlacedVisit, ...] | None:
        """The best way to place who is left after somebody; `seated` are those who are not gone by then."""
        if not any(left):
            return ()
        key = (left, before, seated)
        if key in self.known:
            return self.known[key]
        arrival, kind = before
        # At one time the kinds come in one order only: another order is the same arrangement.
        best = self._best(left, arrival, arrival + self.gap, kind, seated)
        if self.tries_left > 0:
            self.known[key] = best
        return best

    def _best(
        self, left: RemainingCounts, earliest: int, latest: int, kind_from: int, seated: tuple[PlacedVisit, ...]
    ) -> tuple[PlacedVisit, ...] | None:
        best: tuple[PlacedVisit, ...] | None = None
        for arrival in range(earliest, min(latest, len(self.room.may_arrive) - 1) + 1):
            if (
                best and best[-1][0] <= max(arrival, self._earliest_last_arrival(arrival, sum(left)))
            ) or self.tries_left <= 0:
                break  # the last of them cannot come earlier than that
            if not self.room.may_arrive[arrival]:
                continue
            for kind in range(kind_from if arrival == earliest else 0, len(self.kinds)):
                found = self._try(left, arrival, kind, seated) if left[kind] and self.alone[kind][arrival] else None
                if found and (best is None or found[-1][0] < best[-1][0]):
                    best = found
        return best

    def _earliest_last_arrival(self, arrival: int, people: int) -> int:
        """Before which step the last of so many cannot come: as many as there are chairs sit down at a time."""
        return arrival + (people - 1) // self.most_chairs * self.shortest - self.spread

    def _try(
        self, left: RemainingCounts, arrival: int, kind: int, seated: tuple[PlacedVisit, ...]
    ) -> tuple[PlacedVisit, ...] | None:
        shape = self.kinds[kind]
        sit = arrival + shape.screening_steps
        screened, seated_in = slice(arrival, sit), slice(sit, sit + shape.chair_steps)
        one = (arrival, kind)
        if min(self.chairs[seated_in]) < 1 or (screened.stop > arrival and min(self.screening[screened]) < 1):
            return None
        self.tries_left -= 1
        self._take(one, 1)
        fewer = (*left[:kind], left[kind] - 1, *left[kind + 1 :])
        still = tuple(visit for visit in (*seated, one) if visit[0] + self.kinds[visit[1]].steps > arrival)
        rest = self._rest(fewer, one, still)
        self._take(one, -1)
        return None if rest is None else (one, *rest)

    def _take(self, visit: PlacedVisit, places: int) -> None:
        arrival, kind = visit
        taken = grid.compute_footprint(arrival, self.kinds[kind])
        for n in taken.screening:
            self.screening[n] -= places
        for n in taken.chairs:
            self.chairs[n] -= places

    def _named(self, placed: Sequence[PlacedVisit]) -> list[int]:
        waiting: dict[VisitShape, list[int]] = {kind: [] for kind in self.kinds}
        for arrival, kind in placed:
            waiting[self.kinds[kind]].append(arrival)
        return [waiting[shape].pop(0) for shape in self.shapes]
