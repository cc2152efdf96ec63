"""Keep a process from starting if its SECRET_KEY or IDENTITY_KEY does not belong to the database."""

import logging

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

from organizations import key_fingerprints

logger = logging.getLogger(__name__)


def refuse_wrong_keys() -> None:
    """Raise ImproperlyConfigured if a key is wrong. Otherwise record the keys. Only warn if the database fails."""
    try:
        problems = key_fingerprints.list_key_problems()
        if not problems:
            key_fingerprints.record_keys()
    except DatabaseError as error:  # /readyz repeats the check
        logger.warning("the keys are not checked, because the database failed with %s", type(error).__name__)
        return
    if problems:
        raise ImproperlyConfigured(" ".join(problems))
