"""Run actions at the same moment on a real PostgreSQL. Each action has a thread and a connection.

A referee controls the actions. They start after all have connected. An action that reaches a `pause` continues only
when no other action can, because each of the others has also paused, has ended, or waits for a lock in PostgreSQL. So
the actions meet in the same way on every machine, even a slow one.
"""

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from django.db import connection, connections

T = TypeVar("T")

LOOK, LOOKS = 0.005, 12_000  # seconds between two checks for waiting locks, and the number of checks (a minute)
_WAITING = (
    "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted AND pid = ANY(%s)"  # pg_locks is always up to date
)
_here = threading.local()


def at_once(count: int, work: Callable[[int], T]) -> list[T | Exception]:
    """Run `work(0)` to `work(count - 1)` at the same moment. Return each result or exception."""
    return meet([partial(work, number) for number in range(count)])


def meet(acts: Sequence[Callable[[], T]], *, in_turn: bool = False) -> list[T | Exception]:
    """Run the actions. Return the result or exception of each.

    At the start, and whenever no action can continue, all paused actions are released at the same moment. With
    `in_turn`, only one action is released: at the start the first in the list, later the one that has paused longest.
    The order is then always the same.
    """
    referee, answers = _Referee(len(acts), in_turn=in_turn), dict[int, T | Exception]()

    def run(number: int, act: Callable[[], T]) -> None:
        try:
            referee.connect_and_wait(number)
            answers[number] = act()
        except Exception as problem:
            answers[number] = problem
        finally:
            connections.close_all()
            referee.leave(number)

    threads = [threading.Thread(target=run, args=numbered, daemon=True) for numbered in enumerate(acts)]
    for thread in threads:
        thread.start()
    try:
        referee.run()
    finally:
        for thread in threads:
            thread.join(timeout=10)
    return [answers[number] for number in range(len(acts))]


def pause() -> bool:
    """Wait until no other action of the race can continue, and return True.

    Outside a race, return False at once.
    """
    if rest := getattr(_here, "rest", None):
        rest()
    return rest is not None


class _Referee:
    def __init__(self, count: int, *, in_turn: bool) -> None:
        self._in_turn = in_turn
        self._moved = threading.Condition()
        self._under_way = set(range(count))
        self._paused: list[int] = []  # in order of arrival
        self._backends: dict[int, int] = {}  # PostgreSQL's process of each action
        self._over = False

    def connect_and_wait(self, act: int) -> None:
        """Connect to the database, and wait until the referee starts the action."""
        connection.ensure_connection()
        self._backends[act] = connection.connection.info.backend_pid
        _here.rest = partial(self._rest, act)
        self._rest(act)

    def leave(self, act: int) -> None:
        with self._moved:
            self._under_way.discard(act)
            self._moved.notify_all()

    def _rest(self, act: int) -> None:
        with self._moved:
            self._under_way.discard(act)
            self._paused.append(act)
            self._moved.notify_all()
            self._moved.wait_for(lambda: self._over or act in self._under_way)

    def run(self) -> None:
        """Release paused actions whenever no action can continue, until all have ended."""
        with self._moved:
            try:
                self._wait_until_still()
                self._paused.sort()  # at the start, the order of arrival is random
                while self._paused:
                    self._release(1 if self._in_turn else len(self._paused))
                    self._wait_until_still()
            finally:
                self._over = True
                self._moved.notify_all()

    def _release(self, count: int) -> None:
        self._under_way.update(self._paused[:count])
        del self._paused[:count]
        self._moved.notify_all()

    def _wait_until_still(self) -> None:
        """Wait until no action can continue.

        Raise AssertionError if that does not happen in time, because the race would then prove nothing.
        """
        for _look in range(LOOKS):
            if not self._under_way or (self._paused and self._all_wait_for_locks()):
                return
            self._moved.wait(LOOK)
        raise AssertionError(f"acts {sorted(self._under_way)} neither paused nor ended, and wait for no lock")

    def _all_wait_for_locks(self) -> bool:
        backends = [self._backends[act] for act in self._under_way if act in self._backends]
        with connection.cursor() as cursor:
            cursor.execute(_WAITING, [backends])
            return bool(cursor.fetchone()[0] == len(self._under_way))
