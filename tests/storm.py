"""Many at once on a real PostgreSQL: each in a thread with a connection of its own, started together."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connection

T = TypeVar("T")


def at_once(count: int, work: Callable[[int], T]) -> list[T | Exception]:
    """What each call of `work(0 … count - 1)` answered or raised, all let go at the same moment."""
    start = Barrier(count, timeout=60)

    def run(number: int) -> T | Exception:
        try:
            connection.ensure_connection()
            start.wait()
            return work(number)
        except Exception as problem:
            return problem
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))
