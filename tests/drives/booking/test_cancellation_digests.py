"""Coordinators get one e-mail per drive and quarter of an hour about late cancellations."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from drives.booking import cancellation_digests, changes, rules
from drives.models import Booking, BookingChange, CancelledBy, Drive
from drives.planning import lifecycle
from notifications.models import Message
from organizations.models import Role
from tests import builders, seeds
from tests.races.arena import count_lost, count_lost_in_turn, run_concurrently

pytestmark = pytest.mark.django_db

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
DELAY, EVERY = rules.CANCELLATION_DIGEST_DELAY, rules.CANCELLATION_DIGEST_EVERY
START = datetime(2027, 3, 12, 17, 0, tzinfo=UTC)  # a day before the drive, at the start of a quarter of an hour
SWEEP = START + EVERY + DELAY


def planned(email: str = "ben@example.org", **changed: Any) -> Drive:
    owner = builders.organization()
    builders.member(owner, email=email)
    builders.member(owner, Role.CHECK_IN)
    return builders.drive(owner, **changed)


def cancel(booking: Booking, at: datetime) -> None:
    changes.cancel_bookings(booking_id=booking.pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=at)


def restore(booking: Booking, at: datetime) -> None:
    changes.restore_booking(booking_id=booking.pk, actor="donor", now=at)


def sweep(now: datetime = SWEEP) -> list[str]:
    """Run the sweep. Return the subjects of all digests so far."""
    cancellation_digests.queue_due_digests(now=now)
    return list(Message.objects.filter(kind="alert_cancellation").order_by("pk").values_list("subject", flat=True))


def test_the_cancellations_of_a_quarter_of_an_hour_are_one_email() -> None:
    drive = planned()
    for number in (1, 2, 3):
        cancel(builders.booked(drive, n=number // 2, number=number), START + number * MINUTE)
    assert sweep() == ["Late cancellations on Saturday, March 13: 3"]
    [digest] = Message.objects.filter(kind="alert_cancellation")
    assert (digest.address, digest.state, digest.expires_at - SWEEP) == ("ben@example.org", "queued", timedelta(days=1))
    assert "Cancelled: 9:00 AM, 9:15 AM (×2)." in digest.text
    assert "Spots now open for return visits: " in digest.text
    assert f"/organizer/drives/{drive.pk}/" in digest.text
    assert "Ana" not in digest.text
    assert len(sweep(SWEEP + MINUTE)) == 1


@pytest.mark.parametrize("before", [timedelta(0), SECOND])
def test_a_digest_waits_until_its_quarter_of_an_hour_is_over(before: timedelta) -> None:
    cancel(builders.booked(planned()), START)
    assert len(sweep(SWEEP - before)) == (0 if before else 1)


@pytest.mark.parametrize("late", [timedelta(0), SECOND])
def test_a_later_cancellation_is_in_the_next_digest(late: timedelta) -> None:
    drive = planned()
    cancel(builders.booked(drive, number=1), START)
    cancel(builders.booked(drive, number=2), START + EVERY - SECOND + late)
    assert sweep() == [f"Late cancellations on Saturday, March 13: {1 if late else 2}"]
    assert len(sweep(SWEEP + EVERY)) == (2 if late else 1)


def test_15_rounds_of_cancel_and_undo_send_no_alert(settings: Settings) -> None:
    settings.RATE_LIMITS = False
    booking = builders.booked(planned())
    for turn in range(15):
        cancel(booking, START + turn * 50 * SECOND)
        restore(booking, START + turn * 50 * SECOND + SECOND)
    assert BookingChange.objects.filter(to_state="cancelled").count() == 15
    assert sweep() == []


def test_a_booking_restored_after_the_digest_is_reported_once() -> None:
    booking = builders.booked(planned())
    cancel(booking, START + 10 * MINUTE)
    sweep()
    restore(booking, START + 20 * MINUTE)
    subjects = ["Late cancellations on Saturday, March 13: 1", "Booked again on Saturday, March 13: 1"]
    assert sweep(SWEEP + EVERY) == subjects
    assert sweep(SWEEP + 2 * EVERY) == subjects


@pytest.mark.parametrize(
    ("ahead", "is_told"),
    [(timedelta(hours=72), False), (timedelta(hours=72) - MINUTE, True), (timedelta(hours=1), True)],
)
def test_a_cancellation_less_than_72_hours_before_is_reported(ahead: timedelta, *, is_told: bool) -> None:
    booking = builders.booked(planned())
    cancel(booking, booking.starts_at - ahead)
    assert bool(sweep(booking.starts_at - ahead + EVERY + DELAY)) is is_told


@pytest.mark.parametrize(
    ("wait", "is_told"), [(rules.CANCELLATION_DIGEST_WITHIN, True), (timedelta(days=1, minutes=15), False)]
)
def test_after_a_standstill_one_digest_reports_the_last_day(wait: timedelta, *, is_told: bool) -> None:
    drive = planned(day=builders.DRIVE_DAY + timedelta(days=1))
    cancel(builders.booked(drive, number=1), START)
    cancel(builders.booked(drive, number=2), START + 3 * EVERY)
    assert sweep(START + wait + DELAY) == [f"Late cancellations on Sunday, March 14: {2 if is_told else 1}"]


def test_a_cancelled_drive_and_a_drive_that_is_over_get_no_digest() -> None:
    cancelled, over = planned(), planned("cleo@example.org")
    for drive in (cancelled, over):
        cancel(builders.booked(drive), START)
    lifecycle.cancel_drive(drive_id=cancelled.pk, reason="", actor="user:1", now=START)
    Drive.objects.filter(pk=over.pk).update(starts_at=START, ends_at=SWEEP)
    assert sweep() == []


def test_the_queries_do_not_depend_on_the_number_of_cancellations() -> None:
    def count_queries(drive: Drive, cancellations: int) -> int:
        for number in range(cancellations):
            cancel(builders.booked(drive, n=number, number=number + 1), START)
        with CaptureQueriesContext(connection) as queries:
            sweep()
        Message.objects.all().delete()
        BookingChange.objects.all().delete()
        return len(queries)

    assert count_queries(planned(), 1) == count_queries(planned("cleo@example.org"), 3)


def test_a_sweep_that_is_killed_reports_later() -> None:
    cancel(builders.booked(planned()), START)
    with transaction.atomic():
        assert len(sweep()) == 1
        transaction.set_rollback(True)
    assert len(sweep(SWEEP + MINUTE)) == 1


def sweeps_at_once() -> Callable[[], bool]:
    drive = planned()
    booked = builders.booked(drive)
    cancel(booked, START + EVERY - SECOND)
    cancel(builders.booked(drive, number=43), START + EVERY)

    def race() -> bool:
        """Run two sweeps at once. One covers only the first cancellation, and the other covers both."""
        Message.objects.filter(kind="alert_cancellation").delete()
        run_concurrently(
            partial(cancellation_digests.queue_due_digests, now=SWEEP),
            partial(cancellation_digests.queue_due_digests, now=SWEEP + EVERY),
        )
        reported = Message.objects.filter(kind="alert_cancellation").values_list("subject", flat=True)
        return sum(int(subject.rpartition(": ")[2]) for subject in reported) == 2

    return race


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_report_each_cancellation_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds.pause_after(monkeypatch, cancellation_digests, "_list_net_changes")
    assert count_lost(sweeps_at_once()) == 0


@pytest.mark.django_db(transaction=True)
def test_control_without_the_lock_a_cancellation_is_reported_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds.pause_after(monkeypatch, cancellation_digests, "_list_net_changes")
    seeds.replace(monkeypatch, cancellation_digests, "_lock_drive", lambda pk: Drive.objects.get(pk=pk))
    assert count_lost_in_turn(sweeps_at_once()) >= 9
