"""The worker's Celery app. Each task may run twice, or at the same time as itself."""

import gc
import importlib
import os
from typing import Any

from celery import Celery, Task, bootsteps

from config import schedule

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


class KeyCheck(bootsteps.StartStopStep):
    """Keeps a worker from starting if SECRET_KEY or IDENTITY_KEY does not belong to the database."""

    def start(self, parent: Any) -> None:
        # Imported after Django is set up. The worker's processes must not share this connection.
        importlib.import_module("config.keys").refuse_wrong_keys()
        importlib.import_module("django.db").connections.close_all()


class SharedMemory(bootsteps.Step):
    """Before the worker forks, imports the modules that tasks need, so that its processes share the memory."""

    def create(self, parent: Any) -> None:
        importlib.import_module(importlib.import_module("django.conf").settings.ROOT_URLCONF)
        gc.collect()
        gc.freeze()  # so that a garbage collection in a process does not copy the shared memory


class Sweep(Task):  # type: ignore[type-arg]
    """A periodic task. In a restored copy of the database, it does nothing until `manage.py restored` has run."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        # Imported after Django is set up.
        is_held = importlib.import_module("config.restored").is_restored_copy()
        return {"restored_copy": 1} if is_held else super().__call__(*args, **kwargs)


app = Celery("plasma-drives", task_cls=Sweep)
app.steps["worker"].update({KeyCheck, SharedMemory})
schedule.configure(app)
app.autodiscover_tasks()
