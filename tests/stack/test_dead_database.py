"""The network path to the database goes silent.

Requests get 503 within seconds, and the service recovers by itself.
"""

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from django.db import connection

from config.embedded.guard import Guard
from tests import builders, figures, programs

pytestmark = [pytest.mark.stack, pytest.mark.django_db(transaction=True)]
CLIENTS = 24  # more than the server's threads
WITHIN = 10.0


class SilentProxy:
    """A TCP proxy for PostgreSQL's socket. While `is_silent`, it accepts data but forwards none."""

    def __init__(self) -> None:
        self.is_silent = False
        self._ends: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.is_silent = False
        self._listener.close()
        _shut_down(*self._ends)
        for thread in self._threads:
            thread.join(5)
        for end in self._ends:
            end.close()

    def _accept(self) -> None:
        host = connection.settings_dict["HOST"] or connection.settings_dict["OPTIONS"]["host"]
        with suppress(OSError):
            while True:
                client, _address = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(f"{host}/.s.PGSQL.5432")
                self._ends += [client, server]
                for pair in ((client, server), (server, client)):
                    thread = threading.Thread(target=self._pass_on, args=pair, daemon=True)
                    self._threads.append(thread)
                    thread.start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                while self.is_silent:
                    time.sleep(0.02)
                target.sendall(data)
        _shut_down(source, target)


def _shut_down(*ends: socket.socket) -> None:
    # Unlike `close`, this wakes the thread that reads from the other end.
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def web_behind_proxy(guard: Guard, log: Path, **environment: str) -> Iterator[tuple[SilentProxy, int]]:
    proxy = SilentProxy()
    url = f"postgresql://postgres@127.0.0.1:{proxy.port}/{connection.settings_dict['NAME']}"
    size = {"WEB_CONCURRENCY": "1", "WEB_THREADS": "8"}
    try:
        with programs.web(guard, log, DATABASE_URL=url, **size, **environment) as port:
            yield proxy, port
    finally:
        proxy.close()


def ask(port: int, path: str, timeout: float = 30.0) -> tuple[int, str | None, float]:
    """Return the response's status (0 after a timeout), its Retry-After header, and the seconds that the call took."""
    client, began = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout), time.monotonic()
    try:
        client.request("GET", path, headers={"Host": "localhost"})
        answer = client.getresponse()
        return answer.status, answer.getheader("Retry-After"), time.monotonic() - began
    except TimeoutError:
        return 0, None, time.monotonic() - began
    finally:
        client.close()


def test_a_dead_path_is_503_in_time_and_recovers(tmp_path: Path, guard: Guard, request: pytest.FixtureRequest) -> None:
    page = f"/api/v1/drives/{builders.coming_drive().pk}/slots/?visit=return"
    with web_behind_proxy(guard, tmp_path / "log") as (proxy, port):
        with ThreadPoolExecutor(CLIENTS) as clients:
            assert {status for status, *_rest in clients.map(lambda _n: ask(port, page), range(CLIENTS))} == {200}
            proxy.is_silent = True
            answers = [clients.submit(ask, port, page) for _client in range(CLIENTS - 1)]
            alive = []
            while not all(answer.done() for answer in answers):
                alive.append(ask(port, "/healthz"))
                time.sleep(0.2)
            found = [answer.result() for answer in answers]
            again = [ask(port, page) for _time in range(3)]
        assert {(status, retry) for status, retry, _seconds in [*found, *again]} == {(503, "5")}
        slowest = max(seconds for *_rest, seconds in [*found, *again])
        assert slowest <= WITHIN
        assert {status for status, *_rest in alive} == {200}
        assert max(seconds for *_rest, seconds in alive) <= 1.0
        proxy.is_silent, began = False, time.monotonic()
        assert programs.eventually(lambda: ask(port, page)[0] == 200, WITHIN)
        recovered = time.monotonic() - began
    figures.note(request, "dead path", f"503 in ≤ {slowest:.1f} s, recovered in {recovered:.1f} s")


def test_control_without_the_watch_a_request_waits_on(tmp_path: Path, guard: Guard) -> None:
    page = f"/api/v1/drives/{builders.coming_drive().pk}/slots/?visit=return"
    with web_behind_proxy(guard, tmp_path / "log", DATABASE_SILENT_SECONDS="0") as (proxy, port):
        assert ask(port, page)[0] == 200
        proxy.is_silent = True
        assert ask(port, page, timeout=WITHIN + 2)[0] == 0


@pytest.mark.parametrize(("name", "expected"), [("statement_timeout", "5s"), ("lock_timeout", "4s")])
def test_the_server_ends_what_takes_too_long(tmp_path: Path, guard: Guard, name: str, expected: str) -> None:
    command = f"from django.db import connection as c; k = c.cursor(); k.execute('SHOW {name}'); print(k.fetchone()[0])"
    with programs.program(guard, tmp_path / "log", ["manage.py", "shell", "-v0", "-c", command], {"WEB": "on"}) as made:
        assert made.wait(60) == 0
    assert (tmp_path / "log").read_text().strip() == expected
