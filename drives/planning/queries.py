"""Reads for the form of a plan: bookings and times that a change would affect."""

from dataclasses import dataclass
from datetime import datetime

from drives.models import Booking, Drive, Offer, Slot


def has_bookings(drive: Drive) -> bool:
    """Whether the plan's grid is frozen: any booking, hold or offer was ever made. At most two queries."""
    return Booking.objects.filter(drive=drive).exists() or Offer.objects.filter(arrival__drive=drive).exists()


@dataclass(frozen=True)
class OverbookedStep:
    """A step in which more people are booked than there would be chairs."""

    starts_at: datetime
    taken: int
    chairs: int

    @property
    def over(self) -> int:
        return self.taken - self.chairs


def list_overbooked_steps(drive: Drive, chairs: list[int]) -> list[OverbookedStep]:
    """The steps that another number of chairs, step by step, would leave over-booked. One query."""
    taken = Slot.objects.filter(drive=drive).order_by("n").values_list("starts_at", "chairs_taken")
    pairs = zip(taken, chairs, strict=False)
    return [OverbookedStep(starts_at, count, limit) for (starts_at, count), limit in pairs if count > limit]
