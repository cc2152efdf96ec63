"""Two tabs correct the same hold to different numbers of people at once."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from drives.booking import corrections
from drives.booking.hold import Companion
from drives.capacity import drift, locks
from drives.models import Booking
from tests import builders, seeds
from tests.builders import NOW
from tests.races import arena
from tests.races.arena import count_lost, count_lost_in_turn, run_concurrently
from tests.races.test_parties import ALMOST_ALWAYS, plain_drive, slots

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    settings.RATE_LIMITS = False


def correct_twice() -> Callable[[], bool]:
    numbers = iter(range(1, 1000))

    def race() -> bool:
        drive, number = plain_drive(spots=6, steps=1), next(numbers)
        held = builders.held(drive, number=number)

        def correct_to(people: int) -> Callable[[], object]:
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

        results = run_concurrently(correct_to(2), correct_to(3))
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
    """Seed a bug: read the party without locks, as it was when the donor opened the page."""
    rows = Booking.objects.select_related("drive__policy", "drive__organization", "registration")
    return list(rows.filter(party=booking.party) if booking.party else rows.filter(pk=booking.pk))
