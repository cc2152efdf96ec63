"""Run the service's programs as processes that use the test's database.

A test that does so needs the mark `django_db(transaction=True)`, because other processes see only committed rows.
"""

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from django.db import connection
from environs import env

from config.embedded import redis_server
from config.embedded.guard import Guard
from config.embedded.processes import ROOT

DEMO = {"DEMO": "on", "RATE_LIMITS": "off"}


def database_url() -> str:
    name = f"/{connection.settings_dict['NAME']}"
    return urlunsplit(urlsplit(env.str("DATABASE_URL"))._replace(path=name))


@contextmanager
def program(
    guard: Guard, log: Path, command: list[str], environment: dict[str, str]
) -> "Iterator[subprocess.Popen[bytes]]":
    """Run a program until the block ends. Its output goes to the log."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": database_url(), **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    guard.watch(process)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        guard.unwatch(process)


@contextmanager
def web(guard: Guard, log: Path, application: str = "config.wsgi", **environment: str) -> Iterator[int]:
    """Run the real web server. Return its port once it responds."""
    with web_process(guard, log, ["-m", "config.web_server", application], **environment) as (_process, port):
        yield port


@contextmanager
def web_process(
    guard: Guard, log: Path, command: list[str], **environment: str
) -> "Iterator[tuple[subprocess.Popen[bytes], int]]":
    """Run a web server, either the real one or a control. Return its process and port once it responds."""
    port = redis_server.find_free_port()
    ours = {
        **DEMO,
        "WEB": "on",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "BASE_URL": f"http://localhost:{port}",
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        **environment,
    }
    with program(guard, log, command, ours) as process:
        assert eventually(lambda: process.poll() is not None or _answers(port)), "the web server did not start"
        assert process.poll() is None, log.read_text()[-2000:]
        yield process, port


def worker(guard: Guard, log: Path, **environment: str) -> "AbstractContextManager[subprocess.Popen[bytes]]":
    """Run a Celery worker with one process. REDIS_URL names its broker."""
    return workers(guard, log, 1, environment)


def workers(
    guard: Guard, log: Path, processes: int, environment: dict[str, str]
) -> "AbstractContextManager[subprocess.Popen[bytes]]":
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    command = ["-m", "celery", "-q", "-A", "config.celery", "worker", "-c", str(processes), *quiet, "-l", "INFO"]
    return program(guard, log, command, {**DEMO, **environment})


def beat(guard: Guard, log: Path, **environment: str) -> "AbstractContextManager[subprocess.Popen[bytes]]":
    return program(guard, log, ["-m", "config.beat"], {**DEMO, **environment})


def collect_static(folder: Path) -> None:
    """Collect the static files, as before a start in production. Without them, pages with pictures fail."""
    command = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "STATIC_ROOT": str(folder)}, check=True, timeout=120)


def eventually(true: Callable[[], object], seconds: float = 60) -> bool:
    """Wait until the condition is true. Return False if it is still false after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (reached := true()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(reached)


def _answers(port: int) -> bool:
    probe = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        probe.request("GET", "/healthz")
        return probe.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        probe.close()
