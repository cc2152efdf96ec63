"""Preview the times and the capacity of a plan. Pure functions."""

from dataclasses import dataclass
from datetime import datetime

from drives.domain import grid as domain_grid
from drives.domain.grid import Grid, GridProblem, VisitShape


@dataclass(frozen=True)
class PreviewTime:
    """A step of the planned grid.

    `first_spots` and `return_spots` are the numbers of first or return visits that can start in this step.
    """

    starts_at: datetime
    chairs: int
    first_spots: int
    return_spots: int


@dataclass(frozen=True)
class Preview:
    problems: list[GridProblem]
    warnings: list[GridProblem]
    times: list[PreviewTime]
    first_visits: int  # capacity if all visits are first visits
    return_visits: int


def build_preview(grid: Grid, first: VisitShape, returning: VisitShape) -> Preview:
    if problems := domain_grid.find_grid_problems(grid, first, returning):
        return Preview(problems, [], [], 0, 0)
    steps = domain_grid.build_steps(grid)
    screening, chairs = [step.screening_limit for step in steps], [step.chairs_limit for step in steps]
    first_spots = domain_grid.count_spots_by_arrival(screening, chairs, first)
    return_spots = domain_grid.count_spots_by_arrival(screening, chairs, returning)
    rows = zip((step.starts_at for step in steps), chairs, first_spots, return_spots, strict=True)
    return Preview(
        problems=[],
        warnings=domain_grid.find_grid_warnings(grid),
        times=[PreviewTime(*row) for row in rows],
        first_visits=domain_grid.count_fitting_visits(screening, chairs, first),
        return_visits=domain_grid.count_fitting_visits(screening, chairs, returning),
    )
