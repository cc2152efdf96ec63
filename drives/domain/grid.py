"""The time grid of a drive: its steps, the steps that a visit uses, and how many visits still fit. Pure arithmetic.

The hours of a drive are wall-clock times at the site. They are converted to UTC once. All other times are counted in
steps of equal elapsed time. If the clocks change during a drive, the number of steps follows the elapsed time, and the
local labels skip or repeat an hour. If a wall-clock time occurs twice, its first occurrence is used. Periods include
their start and exclude their end.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from typing import TypeAlias
from zoneinfo import ZoneInfo, available_timezones

from drives.domain import rules

# One number for each step of the grid.
FreeCounts: TypeAlias = Sequence[int]


@dataclass(frozen=True)
class GridProblem:
    """A problem or a warning about a grid. The sentence for `code` contains placeholders for `values`."""

    code: str
    field: str
    values: Mapping[str, object] = dataclass_field(default_factory=dict)


@dataclass(frozen=True)
class Grid:
    """The plan for one day. Hours and breaks are wall-clock times in `zone` (IANA) on the local date `day`.

    A drive opens and closes on the same day.
    """

    day: date
    opens: time
    closes: time
    zone: str
    step_minutes: int
    breaks: tuple[tuple[time, time], ...]
    chairs: int
    screening_stations: int


@dataclass(frozen=True)
class VisitShape:
    """The number of screening steps (may be 0) and chair steps of a visit. Chair steps include the chair's turnover."""

    screening_steps: int
    chair_steps: int

    @property
    def steps(self) -> int:
        return self.screening_steps + self.chair_steps

    def minutes(self, step_minutes: int) -> int:
        return self.steps * step_minutes


@dataclass(frozen=True)
class Step:
    """One step of a grid. `n` counts from 0, and `starts_at` is UTC."""

    n: int
    starts_at: datetime
    screening_limit: int
    chairs_limit: int


@dataclass(frozen=True)
class Footprint:
    """The steps in which a visit uses a screening station, and those in which it uses a chair."""

    screening: range
    chairs: range


def find_grid_problems(grid: Grid, first: VisitShape, returning: VisitShape) -> list[GridProblem]:
    problems = [*_grid_problems(grid), *_capacity_problems(grid, first, returning)]
    return problems or list(_fit_problems(grid, first, returning))


def find_grid_warnings(grid: Grid) -> list[GridProblem]:
    if _grid_problems(grid):
        return []
    return [*_ambiguous_times(grid), *_clock_changes(grid), *_breaks_off_step(grid)]


def build_steps(grid: Grid) -> list[Step]:
    """List all steps from opening to closing. A step that overlaps a break has limits of 0.

    Steps are exactly `step_minutes` of elapsed time apart. Raises ValueError for a grid with problems.
    """
    if problems := _grid_problems(grid):
        raise ValueError(" ".join(problem.code for problem in problems))
    width = timedelta(minutes=grid.step_minutes)
    opens, closes = _to_utc(grid, grid.opens), _to_utc(grid, grid.closes)
    breaks = [(_to_utc(grid, starts), _to_utc(grid, ends)) for starts, ends in grid.breaks]
    result = []
    for n in range((closes - opens) // width):
        at = opens + n * width
        is_working = not any(starts < at + width and at < ends for starts, ends in breaks)
        result.append(Step(n, at, grid.screening_stations * is_working, grid.chairs * is_working))
    return result


def compute_footprint(arrival: int, shape: VisitShape) -> Footprint:
    seated = arrival + shape.screening_steps
    return Footprint(range(arrival, seated), range(seated, seated + shape.chair_steps))


def count_spots_left(free_screening: FreeCounts, free_chairs: FreeCounts, arrival: int, shape: VisitShape) -> int:
    """Return how many more visits can arrive in a step.

    This is the smallest number of free stations or chairs in the visit's footprint. Returns 0 if the visit would end
    after closing. A step above its limit counts as full.
    """
    if arrival < 0 or arrival + shape.steps > len(free_chairs):
        return 0
    footprint = compute_footprint(arrival, shape)
    screening = free_screening[footprint.screening.start : footprint.screening.stop]
    return max(0, min([*screening, *free_chairs[footprint.chairs.start : footprint.chairs.stop]]))


def count_spots_by_arrival(free_screening: FreeCounts, free_chairs: FreeCounts, shape: VisitShape) -> list[int]:
    chairs = _window_minima(free_chairs, shape.chair_steps)[shape.screening_steps :]
    if shape.screening_steps:
        chairs = list(map(min, _window_minima(free_screening, shape.screening_steps), chairs))
    fitting = [max(0, spots) for spots in chairs]
    return fitting + [0] * (len(free_chairs) - len(fitting))


def compute_deltas(footprint: Footprint) -> dict[int, tuple[int, int]]:
    return dict.fromkeys(footprint.screening, (1, 0)) | dict.fromkeys(footprint.chairs, (0, 1))


def compute_net_deltas(old: Footprint | None, new: Footprint | None) -> dict[int, tuple[int, int]]:
    """Return the counter changes by step when `new` replaces `old`. Unchanged steps are left out.

    `old` is None for a new booking, and `new` is None for a booking that ends. When a visit moves, the steps in both
    footprints do not change, so a full chair does not refuse the visit that already occupies it.
    """
    before, after = (compute_deltas(footprint) if footprint else {} for footprint in (old, new))
    pairs = {n: (before.get(n, (0, 0)), after.get(n, (0, 0))) for n in sorted(before.keys() | after.keys())}
    return {n: (now[0] - was[0], now[1] - was[1]) for n, (was, now) in pairs.items() if now != was}


def count_fitting_visits(free_screening: FreeCounts, free_chairs: FreeCounts, shape: VisitShape) -> int:
    """Return how many visits of this shape fit. Each visit is placed as early as possible.

    No other placement fits more visits, because the earliest possible visit blocks the fewest others.
    """
    screening, chairs = list(free_screening), list(free_chairs)
    placed = 0
    for arrival, bound in enumerate(count_spots_by_arrival(screening, chairs, shape)):
        if bound and (spots := count_spots_left(screening, chairs, arrival, shape)):
            for n, (screening_change, chair_change) in compute_deltas(compute_footprint(arrival, shape)).items():
                screening[n] -= spots * screening_change
                chairs[n] -= spots * chair_change
            placed += spots
    return placed


def _window_minima(values: FreeCounts, width: int) -> list[int]:
    # Double the window until it is wide enough, because a few passes in C are faster than one in Python.
    minima, covered = list(values), 1
    while covered < width:
        shift = min(covered, width - covered)
        minima = list(map(min, minima, minima[shift:]))
        covered += shift
    return minima


@cache
def _known_zones() -> frozenset[str]:
    # These two names mean different zones on different machines.
    return frozenset(available_timezones()) - {"Factory", "localtime"}


def _to_utc(grid: Grid, wall: time) -> datetime:
    return datetime.combine(grid.day, wall.replace(fold=0), ZoneInfo(grid.zone)).astimezone(UTC)


def _to_local(grid: Grid, at: datetime) -> datetime:
    return at.astimezone(ZoneInfo(grid.zone)).replace(tzinfo=None)


def _wall_times(grid: Grid) -> list[tuple[str, time]]:
    breaks = [("breaks", wall) for pair in grid.breaks for wall in pair]
    return [("opens", grid.opens), ("closes", grid.closes), *breaks]


def _grid_problems(grid: Grid) -> list[GridProblem]:
    problems = [*_hours_problems(grid), *_break_problems(grid)]
    if grid.zone not in _known_zones():
        problems.append(GridProblem("zone_unknown", "zone", {"zone": grid.zone}))
    return problems or list(_clock_problems(grid))


def _hours_problems(grid: Grid) -> Iterator[GridProblem]:
    if grid.day.year not in rules.DRIVE_YEARS:
        yield GridProblem("date_out_of_range", "day", {"year": grid.day.year})
    if grid.closes <= grid.opens:
        yield GridProblem("closes_before_opens", "closes")
    if grid.step_minutes not in rules.STEP_MINUTES:
        yield GridProblem("step_not_allowed", "step_minutes")
    for name in sorted({name for name, wall in _wall_times(grid) if wall.second or wall.microsecond}):
        yield GridProblem("time_not_whole_minute", name)


def _break_problems(grid: Grid) -> Iterator[GridProblem]:
    for starts, ends in grid.breaks:
        if ends <= starts:
            yield GridProblem("break_ends_before_start", "breaks", _format_wall_time(starts))
        elif starts < grid.opens or ends > grid.closes:
            yield GridProblem("break_outside_hours", "breaks", _format_wall_time(starts))
    for (_, ends), (starts, _) in pairwise(sorted(grid.breaks)):
        if starts < ends:
            yield GridProblem("breaks_overlap", "breaks", _format_wall_time(starts))


def _clock_problems(grid: Grid) -> Iterator[GridProblem]:
    missing = [(name, wall) for name, wall in _wall_times(grid) if not _is_real_wall_time(grid, wall)]
    for name, wall in missing:
        yield GridProblem("time_does_not_exist", name, {**_format_wall_time(wall), "day": grid.day})
    elapsed = _to_utc(grid, grid.closes) - _to_utc(grid, grid.opens)
    if not missing and elapsed % timedelta(minutes=grid.step_minutes):
        yield GridProblem(
            "hours_not_whole_steps", "closes", {"length": _format_length(elapsed), "minutes": grid.step_minutes}
        )


def _is_real_wall_time(grid: Grid, wall: time) -> bool:
    return _to_local(grid, _to_utc(grid, wall)) == datetime.combine(grid.day, wall)


def _capacity_problems(grid: Grid, first: VisitShape, returning: VisitShape) -> Iterator[GridProblem]:
    if grid.chairs < 1:
        yield GridProblem("no_chairs", "chairs")
    screened = max(first.screening_steps, returning.screening_steps) > 0
    if grid.screening_stations < (1 if screened else 0):
        yield GridProblem("no_screening_places", "screening_stations")
    for name, shape in (("first", first), ("returning", returning)):
        if shape.screening_steps < 0 or shape.chair_steps < 1:
            yield GridProblem("visit_without_chair_time", name)


def _fit_problems(grid: Grid, first: VisitShape, returning: VisitShape) -> Iterator[GridProblem]:
    limits = [(step.screening_limit, step.chairs_limit) for step in build_steps(grid)]
    screening, chairs = zip(*limits, strict=True)
    for name, shape in (("first", first), ("returning", returning)):
        if not any(count_spots_by_arrival(screening, chairs, shape)):
            yield GridProblem(f"{name}_visit_does_not_fit", name, {"minutes": shape.minutes(grid.step_minutes)})


def _ambiguous_times(grid: Grid) -> Iterator[GridProblem]:
    for name, wall in _wall_times(grid):
        earlier = datetime.combine(grid.day, wall, ZoneInfo(grid.zone))
        if earlier.utcoffset() != earlier.replace(fold=1).utcoffset():
            meant = f"UTC{earlier.isoformat()[19:25]}"
            yield GridProblem("time_happens_twice", name, {**_format_wall_time(wall), "day": grid.day, "meant": meant})


def _clock_changes(grid: Grid) -> Iterator[GridProblem]:
    starts = [step.starts_at for step in build_steps(grid)] + [_to_utc(grid, grid.closes)]
    for at, following in pairwise(starts):
        if change := (_to_local(grid, following) - _to_local(grid, at)) - (following - at):
            way = "forward" if change > timedelta(0) else "back"
            yield GridProblem("zone_changes_in_hours", "day", {"way": way, "length": _format_length(abs(change))})
    elapsed, visible = starts[-1] - starts[0], _to_local(grid, starts[-1]) - _to_local(grid, starts[0])
    if elapsed != visible:
        yield GridProblem(
            "hours_differ_from_clock", "closes", {"length": _format_length(elapsed), "shown": _format_length(visible)}
        )


def _breaks_off_step(grid: Grid) -> Iterator[GridProblem]:
    opens, width = _to_utc(grid, grid.opens), timedelta(minutes=grid.step_minutes)
    for starts, ends in grid.breaks:
        if any((_to_utc(grid, wall) - opens) % width for wall in (starts, ends)):
            yield GridProblem("break_not_on_steps", "breaks", _format_wall_time(starts))


def _format_wall_time(wall: time) -> dict[str, object]:
    return {"at": f"{wall:%H:%M}"}


def _format_length(length: timedelta) -> str:
    hours, minutes = divmod(length // timedelta(minutes=1), 60)
    return f"{hours} h {minutes:02} min"
