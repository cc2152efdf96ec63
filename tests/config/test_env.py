"""An invalid environment variable stops the start with an error that names the variable."""

import runpy

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
