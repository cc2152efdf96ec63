"""The pool of connections: a connection that the server closed is replaced before anybody sees it."""

from collections.abc import Iterator

import pytest
from django.db import connection

from config.postgresql.base import DatabaseWrapper, works

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pooled() -> Iterator[DatabaseWrapper]:
    """A second way to the test database, through a pool of one connection."""
    options = {**connection.settings_dict["OPTIONS"], "pool": {"min_size": 1, "max_size": 1, "timeout": 5}}
    wrapper = DatabaseWrapper({**connection.settings_dict, "OPTIONS": options}, alias="pooled")
    yield wrapper
    wrapper.close()
    wrapper.close_pool()


def backend(wrapper: DatabaseWrapper) -> int:
    """Which process of the server answers."""
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        found: int = cursor.fetchone()[0]
    wrapper.close()
    return found


def end(process: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [process])
        assert cursor.fetchone() == (True,)


def test_a_connection_is_used_again_while_it_works(pooled: DatabaseWrapper) -> None:
    assert backend(pooled) == backend(pooled)


def test_a_connection_that_the_server_closed_is_replaced(pooled: DatabaseWrapper) -> None:
    first = backend(pooled)
    end(first)
    assert backend(pooled) != first


def test_a_closed_connection_does_not_work(pooled: DatabaseWrapper) -> None:
    pooled.ensure_connection()
    raw = pooled.connection
    assert works(raw)
    end(raw.info.backend_pid)
    assert not works(raw)
