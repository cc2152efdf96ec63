"""The Celery app and the beat schedule. Each task may run twice, or at the same time as itself."""

import gc
import importlib
import os
from datetime import timedelta
from typing import Any

from celery import Celery, Task, bootsteps
from kombu import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
SWEEPS = {
    "notifications.tasks.deliver_codes": 2 * SECOND,
    "notifications.tasks.deliver_due": 2 * SECOND,
    "notifications.tasks.reconcile_outbox": 30 * SECOND,
    "notifications.tasks.watch_delivery": MINUTE,
    "notifications.tasks.settle_opt_outs": 10 * MINUTE,
    "drives.tasks.send_search_codes": 2 * SECOND,
    "drives.tasks.answer_replies": 5 * SECOND,
    "drives.tasks.render_reminders": 30 * SECOND,
    "drives.tasks.send_fallback_emails": MINUTE,
    "drives.tasks.lapse_unverified_holds": 30 * SECOND,
    "drives.tasks.offer_spots": 2 * SECOND,
    "drives.tasks.close_out_drives": MINUTE,
    "drives.tasks.alert_coordinators": 10 * MINUTE,
    "drives.tasks.send_cancellation_digests": MINUTE,
    "drives.tasks.run_imports": 2 * SECOND,
    "drives.tasks.send_invitations": HOUR,
    "drives.tasks.audit_counters": 10 * MINUTE,  # but audits only once an hour
    "drives.tasks.purge_expired_rows": HOUR,
    "drives.tasks.apply_retention": 6 * HOUR,
}


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
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# Codes have their own queue. A worker that takes only this queue (`-Q codes`) is never busy with other messages.
app.conf.task_queues = [Queue("celery"), Queue("codes")]
app.conf.task_routes = {
    "notifications.tasks.deliver_codes": {"queue": "codes"},
    "drives.tasks.send_search_codes": {"queue": "codes"},
}
# A task expires if no worker takes it within its interval, because the next task does the same work. So tasks do not
# pile up while no worker runs.
app.conf.beat_schedule = {
    task: {"task": task, "schedule": interval, "options": {"expires": interval.total_seconds()}}
    for task, interval in SWEEPS.items()
}
