"""The sweeps of the outbox: a clock and one action each."""

import secrets
from typing import Any

from celery import shared_task
from django.utils import timezone

from notifications import alerts, delivery, queries, reconciliation

_random = secrets.SystemRandom()


@shared_task(name="notifications.tasks.deliver_due")
def deliver_due(**kwargs: Any) -> dict[str, int]:
    """Send what is due."""
    return delivery.deliver_messages(clock=timezone.now, chance=_random.random)


@shared_task(name="notifications.tasks.reconcile_outbox")
def reconcile_outbox(**kwargs: Any) -> dict[str, int]:
    """Look after what is stuck, in doubt or unreported."""
    return reconciliation.reconcile_messages(now=timezone.now())


@shared_task(name="notifications.tasks.watch_delivery")
def watch_delivery(**kwargs: Any) -> dict[str, int]:
    """Say in the log what keeps messages from leaving or arriving."""
    now = timezone.now()
    return alerts.log_delivery_problems(problems=queries.list_delivery_problems(now), now=now)
