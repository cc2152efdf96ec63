"""`make run` starts the whole embedded stack.

The stack responds, keeps its data between runs, and leaves no process behind.
"""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.embedded import redis_server
from config.embedded.processes import ROOT

PATIENCE = 120.0


@contextmanager
def stack(data: Path, port: int) -> Iterator["subprocess.Popen[str]"]:
    """Start the supervisor with none of the test run's settings in its environment, and stop it afterward."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    command = [sys.executable, "-m", "config.embedded"]
    log = data.with_suffix(".log").open("a")
    environment = {**kept, "DATA_DIR": str(data), "PORT": str(port)}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, text=True)
    try:
        yield process
    finally:
        log.close()
        if process.poll() is None:
            process.terminate()
        process.wait(60)


def status(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def wait_until_ready(process: "subprocess.Popen[str]", data: Path, port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while status(port, "/readyz") != 200:
        said = data.with_suffix(".log").read_text()[-3000:]
        assert process.poll() is None, said
        assert time.monotonic() < deadline, said
        time.sleep(0.2)


def family(process: "subprocess.Popen[str]") -> set[int]:
    """Return all descendants of the process, including those in other sessions."""
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(pid): int(parent) for pid, parent in (line.split() for line in listed.splitlines())}
    found = {process.pid}
    while new := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= new
    return found


def wait_until_gone(pids: set[int]) -> set[int]:
    """Wait up to 40 seconds for the processes to end. Return those that are still running."""
    deadline = time.monotonic() + 40
    while True:
        listed = subprocess.run(["ps", "-e", "-o", "pid=,stat="], capture_output=True, text=True, check=True).stdout
        alive = {int(pid) for pid, state in (line.split() for line in listed.splitlines()) if state[0] != "Z"}
        if not pids & alive or time.monotonic() > deadline:
            return pids & alive
        time.sleep(0.2)


def test_it_starts_answers_and_leaves_nothing_whether_asked_or_killed(tmp_path: Path) -> None:
    data, port = tmp_path / "data", redis_server.find_free_port()
    with stack(data, port) as process:
        wait_until_ready(process, data, port)
        assert (status(port, "/"), status(port, "/healthz")) == (200, 200)
        key = (data / "keys" / "SECRET_KEY").read_text()
        everybody = family(process)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert wait_until_gone(everybody) == set()

    with stack(data, port) as process:
        wait_until_ready(process, data, port)
        assert (data / "keys" / "SECRET_KEY").read_text() == key
        everybody = family(process)
        assert len(everybody) > len({"supervisor", "guard", "postgres", "web", "worker", "beat"})
        process.kill()
    assert wait_until_gone(everybody) == set()
