"""Difficult clients for a web server: slow ones, and ones that reuse a connection after an early response."""

import itertools
import json
import random
import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field

HALF_HEAD = b"POST /api/v1/bookings/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/js"
HALF_BODY = (
    b"POST /api/v1/bookings/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b'Content-Length: 1000\r\nIdempotency-Key: 0123456789abcdef\r\n\r\n{"slot": '
)
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
DRIP_SECONDS = 0.05
PATIENCE = 10.0


def connect(port: int) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


@contextmanager
def unfinished(port: int, count: int, sent: bytes) -> Iterator[None]:
    """Keep `count` connections open. Each client has sent only these bytes of its request."""
    with ExitStack() as stack:
        # A server that accepts no more connections keeps other clients waiting, too. The caller measures that.
        with suppress(TimeoutError):
            for _client in range(count):
                stack.enter_context(closing(connect(port))).sendall(sent)
        time.sleep(0.5)
        yield


@contextmanager
def dripping(port: int, count: int) -> Iterator[None]:
    """Keep `count` connections open on which clients send one byte at a time.

    Half of the clients are still sending the request's head, and half the body.
    """
    done = threading.Event()
    with ExitStack() as stack:
        clients = [stack.enter_context(closing(connect(port))) for _client in range(count)]
        dripper = threading.Thread(target=_drip, args=(clients, done))
        dripper.start()
        stack.callback(dripper.join)
        stack.callback(done.set)
        time.sleep(1)
        yield


def _drip(clients: list[socket.socket], done: threading.Event) -> None:
    in_body = clients[::2]
    for client in in_body:
        client.sendall(HALF_BODY)
    for n in itertools.count():
        for client in clients:
            byte = b" " if client in in_body else HALF_HEAD[n % len(HALF_HEAD) :][:1]
            client.sendall(byte)
        if done.wait(DRIP_SECONDS) or n == len(HALF_HEAD) - 1:
            return


def slowest_health(port: int, seconds: float = 3.0) -> float:
    """Return the longest response time of `/healthz` on new connections, or PATIENCE if there is no response."""
    longest, end = 0.0, time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        try:
            with closing(connect(port)) as client:
                client.sendall(HEALTH)
                assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
        except (TimeoutError, ConnectionError):
            return PATIENCE
        longest = max(longest, time.monotonic() - began)
    return longest


@dataclass
class Ask:
    method: str
    path: str
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def head(self) -> bytes:
        lines = [f"{self.method} {self.path} HTTP/1.1", "Host: localhost"]
        if self.body:
            lines.append(f"Content-Length: {len(self.body)}")
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode()


JSON = {"Content-Type": "application/json"}
SMALL = json.dumps({"reason": "x" * 200}).encode()


def mixed(key: str, booking: object) -> Sequence[Ask]:
    """List requests that get a response before their body is read, and ordinary requests."""
    holder = JSON | {"Authorization": f"Bearer {key}"}
    return (
        Ask("POST", "/api/v1/drives/", 401, SMALL, JSON),
        Ask("POST", f"/api/v1/bookings/{booking}/undo/", 400, SMALL, holder),
        Ask("POST", "/api/v1/no-such-call/", 404, SMALL, JSON),
        Ask("PUT", "/api/v1/no-such-call/", 404, SMALL, JSON),
        Ask("DELETE", "/api/v1/no-such-call/", 404, SMALL, JSON),
        Ask("POST", "/api/v1/bookings/", 413, b" " * 70_000, JSON | {"Idempotency-Key": "0123456789abcdef"}),
        Ask("GET", "/healthz", 200),
        Ask("HEAD", "/healthz", 200),
        Ask("GET", "/api/v1/no-such-call/", 404),
    )


def lost(port: int, count: int, asks: Sequence[Ask], pause: float = 0.002, seed: int = 1) -> Counter[str]:
    """Send random requests on persistent connections. Count missing responses and wrong statuses.

    Half of the bodies are sent in a separate packet: as soon as the server responds, at the latest after `pause`
    seconds.
    """
    chance, missed = random.Random(seed), Counter[str]()
    client = connect(port)
    for _request in range(count):
        ask = chance.choice(asks)
        try:
            status, closes = _send(client, ask, pause=pause if chance.random() < 0.5 else None)
            if status != ask.status:
                missed[f"{ask.method} {ask.path}: {status}"] += 1
        except (TimeoutError, ConnectionError) as error:
            missed[f"{ask.method} {ask.path}: {error}"] += 1
            closes = True
        if closes:
            client.close()
            client = connect(port)
    client.close()
    return missed


def _send(client: socket.socket, ask: Ask, *, pause: float | None) -> tuple[int, bool]:
    """Return the status, and whether the server announced that it closes the connection."""
    if pause is not None:
        client.sendall(ask.head)
        select.select([client], [], [], pause)
        client.sendall(ask.body)
    else:
        client.sendall(ask.head + ask.body)
    return _answer(client, has_body=ask.method != "HEAD")


def _answer(client: socket.socket, *, has_body: bool) -> tuple[int, bool]:
    said = _more(client)
    while (end := said.find(b"\r\n\r\n")) < 0:
        said += _more(client)
    head = said[:end].lower()
    length = int(head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0] or 0) if has_body else 0
    while len(said) < end + 4 + length:
        said += _more(client)
    if not head.startswith(b"http/1.1 ") or len(said) > end + 4 + length:
        raise ConnectionError("the answer is not one answer")
    return int(head[9:12]), b"\r\nconnection: close" in head


def _more(client: socket.socket) -> bytes:
    if more := client.recv(65536):
        return more
    raise ConnectionError("the server closed the connection")


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
