"""Run concurrent actions on real connections, with seeded bugs that each race must detect."""

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

import pytest
from django.db import DatabaseError, connection

from drives.capacity import booking_facts, counters, locks
from drives.models import Booking, BookingState, Slot
from drives.refusals import Refusal
from tests import seeds
from tests.storm import meet

RUNS = 10

HOLDS_A_PLACE = ("held", "booked", "confirmed", "checked_in")
_in_turn = ContextVar("in_turn", default=False)


def run_concurrently(*acts: Callable[[], Any]) -> list[str]:
    """Run the actions at the same time, each on its own connection.

    Return "ok", the refusal's codes, or the error's name for each action.
    """
    return [_outcome(answer) for answer in meet(acts, in_turn=_in_turn.get())]


def _outcome(answer: object) -> str:
    if isinstance(answer, Refusal):
        return ",".join(answer.codes)
    if isinstance(answer, DatabaseError):
        return type(answer).__name__
    if isinstance(answer, Exception):
        raise answer
    return "ok"


def count_lost(race: Callable[[], bool], runs: int = RUNS) -> int:
    """Count the runs in which the race failed. The race must empty its tables between runs.

    In half of the runs, the actions take turns. In the other half, all actions leave each pause at the same time.
    """
    return sum(_lost(race, in_turn=run % 2 == 0) for run in range(runs))


def count_lost_in_turn(race: Callable[[], bool], runs: int = RUNS) -> int:
    """Count the failed runs of a control.

    The actions take turns in the given order, so that all runs end the same way.
    """
    return sum(_lost(race, in_turn=True) for _run in range(runs))


def _lost(race: Callable[[], bool], *, in_turn: bool) -> bool:
    before = _in_turn.set(in_turn)
    try:
        return not race()
    finally:
        _in_turn.reset(before)


def oversold(slots: Sequence[Slot]) -> bool:
    """Return whether a step has more visits than chairs or screening stations.

    Count the bookings, because the slots' counters may be wrong.
    """
    drive = slots[0].drive_id
    bookings = list(Booking.objects.filter(drive=drive, state__in=HOLDS_A_PLACE))
    for slot in slots:
        seated = sum(row.chair_from <= slot.n < row.chair_to for row in bookings)
        screened = sum(row.first_step <= slot.n < row.chair_from for row in bookings)
        if seated > slot.chairs_limit + slot.over or screened > slot.screening_limit + slot.over:
            return True
    return False


def pause_after_facts(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Pause after the facts for a booking are read, and before the booking is made.

    The booking's locks must make the pause harmless.
    """
    seeds.pause_after(monkeypatch, booking_facts, *names)


def without_conditional_update(monkeypatch: pytest.MonkeyPatch, think: Callable[[], None] | None = None) -> None:
    """Seed a bug: read the slot counters, pause, and then write the old values plus the change."""
    wait = think or seeds.pausing("the naive change of counters")

    def naive(*, drive_id: int, deltas: counters.Deltas) -> bool:
        slots = {slot.n: slot for slot in Slot.objects.filter(drive=drive_id, n__in=list(deltas))}
        for n, (screening, chairs) in deltas.items():
            slot = slots[n]
            slot.screening_taken, slot.chairs_taken = slot.screening_taken + screening, slot.chairs_taken + chairs
            if slot.chairs_taken > slot.chairs_limit or slot.screening_taken > slot.screening_limit:
                return False
        wait()
        for slot in slots.values():
            Slot.objects.filter(pk=slot.pk).update(screening_taken=slot.screening_taken, chairs_taken=slot.chairs_taken)
        return True

    seeds.replace(monkeypatch, counters, "change_counters", naive)


def without_slot_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seed a bug: lock a booking's slots in an order that differs between donors."""
    statement = (
        "UPDATE drives_slot SET screening_taken = screening_taken + %s, chairs_taken = chairs_taken + %s"
        " WHERE drive_id = %s AND n = %s"
    )
    pause = seeds.pausing("the change of counters without an order")

    def unordered(*, drive_id: int, deltas: counters.Deltas) -> bool:
        wanted_first = sorted(deltas.items(), key=lambda item: -item[1][1])
        with connection.cursor() as cursor:
            for n, (screening, chairs) in wanted_first:
                cursor.execute(statement, [screening, chairs, drive_id, n])
                pause()
        return True

    seeds.replace(monkeypatch, counters, "change_counters", unordered)


def without_locks(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Seed a bug: skip these functions of `locks`."""
    for name in names:
        seeds.replace(monkeypatch, locks, name, lambda *_arguments: None)


def empty() -> None:
    """Free all capacity between runs: lapse all bookings and reset all counters."""
    Booking.objects.update(state=BookingState.LAPSED, is_counted=False)
    Slot.objects.update(screening_taken=0, chairs_taken=0, over=0)
