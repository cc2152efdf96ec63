"""Run the whole stack as `make run` starts it, and use it over HTTP."""

import http.client
import http.cookies
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import psutil

from config.embedded.processes import ROOT
from tests.conftest import OURS
from tests.programs import eventually
from tests.visitor import Answer

NOT_OURS = {*OURS, "DATABASE_URL", "REDIS_URL", "STATIC_ROOT", "TESTS_WITHOUT_REDIS"}
READY_WITHIN = 90.0


class Running:
    """`python -m config.embedded` with this data folder and port.

    The environment has no variables of the test run that would change the stack's settings.
    """

    def __init__(self, data: Path, port: int) -> None:
        self.port = port
        self.log = data.with_suffix(".log")
        names = {name: value for name, value in os.environ.items() if name not in NOT_OURS}
        with self.log.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "config.embedded", "--with-parent"],
                cwd=ROOT,
                env={**names, "PORT": str(port), "DATA_DIR": str(data)},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill the supervisor. If a failed test has left other processes running, the stack's guard stops them."""
        self.process.kill()
        self.process.wait()

    def wait_until_ready(self) -> float:
        """Wait until the stack reports that it is ready. Return the seconds it took."""
        began = time.monotonic()
        ready = f"Ready: http://localhost:{self.port}/"
        assert eventually(lambda: self.process.poll() is not None or ready in self.said, READY_WITHIN), self.said
        assert self.process.poll() is None, self.said
        return round(time.monotonic() - began, 1)

    @property
    def said(self) -> str:
        return self.log.read_text()

    def list_processes(self) -> list[psutil.Process]:
        """List all processes of the stack, including the guard."""
        top = psutil.Process(self.process.pid)
        return [top, *top.children(recursive=True)]

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(40)


def left_over(processes: list[psutil.Process], *, seconds: float = 5) -> list[str]:
    """Wait up to `seconds` for the processes to end. List those that are still running."""
    _gone, alive = psutil.wait_procs(processes, timeout=seconds)
    return [str(process) for process in alive if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


class Http:
    """A connection for `Visitor` with a cookie jar. It sends one request at a time, with these headers."""

    def __init__(self, port: int, headers: Mapping[str, str] | None = None) -> None:
        self.port, self.headers = port, headers or {}
        self._cookies: dict[str, str] = {}

    def send(self, method: str, path: str, body: str = "") -> Answer:
        connection = http.client.HTTPConnection("localhost", self.port, timeout=20)
        headers = {**self.headers, "Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body or None, headers)
        response = connection.getresponse()
        answer = Answer(response.status, response.headers.get("Location", ""), response.read())
        for line in response.headers.get_all("Set-Cookie", []):
            self._cookies.update({name: morsel.value for name, morsel in http.cookies.SimpleCookie(line).items()})
        connection.close()
        return answer

    def is_ok(self, path: str) -> bool:
        try:
            return self.send("GET", path).status == 200
        except (OSError, http.client.HTTPException):
            return False

    def get_json(self, path: str) -> Any:
        return json.loads(self.send("GET", path).body)

    def inbox(self, to: str) -> list[str]:
        return [item["text"] for item in reversed(self.get_json(f"/demo/inbox/messages.json?to={quote(to)}"))]
