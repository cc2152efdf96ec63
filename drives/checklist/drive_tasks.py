"""Check off the tasks of a drive, and add tasks to a single drive."""

from datetime import datetime

from django.db import transaction

from drives.capacity import locks
from drives.checklist import queries, rules
from drives.checklist.queries import Task
from drives.models import ChecklistItem, ChecklistTick, Drive
from drives.refusals import Refusal
from organizations import audit


@transaction.atomic
def check_off_task(*, drive: Drive, code: str, actor: str, now: datetime) -> Task:
    """Mark a task as done. A second call changes nothing.

    Refuses:
    - a drive that is over or cancelled
    - a task that the service checks
    - a task that is not on the checklist
    """
    task = _find_task(drive, code, now)
    fields = {"actor": actor, "done_at": now}
    _tick, is_new = ChecklistTick.objects.get_or_create(drive=drive, code=code, defaults=fields)
    if is_new:
        _add_audit_entry(drive, actor, "checklist.checked_off", code, now)
    return task


@transaction.atomic
def reopen_task(*, drive: Drive, code: str, actor: str, now: datetime) -> Task:
    """Mark a task as not done. Refuses the same as `check_off_task`."""
    task = _find_task(drive, code, now)
    deleted, _tables = ChecklistTick.objects.filter(drive=drive, code=code).delete()
    if deleted:
        _add_audit_entry(drive, actor, "checklist.reopened", code, now)
    return task


@transaction.atomic
def add_own_task(*, drive: Drive, item: ChecklistItem, actor: str, now: datetime) -> None:
    """Add a task to one drive only. Refuses a drive that is over or cancelled, and a task over the limit.

    Locks: drive (exclusive), so that two requests cannot both pass the check.
    """
    _refuse_past_drive(drive, now)
    locks.lock_drives_exclusive([drive.pk])
    if ChecklistItem.objects.filter(drive=drive).count() >= rules.MAX_OWN_ITEMS:
        raise Refusal([rules.build_too_many_own_items_reason()])
    item.drive, item.added_at = drive, now
    item.save(force_insert=True)
    _add_audit_entry(drive, actor, "checklist.task_added", item.code, now)


@transaction.atomic
def remove_own_task(*, drive: Drive, code: str, actor: str, now: datetime) -> None:
    """Remove a task that only this drive has. Refuses a drive that is over or cancelled, and a task of all drives."""
    _refuse_past_drive(drive, now)
    deleted, _tables = ChecklistItem.objects.filter(drive=drive, code=code).delete()
    if not deleted:
        raise Refusal([rules.build_no_such_task_reason()])
    ChecklistTick.objects.filter(drive=drive, code=code).delete()
    _add_audit_entry(drive, actor, "checklist.task_removed", code, now)


def _find_task(drive: Drive, code: str, now: datetime) -> Task:
    _refuse_past_drive(drive, now)
    task = next((task for task in queries.load_checklist(drive, now).tasks if task.item.code == code), None)
    if task is None:
        raise Refusal([rules.build_no_such_task_reason()])
    if task.item.check_kind:
        raise Refusal([rules.build_checked_by_service_reason()])
    return task


def _refuse_past_drive(drive: Drive, now: datetime) -> None:
    if not rules.is_open(drive, now):
        raise Refusal([rules.build_drive_over_reason()])


def _add_audit_entry(drive: Drive, actor: str, verb: str, code: str, now: datetime) -> None:
    audit.add_audit_entry(
        organization=drive.organization, actor=actor, verb=verb, about=f"drive:{drive.pk}", fields=[code], now=now
    )
