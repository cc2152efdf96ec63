"""The web application with a seeded bug in the slot counters, as a control for the load test."""

import time
from functools import partial
from unittest.mock import patch

from config.wsgi import application
from tests.races import arena


class Seeded:
    """Replaces pytest's monkeypatch in a process that does not run pytest."""

    def setattr(self, target: object, name: str, value: object) -> None:
        patch.object(target, name, value).start()


# The test cannot control pauses in another process, so this one sleeps.
arena.without_conditional_update(Seeded(), partial(time.sleep, 0.05))  # type: ignore[arg-type]

__all__ = ["application"]
