"""The sweeps, when beat starts them, and the queues they go to. Beat and the worker read this."""

from datetime import timedelta
from typing import Any

from celery import Celery
from kombu import Queue

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


def configure(app: "Celery[Any]") -> None:
    """Give an app the settings of Celery, the queues and the schedule."""
    app.config_from_object("django.conf:settings", namespace="CELERY")
    # Codes have their own queue. A worker that takes only this queue (`-Q codes`) is never busy with other messages.
    app.conf.task_queues = [Queue("celery"), Queue("codes")]
    app.conf.task_routes = {
        "notifications.tasks.deliver_codes": {"queue": "codes"},
        "drives.tasks.send_search_codes": {"queue": "codes"},
    }
    # A task expires if no worker takes it within its interval, because the next task does the same work. So tasks do
    # not pile up while no worker runs.
    app.conf.beat_schedule = {
        task: {"task": task, "schedule": interval, "options": {"expires": interval.total_seconds()}}
        for task, interval in SWEEPS.items()
    }
