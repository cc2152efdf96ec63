"""Check the plan of a drive: its records, its grid, and that it is as strict as its policy."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from drives.capacity import visits
from drives.domain import grid as domain_grid
from drives.domain import preview as domain_preview
from drives.domain.grid import Problem, Step
from drives.domain.preview import Preview
from drives.models import Drive, Policy, Site, Visit
from drives.planning import problems as planning_problems


def steps_or_refuse(drive: Drive) -> list[Step]:
    """The grid of a planned drive; refuses, by field, one with problems, one that is looser than its
    policy, and what belongs to another organization."""
    refuse_foreign(drive)
    by_field: dict[str, list[ValidationError]] = {}
    for problem in [*preview(drive).problems, *looser(drive, drive.policy)]:
        words = planning_problems.in_words(problem)
        by_field.setdefault(problem.field, []).append(ValidationError(words, code=problem.code))
    if by_field:
        raise ValidationError(by_field)
    return domain_grid.steps(drive.grid)


def refuse_foreign(drive: Drive) -> None:
    """Refuse, by field, a site, program, cause or collector that the organization cannot choose."""
    offered: dict[str, QuerySet[Any]] = {
        "site": Site.objects.filter(organization=drive.organization),
        "policy": Policy.objects.offered_to(drive.organization),
        "cause": drive.organization.causes.all(),
        "collector": drive.organization.collectors.all(),
    }
    for name, rows in offered.items():
        pk = getattr(drive, f"{name}_id")
        if pk is not None and not rows.filter(pk=pk).exists():
            raise ValidationError({name: ValidationError(_("Choose one from the list."), code=f"{name}_unknown")})


def preview(drive: Drive) -> Preview:
    """What a planned drive would make, or what is wrong with its grid. Reads its site."""
    return domain_preview.preview(
        drive.grid, visits.visit_shape(drive, Visit.FIRST), visits.visit_shape(drive, Visit.RETURN)
    )


def looser(drive: Drive, policy: Policy) -> list[Problem]:
    """What of a plan would be less strict than its policy, and so would not count: said, never done silently."""
    problems = []
    for name, own in (("stricter_hours", policy.min_hours), ("stricter_days", policy.min_days)):
        typed = getattr(drive, name)
        if typed and own and typed < own:
            problems.append(Problem("looser_than_policy", name, {"least": own}))
    count, days = drive.stricter_count, drive.stricter_count_days
    if (count is None) != (days is None):
        problems.append(Problem("window_incomplete", "stricter_count"))
    for own_count, own_days in policy.windows if count and days else ():
        if own_count < count and own_days >= days:
            values = {"count": own_count, "days": own_days}
            problems.append(Problem("looser_window_than_policy", "stricter_count", values))
    return problems
