"""A coordinator changes a message schedule while donors book and reminders are sent."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest
from django.db import transaction

from drives.booking import verify
from drives.capacity import locks
from drives.domain import reminder_times
from drives.messaging import reminders, reschedule, schedule, schedule_settings
from drives.models import Booking
from notifications.models import Message, MessageState
from organizations.models import Organization
from tests import builders, seeds
from tests.builders import NOW
from tests.races.arena import count_lost, count_lost_in_turn, run_concurrently
from volunteers.models import Registration

pytestmark = pytest.mark.django_db(transaction=True)
ALMOST_ALWAYS = 9


def edit(of: Organization, days: int) -> None:
    before = schedule.load_organization_schedule(of)
    plan = reminder_times.merge_schedule(before, [replace(before["three_days"], days=days)])
    version = reminder_times.compute_schedule_fingerprint(before)
    schedule_settings.change_message_schedule(
        organization=of, message_schedule=plan, version=version, actor="user:1", now=NOW
    )


def edit_against_booking() -> Callable[[], bool]:
    numbers = count(1)  # a new donor for each run, because codes to one phone are limited

    def race() -> bool:
        drive = builders.drive()
        held = builders.held(drive, n=6, number=next(numbers))
        Registration.objects.update(verified_at=NOW)  # the race does not test the code

        def book() -> None:
            verify.verify_booking(booking_id=held.pk, code="", bound_to="", now=NOW)

        results = run_concurrently(book, lambda: edit(drive.organization, 5))
        planned = Message.objects.unsent().filter(about=held.about, kind="three_days")
        due = [held.starts_at - message.due_at for message in planned]
        return results == ["ok", "ok"] and due == [timedelta(days=5)]

    return race


def test_a_booking_during_a_schedule_change_gets_the_new_schedule(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds.pause_after(monkeypatch, schedule, "load_drive_schedule")
    assert count_lost(edit_against_booking()) == 0


def test_control_without_the_drive_lock_a_booking_gets_the_old_schedule(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds.pause_after(monkeypatch, schedule, "load_drive_schedule")
    seeds.replace(monkeypatch, locks, "lock_drives_exclusive", lambda drive_ids: None)
    assert count_lost_in_turn(edit_against_booking()) >= ALMOST_ALWAYS


def edit_against_send() -> Callable[[], bool]:
    """Return a race: a worker sends a claimed reminder while a coordinator moves that reminder to another day."""
    numbers = count(1)

    def race() -> bool:
        drive = builders.drive()
        booked: Booking = builders.booked(drive, n=6, number=next(numbers))
        mine = Message.objects.filter(about=booked.about, kind="three_days")
        mine.update(state=MessageState.CLAIMED, text="written", lease_until=NOW)

        def pass_the_gate() -> None:
            with transaction.atomic():
                mine.filter(state=MessageState.CLAIMED).update(state=MessageState.SENDING)

        run_concurrently(lambda: edit(drive.organization, 5), pass_the_gate)
        states = sorted(mine.values_list("state", flat=True))
        return states in (["scheduled", "withdrawn"], ["sending"])

    return race


def test_a_reminder_sent_during_a_schedule_change_is_sent_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds.pause_after(monkeypatch, reschedule, "_lock_messages")
    assert count_lost(edit_against_send()) == 0


def test_control_without_the_message_lock_a_reminder_is_sent_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    def unlocked(bookings: list[Booking]) -> dict[tuple[str, str], list[Message]]:
        found: dict[tuple[str, str], list[Message]] = {}
        for one in bookings:
            for kind in reminders.REMINDER_KINDS:
                found[one.about, kind] = list(Message.objects.filter(about=one.about, kind=kind))
        return found

    seeds.replace(monkeypatch, reschedule, "_lock_messages", unlocked)
    seeds.pause_after(monkeypatch, reschedule, "_lock_messages")
    assert count_lost_in_turn(edit_against_send()) >= ALMOST_ALWAYS


def test_one_of_two_concurrent_schedule_edits_is_refused() -> None:
    def race() -> bool:
        owner = builders.organization()
        before = schedule.load_organization_schedule(owner)
        version = reminder_times.compute_schedule_fingerprint(before)

        def change(days: int) -> None:
            plan = reminder_times.merge_schedule(before, [replace(before["three_days"], days=days)])
            schedule_settings.change_message_schedule(
                organization=owner, message_schedule=plan, version=version, actor="user:1", now=NOW
            )

        kept = run_concurrently(*(lambda days=days: outcomes.append(_tried(change, days)) for days in (4, 5)))
        return kept == ["ok", "ok"] and sorted(outcomes[-2:]) == ["changed meanwhile", "kept"]

    outcomes: list[str] = []
    assert count_lost(race) == 0


def _tried(change: Callable[[int], None], days: int) -> str:
    try:
        change(days)
    except schedule_settings.SettingsVersionChanged:
        return "changed meanwhile"
    return "kept"
