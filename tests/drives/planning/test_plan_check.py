"""Checks of a plan: its time grid, copies of it, and rules that are looser than its policy."""

from datetime import date, time

import pytest

from drives.domain.grid import Grid, GridProblem
from drives.models import PLAN_FIELDS, Drive, Policy, Site
from drives.planning import plan_check
from organizations.models import Organization

POLICY = Policy(min_hours=48, min_days=3, windows=[[2, 7], [3, 14]])


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ({}, []),
        ({"stricter_hours": 47}, [GridProblem("looser_than_policy", "stricter_hours", {"least": 48})]),
        ({"stricter_hours": 48}, []),
        ({"stricter_hours": 49}, []),
        ({"stricter_days": 2}, [GridProblem("looser_than_policy", "stricter_days", {"least": 3})]),
        ({"stricter_days": 3}, []),
        ({"stricter_count": 2}, [GridProblem("window_incomplete", "stricter_count")]),
        ({"stricter_count_days": 7}, [GridProblem("window_incomplete", "stricter_count")]),
        ({"stricter_count": 2, "stricter_count_days": 7}, []),
        ({"stricter_count": 3, "stricter_count_days": 15}, []),
        (
            {"stricter_count": 3, "stricter_count_days": 7},
            [GridProblem("looser_window_than_policy", "stricter_count", {"count": 2, "days": 7})],
        ),
        ({"stricter_count": 3, "stricter_count_days": 8}, []),
        (
            {"stricter_count": 4, "stricter_count_days": 6},
            [
                GridProblem("looser_window_than_policy", "stricter_count", {"count": 2, "days": 7}),
                GridProblem("looser_window_than_policy", "stricter_count", {"count": 3, "days": 14}),
            ],
        ),
    ],
)
def test_rules_looser_than_the_policy_are_listed(typed: dict[str, int], found: list[GridProblem]) -> None:
    assert plan_check.list_rule_problems(Drive(**typed), POLICY) == found


def test_a_policy_without_intervals_makes_no_rule_looser() -> None:
    open_policy = Policy(min_hours=None, min_days=None, windows=[])
    typed = Drive(stricter_hours=1, stricter_days=1, stricter_count=9, stricter_count_days=9)
    assert plan_check.list_rule_problems(typed, open_policy) == []


def planned() -> Drive:
    return Drive(
        organization=Organization(pk=1),
        site=Site(pk=2, timezone="America/Los_Angeles"),
        title="Plasma drive",
        day=date(2027, 3, 13),
        opens=time(9),
        closes=time(10),
        chairs=2,
        screening_stations=1,
        breaks=[["09:15:00", "09:20:00"]],
        state="closed",
        version=7,
    )


def test_defaults_are_15_minute_steps_and_60_minutes_of_grace() -> None:
    assert (Drive().step_minutes, Drive().grace_minutes) == (15, 60)


def test_a_drive_has_a_grid() -> None:
    assert planned().grid == Grid(
        date(2027, 3, 13), time(9), time(10), "America/Los_Angeles", 15, ((time(9, 15), time(9, 20)),), 2, 1
    )


def test_a_copy_takes_exactly_the_plan_fields() -> None:
    drive = planned()
    again = drive.build_copy(day=date(2027, 4, 1))
    assert again.plan == {**drive.plan, "day": date(2027, 4, 1)}
    assert (again.organization, again.state, again.version) == (drive.organization, "draft", 1)
    assert not again.pk
    assert {"title", "site_id", "breaks", "goal"} <= set(drive.plan)
    assert not {"organization_id", "slug", "state", "version", "starts_at", "closed_out_at"} & set(drive.plan)
    assert len(drive.plan) == len(PLAN_FIELDS)
