"""Times for a party."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from drives import refusals
from drives.capacity import availability
from drives.capacity import visits as capacity_visits
from drives.capacity.availability import NEAREST, SlotRow
from drives.domain import grid, party_fit
from drives.eligibility import history
from drives.models import Booking, Drive, DriveState

Freed = Mapping[int, tuple[int, int]]
AllowsAll = Callable[[Drive, Sequence[datetime]], bool]


@dataclass(frozen=True)
class PartyTime:
    """When a party could come: the slot of the first, and the arrival of each, in the order of their visits."""

    slot_id: int
    arrivals: tuple[datetime, ...]

    @property
    def starts_at(self) -> datetime:
        return min(self.arrivals)

    @property
    def last_at(self) -> datetime:
        return max(self.arrivals)

    @property
    def is_at_once(self) -> bool:
        return self.starts_at == self.last_at


def party_times(drive: Drive, visits: Sequence[str], now: datetime, freed: Freed | None = None) -> list[PartyTime]:
    """The times at which all these visits still fit into a drive together, in order. One query."""
    return list(_times_in(drive, steps_of(drive.pk), visits, now, freed))


def times_to_move(drive: Drive, party: Sequence[Booking], now: datetime) -> list[PartyTime]:
    """The other times to which all of these bookings can move together, their own places counted as free. One query."""
    freed: dict[int, tuple[int, int]] = {}
    for booking in party:
        for n, (screened, seated) in grid.deltas(availability.steps_taken(booking)).items():
            before = freed.get(n, (0, 0))
            freed[n] = before[0] - screened, before[1] - seated
    found = party_times(drive, [booking.visit for booking in party], now, freed)
    present = [booking.starts_at for booking in party]
    return [time for time in found if list(time.arrivals) != present]


def nearest_for_all(
    drive: Drive, visits: Sequence[str], wanted: datetime | None, now: datetime, freed: Freed | None = None
) -> list[refusals.OpenTime]:
    """The three times nearest to the one wanted at which a party fits, in order of time. At most one query."""
    if drive.state != DriveState.PUBLISHED:
        return []
    around = wanted or drive.starts_at
    found = _times_in(drive, steps_of(drive.pk), visits, now, freed)
    nearest = sorted(found, key=lambda time: abs(time.starts_at - around))[:NEAREST]
    return [_open(time) for time in sorted(nearest, key=lambda time: time.starts_at)]


def later_for_all(
    drive: Drive, visits: Sequence[str], since: datetime, now: datetime, allows: AllowsAll, freed: Freed
) -> list[refusals.OpenTime]:
    """The next three times from `since` on at which a party fits and each of them may come: here, then at other drives.

    `freed` is what the party itself holds at this drive. At most three queries.
    """

    def allowed(at: Drive, slots: list[SlotRow]) -> Iterator[refusals.OpenTime]:
        found = _times_in(at, slots, visits, now, freed if at.pk == drive.pk else None)
        return (_open(time) for time in found if time.starts_at >= since and allows(at, time.arrivals))

    return history.next_times(drive, since, now, allowed)


def steps_of(drive_id: int) -> list[SlotRow]:
    """A drive's steps in order: the n-th is step n. One query."""
    return availability.slots_of([drive_id])[drive_id]


def room(slots: Sequence[SlotRow], now: datetime, freed: Freed | None = None) -> party_fit.Room:
    """What is free in a drive's steps; `freed` are changes of the counters that are not applied yet."""
    back = freed or {}
    return party_fit.Room(
        [screening - back.get(n, (0, 0))[0] for n, (_id, _at, _open, screening, _chairs) in enumerate(slots)],
        [chairs - back.get(n, (0, 0))[1] for n, (_id, _at, _open, _screening, chairs) in enumerate(slots)],
        [is_open and starts_at > now for _id, starts_at, is_open, _screening, _chairs in slots],
    )


def _times_in(
    drive: Drive, slots: list[SlotRow], visits: Sequence[str], now: datetime, freed: Freed | None = None
) -> Iterator[PartyTime]:
    shapes = [capacity_visits.visit_shape(drive, visit) for visit in visits]
    for found in party_fit.all_arrivals(room(slots, now, freed), shapes):
        yield PartyTime(slots[min(found)][0], tuple(slots[n][1] for n in found))


def _open(time: PartyTime) -> refusals.OpenTime:
    return refusals.OpenTime(time.slot_id, time.starts_at, 1)
