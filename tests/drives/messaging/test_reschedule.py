"""A changed message schedule applies to every booking. No reminder is lost or sent twice."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from drives.attendance import close_out
from drives.booking import changes as booking_changes
from drives.domain import reminder_times
from drives.domain.reminder_times import MessageSchedule
from drives.messaging import reminders, schedule, schedule_settings
from drives.models import Booking, BookingState, CancelledBy, Drive, ScheduleEntry
from drives.planning import lifecycle
from notifications.kinds import ChannelChoice
from notifications.models import Message, MessageState
from organizations.models import Organization
from tests import builders, query_counts
from tests.builders import NOW

pytestmark = pytest.mark.django_db
BOOKED = NOW + timedelta(days=3)  # nine days before the drive, too late for the early reminder
LATER = BOOKED + timedelta(hours=1)


def changed(plan: MessageSchedule, **lines: Mapping[str, Any]) -> MessageSchedule:
    return reminder_times.merge_schedule(plan, [replace(plan[kind], **changes) for kind, changes in lines.items()])


def edit(of: Organization, *, now: datetime = LATER, **lines: Mapping[str, Any]) -> int:
    before = schedule.load_organization_schedule(of)
    version = reminder_times.compute_schedule_fingerprint(before)
    plan = changed(before, **lines)
    return schedule_settings.change_message_schedule(
        organization=of, message_schedule=plan, version=version, actor="user:1", now=now
    )


def edit_drive(of: Drive, *, now: datetime = LATER, **lines: Mapping[str, Any]) -> int:
    before = schedule.load_drive_schedule(of)
    version = reminder_times.compute_schedule_fingerprint(before)
    plan = changed(before, **lines)
    return schedule_settings.change_drive_message_schedule(
        drive=of, message_schedule=plan, version=version, actor="user:1", now=now
    )


def waiting(booking: Booking) -> list[tuple[str, str, float]]:
    """List the unsent reminders of a booking: kind, channel, and days before the visit."""
    rows = (
        Message.objects.unsent()
        .filter(about=booking.about, kind__in=reminders.REMINDER_KINDS)
        .order_by("due_at", "channel")
    )
    return [(row.kind, row.channel, round((booking.starts_at - row.due_at) / timedelta(days=1), 4)) for row in rows]


def booked_early(**plan: Any) -> tuple[Drive, Booking]:
    drive = builders.drive(**plan)
    return drive, builders.booked(drive, n=6, email="ana@example.org", now=BOOKED)


def test_bookings_follow_the_default_schedule() -> None:
    _, booking = booked_early()
    assert waiting(booking) == [("three_days", "sms", 3), ("day_before", "sms", 1)]


def test_a_changed_entry_reschedules_only_its_reminders() -> None:
    drive, booking = booked_early()
    kept = Message.objects.get(kind="day_before", about=booking.about)
    assert edit(drive.organization, three_days={"days": 5, "channel_choice": ChannelChoice.BOTH}) == 1
    assert waiting(booking) == [("three_days", "email", 5), ("three_days", "sms", 5), ("day_before", "sms", 1)]
    assert Message.objects.get(kind="day_before", about=booking.about).key == kept.key
    assert Message.objects.filter(kind="three_days", state=MessageState.WITHDRAWN).count() == 1


def test_an_entry_turned_off_and_on_is_scheduled_again() -> None:
    drive, booking = booked_early()
    for day in (False, True, False, True):
        edit(drive.organization, day_before={"is_enabled": day})
    assert waiting(booking) == [("three_days", "sms", 3), ("day_before", "sms", 1)]


def test_a_later_booking_gets_the_new_schedule() -> None:
    drive = builders.drive()
    edit(drive.organization, same_day={"is_enabled": True, "hours": 1}, three_days={"is_enabled": False})
    booking = builders.booked(drive, n=12)
    assert waiting(booking) == [("day_before", "sms", 1), ("same_day", "sms", 0.0417)]


def test_an_unchanged_schedule_withdraws_nothing() -> None:
    drive, _ = booked_early()
    before = list(Message.objects.order_by("pk").values())
    assert edit(drive.organization) == 0
    assert list(Message.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("state", ["sending", "accepted", "sent", "delivered", "undelivered", "failed", "in_doubt"])
def test_a_sent_reminder_is_not_sent_again(state: str) -> None:
    drive, booking = booked_early()
    Message.objects.filter(kind="three_days").update(state=state, text="said", lease_until=NOW)
    assert edit(drive.organization, three_days={"days": 2, "channel_choice": ChannelChoice.BOTH}) == 0
    assert waiting(booking) == [("day_before", "sms", 1)]


@pytest.mark.parametrize("state", ["queued", "claimed"])
def test_a_rendered_unsent_reminder_is_rescheduled(state: str) -> None:
    drive, booking = booked_early()
    Message.objects.filter(kind="three_days").update(state=state, text="written", lease_until=NOW)
    assert edit(drive.organization, three_days={"days": 4}) == 1
    assert waiting(booking) == [("three_days", "sms", 4), ("day_before", "sms", 1)]


def test_an_overdue_reminder_survives_a_change_of_another_entry() -> None:
    drive, booking = booked_early()
    late = Message.objects.get(kind="three_days").due_at + timedelta(hours=1)
    edit(drive.organization, now=late, day_before={"channel_choice": ChannelChoice.BOTH})
    assert ("three_days", "sms", 3) in waiting(booking)


def test_nothing_is_scheduled_in_the_past() -> None:
    drive, booking = booked_early()
    two_days_left = booking.starts_at - timedelta(days=2)
    edit(drive.organization, now=two_days_left, three_days={"days": 5})
    assert [kind for kind, _, _ in waiting(booking)] == ["day_before"]


def test_the_minimum_gap_counts_from_when_the_booking_got_its_time() -> None:
    drive, booking = booked_early()
    moved_at = booking.starts_at - timedelta(hours=30)
    [booking] = booking_changes.move_bookings(
        booking_id=booking.pk, slot_id=builders.slot(drive, 8).pk, actor="donor", now=moved_at
    )
    edit(drive.organization, now=moved_at + timedelta(minutes=5), same_day={"is_enabled": True, "hours": 1})
    assert waiting(booking) == [("same_day", "sms", 0.0417)]


def test_a_drive_can_have_its_own_schedule_and_return() -> None:
    owner = builders.organization()
    drive, other = builders.drive(owner), builders.drive(owner)
    mine, theirs = builders.booked(drive, n=6, number=1), builders.booked(other, n=6, number=2)
    assert edit_drive(drive, three_days={"is_enabled": False}) == 1
    assert edit(owner, three_days={"days": 4}) == 1
    assert (waiting(mine), waiting(theirs)) == (
        [("day_before", "sms", 1)],
        [("three_days", "sms", 4), ("day_before", "sms", 1)],
    )
    assert schedule_settings.reset_drive_message_schedule(drive=drive, actor="user:1", now=LATER) == 1
    assert waiting(mine) == [("three_days", "sms", 4), ("day_before", "sms", 1)]
    assert not ScheduleEntry.objects.filter(drive=drive).exists()


def test_a_changed_drive_reschedules_its_reminders() -> None:
    drive, booking = booked_early()
    later = booking.starts_at + timedelta(days=1)
    Booking.objects.filter(pk=booking.pk).update(starts_at=later)
    lifecycle.change_drive(drive=drive, version=drive.version, actor="user:1", now=LATER)
    booking.refresh_from_db()
    assert [kind for kind, _, _ in waiting(booking)] == ["three_days", "day_before"]
    # The clocks go forward on that Sunday, so the same local time is 23 hours earlier.
    assert [round(days * 24) for _, _, days in waiting(booking)] == [71, 23]


def sent_between(of: Organization, first: int, last: int) -> int:
    return schedule_settings.change_sending_settings(
        organization=of,
        quiet_until_hour=first,
        quiet_from_hour=last,
        messages_per_day=of.messages_per_day,
        codes_per_day=of.codes_per_day,
        sms_price=of.sms_price,
        sms_currency="USD",
        actor="user:1",
        now=LATER,
    )


def test_changed_quiet_hours_move_reminders() -> None:
    drive = builders.drive()
    booking = builders.booked(drive, n=0)
    assert sent_between(drive.organization, 10, 18) == 1
    assert [days for _, _, days in waiting(booking)] == [3.6354, 1.6354]
    assert sent_between(drive.organization, 10, 18) == 0


def test_other_bookings_and_organizations_are_left_alone() -> None:
    drive, cleo = builders.drive(), builders.drive()
    stranger = builders.booked(cleo, number=3)
    builders.held(drive, number=1)
    gone = builders.booked(drive, n=1, number=2)
    booking_changes.cancel_bookings(booking_id=gone.pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=NOW)
    assert edit(drive.organization, three_days={"days": 4}) == 0
    assert waiting(gone) == []
    assert waiting(stranger) == [("three_days", "sms", 3), ("day_before", "sms", 1)]


def test_messages_after_the_visit_follow_the_schedule() -> None:
    drive, missing = booked_early()
    came = builders.booked(drive, number=1)
    edit(drive.organization, missed={"channel_choice": ChannelChoice.MAIL}, thank_you={"is_enabled": False})
    Booking.objects.filter(pk=came.pk).update(state=BookingState.CHECKED_IN)
    close_out.close_out_drive(drive_id=drive.pk, now=drive.ends_at + timedelta(hours=2))
    told = Message.objects.filter(kind__in=["thank_you", "missed"]).values_list("about", "kind", "channel")
    assert list(told) == [(missing.about, "missed", "email")]


def test_the_confirmation_uses_the_channel_of_the_schedule() -> None:
    drive = builders.drive()
    edit(drive.organization, booked={"channel_choice": ChannelChoice.TEXT})
    booking = builders.booked(drive, email="ana@example.org")
    told = Message.objects.filter(about=booking.about, kind="booked").values_list("channel", flat=True)
    assert list(told) == ["sms"]


def test_a_concurrent_change_of_the_schedule_is_not_overwritten() -> None:
    owner = builders.organization()
    read = schedule.load_organization_schedule(owner)
    version = reminder_times.compute_schedule_fingerprint(read)
    edit(owner, three_days={"days": 4})
    with pytest.raises(schedule_settings.SettingsVersionChanged):
        schedule_settings.change_message_schedule(
            organization=owner, message_schedule=read, version=version, actor="user:2", now=LATER
        )
    assert schedule.load_organization_schedule(owner)["three_days"].days == 4


def test_a_schedule_with_problems_is_refused_by_entry_and_field() -> None:
    drive, booking = booked_early()
    before = waiting(booking)
    with pytest.raises(ValidationError) as refused:
        edit(drive.organization, three_days={"days": 99})
    assert list(refused.value.message_dict) == ["three_days-days"]
    assert waiting(booking) == before


def test_a_batch_takes_the_same_number_of_statements_for_one_and_for_ten_bookings() -> None:
    def donors(people: int) -> Callable[[], object]:
        drive = builders.drive(day=date(2027, 3, 20), policy_id=builders.lax().pk)
        for number in range(people):
            builders.booked(drive, n=number, number=number)
        return partial(
            edit, drive.organization, three_days={"days": 4}, day_before={"channel_choice": ChannelChoice.BOTH}
        )

    query_counts.count_for_each(donors, (1, 10))


def test_a_reminder_of_the_old_time_does_not_count_for_the_new_one() -> None:
    drive, booking = booked_early()
    Message.objects.filter(kind="three_days").update(state=MessageState.SENT, text="said")
    booking_changes.move_bookings(booking_id=booking.pk, slot_id=builders.slot(drive, 10).pk, actor="donor", now=LATER)
    booking.refresh_from_db()
    edit(drive.organization, three_days={"days": 4})
    assert waiting(booking) == [("three_days", "sms", 4), ("day_before", "sms", 1)]
