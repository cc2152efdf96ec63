"""Fast load clients. Each client is a process with an open connection, prepared requests and minimal parsing."""

import multiprocessing
import multiprocessing.synchronize
import socket
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

CLIENTS = 8
# Takes the number of the client and of the request, and returns the bytes of the request.
RequestFactory = Callable[[int, int], bytes]


@dataclass
class Measurement:
    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)  # of the same requests
    next_number: int = 0  # no client has sent this number or a higher one

    @property
    def rate(self) -> float:
        return len(self.times) / self.seconds if self.seconds else 0.0

    def expect(self, *statuses: int) -> "Measurement":
        """Raise RuntimeError if any response has another status, because the measurement is then worthless."""
        if set(self.statuses) - {*statuses}:
            raise RuntimeError(f"expected {statuses} only, was answered {dict(Counter(self.statuses))}")
        return self

    def select(self, status: int) -> "Measurement":
        """Return the part of the measurement with this status."""
        times = [seconds for seconds, answered in zip(self.times, self.statuses, strict=True) if answered == status]
        return Measurement(self.seconds, times, [status] * len(times), self.next_number)

    def merge(self, other: "Measurement") -> None:
        self.seconds += other.seconds
        self.times += other.times
        self.statuses += other.statuses
        self.next_number = max(self.next_number, other.next_number)


def run_clients(
    port: int,
    requests: RequestFactory,
    *,
    seconds: float,
    clients: int = CLIENTS,
    first: int = 0,
    intervals: Mapping[int, float] | None = None,
) -> Measurement:
    """Run clients in parallel for `seconds`. Each client numbers its requests from `first`.

    `intervals` maps a client's number to the seconds from the start of one request to the start of the next. Clients
    without an interval do not pause.
    """
    # Forked clients share the prepared requests, so nothing is pickled.
    fork = multiprocessing.get_context("fork")
    start = fork.Barrier(clients + 1)
    ends: list[Connection] = []
    for number in range(clients):
        here, there = fork.Pipe(duplex=False)
        interval = (intervals or {}).get(number, 0.0)
        fork.Process(
            target=_run_client, args=(port, requests, number, first, seconds, interval, start, there), daemon=True
        ).start()
        ends.append(here)
    start.wait()
    return _collect_measurement(ends, time.perf_counter())


def compute_percentile_ms(times: Sequence[float], share: float) -> float:
    ordered = sorted(times)
    return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def build_get_request(path: str, **headers: str) -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def build_post_request(path: str, body: bytes, headers: str = "", kind: str = "application/json") -> bytes:
    common_headers = f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n{headers}"
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{common_headers}\r\n"
    return head.encode() + body


class KeptConnection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        # Send small requests at once instead of waiting for an acknowledgment.
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> tuple[int, bytes]:
        head, body = self._answer(request)
        return int(head[9:12]), body

    def head(self, request: bytes) -> str:
        return self._answer(request)[0].decode()

    def _answer(self, request: bytes) -> tuple[bytes, bytes]:
        self.socket.sendall(request)
        answer = self.socket.recv(65536)
        while (end := answer.find(b"\r\n\r\n")) < 0:
            answer += self._more()
        head = answer[:end].lower()
        at = head.find(b"\r\ncontent-length:")
        length = int(head[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        while len(answer) < end + 4 + length:
            answer += self._more()
        return answer[:end], answer[end + 4 :]

    def _more(self) -> bytes:
        if more := self.socket.recv(1 << 20):
            return more
        raise ConnectionError("the server closed the connection")


def _run_client(
    port: int,
    requests: RequestFactory,
    number: int,
    first: int,
    seconds: float,
    interval: float,
    start: "multiprocessing.synchronize.Barrier",
    end: Connection,
) -> None:
    connection, measured, n = KeptConnection(port), Measurement(), first
    start.wait()
    began = time.perf_counter()
    while (sent_at := time.perf_counter()) < began + seconds:
        status, _body = connection.ask(requests(number, n))
        measured.times.append(time.perf_counter() - sent_at)
        measured.statuses.append(status)
        n += 1
        if interval:
            time.sleep(max(0.0, began + (n - first) * interval - time.perf_counter()))
    measured.next_number = n
    end.send(measured)


def _collect_measurement(ends: Sequence[Connection], began: float) -> Measurement:
    collected = Measurement()
    for end in ends:
        collected.merge(end.recv())
    collected.seconds = time.perf_counter() - began
    return collected
