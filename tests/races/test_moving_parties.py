"""A booked party moves while another donor books one of its new spots."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from drives.booking import changes
from drives.capacity import drift
from drives.models import Booking
from tests import builders
from tests.builders import NOW
from tests.races import arena
from tests.races.arena import count_lost, count_lost_in_turn, run_concurrently
from tests.races.test_parties import ALMOST_ALWAYS, pause_after_free_capacity, plain_drive, slots

pytestmark = pytest.mark.django_db(transaction=True)
TWO = builders.PARTY[:2]


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    settings.RATE_LIMITS = False


def move_against_one() -> Callable[[], bool]:
    numbers = iter(range(1, 1000))

    def race() -> bool:
        drive = plain_drive(spots=2)
        party = builders.booked_together(drive, people=TWO, number=next(numbers))
        slot = builders.slot(drive, 1).pk
        move = partial(
            changes.move_bookings, booking_id=party[0].pk, slot_id=slot, whole_party=True, actor="donor", now=NOW
        )
        one = partial(builders.held, drive, n=1, number=next(numbers), now=NOW + timedelta(minutes=1))
        results = run_concurrently(move, one)
        steps = set(Booking.objects.filter(party=party[0].party).values_list("first_step", flat=True))
        whole = steps == {1 if results[0] == "ok" else 0}
        return sorted(results) == ["ok", "slot_full"] and whole and not arena.oversold(slots(drive))

    return race


def test_a_party_moves_completely_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    arena.pause_after_facts(monkeypatch, "load_booking_facts")
    pause_after_free_capacity(monkeypatch)
    assert count_lost(move_against_one()) == 0
    assert drift.count_drifted_slots() == 0


def test_control_a_moved_party_oversells_without_the_conditional_update(monkeypatch: pytest.MonkeyPatch) -> None:
    arena.without_conditional_update(monkeypatch)
    assert count_lost_in_turn(move_against_one()) >= ALMOST_ALWAYS
