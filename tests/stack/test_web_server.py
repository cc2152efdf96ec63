"""The real web server: requests, shutdown and crashes."""

import http.client
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.db import connection

from config import web_server
from config.embedded.guard import Guard
from tests import builders, programs
from tests.stack import clients
from tests.stack.page_application import SLOW_SECONDS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("stack")]

PATIENCE = 10  # the seconds that a client waits
DOORS = ["-m", "config.web_server", "tests.stack.page_application"]
ALONE = {"WEB_CONCURRENCY": "1", "WEB_THREADS": "1"}

Connect = Callable[[], http.client.HTTPConnection]


@pytest.fixture
def port(tmp_path: Path, guard: Guard) -> Iterator[int]:
    """Run a web server with one thread and the test pages. Return its port."""
    with programs.web_process(guard, tmp_path / "web.log", DOORS, **ALONE) as (_process, port):
        yield port


@pytest.fixture
def connect(port: int) -> Iterator[Connect]:
    """Return a function that opens a connection. All connections stay open until the test ends."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)))


def ask(client: http.client.HTTPConnection, path: str = "/healthz") -> int:
    client.request("GET", path, headers={"Host": "localhost"})
    with client.getresponse() as response:
        response.read()
        return response.status


def ask_once(port: int, path: str = "/healthz") -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as client:
        return ask(client, path)


def echoed(port: int, *packets: bytes) -> dict[str, Any]:
    """Send a request in these packets. Return the request as the application saw it."""
    with closing(clients.connect(port)) as client:
        for packet in packets:
            client.sendall(packet)
            time.sleep(0.05)
        said = client.recv(65536)
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), said
    shown: dict[str, Any] = json.loads(body)
    return shown


def test_clients_that_keep_their_connections_share_a_thread(connect: Connect) -> None:
    kept = [connect() for _client in range(4)]
    assert [ask(client) for client in kept] == [200] * 4
    sockets = [client.sock for client in kept]
    for _round in range(25):
        assert [ask(client) for client in kept] == [200] * 4
    assert [client.sock for client in kept] == sockets


def test_a_client_that_hangs_up_is_forgotten(connect: Connect) -> None:
    gone = connect()
    assert ask(gone) == 200
    gone.close()
    assert ask(connect()) == 200


def test_a_request_arrives_whole(port: int) -> None:
    head = (
        b"POST /echo/caf%C3%A9?a=%20b HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n"
    )
    shown = echoed(port, head + b"Cookie: a=1\r\n\r\n", b"one", b"two")
    assert shown["body"] == "onetwo"
    assert shown["PATH_INFO"].encode("latin-1").decode() == "/echo/café"
    wanted = {
        "REQUEST_METHOD": "POST",
        "QUERY_STRING": "a=%20b",
        "CONTENT_LENGTH": "6",
        "CONTENT_TYPE": "text/plain",
        "HTTP_COOKIE": "a=1",
        "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
    }
    assert {name: shown.get(name) for name in wanted} == wanted


def test_a_chunked_body_arrives_whole(port: int) -> None:
    head = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    shown = echoed(port, head, b"3\r\none\r\n", b"3\r\ntwo\r\n0\r\n\r\n")
    assert (shown["body"], shown["CONTENT_LENGTH"]) == ("onetwo", "6")


def test_a_client_header_cannot_replace_the_proxys(port: int) -> None:
    """Repeated headers reach the application in order, the proxy's last.

    Headers with an underscore in the name do not reach it.
    """
    head = b"GET /echo HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 192.0.2.1\r\nX_Forwarded_For: 192.0.2.2\r\n"
    shown = echoed(port, head + b"X-Forwarded-For: 192.0.2.3\r\nX_Forwarded_Proto: https\r\n\r\n")
    assert shown["HTTP_X_FORWARDED_FOR"] == "192.0.2.1,192.0.2.3"
    assert "HTTP_X_FORWARDED_PROTO" not in shown


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf", 400),
        (b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nhalf!", 400),
        (b"GET /echo HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"x" * 600_000 + b"\r\n\r\n", 431),
        (b"GET /echo HTTP/1.1\r\nHost: localhost\r\n" + b"X-Many: 1\r\n" * 200 + b"\r\n", 431),
    ],
    ids=["body that ends early", "two lengths", "long head", "many headers"],
)
def test_an_incomplete_or_too_large_request_does_not_arrive(port: int, sent: bytes, status: int) -> None:
    """The server may close the connection before it has read the whole head, so the response can be lost."""
    with closing(clients.connect(port)) as client:
        with suppress(OSError):
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
        try:
            answer = client.recv(65536)
        except ConnectionResetError:
            answer = b""
    is_lost = not answer and len(sent) > 100_000
    assert is_lost or answer.startswith(b"HTTP/1.1 %d " % status)
    assert ask_once(port) == 200


def test_a_body_too_large_is_refused_by_the_application_and_the_connection_is_kept(connect: Connect) -> None:
    client = connect()
    headers = {"Host": "localhost", "Content-Type": "application/json", "Idempotency-Key": "0123456789abcdef"}
    client.request("POST", "/api/v1/bookings/", b" " * 5_000_000, headers)
    with client.getresponse() as response:
        assert (response.status, response.headers["Content-Type"]) == (413, "application/problem+json")
        response.read()
    kept = client.sock
    assert ask(client) == 200
    assert client.sock is kept


def test_a_request_under_way_is_answered_when_the_server_is_asked_to_stop(tmp_path: Path, guard: Guard) -> None:
    with programs.web_process(guard, tmp_path / "web.log", DOORS, **ALONE) as (process, port):
        statuses: list[int] = []
        client = threading.Thread(target=lambda: statuses.append(ask_once(port, "/slow")))
        client.start()
        time.sleep(SLOW_SECONDS / 4)
        process.send_signal(signal.SIGTERM)
        client.join()
        assert statuses == [200]
        assert process.wait(PATIENCE) == 0


def test_clients_that_never_finish_delay_a_stop_by_the_grace_at_most(tmp_path: Path, guard: Guard) -> None:
    with (
        programs.web_process(guard, tmp_path / "web.log", DOORS) as (process, port),
        closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as kept,
        clients.unfinished(port, 5, clients.HALF_HEAD),
        clients.unfinished(port, 5, clients.HALF_BODY),
    ):
        assert ask(kept) == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(web_server.GRACE_SECONDS + 5) == 0


def test_a_process_that_dies_is_replaced_while_another_answers(tmp_path: Path, guard: Guard) -> None:
    log = tmp_path / "web.log"
    with programs.web_process(guard, log, DOORS, WEB_CONCURRENCY="2", WEB_THREADS="2") as (process, port):
        assert programs.eventually(lambda: len(psutil.Process(process.pid).children()) == 2)
        before = {child.pid for child in psutil.Process(process.pid).children()}
        with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
            ask_once(port, "/die")

        def answered() -> bool:
            try:
                return ask_once(port) == 200
            except ConnectionError:  # the kernel had given this connection to the process that died
                return False

        assert programs.eventually(answered, 2)

        def replaced() -> bool:
            now = {child.pid for child in psutil.Process(process.pid).children() if child.status() != "zombie"}
            return len(now) == 2 and len(now & before) == 1

        assert programs.eventually(replaced, 20), log.read_text()[-2000:]
        assert process.poll() is None


def test_no_process_outlives_the_one_that_started_it(tmp_path: Path, guard: Guard) -> None:
    with programs.web_process(guard, tmp_path / "web.log", DOORS, WEB_CONCURRENCY="4") as (process, _port):
        assert programs.eventually(lambda: len(psutil.Process(process.pid).children()) == 4)
        children = psutil.Process(process.pid).children()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        _gone, alive = psutil.wait_procs(children, timeout=10)
        assert alive == []


def test_there_are_no_more_database_connections_than_threads(tmp_path: Path, guard: Guard) -> None:
    path = f"/api/v1/drives/{builders.coming_drive().pk}/slots/?visit=return"
    with programs.web(guard, tmp_path / "web.log", WEB_CONCURRENCY="2", WEB_THREADS="3") as port, ExitStack() as stack:
        many = [stack.enter_context(closing(clients.connect(port))) for _client in range(60)]
        for _round in range(3):
            for client in many:
                client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert {client.recv(1 << 20)[:12] for client in many} == {b"HTTP/1.1 200"}
            time.sleep(0.2)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND backend_type = 'client backend'"
            )
            assert 1 <= cursor.fetchone()[0] <= 6
