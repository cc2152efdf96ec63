from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from drives.booking import changes
from drives.calendars import queries as calendars_queries
from drives.domain import reminder_times
from drives.domain.message_kinds import ScheduledKind
from drives.domain.reminder_times import EntrySettings
from drives.messaging import reminders
from drives.messaging.default_schedule import DEFAULT_SCHEDULE
from drives.messaging.texts import booking_texts as texts_bookings
from drives.messaging.texts import next_visit_texts
from drives.models import Booking
from drives.web import links
from notifications import consents, message_content
from notifications.kinds import ChannelChoice
from notifications.models import Message
from notifications.quiet_hours import QuietHours
from tests import builders
from tests.builders import NOW
from tests.notifications import made

LA = ZoneInfo("America/Los_Angeles")
PLAIN = (
    texts_bookings.render_booked,
    texts_bookings.render_cancelled,
    texts_bookings.render_drive_cancelled,
    next_visit_texts.render_thank_you,
    texts_bookings.render_missed,
)


def due(*local: int, days: int = 1) -> str:
    year, month, day, hour, minute = local
    at = datetime(year, month, day, hour, minute, tzinfo=LA).astimezone(UTC)
    line = EntrySettings(ScheduledKind.THREE_DAYS, ChannelChoice.TEXT, days=days)
    return reminder_times.compute_due_time(line, at, QuietHours(LA)).astimezone(LA).strftime("%d %H:%M")


def test_the_day_before_keeps_the_local_time_over_a_clock_change() -> None:
    assert due(2027, 3, 14, 10, 30) == "13 10:30"
    assert due(2027, 11, 7, 10, 30) == "06 10:30"
    assert due(2027, 3, 16, 10, 30, days=3) == "13 10:30"


def test_a_reminder_in_quiet_hours_moves_earlier() -> None:
    assert due(2027, 3, 10, 8, 59) == "08 19:45"
    assert due(2027, 3, 10, 9, 0) == "09 09:00"
    assert due(2027, 3, 10, 20, 0) == "09 19:45"
    assert due(2027, 3, 10, 19, 59) == "09 19:59"


@pytest.mark.django_db
def test_reminders_that_come_too_soon_after_the_booking_are_skipped() -> None:
    drive = builders.drive()
    for number, days in ((1, 12), (2, 5), (3, 2), (4, 1.4)):
        builders.booked(
            drive, n=number, number=number, email="a@example.org", now=drive.starts_at - timedelta(days=days)
        )
    planned = {
        number: set(
            Message.objects.filter(state="scheduled", about=Booking.objects.get(first_step=number).about).values_list(
                "kind", flat=True
            )
        )
        for number in (1, 2, 3, 4)
    }
    assert planned == {
        1: {"week", "three_days", "day_before"},
        2: {"three_days", "day_before"},
        3: {"day_before"},
        4: set(),
    }


@pytest.mark.django_db
def test_reminders_are_rendered_shortly_before_due_and_unfit_ones_dropped() -> None:
    drive = builders.drive()
    kept, gone = builders.booked(drive, number=1), builders.booked(drive, number=2)
    scheduled = Message.objects.get(kind="day_before", about=kept.about)
    Booking.objects.filter(pk=gone.pk).update(revision=7)
    Message.objects.filter(kind="three_days").delete()
    assert reminders.render_due_reminders(now=scheduled.due_at - timedelta(minutes=16)) == {"rendered": 0, "dropped": 0}
    assert reminders.render_due_reminders(now=scheduled.due_at - timedelta(minutes=15)) == {"rendered": 1, "dropped": 1}
    scheduled.refresh_from_db()
    assert scheduled.state == "queued"
    assert scheduled.text.startswith("Hope Foundation: Reminder: tomorrow, Sat Mar 13 9:00 AM, St Mary Hall.")


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "es"])
def test_every_text_fits_one_segment_with_the_longest_names(language: str, settings: Any) -> None:
    settings.BASE_URL = "https://drives.xx.org"
    owner = builders.organization(sms_name="W" * 20)
    drive = builders.drive(owner, builders.plan(builders.site(owner, sms_name="M" * 20), day=date(2027, 9, 29)))
    booking = builders.booked(drive, n=12, language=language)
    booking = Booking.objects.select_related("drive__site", "drive__organization", "drive__policy", "volunteer").get()
    settings.BASE_URL += "x" * (50 - len(links.build_booking_link(booking)))
    assert len(links.build_booking_link(booking)) == 50
    told = [texts_bookings.call_in_language(language, partial(word, booking, "sms")) for word in PLAIN]
    told.append(texts_bookings.call_in_language(language, partial(texts_bookings.render_moved, booking, "sms", NOW)))
    for days in (0, 1, 3):
        due_at = booking.starts_at - timedelta(days=days)
        told.append(
            texts_bookings.call_in_language(language, partial(texts_bookings.render_reminder, booking, "sms", due_at))
        )
    booking.state = "donated"
    told.append(texts_bookings.call_in_language(language, partial(next_visit_texts.render_thank_you, booking, "sms")))
    assert [
        (wording.text, message_content.count_segments(wording.text))
        for wording in told
        if message_content.count_segments(wording.text) > 1
    ] == []
    assert all(message_content.is_gsm(wording.text) for wording in told)


@pytest.mark.django_db
def test_a_moved_booking_gets_no_reminder_of_its_old_time() -> None:
    drive = builders.drive()
    booking = builders.booked(drive)
    scheduled = Message.objects.get(kind="day_before")
    reminders.render_due_reminders(now=scheduled.due_at)
    changes.move_bookings(
        booking_id=booking.pk, slot_id=builders.slot(drive, 8).pk, actor="donor", now=scheduled.due_at
    )
    scheduled.refresh_from_db()
    assert scheduled.state == "withdrawn"


def due_message(booking: Booking, kind: str = "day_before", channel: str = "sms") -> Message:
    return Message.objects.get(about=booking.about, kind=kind, key__endswith=f"/{channel}")


def rendered(message: Message) -> tuple[str, str, str]:
    reminders.render_due_reminders(now=message.due_at)
    message.refresh_from_db()
    return message.state, message.channel, message.address


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["three_days", "day_before"])
def test_a_donor_without_texts_is_reminded_by_email(kind: str) -> None:
    booking = builders.booked(builders.drive(), email="ana@example.org", consents=())
    builders.verify_mailbox("ana@example.org")
    message = due_message(booking, kind)
    assert rendered(message) == ("queued", "email", "ana@example.org")
    assert message.subject.startswith("Reminder: Saturday, March 13")
    assert "/stop/" in message.unsubscribe_url


@pytest.mark.django_db
def test_an_opt_out_after_scheduling_switches_to_email() -> None:
    booking = builders.booked(builders.drive(), email="ana@example.org")
    builders.verify_mailbox("ana@example.org")
    message = due_message(booking)
    stop(booking, builders.phone(42), now=NOW)
    assert rendered(message) == ("queued", "email", "ana@example.org")


@pytest.mark.django_db
def test_stop_switches_reminders_to_email_and_start_back() -> None:
    booking = builders.booked(builders.drive(), email="ana@example.org")
    builders.verify_mailbox("ana@example.org")
    sender = booking.drive.organization.senders.get()
    consents.suppress_address(sender=sender, address=builders.phone(42), now=NOW)
    assert rendered(due_message(booking, "three_days")) == ("queued", "email", "ana@example.org")
    consents.lift_suppression(sender=sender, address=builders.phone(42), now=NOW)
    assert rendered(due_message(booking)) == ("queued", "sms", builders.phone(42))


@pytest.mark.django_db
def test_with_consent_or_without_a_mailbox_a_text_stays_a_text() -> None:
    drive = builders.drive()
    agreed = builders.booked(drive, email="ana@example.org")
    silent = builders.booked(drive, n=4, number=43, consents=())
    assert rendered(due_message(agreed)) == ("queued", "sms", builders.phone(42))
    assert rendered(due_message(silent)) == ("queued", "sms", builders.phone(43))
    made.deliver(now=due_message(silent).due_at)
    stopped = due_message(silent)
    assert (stopped.state, stopped.reason) == ("blocked", "no_consent")


@pytest.mark.django_db
def test_a_schedule_with_both_channels_sends_one_email() -> None:
    booking = builders.booked(builders.drive(), email="ana@example.org", consents=())
    builders.verify_mailbox("ana@example.org")
    plan = {**DEFAULT_SCHEDULE, "day_before": EntrySettings("day_before", ChannelChoice.BOTH, days=1)}
    Message.objects.filter(about=booking.about, state="scheduled").delete()
    reminders.schedule_reminders([calendars_queries.load_message_bookings([booking.pk])[booking.pk]], plan, NOW)
    assert rendered(due_message(booking))[0] == "withdrawn"
    assert due_message(booking, channel="email").state == "queued"


@pytest.mark.django_db
def test_a_donor_without_any_consent_gets_no_reminder() -> None:
    booking = builders.booked(builders.drive(), email="ana@example.org")
    stop(booking, builders.phone(42), "ana@example.org", now=NOW)
    message = due_message(booking)
    rendered(message)
    made.deliver(now=message.due_at)
    message.refresh_from_db()
    assert (message.state, message.reason) == ("blocked", "no_consent")


def stop(booking: Booking, *addresses: str, now: datetime) -> None:
    of = booking.drive.organization
    consents.revoke_consents(organization=of, addresses=addresses, wording="no", source="link", actor="donor", now=now)


@pytest.mark.django_db
def test_no_reminder_may_leave_once_the_visit_has_begun() -> None:
    booking = builders.booked(builders.drive())
    planned = Message.objects.filter(about=booking.about, kind__in=reminders.REMINDER_KINDS)
    assert set(planned.values_list("expires_at", flat=True)) == {booking.starts_at}
