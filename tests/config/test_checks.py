from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from config import checks

LONG, OTHER = "s" * 32, "i" * 32
SOUND = {
    "DEMO": False,
    "BASE_URL": "https://drives.example.org",
    "RATE_LIMITS": True,
    "SECRET_KEY": LONG,
    "IDENTITY_KEY": OTHER,
    "SMS_PROVIDER": "twilio",
    "TWILIO_ACCOUNT_SID": "AC0",
    "TWILIO_AUTH_TOKEN": "none",
    "TWILIO_FROM": "",
    "TWILIO_MESSAGING_SERVICE_SID": "MG0",
    "EMAIL_URL": "smtp://mail.example.org",
    "DATABASE_STATEMENT_SECONDS": 5,
    "DATABASE_SILENT_SECONDS": 6,
}
ALL = (
    checks.check_demo_address,
    checks.check_rate_limits,
    checks.check_twilio_settings,
    checks.check_secret_keys,
    checks.check_database_limits,
    checks.check_message_providers,
)


def found(**changes: object) -> list[str | None]:
    with override_settings(**(SOUND | changes)):
        return [problem.id for check in ALL for problem in check()]


def test_sound_settings_pass() -> None:
    assert found() == []
    assert found(DATABASE_STATEMENT_SECONDS=0, DATABASE_SILENT_SECONDS=0) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"DEMO": True}, "config.E001"),
        ({"DEMO": True, "BASE_URL": "https://8.8.8.8"}, "config.E001"),
        ({"RATE_LIMITS": False}, "config.E002"),
        ({"TWILIO_AUTH_TOKEN": ""}, "config.E003"),
        ({"TWILIO_MESSAGING_SERVICE_SID": ""}, "config.E003"),
        ({"SECRET_KEY": "short"}, "config.E004"),
        ({"IDENTITY_KEY": "short"}, "config.E004"),
        ({"IDENTITY_KEY": LONG}, "config.E005"),
        ({"DATABASE_STATEMENT_SECONDS": 6}, "config.E006"),
        ({"DATABASE_STATEMENT_SECONDS": 0}, "config.E006"),
        ({"SMS_PROVIDER": "inbox"}, "config.W001"),
        ({"EMAIL_URL": "inbox"}, "config.W001"),
    ],
)
def test_unsound_settings_are_named(changes: dict[str, object], problem: str) -> None:
    assert found(**changes) == [problem]


@pytest.mark.parametrize("address", ["http://localhost:8000", "http://127.0.0.1", "http://192.168.1.20:8000"])
def test_a_demo_may_run_at_home(address: str) -> None:
    assert found(DEMO=True, BASE_URL=address, RATE_LIMITS=False) == []


def test_the_web_server_does_not_start_with_settings_that_are_refused() -> None:
    with (
        override_settings(**(SOUND | {"RATE_LIMITS": False})),
        pytest.raises(ImproperlyConfigured, match=r"config\.E002"),
    ):
        checks.refuse_unsafe_settings()


def test_static_files_that_were_not_collected_are_an_error(settings: Any, tmp_path: Path) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
    settings.STATIC_ROOT = str(tmp_path)
    assert [one.id for one in checks.check_static_files()] == ["config.E007"]
    (tmp_path / "staticfiles.json").write_text("{}")
    assert checks.check_static_files() == []
