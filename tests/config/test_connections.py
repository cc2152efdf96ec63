"""A restart of the database does not harm threads with an open connection."""

import time
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection
from django.test import Client

pytestmark = pytest.mark.django_db(transaction=True)


def end_connection() -> int:
    """End this thread's connection on the server, as a restart would. Return the ended backend's process id."""
    connection.ensure_connection()
    ended = connection.connection.info.backend_pid
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [ended])
        while other.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [ended]).fetchone():
            time.sleep(0.01)
    return int(ended)


def test_the_first_request_after_a_restart_gets_a_new_connection(client: Client) -> None:
    ended = end_connection()
    assert client.get("/").status_code == 200
    assert connection.connection.info.backend_pid != ended


def test_a_connection_that_lives_is_kept(client: Client) -> None:
    connection.ensure_connection()
    kept = connection.connection
    assert client.get("/").status_code == 200
    assert connection.connection is kept


def test_a_connection_that_was_closed_here_is_replaced(client: Client) -> None:
    connection.ensure_connection()
    connection.connection.close()
    assert client.get("/").status_code == 200


@pytest.mark.expects_errors
def test_control_without_looking_at_the_connection_the_request_fails(client: Client, settings: Any) -> None:
    end_connection()
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "LostConnection" not in name]
    try:
        with pytest.raises(OperationalError):
            client.get("/")
    finally:
        connection.close()
