"""The slots behind a plan: checked, written, and changed under bookings. Parts of `drives.planning.drives`."""

from dataclasses import asdict
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.utils.text import slugify
from django.utils.translation import gettext as _

from drives.domain import grid as domain_grid
from drives.domain.plan import Plan
from drives.models import Drive, Policy, Site, Slot
from drives.planning import plan as planning_plan
from drives.planning import problems as planning_problems
from organizations.models import Organization


def steps_or_refuse(organization: Organization, plan: Plan) -> list[domain_grid.Step]:
    """The grid of a plan; refuses, by field, one with problems, one that is looser than its
    policy, and what belongs to another organization."""
    site = Site.objects.filter(organization=organization, pk=plan.site_id).first()
    if site is None:
        raise ValidationError({"site": ValidationError(_("Choose one of your sites."), code="site_unknown")})
    refuse_foreign(organization, plan)
    grid = plan.grid(site.timezone)
    policy = Policy.objects.get(pk=plan.policy_id)
    if problems := [*domain_grid.problems(grid, plan.first, plan.returning), *planning_plan.looser(plan, policy)]:
        by_field: dict[str, list[ValidationError]] = {}
        for problem in problems:
            by_field.setdefault(problem.field, []).append(
                ValidationError(planning_problems.in_words(problem), code=problem.code)
            )
        raise ValidationError(by_field)
    return domain_grid.steps(grid)


def refuse_foreign(organization: Organization, plan: Plan) -> None:
    """Refuse, by field, a programme, cause or collector that this organization cannot choose."""
    policies = Policy.objects.offered_to(organization)
    causes, collectors = organization.causes, organization.collectors
    named = (("policy", plan.policy_id, policies), ("cause", plan.cause_id, causes))
    for name, pk, rows in (*named, ("collector", plan.collector_id, collectors)):
        if pk is not None and not rows.filter(pk=pk).exists():
            raise ValidationError({name: ValidationError(_("Choose one from the list."), code=f"{name}_unknown")})


def columns(plan: Plan, steps: list[domain_grid.Step]) -> dict[str, object]:
    """A plan as the fields of a drive."""
    columns: dict[str, object] = asdict(plan)
    columns["breaks"] = [[f"{starts:%H:%M}", f"{ends:%H:%M}"] for starts, ends in plan.breaks]
    columns["starts_at"] = steps[0].starts_at
    columns["ends_at"] = steps[-1].starts_at + timedelta(minutes=plan.step_minutes)
    return columns


def write_slots(drive: Drive, steps: list[domain_grid.Step]) -> None:
    """One slot for each step."""
    Slot.objects.bulk_create(
        Slot(
            drive=drive,
            n=step.n,
            starts_at=step.starts_at,
            screening_limit=step.screening_limit,
            chairs_limit=step.chairs_limit,
        )
        for step in steps
    )


def free_slug(plan: Plan) -> str:
    """An address that no drive has yet: the title and the day, numbered if need be."""
    base = slugify(plan.title)[:60] or "drive"
    day = f"{base}-{plan.on:%Y-%m-%d}"
    taken = set(Drive.objects.filter(slug__startswith=day).values_list("slug", flat=True))
    numbered = (f"{day}-{number}" for number in range(2, len(taken) + 3))
    return day if day not in taken else next(slug for slug in numbered if slug not in taken)


def refuse_new_grid(drive: Drive, plan: Plan, steps: list[domain_grid.Step]) -> None:
    """Under bookings the day, hours, place and step stay as they are."""
    planned = columns(plan, steps)
    frozen = ("site_id", "starts_at", "ends_at", "step_minutes")
    if any(getattr(drive, name) != planned[name] for name in frozen):
        text = _(
            "People have booked: the day, hours, place and step stay as they are. Cancel the drive or plan another one."
        )
        raise ValidationError({"on": ValidationError(text, code="grid_is_frozen")})


def change_limits(drive: Drive, steps: list[domain_grid.Step]) -> None:
    """New limits for the slots; what is taken above them shows as over. Locks the slots."""
    by_n = {step.n: step for step in steps}
    slots = list(Slot.objects.filter(drive=drive).order_by("starts_at", "pk").select_for_update(no_key=True))
    for slot in slots:
        step = by_n[slot.n]
        slot.screening_limit, slot.chairs_limit = step.screening_limit, step.chairs_limit
        above = (slot.screening_taken - slot.screening_limit, slot.chairs_taken - slot.chairs_limit)
        slot.over = max(0, *above)
    Slot.objects.bulk_update(slots, ["screening_limit", "chairs_limit", "over"])
