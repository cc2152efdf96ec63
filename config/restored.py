"""Stop the periodic tasks while the database is a restored copy that no administrator has accepted.

The web server checks this, too, when it starts. So the time when it starts on a copy is known, and `manage.py restored`
keeps the messages that are created after that.
"""

import logging

from django.core.cache import caches
from django.db import DatabaseError
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


def check_at_start() -> None:
    """Log whether the database is a restored copy, and record when. Only warn if the database fails."""
    try:
        is_restored_copy()
    except DatabaseError as error:  # /readyz repeats the check
        logger.warning("no check for a restored copy, because the database failed with %s", type(error).__name__)
