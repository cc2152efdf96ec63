"""Locks for texts that have no row yet, for example an address that must be unique."""

from django.db import connection

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"


def lock_text(text: str) -> None:
    """Wait until no other transaction has the lock of this text, and keep it until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [text])
