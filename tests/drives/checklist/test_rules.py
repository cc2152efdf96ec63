from datetime import date, timedelta

import pytest

from drives.checklist import rules
from drives.models import Drive, DriveState
from tests.builders import NOW

DAY = date(2027, 3, 13)


@pytest.mark.parametrize(
    ("days", "planned_on", "due"),
    [
        (0, date(2027, 1, 1), DAY),
        (1, date(2027, 1, 1), date(2027, 3, 12)),
        (28, date(2027, 1, 1), date(2027, 2, 13)),
        (28, date(2027, 2, 13), date(2027, 2, 13)),
        (28, date(2027, 2, 14), date(2027, 2, 14)),
        (365, date(2027, 3, 13), DAY),
    ],
)
def test_a_task_is_due_days_before_the_drive_but_not_before_it_was_planned(
    days: int, planned_on: date, due: date
) -> None:
    assert rules.compute_due_day(DAY, days, planned_on) == due


@pytest.mark.parametrize(
    ("state", "opens"),
    [
        (DriveState.DRAFT, True),
        (DriveState.PUBLISHED, True),
        (DriveState.CLOSED, True),
        (DriveState.COMPLETED, False),
        (DriveState.CANCELLED, False),
    ],
)
def test_a_checklist_is_open_before_the_drive_is_over_or_cancelled(state: DriveState, opens: bool) -> None:
    assert rules.is_open(Drive(state=state, ends_at=NOW + timedelta(seconds=1)), NOW) is opens


def test_a_checklist_closes_at_the_end_of_the_drive() -> None:
    assert not rules.is_open(Drive(state=DriveState.PUBLISHED, ends_at=NOW), NOW)


def test_the_limits_of_checklists() -> None:
    assert (rules.MAX_ITEMS, rules.MAX_OWN_ITEMS) == (40, 20)
