"""A migration must not block requests while it waits for a lock on a table.

If another transaction holds the table, each try gives up after a few seconds.
"""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from config.management.commands import migrate

pytestmark = pytest.mark.django_db(transaction=True)
READ = "SELECT count(*) FROM organizations_organization"
COLUMN = "ALTER TABLE organizations_organization ADD COLUMN added_by_test integer"


@pytest.fixture(autouse=True)
def _pending_migration(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Add a second migration to `organizations`. It needs an exclusive lock on its table."""
    package = tmp_path / "pending_migrations"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "0001_initial.py").write_text(
        "import importlib\nMigration = importlib.import_module('organizations.migrations.0001_initial').Migration\n"
    )
    (package / "0002_add_column.py").write_text(
        "from django.db import migrations\n"
        "class Migration(migrations.Migration):\n"
        "    dependencies = [('organizations', '0001_initial')]\n"
        f"    operations = [migrations.RunSQL({COLUMN!r})]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(migrate, "PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(migrate, "MAX_TRIES", 2)
    settings.MIGRATION_MODULES = {"organizations": "pending_migrations"}
    yield
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE organizations_organization DROP COLUMN IF EXISTS added_by_test")
        cursor.execute("DELETE FROM django_migrations WHERE app = 'organizations' AND name = '0002_add_column'")
        cursor.execute("RESET lock_timeout")
    for name in [name for name in sys.modules if name.startswith("pending_migrations")]:
        del sys.modules[name]


@pytest.fixture
def holder() -> Iterator[psycopg.Connection[Any]]:
    """Open another transaction, read the table in it, and keep it open."""
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute(READ)
        yield other
        other.rollback()


class Reader(threading.Thread):
    """Reads the table again and again, as requests do. `longest` is its longest wait in seconds."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.ended, self.longest, self.refused = threading.Event(), 0.0, 0
        self.parameters = connection.get_connection_params()

    def run(self) -> None:
        with psycopg.connect(**self.parameters, autocommit=True) as other:
            other.execute("SET statement_timeout = '3s'")
            while not self.ended.is_set():
                begun = time.monotonic()
                try:
                    other.execute(READ)
                except psycopg.errors.QueryCanceled:
                    self.refused += 1
                self.longest = max(self.longest, time.monotonic() - begun)
                time.sleep(0.01)


def has_column() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM information_schema.columns WHERE column_name = 'added_by_test'")
        return cursor.fetchone() is not None


def run_beside_reader(settings: Any, seconds: int) -> Reader:
    settings.DATABASE_MIGRATION_LOCK_SECONDS = seconds
    reader = Reader()
    reader.start()
    try:
        call_command("migrate", "organizations", verbosity=0)
    finally:
        reader.ended.set()
        reader.join(10)
    return reader


def test_it_gives_up_in_time_says_what_to_do_and_serving_goes_on(
    settings: Any, holder: psycopg.Connection[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    settings.DATABASE_MIGRATION_LOCK_SECONDS = 1
    reader, begun = Reader(), time.monotonic()
    reader.start()
    with pytest.raises(CommandError, match="long transaction") as gave_up:
        call_command("migrate", "organizations", verbosity=0)
    reader.ended.set()
    reader.join(10)
    assert "run this command again" in str(gave_up.value)
    assert "Try 2 of 2" in capsys.readouterr().out
    assert time.monotonic() - begun < 8
    assert (reader.refused, reader.longest < 2.5, has_column()) == (0, True, False)


def test_it_waits_for_a_transaction_that_ends_soon(settings: Any, holder: psycopg.Connection[Any]) -> None:
    threading.Timer(0.4, holder.rollback).start()
    assert run_beside_reader(settings, 2).refused == 0
    assert has_column()


def test_control_without_the_limit_requests_wait_behind_the_migration(
    settings: Any, holder: psycopg.Connection[Any]
) -> None:
    threading.Timer(4.5, holder.rollback).start()
    with suppress(CommandError):
        assert run_beside_reader(settings, 0).refused >= 1
    assert has_column()
