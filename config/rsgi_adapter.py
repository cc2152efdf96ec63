"""Run a WSGI application on Granian (RSGI). A request gets a thread only after it has arrived completely.

So a client that sends only part of a request keeps a connection open but uses no thread. A body is read to its end,
even if the view ignores it, because the next request on the connection starts after it. If a body is too long for this,
the connection is closed.
"""

import asyncio
import gc
import io
import multiprocessing
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, NamedTuple, Protocol
from wsgiref.types import WSGIApplication

from django.conf import settings
from granian.rsgi import Scope

BODY_TIMEOUT_SECONDS = 30
MAX_DISCARDED_BYTES = 16 * 1024 * 1024  # how much of a body that is too long is read before the connection is closed
MAX_BUFFERED_BYTES = 64 * 1024 * 1024  # for all bodies in one process

Headers = list[tuple[str, str]]

_CLOSE_HEADERS: Headers = [("connection", "close")]
_ALIVE = b'{"ok": true}'
_ALIVE_HEADERS: Headers = [
    ("content-type", "application/json"),
    ("content-length", str(len(_ALIVE))),
    ("cache-control", "no-store"),
]


class RsgiProtocol(Protocol):
    """The part of Granian's HTTPProtocol that we use."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...
    def response_empty(self, status: int, headers: Headers) -> None: ...
    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None: ...


class WsgiResponse(NamedTuple):
    status: int
    headers: Headers
    content: bytes


class RequestBody:
    """The part of a request's body that has arrived so far.

    A body over the limit is dropped. `length` still counts the dropped chunks, because Django refuses a long body by
    its length.
    """

    def __init__(self, path: str) -> None:
        is_upload = path.startswith(settings.UPLOAD_PATHS)
        self.limit = settings.MAX_UPLOAD_BYTES if is_upload else settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
        self.chunks: list[bytes] = []
        self.length = self.buffered_bytes = 0

    def add(self, chunk: bytes) -> None:
        self.length += len(chunk)
        if self.length > self.limit:
            self.chunks, self.buffered_bytes = [], 0
        else:
            self.chunks.append(chunk)
            self.buffered_bytes = self.length


class RsgiAdapter:
    """The RSGI application. Each process has one."""

    def __init__(self, application: WSGIApplication, threads: int) -> None:
        self.application = application
        self.threads = threads
        self.buffered_bytes = 0

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.pool = ThreadPoolExecutor(self.threads, "request")
        # Not getppid(), because the parent may have died while this process started.
        parent = multiprocessing.parent_process()
        self._watch = loop.create_task(_stop_when_orphaned(parent.pid if parent and parent.pid else os.getppid()))
        # Collect garbage rarely, and never objects from before the first request. Garbage collection took a tenth of
        # the time of a request.
        gc.freeze()
        gc.set_threshold(10_000, 20, 50)

    def __rsgi_del__(self, _loop: asyncio.AbstractEventLoop) -> None:
        self.pool.shutdown()

    async def __rsgi__(self, scope: Scope, exchange: RsgiProtocol) -> None:
        body = RequestBody(scope.path)
        try:
            if refusal := await self.receive_body(scope, exchange, body):
                exchange.response_empty(refusal, _CLOSE_HEADERS)
                return
            if scope.path == "/healthz" and scope.method in ("GET", "HEAD"):
                # Respond without a thread, because all threads may be waiting for the database.
                exchange.response_bytes(HTTPStatus.OK, _ALIVE_HEADERS, b"" if scope.method == "HEAD" else _ALIVE)
                return
            answer = await asyncio.get_running_loop().run_in_executor(self.pool, self._run_application, scope, body)
            close_headers = _CLOSE_HEADERS if body.length > MAX_DISCARDED_BYTES else []
            exchange.response_bytes(answer.status, answer.headers + close_headers, answer.content)
        finally:
            self.buffered_bytes -= body.buffered_bytes

    async def receive_body(self, scope: Scope, exchange: RsgiProtocol, body: RequestBody) -> HTTPStatus | None:
        """Read the body, but not more than `MAX_DISCARDED_BYTES`. Return the status of a refusal, or None.

        A body over its limit is no reason to refuse the request here, because Django refuses it.
        """
        if "content-length" not in scope.headers and "transfer-encoding" not in scope.headers:
            return None
        try:
            async with asyncio.timeout(BODY_TIMEOUT_SECONDS):
                await self._read_body(exchange, body)
        except TimeoutError:
            return HTTPStatus.REQUEST_TIMEOUT
        if self.buffered_bytes > MAX_BUFFERED_BYTES:
            return HTTPStatus.SERVICE_UNAVAILABLE
        announced = int(scope.headers.get("content-length", 0))
        return HTTPStatus.BAD_REQUEST if body.length < min(announced, MAX_DISCARDED_BYTES) else None

    async def _read_body(self, exchange: RsgiProtocol, body: RequestBody) -> None:
        async for chunk in exchange:
            before = body.buffered_bytes
            body.add(chunk)
            self.buffered_bytes += body.buffered_bytes - before
            if self.buffered_bytes > MAX_BUFFERED_BYTES or body.length > MAX_DISCARDED_BYTES:
                return

    def _run_application(self, scope: Scope, body: RequestBody) -> WsgiResponse:
        status, headers = "", Headers()
        content: list[bytes] = []

        def start_response(line: str, pairs: Headers, _error: object = None) -> Any:
            nonlocal status, headers
            status, headers = line, pairs
            return content.append

        parts: Iterable[bytes] = self.application(_build_environ(scope, body), start_response)
        try:
            content.extend(parts)
        finally:
            if hasattr(parts, "close"):
                parts.close()
        return WsgiResponse(int(status[:3]), headers, b"".join(content))


def _build_environ(scope: Scope, body: RequestBody) -> dict[str, Any]:
    name, _, port = scope.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "CONTENT_LENGTH": str(body.length),
        "SERVER_NAME": name,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(b"".join(body.chunks)),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for header, value in scope.headers.items():
        _add_header(environ, header, value)
    return environ


def _add_header(environ: dict[str, Any], header: str, value: str) -> None:
    """Add a header. Drop a name with an underscore, because WSGI cannot tell it from a name with a hyphen."""
    if header == "content-length" or "_" in header:
        return
    key = header.upper().replace("-", "_")
    if key != "CONTENT_TYPE":
        key = f"HTTP_{key}"
    environ[key] = f"{environ[key]},{value}" if key in environ else value


async def _stop_when_orphaned(parent: int) -> None:
    """Stop this process when its parent has died. Otherwise it would keep the port."""
    while os.getppid() == parent:
        await asyncio.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)
