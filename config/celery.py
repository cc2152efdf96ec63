"""The worker's Celery app. Each task may run twice, or at the same time as itself."""

import importlib
import os
from typing import Any

from celery import Celery, Task, bootsteps

from config import schedule

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Celery ignores what Django's checks find, and they would load all pages.
os.environ.setdefault("CELERY_SKIP_CHECKS", "true")


class KeyCheck(bootsteps.StartStopStep):
    """Keeps a worker from starting if SECRET_KEY or IDENTITY_KEY does not belong to the database."""

    def start(self, parent: Any) -> None:
        # Imported after Django is set up. The worker's processes must not share this connection.
        importlib.import_module("config.keys").refuse_wrong_keys()
        importlib.import_module("django.db").connections.close_all()


class SharedMemory(bootsteps.Step):
    """Loads what tasks need before the worker forks, so that its processes share the memory."""

    def create(self, parent: Any) -> None:
        # Imported after Django is set up. Not the pages: see `drives.web.links`.
        importlib.import_module("notifications.providers").load_libraries()
        importlib.import_module("cffi.cparser")  # billiard imports it in each process, to end with its parent
        preload = importlib.import_module("config.preload")
        preload.load_texts()
        preload.freeze()


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
