"""Nonsense in the environment stops the start with a sentence that names the variable."""

from collections.abc import Callable

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (lambda: env.text("TRIED"), ""),
        (lambda: env.flag("TRIED", default=True), "perhaps"),
        (lambda: env.choice("TRIED", ("a", "b"), "a"), "c"),
        (lambda: env.url("TRIED"), "drives.example.org"),
        (lambda: env.url("TRIED"), "ftp://drives.example.org"),
        (lambda: env.number("TRIED", 1), "-1"),
        (lambda: env.number("TRIED", 1), "1.5"),
    ],
)
def test_nonsense_is_refused(monkeypatch: pytest.MonkeyPatch, read: Callable[[], object], value: str) -> None:
    monkeypatch.setenv("TRIED", value)
    with pytest.raises(ImproperlyConfigured, match="TRIED is"):
        read()


def test_values_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIED", " ON ")
    assert env.flag("TRIED", default=False) is True
    monkeypatch.setenv("TRIED", "a, b,,c ")
    assert env.words("TRIED") == ["a", "b", "c"]
    monkeypatch.setenv("TRIED", "https://drives.example.org/")
    assert env.url("TRIED") == "https://drives.example.org"
    monkeypatch.setenv("TRIED", "")
    assert env.number("TRIED", 7) == 7
