"""Rows written without the ORM's machinery, for the paths on which hundreds a second are written."""

import json
import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, models
from psycopg import sql

Row = TypeVar("Row", bound=models.Model)

NUMBERS_AT_ONCE = 50
_numbers: defaultdict[type[models.Model], list[int]] = defaultdict(list)
os.register_at_fork(after_in_child=_numbers.clear)  # else parent and child would give the same ones


def insert(row: Row) -> Row:
    """INSERT a new row and give it its primary key: what `save(force_insert=True)` does, with less ado.

    No signals, no `full_clean`, no database defaults: every column is written from the instance. The key comes from
    the table's sequence, a block at a time, so that nobody waits for it: keys rise only within one process.
    """
    row.pk = _number(type(row))
    _write(row, keyed=True)
    return row


def append(row: models.Model) -> None:
    """INSERT a row whose key nobody asks for: the database gives it, in the order of writing."""
    _write(row, keyed=False)


@contextmanager
def together() -> Iterator[None]:
    """Let the rows of `insert` and `append` wait until the end of this block, and write them all in one statement.

    Nothing that is read in the block sees them. An error that leaves the block leaves them unwritten. What else their
    order matters to (a key of another row that is checked at once, not at the end of the transaction) does not fit.
    """
    token = _waiting.set([])
    try:
        yield
        waiting = _waiting.get()
    finally:
        _waiting.reset(token)
    if waiting:
        _execute(waiting)


@contextmanager
def pipelined() -> Iterator[None]:
    """Send the statements of this block without waiting, until one's answer is read: several on one way and back.

    They run in order, each with a snapshot of its own. An error comes up when an answer is read, at the latest at the
    end of the block. What asks for a row count gets -1 in it: use RETURNING, and not `save()` of an old row.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def _number(model: type[models.Model]) -> int:
    numbers = _numbers[model]
    while True:
        try:
            return numbers.pop()
        except IndexError:  # two threads may fetch at once: then there are more
            numbers += _fetched(model)


def _fetched(model: type[models.Model], count: int = NUMBERS_AT_ONCE) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
            [model._meta.db_table, model._meta.pk.column, count],
        )
        return sorted((number for (number,) in cursor.fetchall()), reverse=True)


_Waiting = list[tuple[models.Model, bool]]
_waiting: ContextVar[_Waiting | None] = ContextVar("waiting", default=None)


def _write(row: models.Model, *, keyed: bool) -> None:
    if (waiting := _waiting.get()) is None:
        _execute([(row, keyed)])
    else:
        waiting.append((row, keyed))


def _execute(rows: _Waiting) -> None:
    statement, columns = _statement(tuple((type(row), keyed) for row, keyed in rows))
    values = [
        {column: getattr(row, name) for name, column in names}
        for (row, _keyed), names in zip(rows, columns, strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.execute(statement, [json.dumps(values, default=str)])
    for row, _keyed in rows:
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


@cache
def _statement(tables: tuple[tuple[type[models.Model], bool], ...]) -> tuple[str, list[list[tuple[str, str]]]]:
    """The INSERT of one row into each of these, and per row the names of its values.

    One parameter, whatever the number of columns: to hand over each by itself takes longer than to write them. All but
    the last INSERT ride before it as WITH.
    """
    columns = [
        [(field.attname, str(field.column)) for field in model._meta.concrete_fields if keyed or not field.primary_key]
        for model, keyed in tables
    ]
    inserts = [
        sql.SQL(
            "INSERT INTO {table} ({names}) SELECT {names} FROM given, jsonb_populate_record(NULL::{table}, {row})"
        ).format(
            table=sql.Identifier(model._meta.db_table),
            names=sql.SQL(", ").join(sql.Identifier(column) for _name, column in names),
            row=sql.SQL(f"rows -> {n}"),
        )
        for n, ((model, _keyed), names) in enumerate(zip(tables, columns, strict=True))
    ]
    given = sql.SQL("given AS (SELECT %s::jsonb AS rows)")
    before = [
        sql.SQL("row_{n} AS ({insert})").format(n=sql.SQL(str(n)), insert=each) for n, each in enumerate(inserts[:-1])
    ]
    return sql.SQL("WITH {} {}").format(sql.SQL(", ").join([given, *before]), inserts[-1]).as_string(None), columns
