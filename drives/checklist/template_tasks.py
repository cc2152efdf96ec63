"""Change the checklist template: the tasks that all drives of an organization have.

The first change saves the default tasks as rows. Each action locks the organization, so simultaneous changes wait for
each other.
"""

from datetime import datetime
from typing import Literal

from django.db import transaction

from drives.checklist import queries, rules
from drives.models import ChecklistItem
from drives.refusals import Refusal
from organizations import audit
from organizations.models import Organization

Direction = Literal["up", "down"]


@transaction.atomic
def add_task(*, item: ChecklistItem, actor: str, now: datetime) -> None:
    """Add a task, as the last one of its day. Refuses a task over the limit."""
    items = _lock_template(item.organization, now)
    if len(items) >= rules.MAX_ITEMS:
        raise Refusal([rules.build_too_many_items_reason()])
    _save_last(item, items, now)
    _add_audit_entry(item.organization, actor, [item.code], now)


@transaction.atomic
def change_task(*, item: ChecklistItem, actor: str, now: datetime) -> None:
    """Save the changed title, day or automatic check of a task. Refuses a task that was removed in the meantime."""
    items = _lock_template(item.organization, now)
    before = _find_item(items, item.code)
    names = ("title", "days", "check_kind")
    changed = [name for name in names if getattr(before, name) != getattr(item, name)]
    if not changed:
        return
    _end_rows([before], now)
    saved = ChecklistItem(
        organization=item.organization, code=item.code, **{name: getattr(item, name) for name in names}
    )
    if "days" in changed:
        _save_last(saved, items, now)
    else:
        saved.position, saved.added_at = before.position, now
        saved.save(force_insert=True)
    _add_audit_entry(item.organization, actor, [item.code, *changed], now)


@transaction.atomic
def move_task(*, organization: Organization, code: str, direction: Direction, actor: str, now: datetime) -> None:
    """Swap a task with its neighbor of the same day. The first task cannot move up, and the last cannot move down."""
    items = _lock_template(organization, now)
    item = _find_item(items, code)
    same_day = [other for other in items if other.days == item.days]
    index = same_day.index(item)
    target = index - 1 if direction == "up" else index + 1
    if not 0 <= target < len(same_day):
        return
    same_day[index], same_day[target] = same_day[target], same_day[index]
    for position, other in enumerate(same_day):
        other.position = position
    ChecklistItem.objects.bulk_update(same_day, ["position"])
    _add_audit_entry(organization, actor, [code, "position"], now)


@transaction.atomic
def remove_task(*, organization: Organization, code: str, actor: str, now: datetime) -> ChecklistItem:
    """Remove a task. Refuses to remove the last task, because an empty checklist would mean the default."""
    items = _lock_template(organization, now)
    item = _find_item(items, code)
    if len(items) == 1:
        raise Refusal([rules.build_last_item_reason()])
    _end_rows([item], now)
    _add_audit_entry(organization, actor, [code], now)
    return item


@transaction.atomic
def restore_default(*, organization: Organization, actor: str, now: datetime) -> None:
    """Remove all of the organization's tasks, so that the default applies again."""
    _lock_organization(organization)
    rows = ChecklistItem.objects.filter(organization=organization, drive=None, removed_at=None)
    if rows.update(removed_at=now):
        _add_audit_entry(organization, actor, ["default"], now)


def _lock_template(organization: Organization, now: datetime) -> list[ChecklistItem]:
    """Lock the organization and return its saved tasks. Save the default ones if it has none."""
    _lock_organization(organization)
    items = queries.list_template(organization, now)
    if queries.is_default(items):
        ChecklistItem.objects.bulk_create(items)
    return items


def _lock_organization(organization: Organization) -> None:
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)


def _find_item(items: list[ChecklistItem], code: str) -> ChecklistItem:
    item = next((item for item in items if item.code == code), None)
    if item is None:
        raise Refusal([rules.build_no_such_task_reason()])
    return item


def _save_last(item: ChecklistItem, items: list[ChecklistItem], now: datetime) -> None:
    item.position = 1 + max((other.position for other in items if other.days == item.days), default=-1)
    item.added_at = now
    item.save(force_insert=True)


def _end_rows(items: list[ChecklistItem], now: datetime) -> None:
    ChecklistItem.objects.filter(pk__in=[item.pk for item in items]).update(removed_at=now)


def _add_audit_entry(organization: Organization, actor: str, fields: list[str], now: datetime) -> None:
    audit.add_audit_entry(
        organization=organization,
        actor=actor,
        verb="change_checklist",
        about=f"organization:{organization.pk}",
        fields=fields,
        now=now,
    )
