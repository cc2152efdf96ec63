"""`manage.py doctor` finds each mistake in an installation and says how to fix it."""

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import override_settings
from django.utils import timezone

from config import doctor
from notifications.models import Heartbeat, RefusalRun
from organizations import database_copy, key_fingerprints
from organizations.models import DatabaseMarker
from tests import builders

pytestmark = pytest.mark.django_db
SOUND: dict[str, Any] = {
    "BASE_URL": "https://drives.example.org",
    "SECURE": True,
    "ALLOWED_HOSTS": ["drives.example.org", "localhost"],
    "BEHIND_PROXY": True,
    "SMS_PROVIDER": "twilio",
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "0" * 32,
    "TWILIO_FROM": "+12025550100",
    "EMAIL_URL": "submission://mail.example.org",
    "EMAIL_FROM": "Drives <drives@example.org>",
    "REDIS_URL": "filesystem:///tmp/queue",
    "SECURE_SSL_REDIRECT": True,
    "SECURE_HSTS_SECONDS": 31_536_000,
    "SESSION_COOKIE_SECURE": True,
    "CSRF_COOKIE_SECURE": True,
    "SECRET_KEY": "tests-only-secret-key-that-is-long-enough-for-the-system-check",
}


@pytest.fixture
def sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set up an installation in which doctor finds no mistake."""
    for name in ("DATABASE_URL", "REDIS_URL", "EMAIL_URL"):
        monkeypatch.setenv(name, "scheme://drives:a%40b@host/name")
    key_fingerprints.record_keys()
    database_copy.accept_database(now=timezone.now())
    builders.organization()
    Heartbeat.objects.create(name="deliver_due", seen_at=timezone.now())
    with override_settings(**SOUND, ERASURES_FILE=str(tmp_path / "erasures.jsonl")):
        yield


def find_codes() -> list[str]:
    return sorted({finding.code for finding in doctor.examine()})


@pytest.mark.usefixtures("sound")
def test_a_sound_installation_has_no_finding() -> None:
    assert find_codes() == []


@pytest.mark.usefixtures("sound")
@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"ALLOWED_HOSTS": ["localhost"]}, ["allowed_hosts"]),
        ({"SECURE": False}, ["https"]),
        ({"BEHIND_PROXY": False}, ["behind_proxy"]),
        ({"TRUSTED_PROXIES": ["proxy.example.org"]}, ["trusted_proxies"]),
        ({"METRICS_TOKEN": "x" * 15}, ["metrics_token"]),
        ({"METRICS_TOKEN": "x" * 16}, []),
        ({"TWILIO_ACCOUNT_SID": "SK" + "0" * 32}, ["twilio"]),
        ({"TWILIO_AUTH_TOKEN": "0" * 31}, ["twilio"]),
        ({"TWILIO_MESSAGING_SERVICE_SID": "0" * 34}, ["notifications.E003"]),
        ({"TWILIO_FROM": "2025550100"}, ["notifications.E002"]),
        ({"TWILIO_AUTH_TOKEN": ""}, ["config.E003"]),
        ({"SECRET_KEY_FALLBACKS": [], "IDENTITY_KEY": "short"}, ["config.E004", "keys"]),
        ({"EMAIL_FROM": "drives"}, ["notifications.E005"]),
        ({"EMAIL_FROM": "Drives <drives@localhost>"}, ["notifications.W002"]),
        ({"EMAIL_FROM": "drives@localhost", "EMAIL_URL": "inbox"}, ["config.W001"]),
        ({"EMAIL_URL": "inbox"}, ["config.W001"]),
        ({"RATE_LIMITS": False}, ["config.E002"]),
        ({"DEMO": True}, ["config.E001"]),
        ({"ERASURES_FILE": ""}, ["erasures_file"]),
        ({"ERASURES_FILE": "/nowhere/erasures.jsonl"}, ["erasures_file"]),
        ({"REDIS_URL": "redis://127.0.0.1:1/0"}, ["redis"]),
        ({"DATABASE_SILENT_SECONDS": 6, "DATABASE_STATEMENT_SECONDS": 6}, ["config.E006"]),
    ],
)
def test_a_wrong_setting_is_found(changes: dict[str, Any], codes: list[str]) -> None:
    with override_settings(**changes):
        assert find_codes() == codes


@pytest.mark.usefixtures("sound")
@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL", "EMAIL_URL"])
@pytest.mark.parametrize("password", ["a@b", "a#b", "a%b", "a/b", "a?b"])
def test_a_special_character_that_is_not_encoded_is_found(
    monkeypatch: pytest.MonkeyPatch, name: str, password: str
) -> None:
    monkeypatch.setenv(name, f"scheme://drives:{password}@host/name")
    assert find_codes() == ["encoding"]


@pytest.mark.usefixtures("sound")
def test_static_files_that_were_not_collected_are_found(settings: Any, tmp_path: Path) -> None:
    backend = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    settings.STORAGES, settings.STATIC_ROOT = {**settings.STORAGES, "staticfiles": backend}, str(tmp_path)
    assert find_codes() == ["config.E007"]


@pytest.mark.usefixtures("sound")
def test_a_missing_migration_is_found() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'drives' AND name LIKE '0002%'")
    assert find_codes() == ["migrations"]


@pytest.mark.usefixtures("sound")
def test_a_database_without_tables_only_needs_migrations() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA without_tables")
        cursor.execute("SET LOCAL search_path = without_tables")
    assert find_codes() == ["migrations"]


@pytest.mark.usefixtures("sound")
@pytest.mark.parametrize(
    ("age", "codes"), [(None, ["beat"]), (timedelta(seconds=61), ["beat"]), (timedelta(seconds=55), [])]
)
def test_a_silent_beat_is_found(age: timedelta | None, codes: list[str]) -> None:
    Heartbeat.objects.all().delete()
    if age:
        Heartbeat.objects.create(name="deliver_due", seen_at=timezone.now() - age)
    assert find_codes() == codes


@pytest.mark.usefixtures("sound")
@pytest.mark.parametrize(("minutes", "codes"), [(24 * 60 - 1, ["untrusted_proxy"]), (24 * 60, [])])
def test_an_untrusted_proxy_is_found_for_a_day(minutes: int, codes: list[str]) -> None:
    seen_at = timezone.now() - timedelta(minutes=minutes)
    Heartbeat.objects.create(name="untrusted_proxy", seen_at=seen_at)
    assert find_codes() == codes


@pytest.mark.usefixtures("sound")
def test_a_restored_copy_a_refusal_and_an_untrusted_proxy_are_found() -> None:
    DatabaseMarker.objects.update(marker="another")
    RefusalRun.objects.create(subject="email", refusals=5, first_at=timezone.now(), reason="550 refused")
    Heartbeat.objects.create(name="untrusted_proxy", seen_at=timezone.now())
    assert find_codes() == ["refused", "restored", "untrusted_proxy"]


@pytest.mark.usefixtures("sound")
@pytest.mark.parametrize(("seconds", "codes"), [(4, []), (6, ["clock"])])
def test_a_wrong_clock_is_found(monkeypatch: pytest.MonkeyPatch, seconds: int, codes: list[str]) -> None:
    here = timezone.now
    monkeypatch.setattr("config.doctor.timezone.now", lambda: here() + timedelta(seconds=seconds))
    assert find_codes() == codes


@pytest.mark.usefixtures("sound")
def test_a_database_that_is_away_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> Iterator[doctor.Finding]:
        raise OperationalError("refused\n\tDoes the server run?")

    monkeypatch.setattr(doctor, "_DATABASE_CHECKS", (refuse,))
    [finding] = doctor.examine()
    assert (finding.code, finding.sentence) == ("database", "The database fails: refused Does the server run?")


# The first is no URL at all; the second names no database.
@pytest.mark.parametrize("password", ["p#q", "p@s#q"])
def test_a_special_character_in_a_password_is_named_without_a_traceback(password: str) -> None:
    said = run_doctor(DATABASE_URL=f"postgresql://drives:{password}@127.0.0.1:1/drives")
    assert "DATABASE_URL" in said
    assert "percent-encoded" in said
    assert password not in said


def test_a_key_that_is_missing_is_named_without_a_traceback() -> None:
    said = run_doctor(SECRET_KEY="")
    assert '"SECRET_KEY"' in said
    assert ".env.example" in said


def run_doctor(**environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", "doctor"],
        cwd=settings.ROOT,
        env={**os.environ, "ENV_FILE": "", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert "Traceback" not in said
    return said


@pytest.mark.usefixtures("sound")
def test_doctor_names_the_remedy_and_exits_with_1_on_an_error() -> None:
    said = io.StringIO()
    with override_settings(ALLOWED_HOSTS=["localhost"]), pytest.raises(SystemExit) as stopped:
        call_command("doctor", stdout=said)
    assert stopped.value.code == 1
    assert "ERROR allowed_hosts: BASE_URL has the host drives.example.org" in said.getvalue()
    assert "Add drives.example.org to ALLOWED_HOSTS." in said.getvalue()
    with override_settings(ERASURES_FILE=""):
        call_command("doctor", stdout=said)
    assert "0 errors" in said.getvalue()
