"""Two web servers behind nginx restart one after the other under load, while a migration adds a column.

No request fails.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from django.db import connection
from environs import env

from config.embedded import redis_server
from config.embedded.guard import Guard
from tests import builders, figures, programs
from tests.programs import eventually
from tests.stack import clients, nginx

REQUESTS = env.int("ROLLING_REQUESTS", 1_000)  # 10,000 in the long run
CLIENTS = 8

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("stack"),
    pytest.mark.stack,
    pytest.mark.skipif(nginx.PROGRAM is None, reason="nginx is not installed (Debian: apt-get install nginx-light)"),
]


@contextmanager
def run_server(guard: Guard, folder: Path, port: int, secure: int) -> Iterator[None]:
    settings = {
        **programs.DEMO,
        "WEB": "on",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "BASE_URL": f"https://localhost:{secure}",
        "ALLOWED_HOSTS": "localhost",
        "BEHIND_PROXY": "on",
        "WEB_CONCURRENCY": "1",
    }
    with programs.program(guard, folder / f"web-{port}.log", ["-m", "config.web_server"], settings):
        assert eventually(lambda: clients.is_open(port)), (folder / f"web-{port}.log").read_text()[-2000:]
        yield


class Load:
    """Clients that request the list of drives until `REQUESTS` requests are done."""

    def __init__(self, url: str, certificate: Path) -> None:
        self.url, self.certificate, self.answers = url, str(certificate), Counter[str]()
        self._lock = threading.Lock()
        self.threads = [threading.Thread(target=self._run) for _client in range(CLIENTS)]

    @property
    def done(self) -> int:
        return self.answers.total()

    def _run(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            while self.done < REQUESTS:
                try:
                    answer = str(session.get(self.url, verify=self.certificate, timeout=30).status_code)
                except requests.RequestException as error:
                    answer = type(error).__name__
                with self._lock:
                    self.answers[answer] += 1


def test_no_request_fails_while_the_servers_restart_in_turn(
    guard: Guard, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    builders.coming_drive()
    ports = [redis_server.find_free_port(), redis_server.find_free_port()]
    secure, restarts = redis_server.find_free_port(), 0
    servers = {port: run_server(guard, tmp_path, port, secure) for port in ports}
    for server in servers.values():
        server.__enter__()
    try:
        with nginx.run_nginx(guard, tmp_path, ports, secure=secure):
            load = Load(f"https://localhost:{secure}/api/v1/drives/", tmp_path / "fullchain.pem")
            for thread in load.threads:
                thread.start()
            while load.done < REQUESTS * 0.9 and restarts < 2 * max(1, REQUESTS // 2_500):
                port = ports[restarts % 2]
                assert eventually(lambda until=load.done + REQUESTS // 20: load.done >= min(until, REQUESTS))  # type: ignore[misc]
                servers.pop(port).__exit__(None, None, None)
                servers[port] = run_server(guard, tmp_path, port, secure)
                servers[port].__enter__()
                restarts += 1
                with connection.cursor() as cursor:
                    cursor.execute("ALTER TABLE drives_drive ADD COLUMN IF NOT EXISTS added_meanwhile integer")
            for thread in load.threads:
                thread.join()
    finally:
        for server in servers.values():
            server.__exit__(None, None, None)
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE drives_drive DROP COLUMN IF EXISTS added_meanwhile")
    figures.note(request, "requests during restarts", f"{dict(load.answers)}, {restarts} restarts")
    assert set(load.answers) == {"200"}
    assert restarts >= 1
