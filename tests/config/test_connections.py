"""Threads with an open database connection keep working after the database restarts.

They do not wait for a connection that has gone silent.
"""

import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection
from django.test import Client

from config import connections

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


@pytest.fixture
def _dead_path(settings: Any) -> None:
    settings.DATABASE_SILENT_SECONDS = 6
    connection.close()
    connections.watch.record_failure(OperationalError())


@pytest.mark.expects_errors
@pytest.mark.usefixtures("_dead_path")
@pytest.mark.parametrize("language", ["en", "es"])
def test_a_refused_request_gets_the_error_page_in_its_language(language: str) -> None:
    response = Client(raise_request_exception=False).get("/", headers={"accept-language": language})
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert f'<html lang="{language}"' in response.content.decode()
    assert "Content-Security-Policy" in response.headers


@pytest.mark.usefixtures("_dead_path")
def test_a_dead_path_stops_no_static_file(settings: Any, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path
    (tmp_path / "site.css").write_text("body { color: black }")
    response = Client().get("/static/site.css")
    assert response.status_code == 200
    response.close()


def test_the_watch_survives_a_connection_that_closes_at_the_same_moment() -> None:
    connection.ensure_connection()
    opened = connection.connection
    opened.close()
    connections._end_connection(opened)
    connection.close()
