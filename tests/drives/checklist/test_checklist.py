"""The checklist of a drive: due days, tasks done by hand, own tasks, and drives that are over."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from drives.checklist import drive_tasks, queries, rules
from drives.checklist.default_template import DEFAULT_TASKS
from drives.checklist.queries import Task
from drives.models import ChecklistItem, ChecklistTick, Drive
from drives.planning import lifecycle
from drives.refusals import Refusal
from organizations.models import AuditEntry
from tests import builders
from tests.builders import DRIVE_DAY, NOW

pytestmark = pytest.mark.django_db

EARLY = NOW - timedelta(days=200)


def task(drive: Drive, code: str, now: datetime = NOW) -> Task:
    return next(task for task in queries.load_checklist(drive, now).tasks if task.item.code == code)


def own_item(drive: Drive, title: str = "Order the cake", days: int = 3) -> ChecklistItem:
    return ChecklistItem(organization=drive.organization, title=title, days=days)


def add(drive: Drive, **fields: Any) -> ChecklistItem:
    item = own_item(drive, **fields)
    drive_tasks.add_own_task(drive=drive, item=item, actor="user:1", now=NOW)
    return item


def verbs() -> list[str]:
    rows = AuditEntry.objects.exclude(verb__in=["create_drive", "published", "cancel_drive"]).order_by("pk")
    return list(rows.values_list("verb", flat=True))


def test_a_drive_starts_with_the_default_tasks_the_earliest_first() -> None:
    drive = builders.drive(now=EARLY)
    tasks = queries.load_checklist(drive, NOW).tasks
    assert [task.item.code for task in tasks] == [default.code for default in DEFAULT_TASKS]
    assert [task.due_day for task in tasks] == sorted(task.due_day for task in tasks)
    assert task(drive, "roster").due_day == date(2027, 3, 12)
    assert ChecklistItem.objects.count() == 0


@pytest.mark.parametrize(
    ("day", "days", "now", "left"),
    [
        # Saturday, March 13, ends at midnight of standard time: 8:00 UTC.
        (date(2027, 3, 20), 7, datetime(2027, 3, 14, 7, 59, 59, tzinfo=UTC), 0),
        (date(2027, 3, 20), 7, datetime(2027, 3, 14, 8, 0, tzinfo=UTC), -1),
        # On Sunday, March 14, the clocks go forward, so it ends at 7:00 UTC.
        (date(2027, 3, 21), 7, datetime(2027, 3, 15, 6, 59, 59, tzinfo=UTC), 0),
        (date(2027, 3, 21), 7, datetime(2027, 3, 15, 7, 0, tzinfo=UTC), -1),
    ],
)
def test_a_task_is_overdue_when_its_day_at_the_site_is_over(day: date, days: int, now: datetime, left: int) -> None:
    drive = builders.drive(day=day, now=EARLY)
    found = task(drive, "helpers", now)
    assert (found.item.days, found.days_left, found.is_overdue) == (days, left, left < 0)


def test_the_site_decides_which_day_it_is() -> None:
    owner = builders.organization()
    plan = builders.plan(builders.site(owner, "Pacific/Auckland"), day=date(2027, 3, 21))
    drive = builders.drive(owner, plan, now=EARLY)
    assert not task(drive, "helpers", datetime(2027, 3, 14, 10, 59, tzinfo=UTC)).is_overdue
    assert task(drive, "helpers", datetime(2027, 3, 14, 11, 0, tzinfo=UTC)).is_overdue


def test_nothing_is_due_before_the_drive_was_planned() -> None:
    # At NOW it is March 1 in Los Angeles, and twelve days are left.
    drive = builders.drive()
    room = task(drive, "room")
    assert (room.due_day, room.days_left, room.is_overdue) == (date(2027, 3, 1), 0, False)
    assert task(drive, "room", NOW + timedelta(days=1)).is_overdue


def test_a_member_checks_off_a_task_once_and_reopens_it() -> None:
    drive = builders.drive()
    for actor, now in (("user:1", NOW), ("user:2", NOW + timedelta(hours=1))):
        drive_tasks.check_off_task(drive=drive, code="room", actor=actor, now=now)
    tick = ChecklistTick.objects.get()
    assert (tick.actor, tick.done_at) == ("user:1", NOW)
    assert task(drive, "room").is_done
    for _ in range(2):
        drive_tasks.reopen_task(drive=drive, code="room", actor="user:2", now=NOW)
    assert not task(drive, "room").is_done
    assert verbs() == ["checklist.checked_off", "checklist.reopened"]
    assert AuditEntry.objects.filter(verb="checklist.reopened", about=f"drive:{drive.pk}", fields=["room"]).exists()


def test_a_task_that_is_done_is_not_overdue() -> None:
    drive, later = builders.drive(), NOW + timedelta(days=1)
    before = len(queries.load_checklist(drive, later).overdue)
    drive_tasks.check_off_task(drive=drive, code="room", actor="user:1", now=NOW)
    assert len(queries.load_checklist(drive, later).overdue) == before - 1


def test_a_tick_of_one_drive_counts_for_no_other() -> None:
    owner = builders.organization()
    one, other = builders.drive(owner), builders.drive(owner)
    drive_tasks.check_off_task(drive=one, code="room", actor="user:1", now=NOW)
    add(one)
    assert not task(other, "room").is_done
    assert len(queries.load_checklist(other, NOW).tasks) == len(DEFAULT_TASKS)


@pytest.mark.parametrize("change", [drive_tasks.check_off_task, drive_tasks.reopen_task])
def test_no_member_checks_off_what_the_service_checks(change: Any) -> None:
    drive = builders.drive()
    for code in ("goal", "published"):  # the first is not done, the second is
        with pytest.raises(Refusal) as refusal:
            change(drive=drive, code=code, actor="user:1", now=NOW)
        assert refusal.value.codes == ["checked_by_service"]
    assert not ChecklistTick.objects.exists()


def test_a_tick_does_not_check_off_what_the_service_checks_now() -> None:
    drive = builders.drive()
    ChecklistTick.objects.create(drive=drive, code="goal", actor="user:1", done_at=NOW)
    assert not task(drive, "goal").is_done


def test_an_unknown_task_is_refused() -> None:
    with pytest.raises(Refusal) as refusal:
        drive_tasks.check_off_task(drive=builders.drive(), code="dance", actor="user:1", now=NOW)
    assert refusal.value.codes == ["no_such_task"]


def test_an_own_task_stands_among_the_others_and_goes_with_its_tick() -> None:
    drive = builders.drive(now=EARLY)
    item = add(drive, days=7)
    codes = [task.item.code for task in queries.load_checklist(drive, NOW).tasks]
    assert codes[codes.index("site") : codes.index("roster")] == ["site", item.code]
    drive_tasks.check_off_task(drive=drive, code=item.code, actor="user:1", now=NOW)
    drive_tasks.remove_own_task(drive=drive, code=item.code, actor="user:1", now=NOW)
    assert not ChecklistTick.objects.exists()
    assert verbs() == ["checklist.task_added", "checklist.checked_off", "checklist.task_removed"]


def test_a_task_of_all_drives_is_not_removed_from_one() -> None:
    with pytest.raises(Refusal) as refusal:
        drive_tasks.remove_own_task(drive=builders.drive(), code="room", actor="user:1", now=NOW)
    assert refusal.value.codes == ["no_such_task"]


def test_a_drive_has_at_most_twenty_own_tasks() -> None:
    drive = builders.drive()
    for _ in range(rules.MAX_OWN_ITEMS):
        add(drive)
    with pytest.raises(Refusal) as refusal:
        add(drive)
    assert refusal.value.codes == ["too_many_own_tasks"]
    assert ChecklistItem.objects.count() == 20
    add(builders.drive(drive.organization))


def test_after_the_drive_nothing_is_overdue_and_nothing_changes() -> None:
    drive = builders.drive(now=EARLY)
    item = add(drive)
    before, after = drive.ends_at - timedelta(seconds=1), drive.ends_at
    drive_tasks.check_off_task(drive=drive, code="room", actor="user:1", now=before)
    assert queries.load_checklist(drive, before).overdue
    checklist = queries.load_checklist(drive, after)
    assert checklist.overdue == []
    assert [task.item.code for task in checklist.done] == ["room"]  # the service no longer checks its own tasks
    by_hand = [default for default in DEFAULT_TASKS if not default.check_kind]
    assert checklist.total == len(by_hand) + 1
    for act, more in (
        (drive_tasks.check_off_task, {"code": "roster"}),
        (drive_tasks.reopen_task, {"code": "room"}),
        (drive_tasks.add_own_task, {"item": own_item(drive)}),
        (drive_tasks.remove_own_task, {"code": item.code}),
    ):
        with pytest.raises(Refusal) as refusal:
            act(drive=drive, actor="user:1", now=after, **more)
        assert refusal.value.codes == ["drive_past"]
    assert (ChecklistTick.objects.count(), ChecklistItem.objects.count()) == (1, 1)


def test_a_cancelled_drive_has_nothing_overdue() -> None:
    drive = builders.drive(now=EARLY)
    assert queries.load_checklist(drive, NOW).overdue
    cancelled = lifecycle.cancel_drive(drive_id=drive.pk, reason="The hall is closed.", actor="user:1", now=NOW)
    assert queries.load_checklist(cancelled, NOW).overdue == []


def test_a_copy_starts_with_a_fresh_checklist() -> None:
    drive = builders.drive()
    add(drive)
    drive_tasks.check_off_task(drive=drive, code="room", actor="user:1", now=NOW)
    copy = lifecycle.copy_drive(drive_id=drive.pk, day=DRIVE_DAY + timedelta(days=7), actor="user:1", now=NOW)
    assert [task.item.code for task in queries.load_checklist(copy, NOW).tasks] == [one.code for one in DEFAULT_TASKS]
    assert not task(copy, "room").is_done


def test_the_figures_add_up() -> None:
    drive = builders.drive(now=EARLY)
    drive_tasks.check_off_task(drive=drive, code="room", actor="user:1", now=NOW)
    checklist = queries.load_checklist(drive, NOW)
    # Done: the room by hand; published, texts and reminders by the service. The drive has no goal and no center.
    assert [task.item.code for task in checklist.done] == ["room", "published", "texts", "reminders"]
    assert [task.item.code for task in checklist.overdue] == ["center", "confirmed", "goal", "recruiters", "posters"]
    assert [task.item.code for task in checklist.ahead] == ["bookings", "helpers", "site", "roster", "signs"]
    assert checklist.cells == ["done"] * 4 + ["overdue"] * 5 + ["ahead"] * 5
    assert checklist.total == 14
