from math import ceil

from drives.domain.grid import VisitShape
from drives.models import Drive, Visit

VisitTypes = tuple[str, ...]
"""The visit types of a party, one for each person."""


def compute_visit_shape(drive: Drive, visit: str) -> VisitShape:
    if visit == Visit.FIRST:
        return VisitShape(drive.first_screening_steps, drive.first_chair_steps)
    return VisitShape(drive.return_screening_steps, drive.return_chair_steps)


def compute_visit_shapes(drive: Drive, visit_types: VisitTypes) -> list[VisitShape]:
    return [compute_visit_shape(drive, visit) for visit in visit_types]


def estimate_spots(drive: Drive, steps: int) -> int:
    """Estimate how many return visits fit into a grid of `steps` steps, counting only the chairs."""
    return drive.chairs * steps // max(1, drive.return_chair_steps)


def compute_visit_minutes(drive: Drive, visit: str) -> int:
    """Return the length of a whole visit in minutes.

    This is the policy's length, adjusted if the drive plans more or less time for screening and chair than the policy.
    """
    policy, step = drive.policy, drive.step_minutes
    is_first = visit == Visit.FIRST
    screening = policy.first_screening_minutes if is_first else policy.return_screening_minutes
    usual_steps = ceil(screening / step) + ceil(policy.chair_minutes / step)
    longer_by = (compute_visit_shape(drive, visit).steps - usual_steps) * step
    return (policy.first_minutes if is_first else policy.return_minutes) + longer_by
