"""Rows written without the ORM: what is read back is what was written, and no key is given twice."""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model
from pytest_django import DjangoAssertNumQueries

from organizations.models import AuditEntry, Sql, append, insert, rows, together
from tests import builders
from tests.builders import NOW
from volunteers.models import Registration

pytestmark = pytest.mark.django_db


def values(verb: str = "entered") -> dict[str, Any]:
    organization_id = builders.organization().pk
    return {"organization_id": organization_id, "actor": "user:1", "verb": verb, "about": "volunteer:1", "at": NOW}


def entry(verb: str = "entered") -> AuditEntry:
    return AuditEntry(**values(verb))


def test_an_inserted_row_has_its_key_and_reads_back_alike() -> None:
    row = insert(entry())
    read = AuditEntry.objects.get(pk=row.pk)
    assert [getattr(read, field.attname) for field in AuditEntry._meta.concrete_fields] == [
        getattr(row, field.attname) for field in AuditEntry._meta.concrete_fields
    ]
    row.verb = "changed"
    row.save()
    assert AuditEntry.objects.get(pk=row.pk).verb == "changed"


def test_keys_are_fetched_a_block_at_a_time(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    made = [entry() for _row in range(rows.NUMBERS_AT_ONCE + 1)]
    insert(made[0])
    with django_assert_num_queries(rows.NUMBERS_AT_ONCE + 1):  # one of them for the next block
        for row in made[1:]:
            insert(row)
    keys = [row.pk for row in made]
    assert len(set(keys)) == len(keys)


def test_keys_of_the_block_and_of_the_database_do_not_meet() -> None:
    for number in range(60):
        append(AuditEntry, **values(f"appended {number}"))
        insert(entry(f"inserted {number}"))
    assert AuditEntry.objects.count() == 120


@pytest.mark.django_db(transaction=True)
def test_threads_at_once_get_different_keys() -> None:
    def some(_thread: int) -> list[int]:
        keys = [rows._number(AuditEntry) for _row in range(3 * rows.NUMBERS_AT_ONCE)]
        connection.close()
        return keys

    with ThreadPoolExecutor(8) as threads:
        keys = [key for found in threads.map(some, range(8)) for key in found]
    assert len(set(keys)) == 24 * rows.NUMBERS_AT_ONCE


def test_a_child_process_starts_a_block_of_its_own() -> None:
    insert(entry())
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        os.write(write, str(len(rows._numbers)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 10) == b"0"


def columns(row: Model) -> dict[str, object]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_rows_of_several_tables_are_written_together(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    typed = Registration(
        organization=builders.organization("Care"),
        name='Test Zoë "Ana" \\ Alder',
        phone=builders.phone(1),
        identity="0" * 64,
        consents=["reminders"],
        ip="2001:db8::1",
        created_at=NOW,
    )
    insert(Registration(**{**columns(typed), "id": None}))
    made = values()
    with django_assert_num_queries(1), together():
        append(AuditEntry, **made)
        insert(typed)
    assert AuditEntry.objects.get().verb == "entered"
    assert columns(Registration.objects.get(pk=typed.pk)) == columns(typed)


def test_a_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(TypeError, match="AuditEntry has no organization"):
        append(AuditEntry, **{**values(), "organization": None})


def test_a_statement_follows_the_rows_on_the_same_way(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    made = values("entered")
    with django_assert_num_queries(2), together() as written:
        append(AuditEntry, **made)
        seen = written.then(Sql("SELECT count(*) FROM organizations_auditentry").asks(lambda rows: int(rows[0][0])))
    assert seen() == 1


def test_a_statement_goes_alone_where_there_are_no_rows() -> None:
    with together() as written:
        one = written.then(Sql("SELECT 1").asks(lambda rows: int(rows[0][0])))
    assert one() == 1


def test_an_error_leaves_what_was_to_be_written_together_unwritten() -> None:
    def interrupted() -> None:
        with together():
            insert(entry())
            raise InterruptedError

    with pytest.raises(InterruptedError):
        interrupted()
    assert not AuditEntry.objects.exists()
    insert(entry())
    assert AuditEntry.objects.count() == 1
