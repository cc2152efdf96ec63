"""The service works behind PgBouncer in transaction mode. Each client gets the responses to its own requests.

Set REQUESTS=10000 for the long run.
"""

import http.client
import json
import os
import shutil
import subprocess
import tempfile
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from django.db import connection
from environs import env

from bench import bench_data
from config.embedded import redis_server
from config.embedded.guard import Guard
from drives.models import Booking, Drive, Slot
from tests import builders, programs

pytestmark = [pytest.mark.stack, pytest.mark.django_db(transaction=True)]

REQUESTS = env.int("REQUESTS", 2000)
CLIENTS, STEPS, POOL = 8, 20, 5
PROGRAM = shutil.which("pgbouncer", path=f"{env.str('PATH')}:/usr/sbin")
CONFIGURATION = """
[databases]
* = host={host} user=postgres pool_size={pool}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
max_client_conn = 200
"""


@contextmanager
def pgbouncer(guard: Guard) -> Iterator[str]:
    """Run PgBouncer in front of the test's PostgreSQL. Return the database URL to use."""
    assert PROGRAM
    folder = Path(tempfile.mkdtemp(prefix="drives-pgbouncer-"))
    guard.remove_at_exit(folder)
    folder.chmod(0o755)
    port = redis_server.find_free_port()
    configuration = folder / "pgbouncer.ini"
    host = connection.settings_dict["HOST"] or connection.settings_dict["OPTIONS"]["host"]
    configuration.write_text(CONFIGURATION.format(host=host, port=port, pool=POOL))
    user = ["-u", "nobody"] if os.getuid() == 0 else []  # PgBouncer refuses to run as root
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([PROGRAM, *user, configuration], stdout=log, stderr=log, start_new_session=True)
    guard.watch(process)
    url = f"postgresql://postgres@127.0.0.1:{port}/{connection.settings_dict['NAME']}"

    def is_up() -> bool:
        try:
            psycopg.connect(url, autocommit=True, prepare_threshold=None).close()
        except psycopg.OperationalError:
            return False
        return True

    try:
        assert programs.eventually(is_up, 20), (folder / "log").read_text()
        yield url
    finally:
        process.terminate()
        process.wait(20)
        guard.unwatch(process)


@dataclass
class Caller:
    """A client with a persistent connection that checks whether each response belongs to its request."""

    port: int
    drive: int
    starts: dict[str, str]  # slot to its start
    phones: list[str]
    wrong: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    booked: Counter[str] = field(default_factory=Counter)

    def make(self, requests: int) -> "Caller":
        """Make `requests` requests: book, read the booking, and read the open times, again and again."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as client:
            token = ""
            for n in range(requests):
                if n % 3 == 0:
                    token = self._book(client, n)
                elif n % 3 == 1:
                    self._look(client, n - 1, token)
                else:
                    self._times(client)
        return self

    def _book(self, client: http.client.HTTPConnection, n: int) -> str:
        slot = self._slot(n)
        body = {"slot": slot, "visit": "return", "name": "Test Ana Alder", "phone": self.phones[n // 3]}
        said = self._ask(client, "POST", "/api/v1/bookings/", {**body, "self_check": ["will_ask"]}, 201)
        self.booked[slot] += 1
        if (said.get("slot"), said.get("starts_at")) != (slot, self.starts[slot]):
            self.wrong.append(f"asked for {slot} at {self.starts[slot]}, was answered {said}")
        return str(said.get("token", ""))

    def _look(self, client: http.client.HTTPConnection, n: int, token: str) -> None:
        said = self._ask(client, "GET", f"/api/v1/bookings/{quote(token)}/", None, 200)
        if (said.get("token"), said.get("starts_at")) != (token, self.starts[self._slot(n)]):
            self.wrong.append(f"asked for booking {token}, was answered {said}")

    def _times(self, client: http.client.HTTPConnection) -> None:
        said = self._ask(client, "GET", f"/api/v1/drives/{self.drive}/slots/?visit=return", None, 200)
        if {one["id"] for one in said.get("results", [])} != set(self.starts):
            self.wrong.append(f"asked for the times of {self.drive}, was answered {said}")

    def _slot(self, n: int) -> str:
        return list(self.starts)[n // 3 % len(self.starts)]

    def _ask(
        self, client: http.client.HTTPConnection, method: str, path: str, body: object, expected: int
    ) -> dict[str, Any]:
        headers = {"Host": "localhost", "Content-Type": "application/json", "Idempotency-Key": uuid.uuid4().hex}
        client.request(method, path, json.dumps(body) if body else None, headers)
        answer = client.getresponse()
        text = answer.read()
        self.statuses[answer.status] += 1
        if answer.status != expected:
            self.wrong.append(f"{method} {path}: {answer.status} {text[:200]!r}")
            return {}
        said: dict[str, Any] = json.loads(text)
        return said


def callers_behind(tmp_path: Path, guard: Guard, requests: int, *, setting: str) -> list[Caller]:
    """Return clients, each at its own drive, that sent these requests to a web server behind PgBouncer."""
    owner = builders.organization(codes_per_day=1_000_000)
    drives = [
        builders.coming_drive(of=owner, shape=builders.plain, spots=30_000, steps=STEPS, policy_id=builders.lax().pk)
        for _client in range(CLIENTS)
    ]
    phones = [f"+1{area}55501{n:02}" for area in bench_data.list_area_codes() for n in range(100)]
    with pgbouncer(guard) as url, programs.web(guard, tmp_path / "log", DATABASE_URL=url, PGBOUNCER=setting) as port:
        callers = [
            Caller(port, drive.pk, starts(drive), phones[number::CLIENTS]) for number, drive in enumerate(drives)
        ]
        with ThreadPoolExecutor(CLIENTS) as threads:
            return list(threads.map(lambda caller: caller.make(requests // CLIENTS), callers))


def starts(drive: Drive) -> dict[str, str]:
    """Return the start of each slot as the API writes it."""
    slots = Slot.objects.filter(drive=drive).order_by("n")
    return {str(slot.pk): slot.starts_at.astimezone(drive.site.zone).isoformat() for slot in slots}


@pytest.mark.skipif(not PROGRAM, reason="no pgbouncer on PATH")
def test_every_answer_belongs_to_its_request(tmp_path: Path, guard: Guard) -> None:
    callers = callers_behind(tmp_path, guard, REQUESTS, setting="on")
    assert [line for caller in callers for line in caller.wrong] == []
    statuses = sum((caller.statuses for caller in callers), Counter[int]())
    assert (statuses.total(), set(statuses)) == (REQUESTS // CLIENTS * CLIENTS, {200, 201})
    booked = sum((caller.booked for caller in callers), Counter[str]())
    taken = {str(pk): count for pk, count in Slot.objects.values_list("pk", "chairs_taken") if count}
    assert taken == booked
    assert Booking.objects.count() == booked.total()


@pytest.mark.skipif(not PROGRAM, reason="no pgbouncer on PATH")
def test_control_prepared_statements_mix_up_answers(tmp_path: Path, guard: Guard) -> None:
    callers = callers_behind(tmp_path, guard, 400, setting="off")
    assert [line for caller in callers for line in caller.wrong]
