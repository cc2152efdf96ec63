"""Statements without cursors: they belong to Django's transactions, and an error leaves nothing behind."""

import signal
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DataError, IntegrityError, OperationalError, connection, transaction
from django.db.transaction import TransactionManagementError

from organizations.models import AuditEntry, Organization, Sql, Statement, answers
from tests import builders
from tests.builders import NOW

pytestmark = pytest.mark.django_db

NUMBER = Sql("SELECT %(number)s::bigint")
ADD = Sql("INSERT INTO organizations_auditentry (organization_id, actor, verb, about, fields, at) VALUES"
          " (%(organization)s, 'user:1', %(verb)s, 'volunteer:1', '[]', %(at)s)")  # fmt: skip
COUNT = Sql("SELECT count(*) FROM organizations_auditentry")
HALVED = Sql("SELECT 10 / %(by)s::int")


def number(value: int) -> Statement[int]:
    return NUMBER.asks(lambda rows: int(rows[0][0]), number=value)


def add(verb: str, organization: Organization) -> Statement[None]:
    return ADD.asks(lambda _rows: None, organization=organization.pk, verb=verb, at=NOW)


def count() -> Statement[int]:
    return COUNT.asks(lambda rows: int(rows[0][0]))


def halved(by: int) -> Statement[int]:
    return HALVED.asks(lambda rows: int(rows[0][0]), by=by)


def test_values_go_and_come_as_their_types() -> None:
    sql = Sql(
        "SELECT %(text)s::text, %(at)s::timestamptz, %(none)s::int, %(list)s::int[], %(text)s::text, %(yes)s::bool"
    )
    assert Sql("SELECT %(list)s::int[]").rows(list=[]) == [([],)]
    (row,) = sql.rows(text='Zoë "A" \\', at=NOW, none=None, list=[1, 2], yes=True)
    assert row == ('Zoë "A" \\', NOW, None, [1, 2], 'Zoë "A" \\', True)


def test_each_sees_what_those_before_it_wrote() -> None:
    owner = builders.organization()
    assert answers(count(), add("entered", owner), count()) == (0, None, 1)
    assert AuditEntry.objects.get().verb == "entered"


def test_the_same_statement_may_go_twice_at_once() -> None:
    assert answers(number(1), number(2)) == (1, 2)


def test_an_error_is_djangos_and_what_follows_is_not_run() -> None:
    owner = builders.organization()
    with pytest.raises(DataError), transaction.atomic():
        answers(halved(0), add("entered", owner))
    assert count().answer() == 0


def test_an_error_in_the_second_takes_back_the_first() -> None:
    owner = builders.organization()
    with pytest.raises(DataError), transaction.atomic():
        answers(add("entered", owner), halved(0))
    assert (count().answer(), number(7).answer()) == (0, 7)


def test_a_value_that_cannot_be_sent_is_refused_before_anything_goes() -> None:
    with pytest.raises(DataError):
        Sql("SELECT %(text)s::text").rows(text="a\x00b")
    assert number(1).answer() == 1


def test_nothing_is_asked_in_a_transaction_that_is_broken() -> None:
    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(TransactionManagementError):
            number(1).answer()


@pytest.mark.parametrize("forget", ["ROLLBACK TO SAVEPOINT", "DEALLOCATE ALL"])
def test_what_was_prepared_is_prepared_again_where_it_was_forgotten(forget: str) -> None:
    def savepoint() -> None:
        with pytest.raises(DataError), transaction.atomic():
            halved(0).answer()

    def all_of_it() -> None:
        with connection.cursor() as cursor:
            cursor.execute("DEALLOCATE ALL")

    steps: dict[str, Callable[[], Any]] = {"ROLLBACK TO SAVEPOINT": savepoint, "DEALLOCATE ALL": all_of_it}
    for _time in range(2):
        assert number(1).answer() == 1
        steps[forget]()
    assert (number(2).answer(), halved(5).answer()) == (2, 2)


@pytest.mark.django_db(transaction=True)
def test_a_transaction_begins_with_the_first_statement_and_ends_with_its_block() -> None:
    owner = builders.organization()
    with transaction.atomic():
        add("entered", owner).answer()
        transaction.set_rollback(True)
    with transaction.atomic():
        add("kept", owner).answer()
    assert list(AuditEntry.objects.values_list("verb", flat=True)) == ["kept"]


@pytest.mark.django_db(transaction=True)
def test_what_is_deferred_to_the_end_of_the_transaction_is_refused_there() -> None:
    nobody = Organization(pk=0)
    with pytest.raises(IntegrityError), transaction.atomic():
        add("entered", nobody).answer()
    assert count().answer() == 0


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_was_lost_is_an_operational_error_and_the_next_one_works() -> None:
    ended = Sql("SELECT pg_terminate_backend(pg_backend_pid())")
    with pytest.raises(OperationalError):
        answers(ended.asks(lambda rows: rows), number(1))
    connection.close()
    assert number(1).answer() == 1


@pytest.mark.django_db(transaction=True)
def test_who_takes_too_long_leaves_no_answer_for_the_next() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '50ms'")
    with pytest.raises(OperationalError):
        Sql("SELECT pg_sleep(5)").rows()
    assert number(3).answer() == 3
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_who_is_interrupted_never_reads_an_answer_to_another_question() -> None:
    def interrupt(_number: int, _frame: object) -> None:
        raise InterruptedError

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with pytest.raises(InterruptedError):
            Sql("SELECT 1 FROM pg_sleep(1)").rows()
    finally:
        signal.signal(signal.SIGALRM, before)
    assert connection.connection.closed
    connection.close()
    assert number(3).answer() == 3
