"""The page of a drive's checklist, and its entries on the home page."""

import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from drives.attendance import turnout
from drives.checklist import drive_tasks, queries
from drives.models import ChecklistItem, ChecklistTick, Drive, DriveState, ShareLink
from drives.planning import lifecycle
from organizations.models import AuditEntry, Membership, Role
from tests import builders, query_counts
from tests.builders import NOW
from tests.drives import coordinator
from tests.drives.donor import text

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]

EARLY = NOW - timedelta(days=200)
LINK = re.compile(r'<a class="action-link" href="([^"]+)">([^<]+)<')


@pytest.fixture
def ben() -> Membership:
    return builders.member(builders.organization())


def address(drive: Drive, action: str = "", code: str = "") -> str:
    names = {"": "checklist", "add": "add_own_task", "done": "check_off_task"}
    name = names.get(action, f"{action}_task")
    return reverse(f"organizer_{name}", args=[drive.pk, *([code] if code else [])])


def test_the_page_shows_days_reasons_and_progress(ben: Membership) -> None:
    drive = builders.drive(ben.organization, goal=20, now=EARLY)
    ShareLink.objects.create(drive=drive, name="Test Bo", created_at=NOW)
    shown = text(coordinator.signed_in(ben).get(address(drive)))
    assert "5 of 14 tasks are done" in shown
    assert "Tasks done Tasks overdue Tasks to do 5 4 5" in shown
    assert "Sat Dec 19 72 days ago" in shown
    assert "Reserve a room with chairs, tables and power overdue by 72 days" in shown
    assert "1 recruiter has a link. Checked by the service." in shown
    assert "You need 30 more bookings. So far, you have 0, and we expect 0 of 20 donations." in shown
    assert "Sat Mar 6 due in 5 days" in shown
    assert "Sat Mar 13 due in 12 days" in shown


def test_a_coordinator_marks_a_task_as_done_and_undoes_it(ben: Membership) -> None:
    drive, browser = builders.drive(ben.organization), coordinator.signed_in(ben)
    answer = browser.post(address(drive, "done", "room"))
    assert (answer.status_code, answer["Location"]) == (303, f"{address(drive)}#task-room")
    shown = text(browser.get(address(drive)))
    assert f"Done by {ben.user.email} on Mon Mar 1, 10:00 AM." in shown
    assert "Reserve a room with chairs, tables and power due" not in shown
    browser.post(address(drive, "reopen", "room"))
    assert "Done by" not in text(browser.get(address(drive)))


def test_a_task_that_the_service_checks_has_no_button_and_is_refused(ben: Membership) -> None:
    drive, browser = builders.drive(ben.organization), coordinator.signed_in(ben)
    page = browser.get(address(drive)).content.decode()
    assert address(drive, "done", "room") in page
    assert address(drive, "done", "goal") not in page
    assert (reverse("organizer_edit_drive", args=[drive.pk]), "Edit the plan") in LINK.findall(page)
    shown = text(browser.post(address(drive, "done", "goal"), follow=True))
    assert "The service checks off this task automatically." in shown
    assert not ChecklistTick.objects.exists()


def test_a_coordinator_adds_and_removes_a_task_of_the_drive(ben: Membership) -> None:
    drive, browser = builders.drive(ben.organization), coordinator.signed_in(ben)
    browser.post(address(drive, "add"), {"title": "Order the <cake>", "title_es": "Pedir el pastel", "days": "3"})
    item = ChecklistItem.objects.get()
    assert (item.drive, item.days, item.title.texts["es"]) == (drive, 3, "Pedir el pastel")
    page = browser.get(address(drive))
    assert "Order the &lt;cake&gt;" in page.content.decode()
    assert "Only for this drive." in text(page)
    assert "Task removed." in text(browser.post(address(drive, "remove_own", item.code), follow=True))
    assert not ChecklistItem.objects.exists()
    assert "no longer on the checklist" in text(browser.post(address(drive, "remove_own", item.code), follow=True))


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ({"title": "", "days": "3"}, "Enter the task."),
        ({"title": "x" * 121, "days": "3"}, "at most 120 characters"),
        ({"title": "Cake", "days": ""}, "Enter the number of days before the drive."),
        ({"title": "Cake", "days": "soon"}, "Enter a whole number of days."),
        ({"title": "Cake", "days": "-1"}, "Enter 0 or more days."),
        ({"title": "Cake", "days": "366"}, "Enter at most 365 days."),
    ],
)
def test_a_bad_task_keeps_what_was_typed(ben: Membership, typed: dict[str, str], problem: str) -> None:
    drive = builders.drive(ben.organization)
    answer = coordinator.signed_in(ben).post(address(drive, "add"), typed)
    assert answer.status_code == 422
    assert problem in text(answer)
    assert all(f'value="{value}"' in answer.content.decode() for value in typed.values() if value)
    assert not ChecklistItem.objects.exists()


@pytest.mark.parametrize("typed", [{"title": "x" * 120, "days": "0"}, {"title": "Cake", "days": "365"}])
def test_a_task_at_the_limits_is_saved(ben: Membership, typed: dict[str, str]) -> None:
    answer = coordinator.signed_in(ben).post(address(builders.drive(ben.organization), "add"), typed)
    assert answer.status_code == 303
    assert ChecklistItem.objects.count() == 1


def test_a_refused_own_task_says_why(ben: Membership) -> None:
    drive = builders.drive(ben.organization)
    Drive.objects.filter(pk=drive.pk).update(state=DriveState.CANCELLED, cancelled_at=NOW)
    answer = coordinator.signed_in(ben).post(address(drive, "add"), {"title": "Cake", "days": "3"})
    assert answer.status_code == 422
    assert "so you can’t change its checklist anymore" in text(answer)


def all_changes(drive: Drive, item: ChecklistItem) -> list[str]:
    return [
        address(drive, "add"),
        address(drive, "done", "room"),
        address(drive, "reopen", "room"),
        address(drive, "remove_own", item.code),
    ]


@pytest.fixture
def item(ben: Membership) -> ChecklistItem:
    drive = builders.drive(ben.organization)
    made = ChecklistItem(organization=ben.organization, title="Order the cake", days=3)
    drive_tasks.add_own_task(drive=drive, item=made, actor="user:1", now=NOW)
    drive_tasks.check_off_task(drive=drive, code=made.code, actor="user:1", now=NOW)
    return made


@pytest.mark.parametrize(
    ("role", "sees", "changes"),
    [
        (Role.OWNER, True, True),
        (Role.COORDINATOR, True, True),
        (Role.VIEWER, True, False),
        (Role.CHECK_IN, False, False),
    ],
)
def test_each_role_sees_and_changes_what_it_may(item: ChecklistItem, role: Role, sees: bool, changes: bool) -> None:
    drive: Any = item.drive
    browser = coordinator.signed_in(builders.member(drive.organization, role))
    page = browser.get(address(drive))
    assert page.status_code == (200 if sees else 403)
    assert (address(drive) in browser.get(reverse("organizer_drive", args=[drive.pk])).content.decode()) is sees
    if sees:
        assert "Order the cake" in text(page)
        assert ("/checklist/room/done/" in page.content.decode()) is changes
        assert ("Add a task for this drive only" in text(page)) is changes
    before = AuditEntry.objects.count()
    for change in all_changes(drive, item):
        answer = browser.post(change, {"title": "Cake", "days": "3"})
        assert answer.status_code == (303 if changes else 403)
    assert (AuditEntry.objects.count() > before) is changes


def test_a_stranger_and_a_visitor_find_nothing(item: ChecklistItem) -> None:
    drive: Any = item.drive
    cleo = coordinator.signed_in(builders.member(builders.organization("Other")))
    assert cleo.get(address(drive)).status_code == 404
    assert {cleo.post(change).status_code for change in all_changes(drive, item)} == {404}
    assert Client().get(address(drive)).status_code == 302
    assert {Client().post(change)["Location"][:17] for change in all_changes(drive, item)} == {"/accounts/login/?"}
    assert ChecklistTick.objects.count() == ChecklistItem.objects.count() == 1


def test_a_get_changes_nothing(item: ChecklistItem) -> None:
    drive: Any = item.drive
    browser = coordinator.signed_in(builders.member(drive.organization))
    assert {browser.get(change).status_code for change in all_changes(drive, item)} == {405}


def test_a_past_drive_shows_its_checklist_without_buttons(ben: Membership) -> None:
    drive = builders.drive(ben.organization, now=EARLY, day=NOW.date() - timedelta(days=3))
    page = coordinator.signed_in(ben).get(address(drive))
    shown = text(page)
    assert "This drive is over or cancelled, so you can’t change its checklist anymore." in shown
    assert "The service checked this task until the drive was over." in shown
    assert "0 of 7 tasks are done" in shown
    assert "overdue by" not in shown
    assert "/done/" not in page.content.decode()


def home(member: Membership) -> str:
    return text(coordinator.signed_in(member).get("/organizer/"))


def test_the_home_has_one_entry_for_each_drive_with_overdue_tasks(ben: Membership) -> None:
    later = builders.drive(ben.organization, title="Spring drive", now=EARLY, day=builders.DRIVE_DAY + timedelta(30))
    drive = builders.drive(ben.organization, title="Winter drive", now=EARLY)
    builders.drive(ben.organization, title="New drive")  # planned today, so nothing is overdue
    shown = home(ben)
    assert "6 tasks for “Winter drive” on Saturday, March 13 are overdue. Open the checklist." in shown
    assert "5 tasks for “Spring drive” on Monday, April 12 are overdue. Open the checklist." in shown
    assert shown.index("tasks for “Winter drive”") < shown.index("tasks for “Spring drive”")
    assert shown.count("Open the checklist.") == 2
    assert {len(queries.load_checklist(one, NOW).overdue) for one in (later, drive)} == {5, 6}


def test_the_home_names_no_cancelled_or_past_drive(ben: Membership) -> None:
    drive = builders.drive(ben.organization, now=EARLY)
    builders.drive(ben.organization, now=EARLY, day=NOW.date() - timedelta(days=3))
    assert home(ben).count("Open the checklist.") == 1
    lifecycle.cancel_drive(drive_id=drive.pk, reason="The hall is closed.", actor="user:1", now=NOW)
    assert "Open the checklist." not in home(ben)


def test_the_page_of_a_drive_names_its_overdue_tasks(ben: Membership) -> None:
    browser, page = coordinator.signed_in(ben), "organizer_drive"
    overdue, current = builders.drive(ben.organization, now=EARLY), builders.drive(ben.organization)
    assert "6 tasks are overdue. Open the checklist." in text(browser.get(reverse(page, args=[overdue.pk])))
    assert "Open the checklist." not in text(browser.get(reverse(page, args=[current.pk])))


def test_the_home_names_a_draft(ben: Membership) -> None:
    builders.drive(ben.organization, now=EARLY, published=False)
    assert home(ben).count("Open the checklist.") == 1


@pytest.mark.parametrize(("role", "sees"), [(Role.COORDINATOR, True), (Role.VIEWER, True), (Role.CHECK_IN, False)])
def test_the_home_names_overdue_tasks_only_to_those_with_a_checklist(ben: Membership, role: Role, sees: bool) -> None:
    builders.drive(ben.organization, now=EARLY)
    assert ("Open the checklist." in home(builders.member(ben.organization, role))) is sees


def test_the_entry_goes_when_the_last_overdue_task_is_done(ben: Membership) -> None:
    drive = builders.drive(ben.organization, now=EARLY, goal=1)
    Drive.objects.filter(pk=drive.pk).update(center=None)
    drive = Drive.objects.select_related("organization", "site").get(pk=drive.pk)
    ShareLink.objects.create(drive=drive, name="Test Bo", created_at=NOW)
    by_hand = [task for task in queries.load_checklist(drive, NOW).overdue if not task.item.check_kind]
    for task in by_hand:
        drive_tasks.check_off_task(drive=drive, code=task.item.code, actor="user:1", now=NOW)
    assert "1 task for “Plasma drive” on Saturday, March 13 is overdue." in home(ben)


def test_three_tasks_take_as_many_queries_as_one(ben: Membership) -> None:
    drive, browser = builders.drive(ben.organization), coordinator.signed_in(ben)

    def tasks(many: int) -> Callable[[], object]:
        for _ in range(drive.checklist_items.count(), many):
            made = ChecklistItem(organization=ben.organization, title="Order the cake", days=3)
            drive_tasks.add_own_task(drive=drive, item=made, actor=f"user:{ben.user_id}", now=NOW)
            drive_tasks.check_off_task(drive=drive, code=made.code, actor=f"user:{ben.user_id}", now=NOW)
        browser.get(address(drive))
        return partial(browser.get, address(drive))

    query_counts.count_for_each(tasks)


def test_three_overdue_drives_take_as_many_queries_as_one(ben: Membership) -> None:
    def drives(many: int) -> Callable[[], object]:
        for number in range(Drive.objects.count(), many):
            made = builders.drive(ben.organization, now=EARLY)
            ShareLink.objects.create(drive=made, name="Test Bo", created_at=NOW)
            builders.booked(made, number=number)
        found = list(Drive.objects.select_related("site").order_by("pk"))
        goal_facts = turnout.load_goal_facts([drive.pk for drive in found], ben.organization)
        return partial(queries.list_overdue_checklists, found, ben.organization, goal_facts, NOW)

    assert query_counts.count_for_each(drives) == 6
