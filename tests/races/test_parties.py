"""Parties are booked or verified at the same time, or a donor books during a merge.

All ten runs of each race succeed. Each control removes a safeguard, and at least nine of ten runs fail.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any

import pytest
from django.db import connection

from drives.booking import verify
from drives.capacity import availability, counters, drift, locks
from drives.models import Booking, BookingChange, Drive, Slot
from drives.privacy import merge
from tests import builders, seeds
from tests.builders import NOW
from tests.races import arena
from tests.races.arena import count_lost, count_lost_in_turn, run_concurrently
from volunteers import matching
from volunteers.models import Registration

pytestmark = pytest.mark.django_db(transaction=True)
ALMOST_ALWAYS = 9


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    settings.RATE_LIMITS = False


def plain_drive(spots: int, steps: int = 2) -> Drive:
    owner = builders.organization(codes_per_day=100_000)
    return builders.drive(owner, builders.plain(builders.site(owner), spots=spots, steps=steps))


def slots(drive: Drive) -> list[Slot]:
    return list(drive.slots.order_by("n"))


# A party and a single donor compete for the last two spots


def party_against_one() -> Callable[[], bool]:
    drive, numbers = plain_drive(spots=2, steps=1), iter(range(1, 1000))

    def race() -> bool:
        arena.empty()
        first, second = next(numbers), next(numbers)
        now = NOW + timedelta(minutes=first)
        results = run_concurrently(
            partial(builders.held_together, drive, number=first, people=builders.PARTY[:2], now=now),
            partial(builders.held, drive, number=second, now=now),
        )
        held = Booking.objects.filter(state="held").count()
        whole = held == {"ok": 2, "slot_full": 1}[results[0]]
        return sorted(results) == ["ok", "slot_full"] and whole and not arena.oversold(slots(drive))

    return race


def pause_after_free_capacity(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pause between reading the free capacity and booking it."""
    seeds.pause_after(monkeypatch, availability, "compute_free_capacity")


def test_a_party_gets_all_its_spots_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    arena.pause_after_facts(monkeypatch, "load_booking_facts")
    pause_after_free_capacity(monkeypatch)
    assert count_lost(party_against_one()) == 0
    assert drift.count_drifted_slots() == 0


def test_control_a_party_oversells_without_the_conditional_update(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arena.without_conditional_update(monkeypatch)
    assert count_lost_in_turn(party_against_one()) >= ALMOST_ALWAYS


# Two parties compete for the same steps


def two_parties() -> Callable[[], bool]:
    drive, numbers = plain_drive(spots=4), iter(range(1, 1000))

    def race() -> bool:
        arena.empty()
        acts = [
            partial(
                builders.held_together,
                drive,
                number=(number := next(numbers)),
                people=[*builders.PARTY, ("Test Eli Alder", "return"), ("Test Uma Alder", "return")],
                now=NOW + timedelta(minutes=number),
            )
            for _party in range(2)
        ]
        results = run_concurrently(*acts)
        return sorted(results) == ["ok", "slot_full"] and not arena.oversold(slots(drive))

    return race


def test_two_crossing_parties_do_not_deadlock(monkeypatch: pytest.MonkeyPatch) -> None:
    pause_after_free_capacity(monkeypatch)
    assert count_lost(two_parties()) == 0
    assert drift.count_drifted_slots() == 0


def test_control_two_parties_deadlock_without_the_slot_order(monkeypatch: pytest.MonkeyPatch) -> None:
    turns, pause = count(), seeds.pausing("the change of counters without an order")

    def unordered(*, drive_id: int, deltas: counters.Deltas) -> bool:
        with connection.cursor() as cursor:
            for n in sorted(deltas, reverse=next(turns) % 2 == 1):
                cursor.execute("SELECT FROM drives_slot WHERE drive_id = %s AND n = %s FOR UPDATE", [drive_id, n])
                pause()
        return True

    pause_after_free_capacity(monkeypatch)
    seeds.replace(monkeypatch, counters, "change_counters", unordered)
    assert count_lost_in_turn(two_parties()) >= ALMOST_ALWAYS


# A party is verified twice


def verify_twice() -> Callable[[], bool]:
    drive, numbers = plain_drive(spots=3), iter(range(1, 1000))

    def race() -> bool:
        arena.empty()
        BookingChange.objects.all().delete()
        party = builders.held_together(drive, number=next(numbers))
        Registration.objects.update(verified_at=NOW)  # the race does not test the code
        act = partial(verify.verify_booking, booking_id=party[0].pk, code="", bound_to="", now=NOW)
        results = run_concurrently(act, act)
        once = BookingChange.objects.filter(to_state="booked").count() == 3
        people = Booking.objects.filter(state="booked").values("volunteer").distinct().count()
        return results == ["ok", "ok"] and once and people == 3

    return race


def test_a_party_is_verified_once(monkeypatch: pytest.MonkeyPatch) -> None:
    arena.pause_after_facts(monkeypatch, "load_party_facts")
    assert count_lost(verify_twice()) == 0


def test_control_a_party_is_verified_twice_without_its_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    pause = seeds.pausing("locking.bookings")

    def unlocked(ids: Sequence[int]) -> list[Booking]:
        rows = Booking.objects.filter(pk__in=ids).order_by("pk")
        found = list(rows.select_related("drive__site", "drive__organization", "drive__policy", "registration"))
        pause()
        return found

    arena.without_locks(monkeypatch, "lock_identities_then_drive")
    seeds.replace(monkeypatch, locks, "lock_bookings", unlocked)
    assert count_lost_in_turn(verify_twice()) >= ALMOST_ALWAYS


# Two volunteers are merged while the newer one books


def merge_against_book() -> Callable[[], bool]:
    owner = builders.organization(codes_per_day=100_000)
    drives = [builders.drive(owner, builders.plan(builders.site(owner), policy_id=builders.lax().pk)) for _ in range(2)]
    numbers = iter(range(1, 1000))

    def race() -> bool:
        arena.empty()
        pair = [next(numbers), next(numbers)]
        ana, again = (
            builders.booked(drives[0], n=4 * at, number=number, now=NOW + timedelta(minutes=number))
            for at, number in enumerate(pair)
        )
        Booking.objects.filter(pk=again.pk).update(state="cancelled", is_counted=False, cancelled_at=NOW)
        held = builders.held(drives[1], number=pair[1], now=NOW + timedelta(minutes=pair[1]))
        Registration.objects.update(verified_at=NOW)
        assert ana.volunteer_id is not None
        assert again.volunteer_id is not None
        results = run_concurrently(
            partial(
                merge.merge_volunteers,
                organization=owner,
                one_id=ana.volunteer_id,
                other_id=again.volunteer_id,
                actor="user:1",
                now=NOW,
            ),
            partial(verify.verify_booking, booking_id=held.pk, code="", bound_to="", now=NOW),
        )
        who = Booking.objects.filter(pk=held.pk, state="booked").values_list("volunteer", flat=True)
        return results == ["ok", "ok"] and list(who) == [ana.volunteer_id]

    return race


def test_a_donor_booking_during_a_merge_keeps_the_booking(monkeypatch: pytest.MonkeyPatch) -> None:
    arena.pause_after_facts(monkeypatch, "load_party_facts")
    seeds.pause_before(monkeypatch, matching, "merge_volunteer_rows")
    assert count_lost(merge_against_book()) == 0


def test_control_a_booking_during_a_merge_is_lost_without_the_identity_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds.pause_before(monkeypatch, matching, "merge_volunteer_rows")
    arena.without_locks(monkeypatch, "lock_identities_then_drive", "lock_volunteers_then_drives")
    assert count_lost_in_turn(merge_against_book()) >= ALMOST_ALWAYS
