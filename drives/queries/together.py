"""Times for a party."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from drives import rules, together
from drives.models import Drive, DriveState, Slot
from drives.queries.places import NEAREST


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


def party_times(drive: Drive, visits: Sequence[str], now: datetime) -> list[PartyTime]:
    """The times at which all these visits still fit into a drive together, in order. One query."""
    slots = steps_of(drive.pk)
    shapes = [rules.visit_shape(drive, visit) for visit in visits]
    return [
        PartyTime(slots[min(found)].pk, tuple(slots[n].starts_at for n in found))
        for found in together.all_arrivals(room(slots, now), shapes)
    ]


def nearest_for_all(
    drive: Drive, visits: Sequence[str], wanted: datetime | None, now: datetime
) -> list[rules.OpenTime]:
    """The three times nearest to the one wanted at which a party fits, in order of time. At most one query."""
    if drive.state != DriveState.PUBLISHED:
        return []
    around = wanted or drive.starts_at
    nearest = sorted(party_times(drive, visits, now), key=lambda time: abs(time.starts_at - around))[:NEAREST]
    return [rules.OpenTime(time.slot_id, time.starts_at, 1) for time in sorted(nearest, key=lambda one: one.starts_at)]


def steps_of(drive_id: int) -> list[Slot]:
    """A drive's steps in order: the n-th is step n. One query."""
    return list(Slot.objects.filter(drive=drive_id).order_by("n"))


def room(slots: Sequence[Slot], now: datetime, freed: Mapping[int, tuple[int, int]] | None = None) -> together.Room:
    """What is free in a drive's steps; `freed` are changes of the counters that are not applied yet."""
    back = freed or {}
    return together.Room(
        [slot.screening_limit - slot.screening_taken - back.get(slot.n, (0, 0))[0] for slot in slots],
        [slot.chairs_limit - slot.chairs_taken - back.get(slot.n, (0, 0))[1] for slot in slots],
        [slot.open and slot.starts_at > now for slot in slots],
    )
