"""Rows written without the ORM's machinery, for the paths on which hundreds a second are written."""

import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from itertools import count
from typing import Any, NamedTuple, TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, connection, models
from psycopg import sql

from organizations.models.statements import Rows, Sql, Statement, answers

A = TypeVar("A")
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
    _write(_New(type(row), vars(row), row))
    return row


def append(model: type[models.Model], **values: Any) -> None:
    """INSERT a row that nobody asks for again, by its columns: `organization_id`, not `organization`.

    What is not named is as the model's defaults have it. The database gives the key, in the order of writing.
    """
    if unknown := values.keys() - blank(model).keys():
        raise TypeError(f"{model.__name__} has no {', '.join(sorted(unknown))}")
    _write(_New(model, {**blank(model), **values}))


@contextmanager
def together() -> Iterator["Together"]:
    """Let the rows of `insert` and `append` wait until the end of this block, and write them all in one statement.

    Nothing that is read in the block sees them. An error that leaves the block leaves them unwritten. What else their
    order matters to (a key of another row that is checked at once, not at the end of the transaction) does not fit.
    """
    waiting = Together()
    token = _waiting.set(waiting)
    try:
        yield waiting
    finally:
        _waiting.reset(token)
    waiting.send()


class _New(NamedTuple):
    """A row to be written: its values by name, and the instance that stands for it, if somebody holds one."""

    model: type[models.Model]
    values: Mapping[str, Any]
    row: models.Model | None = None


class Together:
    """What waits for the end of a block `together`."""

    def __init__(self) -> None:
        self.rows: list[_New] = []
        self._last: Statement[Any] | None = None
        self._answer: Any = None

    def then(self, last: Statement[A]) -> Callable[[], A]:
        """Send this statement behind the rows, on the same way. What is returned knows its answer after the block."""
        assert self._last is None, "one statement follows the rows"
        self._last = last
        return lambda: cast("A", self._answer)

    def send(self) -> None:
        """Write what waits."""
        if self.rows and self._last:
            _written, self._answer = answers(_writing(self.rows), self._last)
        elif self.rows:
            _writing(self.rows).answer()
        elif self._last:
            self._answer = self._last.answer()


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


_waiting: ContextVar[Together | None] = ContextVar("waiting", default=None)


def _write(new: _New) -> None:
    if (waiting := _waiting.get()) is None:
        _writing([new]).answer()
    else:
        waiting.rows.append(new)


def _writing(rows: Sequence[_New]) -> Statement[None]:
    """The statement that writes these; its answer makes them known to Django as rows that are there."""
    statement, columns = _insert(tuple((new.model, new.row is not None) for new in rows))
    values = [
        json.dumps(new.values[name]) if is_json else new.values[name]
        for new, names in zip(rows, columns, strict=True)
        for name, is_json in names
    ]

    def written(_nothing: Rows) -> None:
        for new in rows:
            if new.row:
                new.row._state.adding, new.row._state.db = False, DEFAULT_DB_ALIAS

    return Statement(statement, values, written)


@cache
def blank(model: type[models.Model]) -> dict[str, Any]:
    """A row without its key, as the model's defaults make it."""
    fresh = model()
    fields = model._meta.concrete_fields
    return {field.attname: getattr(fresh, field.attname) for field in fields if not field.primary_key}


@cache
def _insert(tables: tuple[tuple[type[models.Model], bool], ...]) -> tuple[Sql, list[list[tuple[str, bool]]]]:
    """The INSERT of one row into each of these, and per row the names of its values and whether they go as JSON.

    All but the last INSERT ride before it as WITH.
    """
    written = [
        [field for field in model._meta.concrete_fields if keyed or not field.primary_key] for model, keyed in tables
    ]
    numbers = count(1)
    inserts = [
        sql.SQL("INSERT INTO {table} ({names}) VALUES ({values})").format(
            table=sql.Identifier(model._meta.db_table),
            names=sql.SQL(", ").join(sql.Identifier(str(field.column)) for field in fields),
            values=sql.SQL(", ").join(sql.SQL(f"${next(numbers)}") for _field in fields),
        )
        for (model, _keyed), fields in zip(tables, written, strict=True)
    ]
    before = [sql.SQL(f"row_{n} AS ({{}})").format(each) for n, each in enumerate(inserts[:-1])]
    text = sql.SQL("WITH {} {}").format(sql.SQL(", ").join(before), inserts[-1]) if before else inserts[-1]
    columns = [[(field.attname, isinstance(field, models.JSONField)) for field in fields] for fields in written]
    return Sql(text.as_string(None)), columns
