"""Two tabs change the same hold at once: both correct it, or one cancels or moves the whole party."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from drives.booking import changes, corrections
from drives.booking.hold import Companion
from drives.capacity import drift, locks
from drives.models import Booking, CancelledBy
from drives.refusals import HoldLapsed
from tests import builders, seeds
from tests.builders import NOW
from tests.races import arena
from tests.races.arena import count_lost, count_lost_in_turn, run_concurrently
from tests.races.test_parties import ALMOST_ALWAYS, plain_drive, slots

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    settings.RATE_LIMITS = False


def correct_to(people: int, held: Booking, number: int) -> Callable[[], object]:
    return partial(
        corrections.correct_hold,
        booking_id=held.pk,
        slot_id=held.arrival_id,
        visit=held.visit,
        person=builders.person(number),
        companions=[Companion(f"Test Bo {letter}", held.visit) for letter in "ABCDE"[: people - 1]],
        ip=None,
        bound_to=f"browser-{number}",
        browser_token="",
        now=NOW,
    )


def correct_twice() -> Callable[[], bool]:
    numbers = iter(range(1, 1000))

    def race() -> bool:
        drive, number = plain_drive(spots=6, steps=1), next(numbers)
        held = builders.held(drive, number=number)
        results = run_concurrently(correct_to(2, held, number), correct_to(3, held, number))
        rows = Booking.objects.filter(drive=drive, state="held")
        taken = slots(drive)[0].chairs_taken
        is_whole = len(set(rows.values_list("party", flat=True))) == 1 and taken == rows.count()
        return results == ["ok", "ok"] and rows.count() in (2, 3) and is_whole

    return race


def test_two_corrections_at_once_leave_one_party(monkeypatch: pytest.MonkeyPatch) -> None:
    arena.pause_after_facts(monkeypatch, "load_booking_facts")
    assert count_lost(correct_twice()) == 0
    assert drift.count_drifted_slots() == 0


def test_control_without_the_locks_a_hold_is_left_over(monkeypatch: pytest.MonkeyPatch) -> None:
    arena.without_locks(monkeypatch, "lock_identities_then_drive")
    seeds.replace(monkeypatch, locks, "lock_party", _read_party)
    arena.pause_after_facts(monkeypatch, "load_booking_facts")
    assert count_lost_in_turn(correct_twice()) >= ALMOST_ALWAYS


def _read_party(booking: Booking) -> list[Booking]:
    """Seed a bug: read the party without a lock."""
    rows = Booking.objects.select_related("drive__policy", "drive__organization", "registration")
    return list(rows.filter(party=booking.party) if booking.party else rows.filter(pk=booking.pk))


def correct_and_cancel() -> Callable[[], bool]:
    numbers = iter(range(1, 1000))

    def race() -> bool:
        drive, number = plain_drive(spots=6), next(numbers)
        held = builders.held(drive, number=number)
        cancel = partial(
            changes.cancel_bookings,
            booking_id=held.pk,
            whole_party=True,
            actor="donor",
            cancelled_by=CancelledBy.DONOR,
            now=NOW,
        )
        run_concurrently(unless_lapsed(correct_to(2, held, number)), cancel)
        return not Booking.objects.filter(drive=drive, state="held").exists()

    return race


def correct_and_move() -> Callable[[], bool]:
    numbers = iter(range(1, 1000))

    def race() -> bool:
        drive, number = plain_drive(spots=6), next(numbers)
        held, slot = builders.held(drive, number=number), builders.slot(drive, 1).pk
        move = partial(
            changes.move_bookings, booking_id=held.pk, slot_id=slot, whole_party=True, actor="donor", now=NOW
        )
        results = run_concurrently(correct_to(2, held, number), move)
        steps = list(Booking.objects.filter(drive=drive, state="held").values_list("first_step", flat=True))
        return results == ["ok", "ok"] and steps in ([0, 0], [1, 1])

    return race


def unless_lapsed(correct: Callable[[], object]) -> Callable[[], object]:
    """Wrap a correction so that it ignores HoldLapsed, which is right after the other tab cancels."""

    def run() -> object:
        with suppress(HoldLapsed):
            return correct()
        return None

    return run


WHOLE_PARTY = pytest.mark.parametrize("races", [correct_and_cancel, correct_and_move])


@WHOLE_PARTY
def test_a_person_who_is_added_meanwhile_is_cancelled_or_moved_with_the_party(
    monkeypatch: pytest.MonkeyPatch, races: Callable[[], Callable[[], bool]]
) -> None:
    arena.pause_after_facts(monkeypatch, "load_booking_facts")
    assert count_lost(races()) == 0
    assert drift.count_drifted_slots() == 0


@WHOLE_PARTY
def test_control_with_a_list_from_before_the_locks_the_added_person_is_left(
    monkeypatch: pytest.MonkeyPatch, races: Callable[[], Callable[[], bool]]
) -> None:
    seeds.replace_in(monkeypatch, changes, locks, lock_party=_lock_known_rows)
    arena.pause_after_facts(monkeypatch, "load_booking_facts")
    assert count_lost_in_turn(races()) >= ALMOST_ALWAYS


def _lock_known_rows(booking: Booking) -> list[Booking]:
    """Seed a bug: read the ids of the party first, and then lock only these bookings."""
    rows = Booking.objects.filter(party=booking.party) if booking.party else Booking.objects.filter(pk=booking.pk)
    return locks.lock_bookings([row.pk for row in rows])
