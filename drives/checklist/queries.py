from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from django.db.models import Q

from drives.attendance import turnout
from drives.attendance.turnout import GoalFacts
from drives.checklist import checks, default_template, rules
from drives.checklist.checks import DriveFacts
from drives.models import ChecklistItem, ChecklistTick, Drive
from organizations.models import Organization


@dataclass(frozen=True)
class Task:
    """A task of a drive. `facts` is set only if the service checks the task and the checklist is open."""

    item: ChecklistItem
    due_day: date
    days_left: int  # negative after `due_day`
    tick: ChecklistTick | None
    facts: DriveFacts | None
    is_open: bool  # the checklist can still change

    @property
    def is_done(self) -> bool:
        if self.item.check_kind:
            return self.facts is not None and checks.is_met(self.item.check_kind, self.facts)
        return self.tick is not None

    @property
    def is_overdue(self) -> bool:
        return self.is_open and not self.is_done and self.days_left < 0

    @property
    def days_overdue(self) -> int:
        return -self.days_left

    @property
    def is_counted(self) -> bool:
        """Return whether the progress bar counts the task.

        After the drive, the service no longer checks its own tasks, so they do not count.
        """
        return self.is_open or not self.item.check_kind

    @property
    def is_own(self) -> bool:
        return self.item.drive_id is not None

    @property
    def reason(self) -> str:
        return checks.describe(self.item.check_kind, self.facts) if self.facts else ""


@dataclass(frozen=True)
class DueDay:
    day: date
    days_left: int
    tasks: list[Task]

    @property
    def days_past(self) -> int:
        return -self.days_left


@dataclass(frozen=True)
class Checklist:
    drive: Drive
    is_open: bool
    tasks: list[Task]

    @property
    def due_days(self) -> list[DueDay]:
        groups = groupby(self.tasks, key=lambda task: (task.due_day, task.days_left))
        return [DueDay(day, days_left, list(tasks)) for (day, days_left), tasks in groups]

    @property
    def done(self) -> list[Task]:
        return [task for task in self.tasks if task.is_done]

    @property
    def overdue(self) -> list[Task]:
        return [task for task in self.tasks if task.is_overdue]

    @property
    def ahead(self) -> list[Task]:
        return [task for task in self.tasks if task.is_counted and not task.is_done and not task.is_overdue]

    @property
    def cells(self) -> list[str]:
        """Return the state of each counted task, in the order of the progress bar's cells."""
        return ["done"] * len(self.done) + ["overdue"] * len(self.overdue) + ["ahead"] * len(self.ahead)

    @property
    def total(self) -> int:
        return len(self.cells)


def list_template(organization: Organization, at: datetime) -> list[ChecklistItem]:
    """List the tasks that all drives of the organization had at this time, in the order they are due. One query."""
    in_force = Q(removed_at=None) | Q(removed_at__gt=at)
    rows = ChecklistItem.objects.filter(in_force, organization=organization, drive=None, added_at__lte=at)
    items = list(rows) or default_template.build_default_items(organization, at)
    return sorted(items, key=lambda item: (-item.days, item.position, item.pk or 0))


def is_default(items: list[ChecklistItem]) -> bool:
    """Return whether this is the default template, which has no rows in the database."""
    return not any(item.pk for item in items)


def load_checklist(drive: Drive, now: datetime) -> Checklist:
    """Load a drive's checklist with a fixed number of queries."""
    template = list_template(drive.organization, min(now, drive.ends_at))
    goal_facts = turnout.load_goal_facts([drive.pk], drive.organization)
    return next(_build_checklists([drive], drive.organization, template, goal_facts, now))


def list_overdue_checklists(
    drives: Sequence[Drive], organization: Organization, goal_facts: GoalFacts, now: datetime
) -> list[Checklist]:
    """List the checklists with overdue tasks, in the order of the drives. A fixed number of queries."""
    ahead = [drive for drive in drives if rules.is_open(drive, now)]
    if not ahead:
        return []
    checklists = _build_checklists(ahead, organization, list_template(organization, now), goal_facts, now)
    return [checklist for checklist in checklists if checklist.overdue]


def _build_checklists(
    drives: Sequence[Drive],
    organization: Organization,
    template: list[ChecklistItem],
    goal_facts: GoalFacts,
    now: datetime,
) -> Iterator[Checklist]:
    own_items: dict[int | None, list[ChecklistItem]] = {}
    for item in ChecklistItem.objects.filter(drive__in=drives).order_by("-days", "pk"):
        own_items.setdefault(item.drive_id, []).append(item)
    ticks = {(tick.drive_id, tick.code): tick for tick in ChecklistTick.objects.filter(drive__in=drives)}
    facts = checks.load_facts([drive for drive in drives if rules.is_open(drive, now)], organization, goal_facts)
    for drive in drives:
        # The sort is stable, so each day keeps the order of the template, with the drive's own tasks last.
        items = sorted([*template, *own_items.get(drive.pk, [])], key=lambda item: -item.days)
        tasks = [_build_task(drive, item, ticks.get((drive.pk, item.code)), facts.get(drive.pk), now) for item in items]
        yield Checklist(drive, rules.is_open(drive, now), tasks)


def _build_task(
    drive: Drive, item: ChecklistItem, tick: ChecklistTick | None, facts: DriveFacts | None, now: datetime
) -> Task:
    zone = drive.site.zone
    due_day = rules.compute_due_day(drive.day, item.days, drive.created_at.astimezone(zone).date())
    return Task(
        item=item,
        due_day=due_day,
        days_left=(due_day - now.astimezone(zone).date()).days,
        tick=tick,
        facts=facts if item.check_kind else None,
        is_open=rules.is_open(drive, now),
    )
