"""Compute how long a visit takes at a drive."""

from drives.domain.grid import VisitShape
from drives.models import Booking, Drive, Visit

VisitTypes = tuple[str, ...]
"""The visit types of a party, one for each person."""


def compute_visit_shape(drive: Drive, visit: str) -> VisitShape:
    if visit == Visit.FIRST:
        return VisitShape(drive.first_screening_steps, drive.first_chair_steps)
    return VisitShape(drive.return_screening_steps, drive.return_chair_steps)


def compute_visit_shapes(drive: Drive, visit_types: VisitTypes) -> list[VisitShape]:
    return [compute_visit_shape(drive, visit) for visit in visit_types]


def estimate_spots(drive: Drive, steps: int) -> int:
    """Return about how many return visits fit into this many steps."""
    return drive.chairs * steps // max(1, drive.return_chair_steps)


def compute_visit_minutes(booking: Booking) -> int:
    policy = booking.drive.policy
    return policy.first_minutes if booking.visit == "first" else policy.return_minutes
