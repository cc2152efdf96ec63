"""Check that the number of an action's SQL statements does not grow with the number of rows."""

import re
from collections import Counter
from collections.abc import Callable

from django.db import connection
from django.test.utils import CaptureQueriesContext

Act = Callable[[], object]


def statements_of(act: Act) -> list[str]:
    with CaptureQueriesContext(connection) as caught:
        act()
    return [query["sql"] for query in caught]


def count_for_each(prepare: Callable[[int], Act], rows: tuple[int, int] = (1, 3)) -> int:
    """Assert that an action takes as many statements with one row as with three. Return that number.

    `prepare(n)` creates n rows and returns the action to measure. Both sets of rows are in one database, so the
    action must read only its own set. Fill caches beforehand. Otherwise statements that run only once would be counted.
    """
    few, many = (statements_of(prepare(number)) for number in rows)
    more = Counter(map(_shape, many)) - Counter(map(_shape, few))
    less = Counter(map(_shape, few)) - Counter(map(_shape, many))
    assert len(few) == len(many), f"{len(few)} for {rows[0]}, {len(many)} for {rows[1]}; more of {more}, less of {less}"
    return len(few)


def _shape(statement: str) -> str:
    plain = re.sub(r"'[^']*'|\b\d+\b", "?", statement)
    return re.sub(r"^SELECT .*? FROM ", "SELECT … FROM ", plain)
