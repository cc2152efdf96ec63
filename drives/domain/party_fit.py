"""Find arrival times at which a party of up to six fits into a drive's grid. Pure functions.

The members arrive at the same time or one after another. The time from one arrival to the next is at most the
longest chair time in the party.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from drives.domain import grid, rules
from drives.domain.grid import FreeCounts, VisitShape


@dataclass(frozen=True)
class FreeCapacity:
    free_screening: FreeCounts
    free_chairs: FreeCounts
    may_arrive: Sequence[bool]


def fit_party(capacity: FreeCapacity, first: int, shapes: Sequence[VisitShape]) -> list[int] | None:
    """Return the arrival step of each visit, or None if they do not fit. The earliest visit arrives in step `first`.

    Of several arrangements, the one with the earliest last arrival is chosen. `rules.MAX_ARRANGEMENTS_TRIED` limits the
    search. Visits of the same shape arrive in the order of `shapes`.
    """
    if not 0 <= first < len(capacity.may_arrive) or not shapes:
        return None
    return _Search(capacity, shapes).find_arrangement(first, rules.MAX_ARRANGEMENTS_TRIED)


def fit_party_at_each_step(capacity: FreeCapacity, shapes: Sequence[VisitShape]) -> Iterator[list[int]]:
    """Yield the arrival steps, as in `fit_party`, for each first step where the party fits.

    The steps share the limit of the search equally, so a search may end earlier than in `fit_party`.
    """
    search, steps = _Search(capacity, shapes), range(len(capacity.may_arrive))
    for first in steps:
        if arrivals := search.find_arrangement(first, rules.MAX_ARRANGEMENTS_TRIED // len(steps)):
            yield arrivals


PlacedVisit = tuple[int, int]  # arrival step, index of the shape in `kinds`
RemainingCounts = tuple[int, ...]  # number of visits of each kind that are not placed yet


class _Search:
    """A depth-first search that places the visits of a party in order of arrival.

    `best_rests` caches, for each state of the search, the best way to place the remaining visits.
    """

    def __init__(self, room: FreeCapacity, shapes: Sequence[VisitShape]) -> None:
        self.room, self.shapes = room, shapes
        self.kinds = list(dict.fromkeys(shapes))
        self.gap = max(shape.chair_steps for shape in shapes)
        self.screening, self.chairs = list(room.free_screening), list(room.free_chairs)
        # The steps where a single visit fits. A visit of a party fits nowhere else, so these limit the search.
        self.alone = [grid.count_spots_by_arrival(room.free_screening, room.free_chairs, kind) for kind in self.kinds]
        self.best_rests: dict[
            tuple[RemainingCounts, PlacedVisit, tuple[PlacedVisit, ...]], tuple[PlacedVisit, ...] | None
        ] = {}
        screening = [kind.screening_steps for kind in self.kinds]
        self.spread = max(screening) - min(screening)
        self.shortest, self.most_chairs = min(kind.chair_steps for kind in self.kinds), max(1, *self.chairs)
        self.tries_left = 0

    def find_arrangement(self, first: int, at_most: int) -> list[int] | None:
        self.tries_left, left = at_most, tuple(self.shapes.count(kind) for kind in self.kinds)
        placed = self._place_best(left, first, first, 0, ())
        return self._sort_by_person(placed) if placed else None

    def _place_rest(
        self, left: RemainingCounts, before: PlacedVisit, seated: tuple[PlacedVisit, ...]
    ) -> tuple[PlacedVisit, ...] | None:
        if not any(left):
            return ()
        key = (left, before, seated)
        if key in self.best_rests:
            return self.best_rests[key]
        arrival, kind = before
        # In one step, place visits only in the order of `kinds`, because any other order is equivalent.
        best = self._place_best(left, arrival, arrival + self.gap, kind, seated)
        if self.tries_left > 0:  # an incomplete search may have missed the best arrangement
            self.best_rests[key] = best
        return best

    def _place_best(
        self, left: RemainingCounts, earliest: int, latest: int, kind_from: int, seated: tuple[PlacedVisit, ...]
    ) -> tuple[PlacedVisit, ...] | None:
        best: tuple[PlacedVisit, ...] | None = None
        for arrival in range(earliest, min(latest, len(self.room.may_arrive) - 1) + 1):
            if (
                best and best[-1][0] <= max(arrival, self._compute_earliest_last_arrival(arrival, sum(left)))
            ) or self.tries_left <= 0:
                break  # later arrangements are not better than `best`
            if not self.room.may_arrive[arrival]:
                continue
            for kind in range(kind_from if arrival == earliest else 0, len(self.kinds)):
                placed = (
                    self._try_visit(left, arrival, kind, seated) if left[kind] and self.alone[kind][arrival] else None
                )
                if placed and (best is None or placed[-1][0] < best[-1][0]):
                    best = placed
        return best

    def _compute_earliest_last_arrival(self, arrival: int, people: int) -> int:
        """Return a lower bound for the last arrival of `people` people, if the first arrives in step `arrival`."""
        return arrival + (people - 1) // self.most_chairs * self.shortest - self.spread

    def _try_visit(
        self, left: RemainingCounts, arrival: int, kind: int, seated: tuple[PlacedVisit, ...]
    ) -> tuple[PlacedVisit, ...] | None:
        shape = self.kinds[kind]
        seated_at = arrival + shape.screening_steps
        screening_steps, chair_steps = slice(arrival, seated_at), slice(seated_at, seated_at + shape.chair_steps)
        visit = (arrival, kind)
        if min(self.chairs[chair_steps]) < 1 or (
            screening_steps.stop > arrival and min(self.screening[screening_steps]) < 1
        ):
            return None
        self.tries_left -= 1
        self._change_free(visit, 1)
        remaining = (*left[:kind], left[kind] - 1, *left[kind + 1 :])
        still_seated = tuple(each for each in (*seated, visit) if each[0] + self.kinds[each[1]].steps > arrival)
        rest = self._place_rest(remaining, visit, still_seated)
        self._change_free(visit, -1)
        return None if rest is None else (visit, *rest)

    def _change_free(self, visit: PlacedVisit, count: int) -> None:
        arrival, kind = visit
        footprint = grid.compute_footprint(arrival, self.kinds[kind])
        for n in footprint.screening:
            self.screening[n] -= count
        for n in footprint.chairs:
            self.chairs[n] -= count

    def _sort_by_person(self, placed: Sequence[PlacedVisit]) -> list[int]:
        arrivals: dict[VisitShape, list[int]] = {kind: [] for kind in self.kinds}
        for arrival, kind in placed:
            arrivals[self.kinds[kind]].append(arrival)
        return [arrivals[shape].pop(0) for shape in self.shapes]
