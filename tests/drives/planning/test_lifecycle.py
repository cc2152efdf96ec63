"""Drives: drafts, edits with bookings, cancellation, copies."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError

from drives.capacity import availability, drift
from drives.models import Booking, Drive, Slot
from drives.planning import lifecycle, plan_check
from drives.planning.lifecycle import DriveVersionChanged
from drives.refusals import Refusal
from notifications.models import Message
from tests import builders
from tests.builders import DRIVE_DAY, NOW

pytestmark = pytest.mark.django_db


def problems(**changes: object) -> dict[str, list[str | None]]:
    owner = builders.organization()
    with pytest.raises(ValidationError) as caught:
        builders.drive(owner, builders.plan(builders.site(owner), **changes), published=False)
    assert not Drive.objects.exists()
    return {field: [error.code for error in errors] for field, errors in caught.value.error_dict.items()}


def test_a_plan_becomes_a_slot_for_every_step() -> None:
    drive = builders.drive(breaks=[["12:00:00", "12:30:00"]])
    slots = Slot.objects.filter(drive=drive).order_by("n")
    assert slots.count() == 24
    assert [slot.n for slot in slots if slot.chairs_limit == 0] == [12, 13]
    assert (drive.starts_at, drive.ends_at) == (slots[0].starts_at, slots[23].starts_at.replace(hour=23, minute=0))


def test_invalid_plans_are_refused_by_field() -> None:
    assert problems(opens=time(15), closes=time(9)) == {"closes": ["closes_before_opens"]}
    assert problems(chairs=0) == {"chairs": ["no_chairs"]}
    assert problems(breaks=[["08:00:00", "09:00:00"]]) == {"breaks": ["break_outside_hours"]}
    assert problems(day=date(2027, 3, 14), opens=time(2, 30), closes=time(9)) == {"opens": ["time_does_not_exist"]}


def test_a_drive_over_a_skipped_hour_has_its_real_number_of_steps() -> None:
    drive = builders.drive(day=date(2027, 3, 14), opens=time(0), closes=time(6))
    assert Slot.objects.filter(drive=drive).count() == 20


LAST_MINUTE = datetime.combine(DRIVE_DAY, time(23, 59), ZoneInfo("America/Los_Angeles"))
DAY = timedelta(days=1)


def refused_codes(save: Callable[..., Drive], **arguments: object) -> dict[str, list[str | None]]:
    try:
        save(actor="user:1", **arguments)
    except ValidationError as error:
        return {field: [each.code for each in errors] for field, errors in error.error_dict.items()}
    return {}


@pytest.mark.parametrize(("minutes", "refused"), [(0, {}), (1, {"day": ["day_past"]})])
def test_a_day_that_is_over_at_the_site_cannot_be_planned(minutes: int, refused: dict[str, list[str]]) -> None:
    owner, now = builders.organization(), LAST_MINUTE + timedelta(minutes=minutes)
    plan = builders.plan(builders.site(owner))
    assert refused_codes(lifecycle.create_drive, drive=plan, now=now) == refused
    drive = builders.drive(owner, day=DRIVE_DAY + 7 * DAY, published=False)
    assert refused_codes(lifecycle.copy_drive, drive_id=drive.pk, day=DRIVE_DAY, now=now) == refused
    again = builders.replanned(drive, day=DRIVE_DAY)
    assert refused_codes(lifecycle.change_drive, drive=again, version=drive.version, now=now) == refused


@pytest.mark.parametrize(
    ("days", "refused"), [(-1, {"day": ["day_past"]}), (0, {}), (1, {"day": ["day_past"]}), (2, {})]
)
def test_a_saved_drive_may_keep_its_past_day(days: int, refused: dict[str, list[str]]) -> None:
    drive, now = builders.drive(published=False), LAST_MINUTE + 2 * DAY
    again = builders.replanned(drive, day=DRIVE_DAY + days * DAY, title="Spring drive")
    assert refused_codes(lifecycle.change_drive, drive=again, version=drive.version, now=now) == refused


def test_a_site_policy_or_cause_of_another_organization_is_refused() -> None:
    owner, other = builders.organization(), builders.organization()
    with pytest.raises(ValidationError) as caught:
        builders.drive(owner, builders.plan(builders.site(other)))
    assert list(caught.value.error_dict) == ["site"]


def test_a_drive_without_bookings_gets_a_new_grid_and_old_versions_are_refused() -> None:
    drive = builders.drive()
    plan = builders.replanned(drive, closes=time(12))
    changed = lifecycle.change_drive(drive=plan, version=drive.version, actor="user:1", now=NOW)
    assert (Slot.objects.filter(drive=drive).count(), changed.version) == (12, drive.version + 1)
    with pytest.raises(DriveVersionChanged):
        lifecycle.change_drive(drive=plan, version=drive.version, actor="user:1", now=NOW)


def test_a_booked_drive_keeps_grid_and_bookings_when_chairs_are_removed() -> None:
    drive = builders.drive()
    for number in (1, 2, 3):
        builders.booked(drive, number=number)
    longer = builders.replanned(drive, closes=time(16))
    with pytest.raises(ValidationError) as caught:
        lifecycle.change_drive(drive=longer, version=drive.version, actor="user:1", now=NOW)
    assert caught.value.error_dict["day"][0].code == "grid_is_frozen"
    fewer = builders.replanned(drive, chairs=2)
    changed = lifecycle.change_drive(drive=fewer, version=drive.version, actor="user:1", now=NOW)
    assert [builders.slot(drive, n).over for n in (0, 1, 3, 4)] == [0, 1, 1, 0]
    assert Booking.objects.filter(drive=drive, is_counted=True).count() == 3
    assert builders.slot(drive, 0).pk not in {
        time.slot_id for time in availability.list_open_times(changed, ("return",), NOW)
    }


def test_a_cancelled_drive_notifies_once_and_withdraws_reminders() -> None:
    drive = builders.drive()
    told = [builders.booked(drive, number=number, email=f"d{number}@example.org") for number in (1, 2)]
    held = builders.held(drive, number=3)
    for _time in range(2):
        lifecycle.cancel_drive(drive_id=drive.pk, reason="The hall is closed.", actor="user:1", now=NOW)
    assert set(Booking.objects.values_list("pk", "state")) == {
        (told[0].pk, "cancelled"),
        (told[1].pk, "cancelled"),
        (held.pk, "lapsed"),
    }
    waiting = Message.objects.filter(state__in=["queued", "scheduled"]).exclude(kind="code")
    assert sorted(waiting.values_list("kind", "channel")) == sorted(
        [("drive_cancelled", "sms"), ("drive_cancelled", "email")] * 2
    )
    assert "METHOD:CANCEL" in waiting.filter(channel="email")[0].calendar
    assert drift.count_drifted_slots() == 0


def test_a_copy_is_a_draft_on_another_day() -> None:
    drive = builders.drive()
    copy = lifecycle.copy_drive(drive_id=drive.pk, day=date(2027, 4, 10), actor="user:1", now=NOW)
    assert (copy.state, copy.slots.count(), copy.slug) == ("draft", 24, "plasma-drive-2027-04-10")


def test_drives_with_one_title_and_day_get_different_slugs() -> None:
    assert [builders.drive().slug for _drive in range(3)] == [
        f"plasma-drive-{DRIVE_DAY}",
        f"plasma-drive-{DRIVE_DAY}-2",
        f"plasma-drive-{DRIVE_DAY}-3",
    ]


def test_a_preview_counts_the_visits_that_fit() -> None:
    owner = builders.organization()
    shown = plan_check.preview_drive_plan(builders.plan(builders.site(owner), chairs=1))
    assert (len(shown.times), shown.return_visits, shown.first_visits) == (24, 7, 7)
    wrong = plan_check.preview_drive_plan(builders.plan(builders.site(owner, "Mars/Olympus"), chairs=0))
    assert {problem.code for problem in wrong.problems} == {"zone_unknown", "no_chairs"}


@pytest.mark.parametrize("act", [lifecycle.publish_drive, lifecycle.close_drive])
def test_a_past_drive_can_be_neither_opened_nor_closed(act: Callable[..., Drive]) -> None:
    drive = builders.drive(published=act is lifecycle.close_drive)
    with pytest.raises(Refusal) as caught:
        act(drive_id=drive.pk, actor="user:1", now=drive.ends_at)
    assert caught.value.codes == ["drive_past"]


def test_a_drive_cancellation_is_never_a_late_cancellation() -> None:
    drive = builders.drive()
    booking = builders.booked(drive)
    lifecycle.cancel_drive(drive_id=drive.pk, reason="", actor="user:1", now=drive.starts_at - timedelta(hours=1))
    booking.refresh_from_db()
    assert (booking.cancelled_by, booking.cancelled_late) == ("drive", False)


def test_screening_below_the_taken_number_counts_as_over() -> None:
    drive = builders.drive()
    for number in (1, 2, 3):
        builders.booked(drive, number=number)
    fewer = builders.replanned(drive, screening_stations=1)
    lifecycle.change_drive(drive=fewer, version=drive.version, actor="user:1", now=NOW)
    assert [builders.slot(drive, n).over for n in (0, 1)] == [2, 0]
    assert drift.count_drifted_slots() == 0
