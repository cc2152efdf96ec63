"""A drive as a coordinator plans it, and what a plan would make. Pure: nothing is read or written."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time

from drives.domain import grid as domain_grid
from drives.domain.grid import Grid, Problem, VisitShape


@dataclass(frozen=True)
class Plan:
    """A drive as a coordinator plans it. Hours and breaks are wall time at the site; visits are counted in steps."""

    site_id: int
    policy_id: int
    title: str
    on: date
    opens: time
    closes: time
    chairs: int
    screening_places: int
    first_screening_steps: int
    first_chair_steps: int
    return_screening_steps: int
    return_chair_steps: int
    step_minutes: int = 15
    breaks: Sequence[tuple[time, time]] = field(default_factory=tuple)
    cause_id: int | None = None
    collector_id: int | None = None
    description: str = ""
    bring: str = ""
    description_es: str = ""
    bring_es: str = ""
    phone: str = ""
    goal: int | None = None
    grace_minutes: int = 60
    stricter_hours: int | None = None  # than the policy's least time between donations
    stricter_days: int | None = None
    stricter_count: int | None = None  # at most so many donations in any `stricter_count_days`
    stricter_count_days: int | None = None

    def grid(self, zone: str) -> Grid:
        return Grid(
            on=self.on,
            opens=self.opens,
            closes=self.closes,
            zone=zone,
            step_minutes=self.step_minutes,
            breaks=tuple(self.breaks),
            chairs=self.chairs,
            screening_places=self.screening_places,
        )

    @property
    def first(self) -> VisitShape:
        return VisitShape(self.first_screening_steps, self.first_chair_steps)

    @property
    def returning(self) -> VisitShape:
        return VisitShape(self.return_screening_steps, self.return_chair_steps)


@dataclass(frozen=True)
class PreviewTime:
    """One step of the grid as it would be: how many visits of each kind could arrive then on an empty day."""

    starts_at: datetime
    chairs: int
    first_places: int
    return_places: int


@dataclass(frozen=True)
class Preview:
    """What a plan would make, without saving it."""

    problems: list[Problem]
    warnings: list[Problem]
    times: list[PreviewTime]
    first_visits: int  # how many would fit if all were first visits
    return_visits: int


def preview(*, plan: Plan, zone: str) -> Preview:
    """The slots and capacity of a plan, or what is wrong with it. Reads and writes nothing."""
    grid = plan.grid(zone)
    if problems := domain_grid.problems(grid, plan.first, plan.returning):
        return Preview(problems, [], [], 0, 0)
    steps = domain_grid.steps(grid)
    screening, chairs = [step.screening_limit for step in steps], [step.chairs_limit for step in steps]
    first = domain_grid.places_by_arrival(screening, chairs, plan.first)
    returning = domain_grid.places_by_arrival(screening, chairs, plan.returning)
    times = [
        PreviewTime(*row) for row in zip((step.starts_at for step in steps), chairs, first, returning, strict=True)
    ]
    return Preview(
        problems=[],
        warnings=domain_grid.warnings(grid),
        times=times,
        first_visits=domain_grid.greedy_fill(screening, chairs, plan.first),
        return_visits=domain_grid.greedy_fill(screening, chairs, plan.returning),
    )
