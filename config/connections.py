"""Keep the database connections of threads usable, and fail fast while the network path to the database is dead."""

import os
import select
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg
from django.conf import settings
from django.db import OperationalError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpRequest, HttpResponse
from psycopg.pq import TransactionStatus

T = TypeVar("T")
LOOK_SECONDS = 0.5  # between two checks of the running requests
PAUSE_SECONDS = 2.0  # how long requests that need a new connection are refused after a connection failed


class PathIsDead(OperationalError):
    """A new connection is refused, because another request has just failed to connect. The request gets 503 at once."""


class LostConnectionMiddleware:
    """Closes connections that the server has closed, so that the request opens a new one.

    An idle server sends data only when it ends the connection, so a connection with data to read is lost. Django's
    CONN_HEALTH_CHECKS would query the server in each request, which takes a tenth of the time of a short request.
    While the request runs, `SilenceWatch` watches its connection.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return run_watched(lambda: self.get_response(request))


def run_watched(work: Callable[[], T]) -> T:
    """Close lost connections, then run work that uses the database.

    While the path to the database is dead and the thread has no connection, raise PathIsDead at once.
    """
    for opened in connections.all(initialized_only=True):
        if opened.connection is not None and _is_connection_lost(opened.connection):
            opened.close()
    if not settings.DATABASE_SILENT_SECONDS:
        return work()
    if connection.connection is None and watch.is_path_dead():
        raise PathIsDead
    return watch.run(work)


@dataclass
class RunningRequest:
    connection: BaseDatabaseWrapper
    statements: int = 0  # how many have begun so far
    seen_statements: int = -1
    silent_since: float = 0.0

    def count_statement(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        self.statements += 1
        return execute(*arguments)


class SilenceWatch:
    """A thread that ends a connection on which a statement or a commit gets no answer.

    A network path can fail without an error. TCP does not notice it if a proxy in between still acknowledges our
    packets. The server's `statement_timeout` is shorter than `DATABASE_SILENT_SECONDS`, so no answer in that time means
    that the server cannot be reached. The waiting request gets an OperationalError, which is a 503.
    """

    def __init__(self) -> None:
        self._running: dict[int, RunningRequest] = {}
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._dead_until = 0.0

    def run(self, work: Callable[[], T]) -> T:
        self._start_thread()
        running = self._running[threading.get_ident()] = RunningRequest(connections["default"])
        try:
            with running.connection.execute_wrapper(running.count_statement):
                return work()
        finally:
            del self._running[threading.get_ident()]

    def is_path_dead(self) -> bool:
        return time.monotonic() < self._dead_until

    def record_failure(self, error: BaseException | None) -> None:
        """Treat the path as dead for `PAUSE_SECONDS` if no connection could be made.

        Requests that need a new connection are refused during this time.
        """
        if not isinstance(error, PathIsDead) and connection.connection is None:
            self._dead_until = time.monotonic() + PAUSE_SECONDS

    def _start_thread(self) -> None:
        if self._thread is None:
            with self._starting:
                if self._thread is None:  # started by the first request, because threads do not survive a fork
                    self._thread = threading.Thread(target=self._look_forever, name="silence-watch", daemon=True)
                    self._thread.start()

    def _look_forever(self) -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            for running in list(self._running.values()):
                self._look_at(running, time.monotonic())

    def _look_at(self, running: RunningRequest, now: float) -> None:
        opened = running.connection.connection
        if opened is None or not _is_waiting(opened) or running.statements != running.seen_statements:
            running.seen_statements, running.silent_since = running.statements, now
        elif now - running.silent_since > settings.DATABASE_SILENT_SECONDS:
            running.seen_statements = -1
            self._dead_until = now + PAUSE_SECONDS
            _end_connection(opened)


watch = SilenceWatch()


def _is_waiting(opened: psycopg.Connection[object]) -> bool:
    return not opened.closed and opened.info.transaction_status == TransactionStatus.ACTIVE


def _end_connection(opened: psycopg.Connection[object]) -> None:
    # The thread that waits for this socket then closes the connection. It may have closed it already.
    with suppress(OSError, psycopg.OperationalError), socket.socket(fileno=os.dup(opened.fileno())) as copy:
        copy.shutdown(socket.SHUT_RDWR)


def _is_connection_lost(opened: psycopg.Connection[object]) -> bool:
    if opened.closed:
        return True
    poller = select.poll()
    poller.register(opened, select.POLLIN)
    return bool(poller.poll(0))
