"""Donors answer offers at random.

In every round, the freed spots go to the first donors on the waitlist who accept, in waitlist order. No freed spot
stays empty while a donor who would accept it waits.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from environs import env

from drives.booking import changes
from drives.capacity import drift, reserved_spots
from drives.models import (
    ACTIVE_STATES,
    Booking,
    BookingState,
    CancelledBy,
    Drive,
    Offer,
    ReservedSpot,
    Slot,
    WaitlistEntry,
    WaitlistEntryState,
)
from drives.models.waitlist import WaitlistEntryQuerySet
from drives.waitlist import offers
from tests import builders
from tests.builders import NOW

pytestmark = pytest.mark.django_db

ROUNDS = env.int("WAITING_ROUNDS", 100)  # set WAITING_ROUNDS=1000 for a long run
PLACES, PEOPLE = 5, 7
TAKES, PASSES, IGNORES = "takes", "passes", "ignores"


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    settings.RATE_LIMITS = False


@dataclass
class World:
    """A full drive and donors. Some of them are on the waitlist when a round begins."""

    drive: Drive
    bookings: list[Booking]
    entries: list[WaitlistEntry]

    def begin(self, waiting: int) -> list[WaitlistEntry]:
        Offer.objects.all().delete()
        ReservedSpot.objects.all().delete()
        firsts = [booking.pk for booking in self.bookings]
        Booking.objects.exclude(pk__in=firsts).delete()
        Booking.objects.filter(pk__in=firsts).update(state=BookingState.BOOKED, is_counted=True, cancelled_at=None)
        Slot.objects.update(chairs_taken=1, over=0)
        WaitlistEntry.objects.update(state=WaitlistEntryState.LEFT)
        for number, entry in enumerate(self.entries[:waiting]):
            since = NOW + timedelta(seconds=number)
            WaitlistEntry.objects.filter(pk=entry.pk).update(state=WaitlistEntryState.WAITING, joined_at=since)
        return self.entries[:waiting]

    def booked(self) -> list[int]:
        """Return the entries that got a booking from an offer, in the order of the bookings."""
        made = Booking.objects.filter(source="waitlist", state__in=ACTIVE_STATES).order_by("pk")
        return [entry.pk for booking in made for entry in self.entries if entry.volunteer_id == booking.volunteer_id]


@pytest.fixture
def world() -> World:
    bookings = builders.full_drive(steps=PLACES)
    drive = Drive.objects.get(pk=bookings[0].drive_id)
    return World(drive, bookings, [builders.waits(drive, number=60 + number) for number in range(PEOPLE)])


def play(world: World, chance: random.Random) -> tuple[list[int], list[int]]:
    """Play one round. Return the entries that got a booking, and the entries that should have got one."""
    freed, waiting = chance.randint(0, PLACES), chance.randint(0, PEOPLE)
    entries = world.begin(waiting)
    answers = {entry.pk: chance.choice((TAKES, TAKES, PASSES, IGNORES)) for entry in entries}
    if chance.random() < 0.5:
        answers = dict.fromkeys(answers, TAKES)
    now, left = NOW, chance.sample(world.bookings, freed)
    for at in _until_nothing_happens(world, left, chance, now):
        now = at
        for offer in Offer.objects.open().order_by("?"):
            answer(offer, answers[offer.entry_id], now)
        assert drift.count_drifted_slots() == 0
    takers = [entry.pk for entry in entries if answers[entry.pk] == TAKES]
    return world.booked(), takers[:freed]


def _until_nothing_happens(world: World, left: list[Booking], chance: random.Random, now: Any) -> Iterator[Any]:
    """Run sweeps until a sweep finds nothing to do. Yield the time of each sweep.

    Between the sweeps, cancel bookings one by one and let deadlines pass.
    """
    for _turn in range(60):
        if left and chance.random() < 0.7:
            booking = left.pop()
            changes.cancel_bookings(booking_id=booking.pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=now)
        counts = offers.sweep_waitlists(now=now)
        if not left and not any(counts.values()) and not Offer.objects.open().exists():
            return
        yield now
        now += timedelta(hours=chance.choice((1, 25)))


def answer(offer: Offer, how: str, now: Any) -> None:
    if how == TAKES:
        offers.accept_offer(offer_id=offer.pk, actor="donor", now=now)
    elif how == PASSES:
        offers.decline_offer(offer_id=offer.pk, now=now)


def rounds_that_end_wrong(world: World, rounds: int) -> list[int]:
    """Return the numbers of the rounds in which the wrong donors got the bookings."""
    wrong = []
    for number in range(rounds):
        booked, expected = play(world, random.Random(number))
        if sorted(booked) != sorted(expected):
            wrong.append(number)
    return wrong


@pytest.mark.time_machine(NOW, tick=False)
def test_every_freed_spot_goes_to_the_first_entry_that_accepts(world: World) -> None:
    assert rounds_that_end_wrong(world, ROUNDS) == []


def test_control_a_reversed_waitlist_is_noticed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    backwards = WaitlistEntryQuerySet.waitlisted

    def served(self: WaitlistEntryQuerySet) -> WaitlistEntryQuerySet:
        return backwards(self).order_by("-joined_at", "-pk")

    monkeypatch.setattr(type(WaitlistEntry.objects), "waitlisted", served)
    assert rounds_that_end_wrong(world, 10)


def test_control_offers_that_never_end_are_noticed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offers, "expire_offer", lambda *, offer_id, now: False)
    assert rounds_that_end_wrong(world, 40)


def test_control_spots_that_are_not_reserved_are_noticed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    end = reserved_spots.end_offer

    def lost(offer: Offer, *asked: Any) -> None:
        spot = offer.reserved_spot
        end(offer, *asked)
        if spot is not None and offer.state != "accepted":
            Slot.objects.filter(pk=offer.arrival_id).update(open=False)  # the slot can no longer be booked

    monkeypatch.setattr(reserved_spots, "end_offer", lost)
    try:
        assert rounds_that_end_wrong(world, 10)
    finally:
        Slot.objects.update(open=True)
