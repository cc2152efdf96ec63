"""Times for a family or a group: arrivals at which several visits fit into a drive's grid together. Pure.

Together means at the same time, else one after the other: nobody arrives later than the one before them leaves the
chair they sat in. A party is at most six people.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from drives.timetable import Counts, VisitShape, deltas, footprint, places_left

MOST = 6
SIZES = range(1, MOST + 1)


@dataclass(frozen=True)
class Room:
    """What is free in each step of a drive, and in which steps somebody may arrive."""

    free_screening: Counts
    free_chairs: Counts
    may_arrive: Sequence[bool]


def arrivals(room: Room, first: int, shapes: Sequence[VisitShape]) -> list[int] | None:
    """The arrival step of each visit, the earliest of them in step `first`; None if they do not fit together then.

    Of all ways that fit, one in which the last person arrives as early as can be. Visits of one shape arrive in the
    order in which they are named.
    """
    if not 0 <= first < len(room.may_arrive) or not shapes:
        return None
    search = _Search(room, shapes)
    reach = search.gap * (len(shapes) - 1)
    for last in range(first, min(first + reach, len(room.may_arrive) - 1) + 1):
        if found := search.until(first, last):
            return found
    return None


def all_arrivals(room: Room, shapes: Sequence[VisitShape]) -> Iterator[list[int]]:
    """What `arrivals` finds from each step on, in order, where it finds something."""
    for first in range(len(room.may_arrive)):
        if found := arrivals(room, first, shapes):
            yield found


class _Search:
    """Places visits in order of arrival and takes back what leads nowhere."""

    def __init__(self, room: Room, shapes: Sequence[VisitShape]) -> None:
        self.room, self.shapes = room, shapes
        self.kinds = list(dict.fromkeys(shapes))
        self.gap = max(shape.chair_steps for shape in shapes)
        self.screening, self.chairs = list(room.free_screening), list(room.free_chairs)

    def until(self, first: int, last: int) -> list[int] | None:
        """An arrangement from `first` to `last`, both of them taken."""
        self.last = last
        left = [self.shapes.count(kind) for kind in self.kinds]
        placed = self._place(left, first, first, 0, [])
        return self._named(placed) if placed else None

    def _place(
        self, left: list[int], earliest: int, latest: int, kind_from: int, placed: list[tuple[int, int]]
    ) -> list[tuple[int, int]] | None:
        if not any(left):
            return list(placed) if placed[-1][0] == self.last else None
        for arrival in range(earliest, min(latest, self.last) + 1):
            if not self.room.may_arrive[arrival]:
                continue
            # At one time the kinds come in one order only: another order is the same arrangement.
            for kind in range(kind_from if arrival == earliest else 0, len(self.kinds)):
                if left[kind] and (found := self._try(left, arrival, kind, placed)):
                    return found
        return None

    def _try(
        self, left: list[int], arrival: int, kind: int, placed: list[tuple[int, int]]
    ) -> list[tuple[int, int]] | None:
        shape = self.kinds[kind]
        if not places_left(self.screening, self.chairs, arrival, shape):
            return None
        self._take(arrival, shape, 1)
        left[kind] -= 1
        found = self._place(left, arrival, arrival + self.gap, kind, [*placed, (arrival, kind)])
        left[kind] += 1
        self._take(arrival, shape, -1)
        return found

    def _take(self, arrival: int, shape: VisitShape, places: int) -> None:
        for n, (screened, seated) in deltas(footprint(arrival, shape)).items():
            self.screening[n] -= places * screened
            self.chairs[n] -= places * seated

    def _named(self, placed: list[tuple[int, int]]) -> list[int]:
        waiting: dict[VisitShape, list[int]] = {kind: [] for kind in self.kinds}
        for arrival, kind in placed:
            waiting[self.kinds[kind]].append(arrival)
        return [waiting[shape].pop(0) for shape in self.shapes]
