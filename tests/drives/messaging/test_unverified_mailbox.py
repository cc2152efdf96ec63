"""An unverified mailbox gets the confirmation and one more e-mail about a booking."""

from datetime import datetime, timedelta
from functools import partial

import pytest
from django.test import Client
from django.urls import reverse

from drives.booking import changes
from drives.messaging import email_fallback, reminders
from drives.models import Booking, CancelledBy, Drive
from notifications import consents, outbox, unverified_mailboxes
from notifications.models import Message
from notifications.rules import EMAILS_TO_UNVERIFIED_MAILBOX
from organizations.models import Role
from tests import builders, query_counts, seeds
from tests.builders import NOW
from tests.drives import coordinator, donor
from tests.notifications import made
from volunteers.models import Contact

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]

MAIL = "ana@example.org"


def booked(*, is_verified: bool = False) -> Booking:
    booking = builders.booked(builders.drive(), email=MAIL)
    if is_verified:
        builders.verify_mailbox(MAIL)
    return booking


def move(booking: Booking, turn: int) -> None:
    slot = builders.slot(booking.drive, 4 + turn % 2)
    now = NOW + timedelta(minutes=turn + 1)
    changes.move_bookings(booking_id=booking.pk, slot_id=slot.pk, actor="user:1", now=now)
    made.deliver(now)


def count_delivered(channel: str = "email") -> int:
    return Message.objects.filter(channel=channel, state="delivered").exclude(kind="code").count()


def test_120_moves_send_two_emails_to_an_unverified_mailbox() -> None:
    booking = booked()
    made.deliver(NOW)
    for turn in range(120):
        move(booking, turn)
    assert (count_delivered("sms"), count_delivered()) == (121, EMAILS_TO_UNVERIFIED_MAILBOX)


def test_a_verified_mailbox_gets_an_email_for_each_move() -> None:
    booking = booked(is_verified=True)
    made.deliver(NOW)
    for turn in range(12):
        move(booking, turn)
    assert (count_delivered("sms"), count_delivered()) == (13, 13)


def test_control_without_the_limit_each_move_sends_an_email(monkeypatch: pytest.MonkeyPatch) -> None:
    def block_nothing(rows: object, now: datetime) -> None:
        pass

    seeds.replace(monkeypatch, unverified_mailboxes, "block_emails_over_limit", block_nothing)
    booking = booked()
    made.deliver(NOW)
    for turn in range(3):
        move(booking, turn)
    assert count_delivered() == 4


def test_a_mailbox_that_a_coordinator_entered_has_no_limit() -> None:
    booking = booked()
    Contact.objects.filter(address=MAIL).update(owner=booking.volunteer)
    made.deliver(NOW)
    for turn in range(3):
        move(booking, turn)
    assert count_delivered() == 4


def count_queries(*, has_unverified_mailbox: bool) -> int:
    email = made.message(channel="email", address=MAIL, has_unverified_mailbox=has_unverified_mailbox, key=MAIL)
    queue = partial(outbox.queue_messages, organization=builders.organization(), messages=[email], now=NOW)
    return len(query_counts.statements_of(queue))


def test_an_unverified_mailbox_costs_a_lock_and_a_query() -> None:
    assert count_queries(has_unverified_mailbox=True) == count_queries(has_unverified_mailbox=False) + 2


def test_each_booking_has_a_limit_of_its_own() -> None:
    first, other = booked(), builders.booked(builders.drive(policy=builders.lax()), number=43, email=MAIL)
    for booking in (first, other):
        for turn in range(3):
            move(booking, turn)
    assert count_delivered() == 2 * EMAILS_TO_UNVERIFIED_MAILBOX


def render(message: Message) -> Message:
    reminders.render_due_reminders(now=message.due_at)
    message.refresh_from_db()
    return message


@pytest.mark.parametrize("moves", [0, 1])
def test_a_reminder_counts_when_it_is_rendered(moves: int) -> None:
    booking = builders.booked(builders.drive(), email=MAIL, consents=())
    made.deliver(NOW)
    for turn in range(moves):
        move(booking, turn)
    last = render(Message.objects.get(kind="day_before", state="scheduled"))
    made.deliver(last.due_at)
    last.refresh_from_db()
    assert (last.channel, last.state) == (("sms", "blocked") if moves else ("email", "delivered"))


def test_a_mailbox_verified_before_the_reminder_gets_it() -> None:
    booking = booked()
    made.deliver(NOW)
    move(booking, 0)
    builders.verify_mailbox(MAIL)
    assert render(Message.objects.get(kind="week", state="scheduled")).state == "queued"


def test_a_withdrawn_email_counts_no_longer() -> None:
    booking = booked()
    for turn in range(3):
        changes.move_bookings(
            booking_id=booking.pk, slot_id=builders.slot(booking.drive, 4 + turn).pk, actor="user:1", now=NOW
        )
    made.deliver(NOW)
    assert list(Message.objects.filter(channel="email", state="delivered").values_list("kind", "revision")) == [
        ("moved", 3)
    ]


def stop_texts(booking: Booking) -> None:
    sender = booking.drive.organization.senders.get()
    consents.suppress_address(sender=sender, address=builders.phone(42), now=NOW)


@pytest.mark.parametrize("is_verified", [False, True])
def test_emails_in_place_of_failed_texts_are_counted(*, is_verified: bool) -> None:
    booking = booked(is_verified=is_verified)
    made.deliver(NOW)
    move(booking, 0)
    reminder = Message.objects.get(about=booking.about, kind="three_days", state="scheduled")
    reminders.render_due_reminders(now=reminder.due_at)
    Message.objects.filter(pk=reminder.pk).update(state="failed", settled_at=reminder.due_at)
    assert email_fallback.queue_fallback_emails(now=reminder.due_at) == (1 if is_verified else 0)
    made.deliver(reminder.due_at)
    assert Message.objects.get(key=reminder.key.replace("/sms", "/email")).state == (
        "delivered" if is_verified else "blocked"
    )


def read_page(booking: Booking) -> str:
    return donor.text(Client().get(reverse("booking", args=[booking.token]), follow=True))


@pytest.mark.parametrize("is_confirmation_sent", [False, True])
def test_a_donor_without_texts_gets_the_last_reminder_by_email(*, is_confirmation_sent: bool) -> None:
    """The limit on e-mails leaves only one reminder.

    The service keeps the one on the day before, because it helps most.
    """
    booking = builders.booked(builders.drive(), email=MAIL, consents=())
    if is_confirmation_sent:
        made.deliver(NOW)
    page = read_page(booking)
    assert "We’ll e-mail you the day before." in page
    assert "We’ll text you" not in page
    made.deliver(NOW)
    for kind in ("week", "three_days", "day_before"):
        made.deliver(render(Message.objects.get(kind=kind)).due_at)
    reminders_of_booking = Message.objects.filter(kind__in=reminders.REMINDER_KINDS).order_by("due_at")
    assert list(reminders_of_booking.values_list("kind", "channel", "state", "reason")) == [
        ("week", "email", "withdrawn", "unverified_mailbox"),
        ("three_days", "email", "withdrawn", "unverified_mailbox"),
        ("day_before", "email", "delivered", ""),
    ]


@pytest.mark.parametrize("is_verified", [False, True])
def test_a_donor_with_texts_keeps_the_last_email_for_a_change(*, is_verified: bool) -> None:
    booking = booked(is_verified=is_verified)
    made.deliver(NOW)
    assert ("We’ll e-mail you 7 days before." in read_page(booking)) == is_verified
    week = render(Message.objects.get(kind="week"))
    made.deliver(week.due_at)
    assert Message.objects.get(pk=week.pk).state == ("delivered" if is_verified else "withdrawn")
    changes.cancel_bookings(
        booking_id=booking.pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=week.due_at + timedelta(minutes=1)
    )
    made.deliver(week.due_at + timedelta(minutes=1))
    cancellation = Message.objects.get(kind="cancelled", channel="email")
    assert (cancellation.state, cancellation.calendar_method) == ("delivered", "CANCEL")


def test_two_texts_that_are_due_at_once_become_one_email() -> None:
    booking = booked()
    made.deliver(NOW)
    stop_texts(booking)
    Message.objects.filter(kind="week").delete()
    Message.objects.filter(about=booking.about, state="scheduled").update(due_at=NOW)
    reminders.render_due_reminders(now=NOW)
    states = Message.objects.filter(kind__in=["three_days", "day_before"]).values_list("state", flat=True)
    assert sorted(states) == ["queued", "withdrawn"]


def told(drive: Drive) -> str:
    ben = coordinator.signed_in(builders.member(drive.organization, Role.OWNER))
    return donor.text(ben.get(reverse("organizer_cancel_drive", args=[drive.pk])))


def test_pages_say_when_no_email_is_left() -> None:
    booking = booked()
    made.deliver(NOW)
    move(booking, 0)
    stop_texts(booking)
    assert "By e-mail 0 Need a phone call 1" in told(booking.drive)
    builders.verify_mailbox(MAIL)
    assert "By e-mail 1 " in told(booking.drive)


def test_a_coordinator_reads_whether_the_last_email_went() -> None:
    """An unverified mailbox gets two e-mails. Without a move, the cancellation is the second one and is sent.

    After a move, the cancellation would be the third e-mail, so it is not sent.
    """
    for moves, outcome in ((0, "We’re letting the donor know."), (1, "1 person can’t be reached")):
        booking = builders.booked(builders.drive(), number=50 + moves, email=f"test{moves}@example.org")
        made.deliver(NOW)
        for turn in range(moves):
            move(booking, turn)
        sender = booking.drive.organization.senders.get()
        consents.suppress_address(sender=sender, address=builders.phone(50 + moves), now=NOW)
        ben = coordinator.signed_in(builders.member(booking.drive.organization, Role.OWNER))
        shown = donor.text(
            ben.post(reverse("organizer_cancel_booking", args=[booking.pk]), {"reason": ""}, follow=True)
        )
        assert outcome in shown


def test_a_blocked_email_puts_the_donor_on_the_call_list() -> None:
    booking = booked()
    made.deliver(NOW)
    stop_texts(booking)
    move(booking, 0)
    move(booking, 1)
    ben = coordinator.signed_in(builders.member(booking.drive.organization, Role.OWNER))
    calls = donor.text(ben.get(reverse("organizer_call_list", args=[booking.drive.pk])))
    assert "Test Ana Alder" in calls
    record = donor.text(ben.get(reverse("organizer_booking", args=[booking.pk])))
    assert "the e-mail address is not verified" in record
