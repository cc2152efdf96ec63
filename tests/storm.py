"""Many at once on a real PostgreSQL: each in a thread with a connection of its own, and a referee among them.

All begin when everybody is connected. Who comes to a `pause` goes on when nobody else can: each of the others is in a
pause too, has ended, or waits for a lock in PostgreSQL. So the same things meet on every machine, however slow it is.
"""

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from django.db import connection, connections

T = TypeVar("T")

LOOK, LOOKS = 0.005, 12_000  # seconds between two looks at who waits for a lock; a minute of them without an end fails
_WAITING = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted AND pid = ANY(%s)"  # never a moment late
_here = threading.local()


def at_once(count: int, work: Callable[[int], T]) -> list[T | Exception]:
    """Run `work(0 … count - 1)` at the same moment; return each answer or exception."""
    return meet([partial(work, number) for number in range(count)])


def meet(acts: Sequence[Callable[[], T]], *, in_turn: bool = False) -> list[T | Exception]:
    """What each act answered or raised.

    From the beginning, and from each pause where nobody can go on, all are let go at the same moment. `in_turn` only
    the one who has been there longest is, at the beginning the first that is named: always the same order.
    """
    referee, answers = _Referee(len(acts), in_turn=in_turn), dict[int, T | Exception]()

    def run(number: int, act: Callable[[], T]) -> None:
        try:
            referee.seat(number)
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
        referee.lead()
    finally:
        for thread in threads:
            thread.join(timeout=10)
    return [answers[number] for number in range(len(acts))]


def pause() -> bool:
    """Wait until no other action can go on. An action that runs alone does not wait. Return whether it was in a
    meeting.
    """
    if rest := getattr(_here, "rest", None):
        rest()
    return rest is not None


class _Referee:
    def __init__(self, count: int, *, in_turn: bool) -> None:
        self._in_turn = in_turn
        self._moved = threading.Condition()
        self._under_way = set(range(count))
        self._paused: list[int] = []  # who came first is first
        self._backends: dict[int, int] = {}  # PostgreSQL's process of each
        self._over = False

    def seat(self, act: int) -> None:
        """Connect, and wait for the start."""
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

    def lead(self) -> None:
        """Release the next action whenever none can go on, until all have ended."""
        with self._moved:
            try:
                self._wait_until_still()
                self._paused.sort()  # at the beginning nobody was first
                while self._paused:
                    self._let_go(1 if self._in_turn else len(self._paused))
                    self._wait_until_still()
            finally:
                self._over = True
                self._moved.notify_all()

    def _let_go(self, count: int) -> None:
        self._under_way.update(self._paused[:count])
        del self._paused[:count]
        self._moved.notify_all()

    def _wait_until_still(self) -> None:
        """Raise if the actions do not meet: such a race would prove nothing."""
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
