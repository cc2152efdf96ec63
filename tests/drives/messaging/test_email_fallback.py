"""If a text fails, the service sends an e-mail to the donor instead."""

from datetime import timedelta
from typing import Any

import pytest

from drives.booking import changes
from drives.messaging import broadcasts, email_fallback, reminders
from drives.messaging.broadcast_queries import Audience
from drives.models import Booking, BookingState, CancelledBy, Drive, Site
from drives.planning import lifecycle
from notifications import consents, delivery, reports
from notifications.models import ConsentEntry, Message, Purpose
from tests import builders
from tests.builders import NOW

pytestmark = pytest.mark.django_db
MAIL = "test.ana.alder@example.org"
SOON = NOW + timedelta(minutes=1)


@pytest.fixture
def drive() -> Drive:
    return builders.drive()


def booked(drive: Drive, **who: Any) -> Booking:
    """Create a booking with texts but no e-mails, as if its message schedule contained no e-mails."""
    booking = builders.booked(drive, **{"email": MAIL, **who})
    Message.objects.filter(channel="email").delete()
    return booking


def fail(kind: str, code: str = "30006") -> None:
    """Report that all texts of this kind were undelivered."""
    for text in Message.objects.filter(kind=kind, channel="sms"):
        Message.objects.filter(pk=text.pk).update(state="accepted", provider_id=f"SM{text.pk}", text="Sent")
        reports.record_report(provider_id=f"SM{text.pk}", status="undelivered", error_code=code, now=SOON)


def list_emails() -> list[tuple[str, str, str]]:
    rows = Message.objects.filter(channel="email").order_by("pk")
    return [(mail.kind, mail.address, mail.calendar_method) for mail in rows]


def test_an_undelivered_confirmation_is_emailed_with_its_calendar_entry(drive: Drive) -> None:
    booking = booked(drive)
    fail("booked")
    assert email_fallback.queue_fallback_emails(now=SOON) == 1
    assert list_emails() == [("booked", MAIL, "REQUEST")]
    mail = Message.objects.get(channel="email")
    assert (mail.key, mail.state) == (f"booking:{booking.pk}/booked/0/email", "queued")
    assert mail.subject.startswith("You're booked: ")


def test_a_second_sweep_queues_nothing(drive: Drive) -> None:
    booked(drive)
    fail("booked")
    assert [email_fallback.queue_fallback_emails(now=SOON) for _sweep in range(3)] == [1, 0, 0]


def test_a_scheduled_email_is_not_repeated(drive: Drive) -> None:
    builders.booked(drive, email=MAIL)
    fail("booked")
    before = list_emails()
    assert email_fallback.queue_fallback_emails(now=SOON) == 0
    assert list_emails() == before


def test_a_donor_without_a_mailbox_gets_no_email(drive: Drive) -> None:
    booked(drive, email="")
    fail("booked")
    assert email_fallback.queue_fallback_emails(now=SOON) == 0


def test_a_delivered_text_is_not_repeated(drive: Drive) -> None:
    booked(drive)
    assert email_fallback.queue_fallback_emails(now=SOON) == 0


def test_the_email_about_a_move_names_the_old_time(drive: Drive) -> None:
    booking = booked(drive)
    changes.move_bookings(booking_id=booking.pk, slot_id=builders.slot(drive, 6).pk, actor="donor", now=NOW)
    Message.objects.filter(channel="email").delete()
    fail("moved")
    assert email_fallback.queue_fallback_emails(now=SOON) == 1
    assert "The old time was 9:00 AM" in Message.objects.get(channel="email").text


def test_the_email_about_a_cancellation_removes_the_calendar_entry(drive: Drive) -> None:
    booking = booked(drive)
    changes.cancel_bookings(booking_id=booking.pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=NOW)
    Message.objects.filter(channel="email").delete()
    fail("cancelled")
    assert email_fallback.queue_fallback_emails(now=SOON) == 1
    assert list_emails() == [("cancelled", MAIL, "CANCEL")]


def test_a_drive_cancellation_is_emailed(drive: Drive) -> None:
    booked(drive)
    lifecycle.cancel_drive(drive_id=drive.pk, reason="", actor="user:1", now=NOW)
    Message.objects.filter(channel="email").delete()
    fail("drive_cancelled", "30008")
    Message.objects.filter(kind="drive_cancelled").update(state="undelivered", settled_at=SOON)  # the last attempt
    assert email_fallback.queue_fallback_emails(now=SOON) == 1
    assert list_emails() == [("drive_cancelled", MAIL, "CANCEL")]


def test_a_failed_reminder_is_emailed_only_before_the_visit(drive: Drive) -> None:
    booking = booked(drive)
    due = booking.starts_at - timedelta(days=1)
    reminders.render_due_reminders(now=due)
    fail("day_before")
    Message.objects.filter(kind="day_before", channel="sms").update(settled_at=due)
    Message.objects.filter(channel="email").delete()
    assert email_fallback.queue_fallback_emails(now=booking.starts_at) == 0
    assert email_fallback.queue_fallback_emails(now=due) == 1
    assert [kind for kind, _address, _method in list_emails()] == ["day_before"]


def test_an_outdated_text_is_not_emailed(drive: Drive) -> None:
    booking = booked(drive)
    fail("booked")
    changes.cancel_bookings(booking_id=booking.pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=NOW)
    Message.objects.filter(channel="email").delete()
    assert email_fallback.queue_fallback_emails(now=SOON) == 0


def test_a_donor_who_said_stop_gets_an_email(drive: Drive) -> None:
    booked(drive, consents=())
    consents.suppress_address(sender=drive.organization.senders.get(), address=builders.phone(42), now=NOW)
    Message.objects.filter(kind="booked").update(state="queued")
    delivery.deliver_messages(clock=lambda: SOON, chance=lambda: 0.0)
    assert email_fallback.queue_fallback_emails(now=SOON) == 1


def test_one_sweep_emails_all_donors(drive: Drive) -> None:
    for number in range(3):
        booked(drive, number=number, n=number, email=f"ana{number}@example.org")
    fail("booked")
    assert email_fallback.queue_fallback_emails(now=SOON) == 3


def test_an_undelivered_broadcast_is_emailed(drive: Drive) -> None:
    booked(drive)
    audience = Audience((BookingState.BOOKED,))
    draft = broadcasts.BroadcastDraft({"en": "Bring a sweater."}, audience, Purpose.REMINDERS)
    sent = broadcasts.send_broadcast(drive=drive, draft=draft, typed_count=1, request_key="a", actor="user:7", now=NOW)
    fail("broadcast")
    assert [email_fallback.queue_fallback_emails(now=SOON) for _sweep in range(2)] == [1, 0]
    mail = Message.objects.get(channel="email")
    assert (mail.key.startswith(f"{sent.about}/volunteer:"), mail.purpose, mail.address) == (True, "", MAIL)
    assert "Bring a sweater." in mail.text
    assert mail.unsubscribe_url


def test_a_late_notice_is_emailed_until_it_expires(drive: Drive) -> None:
    booking = booked(drive)
    now = booking.starts_at - timedelta(hours=1)
    broadcasts.send_late_notice(drive=drive, minutes=20, request_key="b", actor="user:7", now=now)
    fail("late")
    Message.objects.filter(kind="late").update(settled_at=now)
    assert email_fallback.queue_fallback_emails(now=booking.starts_at + timedelta(minutes=20)) == 0
    assert email_fallback.queue_fallback_emails(now=now) == 1
    assert "20 minutes late" in Message.objects.get(channel="email").text


def test_news_is_not_emailed_without_consent_to_news(drive: Drive) -> None:
    booked(drive, consents=("reminders", "news"))
    draft = broadcasts.BroadcastDraft({"en": "Come again."}, Audience((BookingState.BOOKED,)), Purpose.NEWS)
    broadcasts.send_broadcast(drive=drive, draft=draft, typed_count=1, request_key="c", actor="user:7", now=NOW)
    fail("broadcast")
    ConsentEntry.objects.filter(address=MAIL).delete()
    assert email_fallback.queue_fallback_emails(now=SOON) == 1
    delivery.deliver_messages(clock=lambda: SOON, chance=lambda: 0.0)
    assert Message.objects.filter(channel="email").values_list("state", "reason").get() == ("blocked", "no_consent")


@pytest.mark.expects_errors
def test_a_reminder_that_fails_to_render_stops_no_other() -> None:
    spoilt, fine = (builders.drive(policy_id=builders.lax().pk) for _drive in range(2))
    poison, booking = booked(spoilt), booked(fine)
    Site.objects.filter(pk=spoilt.site_id).update(timezone="Nowhere/At All")
    reminders.render_due_reminders(now=booking.starts_at - timedelta(days=1))
    found = {row.about: (row.state, row.reason) for row in Message.objects.filter(kind="day_before")}
    assert found == {poison.about: ("withdrawn", "not_wordable"), booking.about: ("queued", "")}


@pytest.mark.parametrize(("ago", "queued"), [(timedelta(hours=24), 0), (timedelta(hours=24, seconds=-1), 1)])
def test_a_text_that_failed_a_day_ago_is_not_emailed(drive: Drive, ago: timedelta, queued: int) -> None:
    booked(drive)
    fail("booked")
    assert email_fallback.queue_fallback_emails(now=SOON + ago) == queued


@pytest.mark.parametrize(("before", "queued"), [(timedelta(0), 0), (timedelta(seconds=1), 1)])
def test_nothing_is_emailed_after_the_visit_has_begun(drive: Drive, before: timedelta, queued: int) -> None:
    booking = booked(drive)
    fail("booked")
    Message.objects.update(settled_at=booking.starts_at)
    assert email_fallback.queue_fallback_emails(now=booking.starts_at - before) == queued
