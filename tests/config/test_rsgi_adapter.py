"""A web process ends when the process that started it ends."""

import asyncio
import gc
import multiprocessing
import os
import signal
from types import SimpleNamespace

import pytest

from config.rsgi_adapter import RsgiAdapter
from config.wsgi import application


@pytest.mark.parametrize(("has_parent_died", "is_ended"), [(True, True), (False, False)])
def test_a_parent_that_died_during_the_start_is_noticed(
    monkeypatch: pytest.MonkeyPatch, *, has_parent_died: bool, is_ended: bool
) -> None:
    signals: list[tuple[int, int]] = []
    parent = SimpleNamespace(pid=os.getppid() + 1 if has_parent_died else os.getppid())
    monkeypatch.setattr(os, "kill", lambda pid, number: signals.append((pid, number)))
    monkeypatch.setattr(multiprocessing, "parent_process", lambda: parent)
    monkeypatch.setattr(gc, "freeze", lambda: None)
    monkeypatch.setattr(gc, "set_threshold", lambda *_thresholds: None)

    async def start() -> None:
        loop = asyncio.get_running_loop()
        adapter = RsgiAdapter(application, threads=1)
        adapter.__rsgi_init__(loop)
        await asyncio.sleep(0.05)
        adapter.__rsgi_del__(loop)

    asyncio.run(start())
    assert signals == ([(os.getpid(), signal.SIGTERM)] if is_ended else [])
