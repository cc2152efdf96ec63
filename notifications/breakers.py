"""Circuit breakers: pause a sender or the mail server after repeated failures, and resume after a successful probe."""

import logging
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from notifications import rules
from notifications.models import Breaker

logger = logging.getLogger(__name__)


def count_failures(*, calls: Iterable[tuple[str, bool]], now: datetime) -> None:
    """Open or close breakers after these calls, which must be in order. A call is (subject, whether it failed)."""
    failures: dict[str, int] = {}
    successes: set[str] = set()
    for subject, failed in calls:
        if failed:
            failures[subject] = failures.get(subject, 0) + 1
        else:
            failures.pop(subject, None)
            successes.add(subject)
    if successes:
        _close_breakers(successes)
    for subject, count in sorted(failures.items()):
        _count_failures(subject, count, now)


@transaction.atomic(savepoint=False)
def _close_breakers(subjects: set[str]) -> None:
    failing = Breaker.objects.filter(subject__in=subjects, failures__gt=0)
    rows = failing.order_by("subject").select_for_update(no_key=True).values_list("pk", "subject", "open_until")
    for pk, subject, open_until in rows:
        Breaker.objects.filter(pk=pk).update(failures=0, trips=0, opened_at=None, open_until=None, probing=False)
        if open_until:
            logger.info("%s works again", subject)


@transaction.atomic(savepoint=False)
def _count_failures(subject: str, count: int, now: datetime) -> None:
    Breaker.objects.bulk_create([Breaker(subject=subject)], ignore_conflicts=True)
    row = Breaker.objects.select_for_update(no_key=True).get(subject=subject)
    row.failures += count
    if row.probing or (row.open_until is None and row.failures >= rules.BREAKER_FAILURES):
        row.open_until = now + rules.BREAKER_OPEN_DURATIONS[min(row.trips, len(rules.BREAKER_OPEN_DURATIONS) - 1)]
        row.opened_at = row.opened_at or now
        row.trips, row.probing = row.trips + 1, False
        logger.warning("%s is paused after %s failures in a row", subject, row.failures)
    row.save()
