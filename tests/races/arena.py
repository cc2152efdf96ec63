"""Two or more people at once on real connections, and the seeded bugs that each race must catch."""

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


def together(*acts: Callable[[], Any]) -> list[str]:
    """Run the acts at once, each on a connection of its own; return "ok", the refusal's codes, or the error's name."""
    return [_outcome(answer) for answer in meet(acts, in_turn=_in_turn.get())]


def _outcome(answer: object) -> str:
    if isinstance(answer, Refusal):
        return ",".join(answer.codes)
    if isinstance(answer, DatabaseError):
        return type(answer).__name__
    if isinstance(answer, Exception):
        raise answer
    return "ok"


def lost_in(race: Callable[[], bool], runs: int = RUNS) -> int:
    """How many of the runs ended badly, half of them in turn, half let go at once from each pause.

    The tables are emptied between runs by the race itself.
    """
    return sum(_lost(race, in_turn=run % 2 == 0) for run in range(runs))


def lost_in_turn(race: Callable[[], bool], runs: int = RUNS) -> int:
    """As `lost_in`, for controls: all runs in turn, who is named first is first, so that all end alike."""
    return sum(_lost(race, in_turn=True) for _run in range(runs))


def _lost(race: Callable[[], bool], *, in_turn: bool) -> bool:
    before = _in_turn.set(in_turn)
    try:
        return not race()
    finally:
        _in_turn.reset(before)


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


def pause_after_facts(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Pause between the facts and the place. With the locks nothing comes of it."""
    seeds.pause_after(monkeypatch, booking_facts, *names)


def without_conditional_update(monkeypatch: pytest.MonkeyPatch, think: Callable[[], None] | None = None) -> None:
    """The seeded bug: read the counters, think, write what they were plus one."""
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
    """The seeded bug: slots are locked in the order in which each person thinks of them."""
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
    """The seeded bug: these advisory locks are not taken."""
    for name in names:
        seeds.replace(monkeypatch, locks, name, lambda *_arguments: None)


def empty() -> None:
    """Free every place between runs: all bookings of all drives lapse, all counters go to nothing."""
    Booking.objects.update(state=BookingState.LAPSED, is_counted=False)
    Slot.objects.update(screening_taken=0, chairs_taken=0, over=0)
