"""Races about an unverified mailbox.

A donor switches to the mailbox during a booking, many e-mails go to it at once, or a booking moves while its reminder
to the mailbox is rendered.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from drives.booking import changes, verify
from drives.messaging import reminders
from drives.models import Booking, WaitlistEntry
from drives.waitlist import entries
from notifications import outbox, queries, unverified_mailboxes
from notifications.models import Message
from notifications.rules import EMAILS_TO_UNVERIFIED_MAILBOX
from tests import builders, seeds, storm
from tests.builders import NOW
from tests.notifications import made
from tests.races.arena import count_lost, count_lost_in_turn, run_concurrently
from volunteers import codes
from volunteers.codes import CodeResult
from volunteers.models import Contact
from volunteers.verification import CodeWrong

MAILBOX = "ana@example.org"


def hold_booking() -> Booking:
    return builders.held(builders.drive(), email=MAILBOX)


def hold_party() -> Booking:
    return builders.held_together(builders.drive(), email=MAILBOX)[0]


def join_waitlist() -> WaitlistEntry:
    return builders.asked_to_wait(builders.full_drive()[0].drive, email=MAILBOX)


@pytest.mark.django_db
@pytest.mark.parametrize("ask", [hold_booking, hold_party, join_waitlist])
def test_the_code_of_the_phone_does_not_verify_the_mailbox(
    ask: Callable[[], Booking | WaitlistEntry], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ask()
    resend: Any = verify.resend_hold_code if isinstance(asked, Booking) else entries.resend_entry_code
    verify_contact: Any = verify.verify_booking if isinstance(asked, Booking) else entries.verify_entry
    named = {"booking_id" if isinstance(asked, Booking) else "entry_id": asked.pk, "bound_to": "browser-42"}
    code = builders.code_of(asked)
    judge = codes.check_code

    def then_the_mailbox(**said: Any) -> CodeResult:
        result = judge(**said)
        resend(**named, ip=None, by_email=True, now=NOW)
        return result

    seeds.replace(monkeypatch, codes, "check_code", then_the_mailbox)
    with pytest.raises(CodeWrong):
        verify_contact(**named, code=code, now=NOW)
    assert not Contact.objects.filter(address=MAILBOX).exclude(verified_at=None).exists()
    asked.refresh_from_db()
    assert asked.state == "held"


# E-mails to an unverified mailbox at once


def emails_at_once() -> Callable[[], bool]:
    owner = builders.organization()

    def queue(number: int) -> None:
        email = made.message(channel="email", address=MAILBOX, has_unverified_mailbox=True, key=f"race/{number}")
        outbox.queue_messages(organization=owner, messages=[email], now=NOW)

    def race() -> bool:
        Message.objects.all().delete()
        storm.meet([partial(queue, number) for number in range(EMAILS_TO_UNVERIFIED_MAILBOX + 2)])
        return Message.objects.filter(state="queued").count() == EMAILS_TO_UNVERIFIED_MAILBOX

    return race


@pytest.mark.django_db(transaction=True)
def test_emails_at_once_keep_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds.pause_after(monkeypatch, unverified_mailboxes, "_load_emails")
    assert count_lost(emails_at_once()) == 0


@pytest.mark.django_db(transaction=True)
def test_control_without_the_lock_too_many_emails_are_queued(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds.pause_after(monkeypatch, unverified_mailboxes, "_load_emails")
    seeds.replace(monkeypatch, unverified_mailboxes, "_lock", lambda _subjects: None)
    assert count_lost_in_turn(emails_at_once()) >= 9


# A booking moves while its reminder by e-mail is rendered


def move_and_render() -> Callable[[], bool]:
    """Return a race: a booking moves while the sweep renders the booking's reminder by e-mail.

    The move locks the reminder first and then the mailbox. The sweep must therefore not wait for the reminder while it
    holds the lock on the mailbox. The donor's phone has opted out, because a donor with texts gets no reminders at an
    unverified mailbox.
    """
    booking = builders.booked(builders.drive(), email=MAILBOX)
    builders.agreed(booking.drive.organization, builders.phone(42), given=False)
    slots = [builders.slot(booking.drive, 4), builders.slot(booking.drive, 5)]

    def race() -> bool:
        booking.refresh_from_db()
        week = Message.objects.filter(kind="week", revision=booking.revision)
        week.update(state="scheduled", text="", due_at=NOW)
        slot = next(slot for slot in slots if slot.starts_at != booking.starts_at)
        move = partial(changes.move_bookings, booking_id=booking.pk, slot_id=slot.pk, actor="user:1", now=NOW)
        return run_concurrently(move, partial(reminders.render_due_reminders, now=NOW)) == ["ok", "ok"]

    return race


def pause_with_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds.pause_after(monkeypatch, outbox, "withdraw_messages")
    seeds.pause_after(monkeypatch, unverified_mailboxes, "_lock")


@pytest.mark.django_db(transaction=True)
def test_a_move_and_a_sweep_do_not_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    pause_with_locks(monkeypatch)
    assert count_lost(move_and_render()) == 0


@pytest.mark.django_db(transaction=True)
def test_control_a_sweep_that_locks_the_mailbox_first_deadlocks(monkeypatch: pytest.MonkeyPatch) -> None:
    def list_without_locks(now: datetime, horizon: timedelta, limit: int) -> list[Message]:
        rows = Message.objects.filter(state="scheduled", due_at__lte=now + horizon)
        return list(rows.select_related("organization").order_by("due_at", "pk")[:limit])

    pause_with_locks(monkeypatch)
    seeds.replace(monkeypatch, queries, "lock_messages_to_render", list_without_locks)
    assert count_lost_in_turn(move_and_render()) >= 9
