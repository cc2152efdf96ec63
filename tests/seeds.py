"""Pauses and seeded bugs for race tests. If a pause or bug is never reached, its test fails.

Replace a function in the module that calls it. If that module has imported the function by name, a replacement
elsewhere has no effect.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from types import SimpleNamespace
from typing import Any

import pytest

from tests import storm


@dataclass
class _Expectation:
    name: str
    reached: bool = False


_expected: list[_Expectation] = []


@contextmanager
def all_reached() -> Iterator[None]:
    """Fail at the end if a pause or seeded bug was never reached."""
    outer = _expected[:]
    _expected.clear()
    try:
        yield
        missed = [expectation.name for expectation in _expected if not expectation.reached]
        assert not missed, f"never reached: {', '.join(missed)}"
    finally:
        _expected[:] = outer


def expect(name: str) -> _Expectation:
    expectation = _Expectation(name)
    _expected.append(expectation)
    return expectation


def replace(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, seeded: Callable[..., Any]) -> None:
    """Replace a function with a seeded bug. The test fails if the bug is never called."""
    expectation = expect(_full_name(module, name))

    def call(*asked: Any, **named: Any) -> Any:
        expectation.reached = True
        return seeded(*asked, **named)

    monkeypatch.setattr(module, name, call)


def replace_in(monkeypatch: pytest.MonkeyPatch, caller: Any, module: Any, **seeded: Callable[..., Any]) -> None:
    """Replace functions of `module` for one caller only. Other modules still call the original functions."""
    [local] = [name for name, value in vars(caller).items() if value is module]
    changed = SimpleNamespace(**vars(module))
    for name, function in seeded.items():
        replace(monkeypatch, changed, name, function)
    monkeypatch.setattr(caller, local, changed)


def pausing(name: str) -> Callable[[], None]:
    """Return a function that pauses. The actions of a race wait for each other there."""
    expectation = expect(f"pause in {name}")

    def pause() -> None:
        expectation.reached |= storm.pause()

    return pause


def then_pause(read: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Wrap a function so that it pauses before it returns its result."""
    return followed_by(pausing(name), read)


def followed_by(pause: Callable[[], None], read: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(read)
    def slowly(*asked: Any, **named: Any) -> Any:
        found = read(*asked, **named)
        pause()
        return found

    return slowly


def pause_after(monkeypatch: pytest.MonkeyPatch, module: Any, *reads: str) -> None:
    """Pause after each of these functions, before the caller uses its result."""
    for name in reads:
        monkeypatch.setattr(module, name, then_pause(getattr(module, name), _full_name(module, name)))


def pause_before(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> None:
    act, pause = getattr(module, name), pausing(_full_name(module, name))

    def slowly(*asked: Any, **named: Any) -> Any:
        pause()
        return act(*asked, **named)

    monkeypatch.setattr(module, name, slowly)


def _full_name(module: Any, name: str) -> str:
    return f"{getattr(module, '__name__', 'a copy')}.{name}"
