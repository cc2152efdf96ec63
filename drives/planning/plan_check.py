"""Check a drive's plan: its records, its grid and its interval rules."""

from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from drives.capacity import visit_length
from drives.domain import grid as domain_grid
from drives.domain import plan_preview
from drives.domain.grid import GridProblem, Step
from drives.domain.plan_preview import Preview
from drives.models import Drive, Policy, Site, Visit
from drives.planning import plan_problems


def build_valid_steps(drive: Drive, now: datetime, saved_on: date | None = None) -> list[Step]:
    """Build the steps of a plan.

    Raises ValidationError by field for:
    - a grid with problems
    - a past day
    - rules looser than the policy
    - records of another organization
    """
    refuse_foreign_records(drive)
    by_field: dict[str, list[ValidationError]] = {}
    grid_problems = preview_drive_plan(drive).problems or list_day_problems(drive, now, saved_on)
    for problem in [*grid_problems, *list_rule_problems(drive, drive.policy)]:
        detail = plan_problems.format_problem(problem)
        by_field.setdefault(problem.field, []).append(ValidationError(detail, code=problem.code))
    if by_field:
        raise ValidationError(by_field)
    return domain_grid.build_steps(drive.grid)


def refuse_foreign_records(drive: Drive) -> None:
    offered: dict[str, QuerySet[Any]] = {
        "site": Site.objects.filter(organization=drive.organization),
        "policy": Policy.objects.offered_to(drive.organization),
        "cause": drive.organization.causes.all(),
        "center": drive.organization.centers.all(),
    }
    for name, rows in offered.items():
        pk = getattr(drive, f"{name}_id")
        if pk is not None and not rows.filter(pk=pk).exists():
            raise ValidationError({name: ValidationError(_("Choose one from the list."), code=f"{name}_unknown")})


def preview_drive_plan(drive: Drive) -> Preview:
    return plan_preview.build_preview(
        drive.grid,
        visit_length.compute_visit_shape(drive, Visit.FIRST),
        visit_length.compute_visit_shape(drive, Visit.RETURN),
    )


def list_day_problems(drive: Drive, now: datetime, saved_on: date | None = None) -> list[GridProblem]:
    """Return a problem if the day is past at the site. The grid must be valid.

    A saved drive may keep its day (`saved_on`).
    """
    is_past = drive.day < now.astimezone(drive.site.zone).date() and drive.day != saved_on
    return [GridProblem("day_past", "day")] if is_past else []


def list_rule_problems(drive: Drive, policy: Policy) -> list[GridProblem]:
    """Return the problems of the drive's own interval rules.

    Each rule must be at least as strict as the policy, because a looser rule would have no effect. A window needs both
    of its numbers.
    """
    problems = []
    for name, policy_value in (("stricter_hours", policy.min_hours), ("stricter_days", policy.min_days)):
        typed = getattr(drive, name)
        if typed and policy_value and typed < policy_value:
            problems.append(GridProblem("looser_than_policy", name, {"least": policy_value}))
    count, days = drive.stricter_count, drive.stricter_count_days
    if (count is None) != (days is None):
        problems.append(GridProblem("window_incomplete", "stricter_count"))
    for policy_count, policy_days in policy.windows if count and days else ():
        if policy_count < count and policy_days >= days:
            values = {"count": policy_count, "days": policy_days}
            problems.append(GridProblem("looser_window_than_policy", "stricter_count", values))
    return problems
