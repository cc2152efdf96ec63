"""Statements that hundreds a second run: prepared once a connection, several on one way to the database and back.

The cursors of Django and psycopg take longer than what they ask for, so these go without. Psycopg's adapters, its
protocol and its errors stay in use, and Django's transactions hold for them as for everything else.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any, Generic, NamedTuple, TypeVar, overload
from weakref import WeakKeyDictionary

from django.db import DEFAULT_DB_ALIAS, connections
from psycopg import Connection
from psycopg.abc import PQGen
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.generators import fetch_many, send
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
Rows = Sequence[tuple[Any, ...]]
Key = tuple[bytes, tuple[int, ...]]  # of psycopg's register: a text, and the types of its values where they are named

_VALUE = re.compile(r"%\((\w+)\)s")


class Sql:
    """The text of a statement that is kept prepared: made once, with `%(name)s` wherever a value goes.

    PostgreSQL infers the type of a value from its place; where it cannot, the text says it: `%(n)s::int[]`.
    """

    def __init__(self, text: str) -> None:
        self.names = list(dict.fromkeys(_VALUE.findall(text)))
        self.text = _VALUE.sub(lambda value: f"${self.names.index(value[1]) + 1}", text)
        self.key: Key = (self.text.encode(), ())

    def asks(self, read: Callable[[Rows], A], **values: Any) -> "Statement[A]":
        """The statement with these values; `read` makes its answer of the rows that come back."""
        return Statement(self, [values[name] for name in self.names], read)

    def rows(self, **values: Any) -> "Rows":
        """Send it alone with these values, and give what comes back."""
        return self.asks(lambda rows: rows, **values).answer()


class Statement(NamedTuple, Generic[A]):
    """Something to ask the database, not sent yet."""

    sql: Sql
    values: Sequence[Any]
    read: Callable[[Rows], A]

    def answer(self) -> A:
        """Send it alone, and read what comes back."""
        return self.read(_asked([self])[0])


@overload
def answers(first: Statement[A], second: Statement[B], /) -> tuple[A, B]: ...
@overload
def answers(first: Statement[A], second: Statement[B], third: Statement[C], /) -> tuple[A, B, C]: ...
def answers(*statements: Statement[Any]) -> tuple[Any, ...]:
    """Send these on one way, in order, each with a snapshot of its own, and read what each brings back.

    The first that fails raises Django's error for it, and those after it are not run.
    """
    return tuple(each.read(rows) for each, rows in zip(statements, _asked(statements), strict=True))


class _Line:
    """What is known of a connection, as long as it lives: its adapters, and under which names it has prepared what.

    The names stand in psycopg's own register, for psycopg lets PostgreSQL forget them all at every ROLLBACK.
    """

    def __init__(self, driver: "Connection[Any]") -> None:
        self.adapters = Transformer(driver.adapters)  # which knows nothing of the connection: else neither would end
        self.prepared = driver._prepared._names
        self.numbers = count()

    def rows(self, driver: "Connection[Any]", statements: Sequence[Statement[Any]]) -> list[Rows]:
        """What each brings back. Raises psycopg's errors."""
        asked = [(each.sql.key, self._dumped(each)) for each in statements]
        new = {key: b"kept_%d" % next(self.numbers) for key, _values in asked if key not in self.prepared}
        try:
            results = driver.wait(self._exchange(driver, new, asked))
        except BaseException:
            driver.close()  # answers may be on their way, and would be taken for those to other questions
            raise
        for result in results:
            if result.status == ExecStatus.FATAL_ERROR:
                raise error_from_result(result)
        self.prepared.update(new)
        for key, _values in asked:
            self.prepared.move_to_end(key)
        return [self._loaded(result) for result in results[-len(asked) :]]

    def _exchange(
        self, driver: "Connection[Any]", new: Mapping[Key, bytes], asked: Sequence[tuple[Key, Sequence[Any]]]
    ) -> PQGen[list[PGresult]]:
        """Psycopg's protocol of a pipeline: send everything, then fetch what became of each command."""
        server = driver.pgconn
        begins = not driver.autocommit and server.transaction_status == TransactionStatus.IDLE
        server.enter_pipeline_mode()
        if begins:
            server.send_query_params(b"BEGIN", None)
        for key, name in new.items():
            server.send_prepare(name, key[0])
        for key, values in asked:
            server.send_query_prepared(new.get(key) or self.prepared[key], values)
        server.pipeline_sync()
        yield from send(server)
        results = []
        for _command in range(begins + len(new) + len(asked)):
            results += yield from fetch_many(server)
        yield from fetch_many(server)  # the pipeline's end
        server.exit_pipeline_mode()
        return results

    def _dumped(self, statement: Statement[Any]) -> Sequence[Any]:
        return self.adapters.dump_sequence(statement.values, [PyFormat.TEXT] * len(statement.values))

    def _loaded(self, result: PGresult) -> Rows:
        self.adapters.set_pgresult(result)
        return self.adapters.load_rows(0, result.ntuples, tuple)


_lines: "WeakKeyDictionary[Connection[Any], _Line]" = WeakKeyDictionary()


def _asked(statements: Sequence[Statement[Any]]) -> list[Rows]:
    database = connections[DEFAULT_DB_ALIAS]  # looked up once: each look through `connection` costs
    database.close_if_health_check_failed()
    database.ensure_connection()
    database.validate_no_broken_transaction()
    driver: Connection[Any] = database.connection
    if (line := _lines.get(driver)) is None:
        line = _lines[driver] = _Line(driver)
    began = time.monotonic()
    with database.wrap_database_errors:
        found = line.rows(driver, statements)
    if database.queries_logged:
        took = f"{time.monotonic() - began:.3f}"
        database.queries_log.extend({"sql": each.sql.text, "time": took} for each in statements)
    return found
