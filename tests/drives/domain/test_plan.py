"""What a plan would make, and what of it would be less strict than its policy: pure."""

from dataclasses import replace
from datetime import UTC, date, datetime, time

import pytest

from drives.domain import plan
from drives.domain.grid import Grid, Problem, VisitShape
from drives.domain.plan import Plan, Preview, PreviewTime
from drives.models import Drive, Policy
from drives.planning import plan as planning_plan

LOS_ANGELES = "America/Los_Angeles"
PLAN = Plan(
    site_id=1,
    policy_id=2,
    title="Plasma drive",
    on=date(2027, 3, 13),
    opens=time(9),
    closes=time(10),
    chairs=2,
    screening_places=1,
    first_screening_steps=1,
    first_chair_steps=2,
    return_screening_steps=0,
    return_chair_steps=1,
    step_minutes=15,
    breaks=[(time(9, 15), time(9, 20))],
)


def at(minute: int) -> datetime:
    return datetime(2027, 3, 13, 17, minute, tzinfo=UTC)


def test_a_drive_has_steps_of_a_quarter_of_an_hour_and_an_hour_of_grace_unless_it_says_otherwise() -> None:
    fields = Plan.__dataclass_fields__
    assert (fields["step_minutes"].default, fields["grace_minutes"].default) == (15, 60)


def test_a_plan_is_a_grid_and_two_shapes() -> None:
    assert PLAN.grid(LOS_ANGELES) == Grid(
        date(2027, 3, 13), time(9), time(10), LOS_ANGELES, 15, ((time(9, 15), time(9, 20)),), 2, 1
    )
    assert (PLAN.first, PLAN.returning) == (VisitShape(1, 2), VisitShape(0, 1))


def test_a_preview_shows_each_step_and_how_many_visits_fit() -> None:
    found = plan.preview(plan=replace(PLAN, breaks=()), zone=LOS_ANGELES)
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
    found = plan.preview(plan=replace(PLAN, closes=time(10, 30)), zone=LOS_ANGELES)
    assert found.warnings == [Problem("break_not_on_steps", "breaks", {"at": "09:15"})]
    assert [time.chairs for time in found.times] == [2, 0, 2, 2, 2, 2]


def test_a_preview_of_a_plan_with_problems_shows_nothing_else() -> None:
    found = plan.preview(plan=replace(PLAN, chairs=0), zone=LOS_ANGELES)
    assert found == Preview([Problem("no_chairs", "chairs")], [], [], 0, 0)


POLICY = Policy(min_hours=48, min_days=3, windows=[[2, 7], [3, 14]])


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ({}, []),
        ({"stricter_hours": 47}, [Problem("looser_than_policy", "stricter_hours", {"least": 48})]),
        ({"stricter_hours": 48}, []),
        ({"stricter_hours": 49}, []),
        ({"stricter_days": 2}, [Problem("looser_than_policy", "stricter_days", {"least": 3})]),
        ({"stricter_days": 3}, []),
        ({"stricter_count": 2}, [Problem("window_incomplete", "stricter_count")]),
        ({"stricter_count_days": 7}, [Problem("window_incomplete", "stricter_count")]),
        ({"stricter_count": 2, "stricter_count_days": 7}, []),
        ({"stricter_count": 3, "stricter_count_days": 15}, []),
        (
            {"stricter_count": 3, "stricter_count_days": 7},
            [Problem("looser_window_than_policy", "stricter_count", {"count": 2, "days": 7})],
        ),
        ({"stricter_count": 3, "stricter_count_days": 8}, []),
        (
            {"stricter_count": 4, "stricter_count_days": 6},
            [
                Problem("looser_window_than_policy", "stricter_count", {"count": 2, "days": 7}),
                Problem("looser_window_than_policy", "stricter_count", {"count": 3, "days": 14}),
            ],
        ),
    ],
)
def test_what_is_less_strict_than_the_policy_is_said(typed: dict[str, int], found: list[Problem]) -> None:
    assert planning_plan.looser(replace(PLAN, **typed), POLICY) == found  # type: ignore[arg-type]


def test_where_the_policy_has_no_least_time_none_is_less_strict() -> None:
    open_policy = Policy(min_hours=None, min_days=None, windows=[])
    typed = replace(PLAN, stricter_hours=1, stricter_days=1, stricter_count=9, stricter_count_days=9)
    assert planning_plan.looser(typed, open_policy) == []


def test_a_drive_gives_back_the_plan_that_made_it_for_its_day_or_another() -> None:
    fields = {name: getattr(PLAN, name) for name in Plan.__dataclass_fields__ if name != "breaks"}
    drive = Drive(breaks=[["09:15", "09:20"]], **fields)
    assert planning_plan.plan_of(drive) == PLAN
    assert planning_plan.plan_of(drive, date(2027, 4, 1)) == replace(PLAN, on=date(2027, 4, 1))
