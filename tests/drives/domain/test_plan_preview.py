from dataclasses import replace
from datetime import UTC, date, datetime, time

from drives.domain import plan_preview
from drives.domain.grid import Grid, GridProblem, VisitShape
from drives.domain.plan_preview import Preview, PreviewTime

GRID = Grid(
    day=date(2027, 3, 13),
    opens=time(9),
    closes=time(10),
    zone="America/Los_Angeles",
    step_minutes=15,
    breaks=((time(9, 15), time(9, 20)),),
    chairs=2,
    screening_stations=1,
)
FIRST, RETURNING = VisitShape(1, 2), VisitShape(0, 1)


def at(minute: int) -> datetime:
    return datetime(2027, 3, 13, 17, minute, tzinfo=UTC)


def test_a_preview_shows_each_step_and_how_many_visits_fit() -> None:
    found = plan_preview.build_preview(replace(GRID, breaks=()), FIRST, RETURNING)
    assert found == Preview(
        problems=[],
        warnings=[],
        times=[
            PreviewTime(at(0), 2, 1, 2),
            PreviewTime(at(15), 2, 1, 2),
            PreviewTime(at(30), 2, 0, 2),
            PreviewTime(at(45), 2, 0, 2),
        ],
        first_visits=2,
        return_visits=8,
    )


def test_a_preview_warns_of_a_break_off_the_steps() -> None:
    found = plan_preview.build_preview(replace(GRID, closes=time(10, 30)), FIRST, RETURNING)
    assert found.warnings == [GridProblem("break_not_on_steps", "breaks", {"at": "09:15"})]
    assert [time.chairs for time in found.times] == [2, 0, 2, 2, 2, 2]


def test_a_preview_of_a_plan_with_problems_shows_nothing_else() -> None:
    found = plan_preview.build_preview(replace(GRID, chairs=0), FIRST, RETURNING)
    assert found == Preview([GridProblem("no_chairs", "chairs")], [], [], 0, 0)
