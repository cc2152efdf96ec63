"""Count permanent refusals in a row: those of the provider for each sender of texts, and those of the mail server."""

import logging
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import F

from notifications.models import RefusalRun

logger = logging.getLogger(__name__)


def count_refusals(*, calls: Iterable[tuple[str, str | None]], now: datetime) -> None:
    """Count the refusals among these calls to providers. A success sets the count back to 0.

    Each call is a subject ("sender:5" or "email") and the reason of a refusal, "" for a success, or None if the result
    is unclear. The calls must be in order. Each refusal is logged, without the contact.
    """
    refused: dict[str, list[str]] = {}
    taken: set[str] = set()
    for subject, reason in calls:
        if reason:
            refused.setdefault(subject, []).append(reason)
            logger.warning("%s rejected a message: %s", subject, reason)
        elif reason is not None:
            refused.pop(subject, None)
            taken.add(subject)
    if taken:
        RefusalRun.objects.filter(subject__in=taken).delete()
    for subject, reasons in sorted(refused.items()):
        _count_refusals(subject, reasons, now)


@transaction.atomic(savepoint=False)
def _count_refusals(subject: str, reasons: list[str], now: datetime) -> None:
    row = RefusalRun(subject=subject, first_at=now, reason=reasons[-1][:100])
    RefusalRun.objects.bulk_create([row], ignore_conflicts=True)
    runs = RefusalRun.objects.filter(subject=subject)
    runs.update(refusals=F("refusals") + len(reasons), reason=reasons[-1][:100])
