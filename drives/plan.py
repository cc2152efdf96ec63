"""A drive as a coordinator plans it, and what a plan would make. Pure: nothing is read or written."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time

from drives import timetable
from drives.models import Drive, Policy
from drives.timetable import Grid, Problem, VisitShape


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
    if problems := timetable.problems(grid, plan.first, plan.returning):
        return Preview(problems, [], [], 0, 0)
    steps = timetable.steps(grid)
    screening, chairs = [step.screening_limit for step in steps], [step.chairs_limit for step in steps]
    first = timetable.places_by_arrival(screening, chairs, plan.first)
    returning = timetable.places_by_arrival(screening, chairs, plan.returning)
    times = [
        PreviewTime(*row) for row in zip((step.starts_at for step in steps), chairs, first, returning, strict=True)
    ]
    return Preview(
        problems=[],
        warnings=timetable.warnings(grid),
        times=times,
        first_visits=timetable.greedy_fill(screening, chairs, plan.first),
        return_visits=timetable.greedy_fill(screening, chairs, plan.returning),
    )


def looser(plan: Plan, policy: Policy) -> list[Problem]:
    """What of a plan would be less strict than its policy, and so would not count: said, never done silently."""
    problems = []
    for name, typed, own in (
        ("stricter_hours", plan.stricter_hours, policy.min_hours),
        ("stricter_days", plan.stricter_days, policy.min_days),
    ):
        if typed and own and typed < own:
            problems.append(Problem("looser_than_policy", name, {"least": own}))
    count, days = plan.stricter_count, plan.stricter_count_days
    if (count is None) != (days is None):
        problems.append(Problem("window_incomplete", "stricter_count"))
    for own_count, own_days in policy.windows if count and days else ():
        if own_count < count and own_days >= days:
            values = {"count": own_count, "days": own_days}
            problems.append(Problem("looser_window_than_policy", "stricter_count", values))
    return problems


def plan_of(drive: Drive, on: date | None = None) -> Plan:
    """The plan that made a drive, for the edit form or for another day."""
    names = [name for name in Plan.__dataclass_fields__ if name not in {"on", "breaks"}]
    breaks = [(time.fromisoformat(starts), time.fromisoformat(ends)) for starts, ends in drive.breaks]
    return Plan(on=on or drive.on, breaks=breaks, **{name: getattr(drive, name) for name in names})
