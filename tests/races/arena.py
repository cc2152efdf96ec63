"""Two or more people at once on real connections, and the seeded bugs that each race must catch."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections

from drives import queries
from drives.actions import locking, places
from drives.models import Booking, BookingState, Slot
from drives.rules import Refusal

RUNS = 10
PAUSE = 0.05  # seconds between reading and writing: wide enough that an unlocked race is always lost

HOLDS_A_PLACE = ("held", "booked", "confirmed", "checked_in")


def together(*acts: Callable[[], Any]) -> list[str]:
    """Run the acts at once, each on a connection of its own; return "ok", the refusal's codes, or the error's name."""
    barrier, results = threading.Barrier(len(acts)), [""] * len(acts)

    def run(position: int, act: Callable[[], Any]) -> None:
        try:
            barrier.wait(timeout=10)
            results[position] = _outcome(act)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(position, act)) for position, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return results


def _outcome(act: Callable[[], Any]) -> str:
    try:
        act()
    except Refusal as refusal:
        return ",".join(refusal.codes)
    except DatabaseError as error:
        return type(error).__name__
    return "ok"


def lost_in(race: Callable[[], bool], runs: int = RUNS) -> int:
    """How many of the runs ended badly; the tables are emptied between runs by the race itself."""
    return sum(not race() for _run in range(runs))


def oversold(slots: Sequence[Slot]) -> bool:
    """Whether more people sit somewhere than there are chairs, counted by the bookings, whatever the counters say."""
    drive = slots[0].drive_id
    bookings = list(Booking.objects.filter(drive=drive, state__in=HOLDS_A_PLACE))
    for slot in slots:
        seated = sum(row.chair_from <= slot.n < row.chair_to for row in bookings)
        screened = sum(row.first_step <= slot.n < row.chair_from for row in bookings)
        if seated > slot.chairs_limit + slot.over or screened > slot.screening_limit + slot.over:
            return True
    return False


def pause_after_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody thinks for a moment between the facts and the place. With the locks nothing comes of it."""
    _pause_after(monkeypatch, "place_facts", "places_facts")


def _pause_after(monkeypatch: pytest.MonkeyPatch, *reads: str) -> None:
    """Let everybody think for a moment after these queries."""

    def slowed(read: Callable[..., Any]) -> Callable[..., Any]:
        def slowly(*asked: Any, **named: Any) -> Any:
            found = read(*asked, **named)
            time.sleep(PAUSE)
            return found

        return slowly

    for name in reads:
        monkeypatch.setattr(queries, name, slowed(getattr(queries, name)))


def without_conditional_update(monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded bug: read the counters, think, write what they were plus one."""

    def naive(*, drive_id: int, deltas: places.Deltas) -> bool:
        slots = {slot.n: slot for slot in Slot.objects.filter(drive=drive_id, n__in=list(deltas))}
        for n, (screening, chairs) in deltas.items():
            slot = slots[n]
            slot.screening_taken, slot.chairs_taken = slot.screening_taken + screening, slot.chairs_taken + chairs
            if slot.chairs_taken > slot.chairs_limit or slot.screening_taken > slot.screening_limit:
                return False
        time.sleep(PAUSE)
        for slot in slots.values():
            Slot.objects.filter(pk=slot.pk).update(screening_taken=slot.screening_taken, chairs_taken=slot.chairs_taken)
        return True

    monkeypatch.setattr(places, "change", naive)


def without_slot_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded bug: slots are locked in the order in which each person thinks of them."""
    statement = (
        "UPDATE drives_slot SET screening_taken = screening_taken + %s, chairs_taken = chairs_taken + %s"
        " WHERE drive_id = %s AND n = %s"
    )

    def unordered(*, drive_id: int, deltas: places.Deltas) -> bool:
        wanted_first = sorted(deltas.items(), key=lambda item: -item[1][1])
        with connection.cursor() as cursor:
            for n, (screening, chairs) in wanted_first:
                cursor.execute(statement, [screening, chairs, drive_id, n])
                time.sleep(PAUSE)
        return True

    monkeypatch.setattr(places, "change", unordered)


def without_locks(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """The seeded bug: these advisory locks are not taken."""
    for name in names:
        monkeypatch.setattr(locking, name, lambda *_arguments: None)


def empty() -> None:
    """Free every place between runs: all bookings of all drives lapse, all counters go to nothing."""
    Booking.objects.update(state=BookingState.LAPSED, holds_place=False)
    Slot.objects.update(screening_taken=0, chairs_taken=0, over=0)


def pause_after_history(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody thinks for a moment between reading what a person has booked and booking."""
    _pause_after(monkeypatch, "donations_of", "donations_of_many")
