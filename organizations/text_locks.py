"""Locks on strings, for values without a row to lock, such as a slug that must be unique."""

from django.db import connection

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"


def lock_text(text: str) -> None:
    """Lock this string until the transaction ends. Wait while another transaction has it locked."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [text])
