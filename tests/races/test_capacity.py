"""Donors compete for spots. With the locks, all ten runs end well. Without them, almost none does."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from drives.booking import changes
from drives.capacity import drift
from drives.models import Booking, Drive, Slot
from drives.planning import lifecycle
from tests import builders
from tests.builders import NOW
from tests.races import arena
from tests.races.arena import count_lost, count_lost_in_turn, run_concurrently

pytestmark = pytest.mark.django_db(transaction=True)
ALMOST_ALWAYS = 9


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    """Switch off rate limits. Otherwise the lock on the organization's count of codes would hide the race."""
    settings.RATE_LIMITS = False


def small_drive(spots: int = 1, steps: int = 4) -> Drive:
    owner = builders.organization(codes_per_day=100_000)
    return builders.drive(owner, builders.plain(builders.site(owner), spots=spots, steps=steps))


def slots(drive: Drive) -> list[Slot]:
    return list(drive.slots.order_by("n"))


# The last spot


def last_place() -> Callable[[], bool]:
    drive, numbers = small_drive(), iter(range(1, 1000))

    def race() -> bool:
        arena.empty()
        first, second = next(numbers), next(numbers)
        results = run_concurrently(
            lambda: builders.held(drive, number=first, now=later(first)),
            lambda: builders.held(drive, number=second, now=later(second)),
        )
        return sorted(results) == ["ok", "slot_full"] and not arena.oversold(slots(drive))

    return race


def later(number: int) -> datetime:
    """Return when the donor with this number books: one minute later for every two donors.

    Otherwise the runs would reach a limit on codes.
    """
    return NOW + timedelta(minutes=number // 2)


def test_the_last_spot_goes_to_one_donor(monkeypatch: pytest.MonkeyPatch) -> None:
    arena.pause_after_facts(monkeypatch, "load_booking_facts")
    assert count_lost(last_place()) == 0
    assert drift.count_drifted_slots() == 0


def test_control_the_last_spot_is_sold_twice_without_the_conditional_update(monkeypatch: pytest.MonkeyPatch) -> None:
    arena.without_conditional_update(monkeypatch)
    assert count_lost_in_turn(last_place()) >= ALMOST_ALWAYS


# A first visit and a return visit compete for one chair


def overlapping_chair_time() -> Callable[[], bool]:
    owner = builders.organization(codes_per_day=100_000)
    drive = builders.drive(owner, builders.plan(builders.site(owner), chairs=1))
    numbers = iter(range(1, 1000))

    def race() -> bool:
        arena.empty()
        first, second = next(numbers), next(numbers)
        results = run_concurrently(
            lambda: builders.held(drive, n=0, visit="first", number=first, now=later(first)),
            lambda: builders.held(drive, n=2, visit="return", number=second, now=later(second)),
        )
        return sorted(results) == ["ok", "slot_full"] and not arena.oversold(slots(drive))

    return race


def test_a_first_and_a_return_visit_never_share_a_chair(monkeypatch: pytest.MonkeyPatch) -> None:
    arena.pause_after_facts(monkeypatch, "load_booking_facts")
    assert count_lost(overlapping_chair_time()) == 0


def test_control_chair_time_overlaps_without_the_conditional_update(monkeypatch: pytest.MonkeyPatch) -> None:
    arena.without_conditional_update(monkeypatch)
    assert count_lost_in_turn(overlapping_chair_time()) >= ALMOST_ALWAYS


# A move and a booking compete for the same spot


def move_against_book() -> Callable[[], bool]:
    drive, numbers = small_drive(), iter(range(1, 1000))

    def race() -> bool:
        arena.empty()
        mover, other = next(numbers), next(numbers)
        held = builders.held(drive, n=0, number=mover, now=later(mover))
        target = builders.slot(drive, 1).pk
        results = run_concurrently(
            lambda: changes.move_bookings(booking_id=held.pk, slot_id=target, actor="donor", now=later(mover)),
            lambda: builders.held(drive, n=1, number=other, now=later(other)),
        )
        held.refresh_from_db()
        stayed = held.first_step == (1 if results[0] == "ok" else 0)
        return sorted(results) == ["ok", "slot_full"] and stayed and not arena.oversold(slots(drive))

    return race


def test_a_move_and_a_booking_never_get_the_same_spot(monkeypatch: pytest.MonkeyPatch) -> None:
    arena.pause_after_facts(monkeypatch, "load_booking_facts")
    assert count_lost(move_against_book()) == 0
    assert drift.count_drifted_slots() == 0


def test_control_a_move_and_a_booking_share_a_spot_without_the_conditional_update(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arena.without_conditional_update(monkeypatch)
    assert count_lost_in_turn(move_against_book()) >= ALMOST_ALWAYS


# Two donors swap their times


def crossing_moves() -> Callable[[], bool]:
    drive, numbers = small_drive(spots=2), iter(range(1, 1000))

    def race() -> bool:
        arena.empty()
        first, second = next(numbers), next(numbers)
        left = builders.held(drive, n=0, number=first, now=later(first))
        right = builders.held(drive, n=1, number=second, now=later(second))
        results = run_concurrently(
            lambda: changes.move_bookings(
                booking_id=left.pk, slot_id=builders.slot(drive, 1).pk, actor="donor", now=later(first)
            ),
            lambda: changes.move_bookings(
                booking_id=right.pk, slot_id=builders.slot(drive, 0).pk, actor="donor", now=later(second)
            ),
        )
        return results == ["ok", "ok"]

    return race


def test_two_crossing_moves_do_not_deadlock(monkeypatch: pytest.MonkeyPatch) -> None:
    arena.pause_after_facts(monkeypatch, "load_booking_facts")
    assert count_lost(crossing_moves()) == 0
    assert drift.count_drifted_slots() == 0


def test_control_two_crossing_moves_deadlock_without_the_slot_order(monkeypatch: pytest.MonkeyPatch) -> None:
    arena.without_slot_order(monkeypatch)
    assert count_lost_in_turn(crossing_moves()) >= ALMOST_ALWAYS


# A drive is cancelled during a booking


def cancel_against_book() -> Callable[[], bool]:
    numbers = iter(range(1, 1000))

    def race() -> bool:
        drive, number = small_drive(), next(numbers)
        run_concurrently(
            lambda: builders.held(drive, number=number, now=later(number)),
            lambda: lifecycle.cancel_drive(drive_id=drive.pk, reason="", actor="user:1", now=NOW),
        )
        live = Booking.objects.filter(drive=drive, state__in=arena.HOLDS_A_PLACE).count()
        return live == 0 and not any(slot.chairs_taken for slot in slots(drive))

    return race


def test_a_cancelled_drive_keeps_no_concurrent_booking(monkeypatch: pytest.MonkeyPatch) -> None:
    arena.pause_after_facts(monkeypatch, "load_booking_facts")
    assert count_lost(cancel_against_book()) == 0


def test_control_a_booking_survives_a_cancelled_drive_without_the_drive_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    arena.pause_after_facts(monkeypatch, "load_booking_facts")
    arena.without_locks(monkeypatch, "lock_identities_then_drive", "lock_drive_exclusive")
    assert count_lost_in_turn(cancel_against_book()) >= ALMOST_ALWAYS
