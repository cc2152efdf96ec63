"""A sweep continues after a row that fails, and skips that row for an hour."""

from datetime import timedelta

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection, transaction

from organizations import rules, sweeps
from organizations.models import ParkedRow
from tests.builders import NOW

pytestmark = pytest.mark.django_db


class Rows:
    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.seen = error, list[int]()

    def handle(self, pk: int) -> int:
        self.seen.append(pk)
        if pk == 2 and self.error:
            raise self.error
        return 1


@pytest.mark.expects_errors
def test_a_bad_row_is_parked_for_an_hour_and_the_others_are_done() -> None:
    rows = Rows(ValueError("Test Ana Alder"))
    assert sweeps.run_each("test", [1, 2, 3], rows.handle, now=NOW) == 2
    assert ParkedRow.objects.values_list("sweep", "row", "error", "failures").get() == ("test", 2, "ValueError", 1)
    early = NOW + rules.RETRY_PARKED_ROW_AFTER - timedelta(microseconds=1)
    assert sweeps.run_each("test", [1, 2, 3], rows.handle, now=early) == 2
    assert sweeps.run_each("another", [2], Rows().handle, now=early) == 1
    assert sweeps.run_each("test", [1, 2, 3], rows.handle, now=NOW + rules.RETRY_PARKED_ROW_AFTER) == 2
    assert (rows.seen.count(2), ParkedRow.objects.get().failures) == (2, 2)
    assert sweeps.run_each("test", [2], Rows().handle, now=NOW + 3 * rules.RETRY_PARKED_ROW_AFTER) == 1
    assert not ParkedRow.objects.exists()


@pytest.mark.expects_errors
def test_an_error_of_the_database_parks_only_its_row() -> None:
    @transaction.atomic
    def handle(pk: int) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / (2 - %s)", [pk])
        return 1

    assert sweeps.run_each("test", [1, 2, 3], handle, now=NOW) == 2


def test_the_time_limit_of_a_task_parks_no_row() -> None:
    with pytest.raises(SoftTimeLimitExceeded):
        sweeps.run_each("test", [1, 2, 3], Rows(SoftTimeLimitExceeded()).handle, now=NOW)
    assert not ParkedRow.objects.exists()
