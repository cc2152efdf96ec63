"""An invalid environment variable stops the start with an error that names the variable."""

import runpy
from pathlib import Path

import pytest
from environs import EnvError

from config.embedded.processes import ROOT

SETTINGS = str(ROOT / "config" / "settings.py")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", ""),
        ("RATE_LIMITS", "perhaps"),
        ("SMS_PROVIDER", "pigeon"),
        ("BASE_URL", "drives.example.org"),
        ("BASE_URL", "ftp://drives.example.org"),
        ("DATABASE_URL", "drives"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_nonsense_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(EnvError, match=f'"{name}" invalid'):
        runpy.run_path(SETTINGS)


def test_a_variable_without_a_default_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IDENTITY_KEY")
    with pytest.raises(EnvError, match='"IDENTITY_KEY" not set'):
        runpy.run_path(SETTINGS)


def test_values_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO", "ON")
    monkeypatch.setenv("ALLOWED_HOSTS", "a.example.org, b.example.org")
    monkeypatch.setenv("BASE_URL", "https://drives.example.org/")
    read = runpy.run_path(SETTINGS)
    assert read["DEMO"] is True
    assert read["ALLOWED_HOSTS"] == ["a.example.org", "b.example.org", "localhost"]
    assert read["BASE_URL"] == "https://drives.example.org"


def test_every_command_reads_env_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("BASE_URL=https://from-the-file.example.org\nEMAIL_FROM=file@example.org\n")
    monkeypatch.setenv("ENV_FILE", str(tmp_path / ".env"))
    monkeypatch.setenv("EMAIL_FROM", "environment@example.org")
    monkeypatch.delenv("BASE_URL")
    read = runpy.run_path(SETTINGS)
    assert (read["BASE_URL"], read["EMAIL_FROM"]) == ("https://from-the-file.example.org", "environment@example.org")


def test_without_the_file_nothing_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ENV_FILE", str(tmp_path / "gone"))
    assert runpy.run_path(SETTINGS)["BASE_URL"]
