"""Limits of checklists, due days, and the reasons why a member cannot change a checklist."""

from datetime import date, datetime, timedelta

from django.utils.translation import gettext as _

from drives.models import Drive, DriveState
from drives.refusals import Reason

MAX_ITEMS = 40  # in an organization's template
MAX_OWN_ITEMS = 20  # only for one drive

OPEN_STATES = (DriveState.DRAFT, DriveState.PUBLISHED, DriveState.CLOSED)


def is_open(drive: Drive, now: datetime) -> bool:
    """Return whether the checklist can still change. It closes when the drive is over or cancelled.

    In a closed checklist, no task is overdue.
    """
    return drive.state in OPEN_STATES and now < drive.ends_at


def compute_due_day(day: date, days: int, planned_on: date) -> date:
    """Return the date `days` days before the drive, but not before the date on which the drive was planned."""
    return max(day - timedelta(days=days), planned_on)


def build_drive_over_reason() -> Reason:
    return Reason("drive_past", _("This drive is over or cancelled, so you can’t change its checklist anymore."))


def build_checked_by_service_reason() -> Reason:
    return Reason("checked_by_service", _("The service checks off this task automatically."))


def build_no_such_task_reason() -> Reason:
    return Reason("no_such_task", _("This task is no longer on the checklist."))


def build_too_many_items_reason() -> Reason:
    return Reason("too_many_tasks", _("A checklist can have up to 40 tasks. Remove one that you don’t need."))


def build_too_many_own_items_reason() -> Reason:
    return Reason(
        "too_many_own_tasks", _("A drive can have up to 20 tasks of its own. Remove one that you don’t need.")
    )


def build_last_item_reason() -> Reason:
    return Reason("last_task", _("A checklist needs at least one task. Change this one instead."))
