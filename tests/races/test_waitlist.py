"""Races of the waitlist: sweeps, responses to offers, deadlines, public bookings, and the end of the drive."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from drives.booking import changes
from drives.capacity import drift, locks, reserved_spots
from drives.models import ACTIVE_STATES, Booking, CancelledBy, Drive, Offer, ReservedSpot, Slot, WaitlistEntry
from drives.planning import lifecycle
from drives.refusals import Reason, Refusal
from drives.waitlist import offers as waitlist_offers
from drives.waitlist import queries as waitlist_queries
from tests import builders, seeds
from tests.builders import NOW
from tests.races import arena
from tests.races.arena import count_lost, count_lost_in_turn, run_concurrently

pytestmark = pytest.mark.django_db(transaction=True)
ALMOST_ALWAYS = 9


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    settings.RATE_LIMITS = False


class World:
    """A small full drive with donors on its waitlist. `again` resets it for each run."""

    def __init__(self, spots: int, people: int) -> None:
        self.bookings = builders.full_drive(steps=spots)
        self.drive = Drive.objects.get(pk=self.bookings[0].drive_id)
        self.entries = [builders.waits(self.drive, number=60 + number) for number in range(people)]

    def again(self) -> None:
        Offer.objects.all().delete()
        ReservedSpot.objects.all().delete()
        firsts = [booking.pk for booking in self.bookings]
        Booking.objects.exclude(pk__in=firsts).delete()
        Booking.objects.filter(pk__in=firsts).update(state="booked", is_counted=True, cancelled_at=None)
        Drive.objects.update(state="published")
        Slot.objects.update(chairs_taken=1, over=0)
        for number, entry in enumerate(self.entries):
            since = NOW + timedelta(seconds=number)
            WaitlistEntry.objects.filter(pk=entry.pk).update(state="waiting", joined_at=since)

    def free(self, *numbers: int) -> None:
        for number in numbers:
            cancel(self.bookings[number].pk)

    def offered(self) -> Offer:
        """Reset the drive, free one spot, and let a sweep offer it. Return the offer."""
        self.again()
        self.free(0)
        sweep(self.drive)
        (offer,) = self.offers()
        return offer

    def offers(self) -> list[Offer]:
        return list(Offer.objects.open().order_by("entry"))


def cancel(booking_id: int) -> None:
    changes.cancel_bookings(booking_id=booking_id, actor="donor", cancelled_by=CancelledBy.DONOR, now=NOW)


def sweep(drive: Drive) -> None:
    while waitlist_offers.offer_next_spot(drive_id=drive.pk, now=NOW):
        pass


def accept(offer: Offer) -> Booking:
    return waitlist_offers.accept_offer(offer_id=offer.pk, actor="donor", now=NOW)


def pause_before_offer_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds.pause_before(monkeypatch, reserved_spots, "end_offer")


def pause_after_waitlist_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds.pause_after(monkeypatch, waitlist_queries, "load_waitlist")


def without_waitlist_and_entry_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seed a bug: skip the waitlist lock and read rows without a lock."""

    def entries(ids: Any) -> list[WaitlistEntry]:
        return list(WaitlistEntry.objects.filter(pk__in=list(ids)).select_related("drive__site", "drive__organization"))

    seeds.replace(monkeypatch, locks, "lock_waitlist", lambda _drive: True)
    seeds.replace(monkeypatch, locks, "lock_waitlist_entries", entries)
    seeds.replace(
        monkeypatch, locks, "lock_reserved_spots", lambda pk: list(ReservedSpot.objects.filter(drive=pk, offer=None))
    )
    arena.without_locks(monkeypatch, "lock_identities_then_drive")


# Two freed spots and two sweeps


def two_sweeps() -> Callable[[], bool]:
    world = World(spots=2, people=3)

    def race() -> bool:
        world.again()
        world.free(0, 1)
        results = run_concurrently(partial(sweep, world.drive), partial(sweep, world.drive))
        offered = [offer.entry_id for offer in world.offers()]
        right = offered == [entry.pk for entry in world.entries[:2]] and results == ["ok", "ok"]
        return right and ReservedSpot.objects.count() == 2 and drift.count_drifted_slots() == 0

    return race


def test_two_sweeps_offer_two_spots_once(monkeypatch: pytest.MonkeyPatch) -> None:
    arena.pause_after_facts(monkeypatch, "load_booking_facts")
    assert count_lost(two_sweeps()) == 0


def test_control_two_sweeps_collide_without_the_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    arena.pause_after_facts(monkeypatch, "load_booking_facts")
    without_waitlist_and_entry_locks(monkeypatch)
    assert count_lost_in_turn(two_sweeps()) >= ALMOST_ALWAYS


# A donor accepts an offer at its deadline


def accept_against_expiry() -> Callable[[], bool]:
    world = World(spots=1, people=1)

    def race() -> bool:
        offer = world.offered()
        Offer.objects.update(deadline=NOW + timedelta(seconds=1))
        results = run_concurrently(partial(accept, offer), partial(expire, offer))
        taken, state = active(world), WaitlistEntry.objects.get().state
        assert drift.count_drifted_slots() == 0
        return (results, taken, state) in [(["ok", "answered"], 1, "booked"), (["offer_expired", "ok"], 0, "waiting")]

    return race


def expire(offer: Offer) -> None:
    """Expire the offer one second after its deadline. Raise Refusal if it has already been answered."""
    if not waitlist_offers.expire_offer(offer_id=offer.pk, now=NOW + timedelta(seconds=1)):
        raise Refusal([Reason("answered", "")])


def active(world: World) -> int:
    firsts = [booking.pk for booking in world.bookings]
    return Booking.objects.filter(drive=world.drive, state__in=ACTIVE_STATES).exclude(pk__in=firsts).count()


# A donor accepts the same offer by text and by link


def accept_twice() -> Callable[[], bool]:
    world = World(spots=1, people=1)

    def race() -> bool:
        offer = world.offered()
        results = run_concurrently(partial(accept, offer), partial(accept, offer))
        return (results, active(world)) == (["ok", "ok"], 1) and drift.count_drifted_slots() == 0

    return race


ANSWERS = pytest.mark.parametrize("answers", [accept_against_expiry, accept_twice])


@ANSWERS
def test_two_concurrent_accepts_book_once(
    answers: Callable[[], Callable[[], bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    pause_before_offer_ends(monkeypatch)
    assert count_lost(answers()) == 0


@ANSWERS
def test_control_two_accepts_book_twice_without_the_lock(
    answers: Callable[[], Callable[[], bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    pause_before_offer_ends(monkeypatch)
    without_waitlist_and_entry_locks(monkeypatch)
    assert count_lost_in_turn(answers()) >= ALMOST_ALWAYS


# A cancellation during a sweep


def cancel_against_sweep() -> Callable[[], bool]:
    world = World(spots=1, people=1)

    def race() -> bool:
        world.again()
        run_concurrently(partial(sweep, world.drive), partial(cancel, world.bookings[0].pk))
        return Slot.objects.get().chairs_taken == 1 and drift.count_drifted_slots() == 0

    return race


def test_a_spot_freed_during_a_sweep_stays_reserved(monkeypatch: pytest.MonkeyPatch) -> None:
    pause_after_waitlist_lock(monkeypatch)
    assert count_lost(cancel_against_sweep()) == 0


def test_control_a_sweep_that_releases_unread_spots_opens_them(monkeypatch: pytest.MonkeyPatch) -> None:
    give_back = waitlist_offers._release_unused_spots

    def everything(drive_id: int, _looked_at: set[int]) -> None:
        give_back(drive_id, set(ReservedSpot.objects.values_list("pk", flat=True)))

    pause_after_waitlist_lock(monkeypatch)
    seeds.replace(monkeypatch, waitlist_offers, "_release_unused_spots", everything)
    assert count_lost_in_turn(cancel_against_sweep()) >= ALMOST_ALWAYS


# A public booking competes for a freed spot


def public_against_freed_place() -> Callable[[], bool]:
    world, numbers = World(spots=1, people=1), iter(range(100, 10_000))

    def race() -> bool:
        world.again()
        world.free(0)
        crowd = [partial(builders.held, world.drive, number=next(numbers)) for _somebody in range(2)]
        results = run_concurrently(partial(sweep, world.drive), *crowd)
        return results == ["ok", "slot_full", "slot_full"] and len(world.offers()) == 1

    return race


def test_the_public_never_gets_a_reserved_spot(monkeypatch: pytest.MonkeyPatch) -> None:
    pause_after_waitlist_lock(monkeypatch)
    assert count_lost(public_against_freed_place()) == 0


def test_control_the_public_gets_a_freed_spot_without_the_reservation(monkeypatch: pytest.MonkeyPatch) -> None:
    pause_after_waitlist_lock(monkeypatch)
    seeds.replace(monkeypatch, reserved_spots, "reserve_freed_spots", lambda *_asked: {})
    assert count_lost_in_turn(public_against_freed_place()) >= ALMOST_ALWAYS


# The drive is cancelled while a donor accepts an offer


def cancelled_drive_against_accept() -> Callable[[], bool]:
    world = World(spots=1, people=1)

    def race() -> bool:
        offer = world.offered()
        cancel_drive = partial(lifecycle.cancel_drive, drive_id=world.drive.pk, reason="", actor="user:1", now=NOW)
        results = run_concurrently(partial(accept, offer), cancel_drive)
        known = results in (["ok", "ok"], ["drive_cancelled", "ok"], ["offer_withdrawn", "ok"])
        return known and active(world) == 0 and Slot.objects.get().chairs_taken == 0

    return race


def test_no_offer_is_accepted_at_a_cancelled_drive(monkeypatch: pytest.MonkeyPatch) -> None:
    arena.pause_after_facts(monkeypatch, "load_booking_facts")
    assert count_lost(cancelled_drive_against_accept()) == 0


def test_control_an_offer_is_accepted_without_the_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    arena.pause_after_facts(monkeypatch, "load_booking_facts")
    without_waitlist_and_entry_locks(monkeypatch)
    arena.without_locks(monkeypatch, "lock_drive_exclusive")
    assert count_lost_in_turn(cancelled_drive_against_accept()) >= ALMOST_ALWAYS


# Concurrent cancellations and sweeps until nothing changes


def test_freed_spots_and_waitlisted_donors_are_matched_completely() -> None:
    world = World(spots=4, people=3)
    for freed in (1, 2, 3, 4) * 3:
        world.again()
        cancels = [partial(cancel, booking.pk) for booking in world.bookings[:freed]]
        results = run_concurrently(*cancels, *[partial(sweep, world.drive)] * 3)
        assert results == ["ok"] * len(results)
        for _round in range(4):
            sweep(world.drive)
            offers = world.offers()
            assert run_concurrently(*[partial(accept, offer) for offer in offers]) == ["ok"] * len(offers)
        booked = WaitlistEntry.objects.filter(state="booked").order_by("pk").values_list("pk", flat=True)
        assert list(booked) == [entry.pk for entry in world.entries[: min(freed, 3)]]
        assert (active(world), drift.count_drifted_slots()) == (min(freed, 3), 0)
