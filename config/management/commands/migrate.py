"""`manage.py migrate`, safe to run while the service is running."""

import time
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import OperationalError, connections

MAX_TRIES = 5
PAUSE_SECONDS = 3.0

GAVE_UP = """A long transaction is using a table, so the migration stopped. None of its changes were kept.
Look for the oldest transactions: SELECT pid, xact_start, state, query FROM pg_stat_activity ORDER BY xact_start;
Wait until it ends, or end it: SELECT pg_terminate_backend(pid);
Then run this command again. DATABASE_MIGRATION_LOCK_SECONDS is how long each try waits."""


class Command(migrate.Command):
    """Waits only briefly for the lock of a table, then tries again later.

    While a migration waits for a table, all requests to this table wait, too.
    """

    def handle(self, *args: Any, **options: Any) -> None:
        seconds = settings.DATABASE_MIGRATION_LOCK_SECONDS
        for attempt in range(1, MAX_TRIES + 1):
            with connections[options["database"]].cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{seconds}s"])
            try:
                super().handle(*args, **options)
                return
            except OperationalError as error:
                if not isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
                    raise
                if attempt == MAX_TRIES:
                    raise CommandError(GAVE_UP) from error
                self.stdout.write(f"A table is in use. Try {attempt + 1} of {MAX_TRIES} is in {PAUSE_SECONDS:g} s.")
                time.sleep(PAUSE_SECONDS)
