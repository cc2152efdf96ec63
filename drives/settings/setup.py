"""Find the set-up steps that an organization has done or skipped."""

from dataclasses import dataclass
from pathlib import Path

from django.db import connection

from drives.web.setup_steps import STEPS, SetupStep
from organizations import profile
from organizations.models import Organization

_FACTS_SQL = Path(__file__).with_name("setup_facts.sql").read_text()


@dataclass(frozen=True)
class StepState:
    step: SetupStep
    is_done: bool
    is_skipped: bool

    @property
    def is_open(self) -> bool:
        return not self.is_done and not self.is_skipped


def list_steps(organization: Organization) -> list[StepState]:
    """List the set-up steps in order, with their state. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_FACTS_SQL, [organization.pk])
        marks, has_site, has_center, has_cause, has_drive, has_colleague = cursor.fetchone()
    by_data = {
        "site": has_site,
        "center": has_center,
        "cause": has_cause,
        "members": has_colleague,
        "drive": has_drive,
        # A plan names its program, and later drives copy it.
        "program": has_drive or "program" in marks,
    }
    states = []
    for step in STEPS:
        is_done = by_data.get(step.code, step.code in marks)
        is_skipped = step.may_be_skipped and profile.build_skipped_mark(step.code) in marks
        states.append(StepState(step, is_done, is_skipped and not is_done))
    return states


def find_next_step(states: list[StepState], after: str = "") -> SetupStep | None:
    """Return the first open step after the step `after`, or else the first open step. Return None if all are closed."""
    codes = [state.step.code for state in states]
    start = codes.index(after) + 1 if after in codes else 0
    return next((state.step for state in [*states[start:], *states[:start]] if state.is_open), None)
