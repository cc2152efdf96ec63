"""Send many requests at the same moment, and count the transactions that are open at once."""

import http.client
import json
import ssl
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tests.programs import database_url

PATIENCE = 60  # seconds


@dataclass(frozen=True)
class Post:
    path: str
    body: dict[str, Any]
    key: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True)
class Answer:
    status: int
    body: dict[str, Any]


def send_all(port: int, posts: Sequence[Post], certificate: Path | None = None) -> list[Answer]:
    """Send each request on its own connection. If there is a `certificate`, use https."""
    context = ssl.create_default_context(cafile=certificate) if certificate else None
    barrier = threading.Barrier(len(posts))
    answers: list[Answer | None] = [None] * len(posts)

    def shoot(position: int, post: Post) -> None:
        connection = _open_connection(port, context)
        connection.connect()
        headers = {"Content-Type": "application/json", "Idempotency-Key": post.key}
        barrier.wait(timeout=PATIENCE)
        connection.request("POST", post.path, json.dumps(post.body), headers)
        response = connection.getresponse()
        answers[position] = Answer(response.status, json.loads(response.read()))
        connection.close()

    threads = [threading.Thread(target=shoot, args=numbered) for numbered in enumerate(posts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=2 * PATIENCE)
    return [answer or Answer(0, {}) for answer in answers]


def _open_connection(port: int, context: ssl.SSLContext | None) -> http.client.HTTPConnection:
    if context:
        return http.client.HTTPSConnection("localhost", port, timeout=PATIENCE, context=context)
    return http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)


@dataclass
class TransactionWatch:
    """The largest number of transactions open at once, counted on a separate connection.

    `looks` is how often they were counted, and `seconds` for how long.
    """

    most: int = 0
    looks: int = 0
    seconds: float = 0.0


@contextmanager
def watch_transactions(barred: int, until: int) -> Iterator[TransactionWatch]:
    """Count open transactions every few milliseconds, on a separate connection.

    Lock the slot with the id `barred` until more than `until` transactions are open, for 30 seconds at most. Requests
    for that slot have to wait. So even a fast machine has many transactions open at once.
    """
    seen, stop, began = TransactionWatch(), threading.Event(), time.monotonic()
    open_now = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND backend_type = 'client backend' AND xact_start IS NOT NULL AND pid <> pg_backend_pid()"
    )

    def watch() -> None:
        with psycopg.connect(database_url(), autocommit=True) as connection:
            while not stop.wait(0.004):
                row = connection.execute(open_now).fetchone()
                seen.most, seen.looks = max(seen.most, row[0] if row else 0), seen.looks + 1
                if bar.info.transaction_status and (seen.most > until or time.monotonic() - began > 30):
                    bar.commit()

    bar = psycopg.connect(database_url())
    bar.execute("SELECT FROM drives_slot WHERE id = %s FOR UPDATE", [barred])
    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        seen.seconds = time.monotonic() - began
        stop.set()
        thread.join()
        bar.close()
