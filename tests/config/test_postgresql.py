"""The web process keeps its connections: one that the server closed is replaced before anybody sees it."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.db import connection

from config.postgresql.base import DatabaseWrapper

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kept() -> Iterator[DatabaseWrapper]:
    """A second way to the test database, with a connection that outlives a request."""
    settings = {**connection.settings_dict, "CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}
    wrapper = DatabaseWrapper(settings, alias="kept")
    yield wrapper
    wrapper.close()


def backend(wrapper: DatabaseWrapper) -> int:
    """Which process of the server answers a request's first question."""
    wrapper.close_if_unusable_or_obsolete()
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        found: int = cursor.fetchone()[0]
    return found


def end(process: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [process])
        assert cursor.fetchone() == (True,)


def test_a_connection_is_used_again_while_it_works(kept: DatabaseWrapper) -> None:
    assert backend(kept) == backend(kept)


def test_a_connection_that_the_server_closed_is_replaced(kept: DatabaseWrapper) -> None:
    first = backend(kept)
    end(first)
    assert backend(kept) != first


def test_a_connection_that_works_is_not_asked(kept: DatabaseWrapper) -> None:
    backend(kept)
    raw = kept.connection
    assert kept.is_usable()
    end(raw.info.backend_pid)
    assert not kept.is_usable()
    raw.close()
    assert not kept.is_usable()


@pytest.mark.parametrize(
    "instant",
    [
        datetime(2026, 3, 8, 10, 30, tzinfo=UTC),
        datetime(2026, 3, 8, 10, 30, 0, 120_000, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    ],
)
def test_times_are_read_as_they_were_written(kept: DatabaseWrapper, instant: datetime) -> None:
    with kept.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz", [instant])
        (read,) = cursor.fetchone()
    assert (read, read.tzinfo) == (instant, UTC)


def test_times_of_a_session_in_another_zone_are_the_same_instants(kept: DatabaseWrapper) -> None:
    instant = datetime(2026, 3, 8, 10, 30, tzinfo=UTC)
    with kept.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'Asia/Kathmandu'")
        cursor.execute("SELECT %s::timestamptz", [instant])
        (read,) = cursor.fetchone()
    assert read == instant
