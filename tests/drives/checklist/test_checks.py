"""What the service checks off by itself, and the sentence that says why."""

from typing import Any

import pytest

from drives.checklist import queries
from drives.checklist.queries import Task
from drives.domain.message_kinds import ScheduledKind
from drives.models import CollectionCenter, Drive, ScheduleEntry, ShareLink
from drives.planning import lifecycle
from notifications.models import Sender
from tests import builders
from tests.builders import NOW

pytestmark = pytest.mark.django_db


def task(drive: Drive, code: str) -> Task:
    fresh = Drive.objects.select_related("organization", "site").get(pk=drive.pk)
    return next(task for task in queries.load_checklist(fresh, NOW).tasks if task.item.code == code)


def state(drive: Drive, code: str) -> tuple[bool, str]:
    found = task(drive, code)
    return found.is_done, found.reason


def test_the_center_is_the_one_in_the_plan() -> None:
    drive = builders.drive()
    assert state(drive, "center") == (False, "The plan has no center yet.")
    center = CollectionCenter.objects.create(organization=drive.organization, name="Example Center")
    Drive.objects.filter(pk=drive.pk).update(center=center)
    assert state(drive, "center") == (True, "The center in the plan is Example Center.")


def test_the_goal_is_the_one_in_the_plan() -> None:
    assert state(builders.drive(), "goal") == (False, "The plan has no goal yet.")
    assert state(builders.drive(goal=1), "goal") == (True, "The goal is 1 donation.")


def test_a_draft_is_not_published_but_a_closed_drive_is() -> None:
    drive = builders.drive(published=False)
    assert state(drive, "published") == (False, "The drive is still a draft.")
    lifecycle.publish_drive(drive_id=drive.pk, actor="user:1", now=NOW)
    assert state(drive, "published") == (True, "Published on Mon Mar 1.")
    lifecycle.close_drive(drive_id=drive.pk, actor="user:1", now=NOW)
    assert state(drive, "published")[0]


def test_one_recruiter_with_a_link_is_enough() -> None:
    drive, other = builders.drive(), builders.drive()
    ShareLink.objects.create(drive=other, name="Test Ben", created_at=NOW)
    assert state(drive, "recruiters") == (False, "No recruiter has a link yet.")
    for name in ("Test Ana", "Test Bo"):
        ShareLink.objects.create(drive=drive, name=name, created_at=NOW)
    assert state(drive, "recruiters") == (True, "2 recruiters have a link.")


@pytest.mark.parametrize(
    ("booked", "done"),
    # 60 bookings give 40 donations, so 3 bookings give 2.
    [(2, False), (3, True)],
)
def test_bookings_are_enough_when_the_forecast_reaches_the_goal(booked: int, done: bool) -> None:
    drive = builders.drive(goal=2)
    for number in range(booked):
        builders.booked(drive, n=number, number=number)
    found = task(drive, "bookings")
    assert found.is_done is done
    assert found.reason == (
        "3 people are booked. We expect 2 donations, and the goal is 2."
        if done
        else "You need 2 more bookings. So far, you have 2, and we expect 1 of 2 donations."
    )


def test_bookings_are_not_enough_without_a_goal() -> None:
    drive = builders.drive()
    builders.booked(drive)
    assert state(drive, "bookings") == (False, "The plan has no goal yet.")


def test_holds_and_cancelled_bookings_do_not_count() -> None:
    drive = builders.drive(goal=1)
    builders.cancelled(builders.booked(drive, number=1))
    builders.held(drive, number=2)
    assert not task(drive, "bookings").is_done


def test_one_reminder_is_enough_and_the_drives_own_schedule_counts() -> None:
    drive = builders.drive()
    assert state(drive, "reminders") == (True, "3 reminders are turned on.")
    reminders = [ScheduledKind.WEEK, ScheduledKind.THREE_DAYS, ScheduledKind.DAY_BEFORE, ScheduledKind.SAME_DAY]
    for kind in reminders:
        entry: dict[str, Any] = {"kind": kind, "channel_choice": "text", "is_enabled": False}
        ScheduleEntry.objects.create(organization=drive.organization, drive=drive, **entry)
    assert state(drive, "reminders") == (False, "All reminders for this drive are turned off.")
    ScheduleEntry.objects.filter(kind=ScheduledKind.SAME_DAY).update(is_enabled=True)
    assert state(drive, "reminders") == (True, "1 reminder is turned on.")


def test_texts_need_a_sender_that_is_turned_on() -> None:
    drive = builders.drive()
    assert state(drive, "texts") == (True, "A sender is set up and turned on.")
    Sender.objects.update(stopped_at=NOW)
    assert state(drive, "texts") == (False, "The sender is turned off.")
    Sender.objects.all().delete()
    assert state(drive, "texts") == (False, "No sender is set up.")
