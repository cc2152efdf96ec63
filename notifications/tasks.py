import secrets
from typing import Any

from celery import shared_task
from django.utils import timezone

from notifications import alerts, delivery, opt_outs, queries, reconciliation, stuck_messages
from notifications.kinds import Lane
from organizations import sweeps

_random = secrets.SystemRandom()


@shared_task(name="notifications.tasks.deliver_due")
def deliver_due(**kwargs: Any) -> dict[str, int]:
    return delivery.deliver_messages(clock=timezone.now, chance=_random.random)


@shared_task(name="notifications.tasks.deliver_codes")
def deliver_codes(**kwargs: Any) -> dict[str, int]:
    return delivery.deliver_messages(clock=timezone.now, chance=_random.random, seconds=5, lanes=[Lane.CODES])


@shared_task(name="notifications.tasks.reconcile_outbox")
def reconcile_outbox(**kwargs: Any) -> dict[str, int]:
    return reconciliation.reconcile_messages(now=timezone.now())


@shared_task(name="notifications.tasks.watch_delivery")
def watch_delivery(**kwargs: Any) -> dict[str, int]:
    now = timezone.now()
    problems, parked = queries.list_delivery_problems(now), sweeps.count_parked_rows()
    found = stuck_messages.find_blockages(now)
    return alerts.log_delivery_problems(problems=problems, blockages=found, parked=parked, now=now)


@shared_task(name="notifications.tasks.settle_opt_outs")
def settle_opt_outs(**kwargs: Any) -> dict[str, int]:
    return {"opted_out": opt_outs.settle_undecided(now=timezone.now())}
