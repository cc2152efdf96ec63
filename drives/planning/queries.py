from dataclasses import dataclass
from datetime import datetime

from drives.models import Booking, Drive, Offer, Slot
from organizations.models import Organization


def has_bookings(drive: Drive) -> bool:
    """Return whether the drive ever had a booking, hold or offer. At most two queries.

    If so, its grid must not change.
    """
    return Booking.objects.filter(drive=drive).exists() or Offer.objects.filter(arrival__drive=drive).exists()


def has_drives(organization: Organization) -> bool:
    return Drive.objects.of(organization).exists()


@dataclass(frozen=True)
class OverbookedStep:
    starts_at: datetime
    taken: int
    chairs: int

    @property
    def over(self) -> int:
        return self.taken - self.chairs


def list_overbooked_steps(drive: Drive, chairs: list[int]) -> list[OverbookedStep]:
    taken = Slot.objects.filter(drive=drive).order_by("n").values_list("starts_at", "chairs_taken")
    pairs = zip(taken, chairs, strict=False)
    return [OverbookedStep(starts_at, count, limit) for (starts_at, count), limit in pairs if count > limit]
