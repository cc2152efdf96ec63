"""Check the plan of a drive: its records, its grid, and that it is as strict as its policy."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from drives.capacity import visits
from drives.domain import grid as domain_grid
from drives.domain import preview as domain_preview
from drives.domain.grid import GridProblem, Step
from drives.domain.preview import Preview
from drives.models import Drive, Policy, Site, Visit
from drives.planning import problems as planning_problems


def steps_or_refuse(drive: Drive) -> list[Step]:
    """The grid of a planned drive; refuses, by field, one with problems, one that is looser than its
    policy, and what belongs to another organization."""
    refuse_foreign_records(drive)
    by_field: dict[str, list[ValidationError]] = {}
    for problem in [*preview_drive_plan(drive).problems, *list_looser_rules(drive, drive.policy)]:
        words = planning_problems.format_problem(problem)
        by_field.setdefault(problem.field, []).append(ValidationError(words, code=problem.code))
    if by_field:
        raise ValidationError(by_field)
    return domain_grid.build_steps(drive.grid)


def refuse_foreign_records(drive: Drive) -> None:
    """Refuse, by field, a site, program, cause or collector that the organization cannot choose."""
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
    """What a planned drive would make, or what is wrong with its grid. Reads its site."""
    return domain_preview.build_preview(
        drive.grid, visits.compute_visit_shape(drive, Visit.FIRST), visits.compute_visit_shape(drive, Visit.RETURN)
    )


def list_looser_rules(drive: Drive, policy: Policy) -> list[GridProblem]:
    """What of a plan would be less strict than its policy, and so would not count: said, never done silently."""
    problems = []
    for name, own in (("stricter_hours", policy.min_hours), ("stricter_days", policy.min_days)):
        typed = getattr(drive, name)
        if typed and own and typed < own:
            problems.append(GridProblem("looser_than_policy", name, {"least": own}))
    count, days = drive.stricter_count, drive.stricter_count_days
    if (count is None) != (days is None):
        problems.append(GridProblem("window_incomplete", "stricter_count"))
    for own_count, own_days in policy.windows if count and days else ():
        if own_count < count and own_days >= days:
            values = {"count": own_count, "days": own_days}
            problems.append(GridProblem("looser_window_than_policy", "stricter_count", values))
    return problems
