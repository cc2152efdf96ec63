"""The web application with a seeded bug, for the control of the storm: counters are read, thought about, written."""

import time
from functools import partial
from unittest.mock import patch

from config.wsgi import application
from tests.races import arena


class Seeded:
    """Takes the place of pytest's monkeypatch in a process that has no pytest."""

    def setattr(self, target: object, name: str, value: object) -> None:
        patch.object(target, name, value).start()


# No referee reaches into another process: here thinking takes a time.
arena.without_conditional_update(Seeded(), partial(time.sleep, 0.05))  # type: ignore[arg-type]

__all__ = ["application"]
