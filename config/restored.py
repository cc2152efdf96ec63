"""Stop the periodic tasks while the database is a restored copy that no administrator has accepted."""

import logging

from django.core.cache import caches
from django.utils import timezone

from organizations import database_copy

LOG_INTERVAL_SECONDS = 60  # each process logs at most once in this time

logger = logging.getLogger(__name__)


def is_restored_copy() -> bool:
    is_held = database_copy.is_restored_copy(now=timezone.now())
    if is_held and caches["local"].add("restored_copy", "logged", LOG_INTERVAL_SECONDS):
        logger.error(
            "this database is a restored copy, so no message is sent: run `manage.py restored` (docs/runbook.md)"
        )
    return is_held
