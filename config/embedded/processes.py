"""The processes of the embedded stack. Each process has its own session. Its output lines start with its name."""

import contextlib
import os
import selectors
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from config.embedded.guard import Guard

ROOT = Path(__file__).resolve().parents[2]
NAME_WIDTH = len("worker")


@dataclass(eq=False)
class ChildProcess:
    name: str
    process: "subprocess.Popen[bytes]"
    unfinished_line: bytes = field(default=b"")


class Supervisor:
    """Starts processes, prints their output, and stops them.

    All of this runs in one thread, so that a signal handler never waits for a lock.
    """

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self.running: list[ChildProcess] = []
        self._selector = selectors.DefaultSelector()

    def start(self, name: str, command: list[str], environment: dict[str, str]) -> ChildProcess:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **environment, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.guard.watch(process)
        child = ChildProcess(name, process)
        self.running.append(child)
        self.add_output(child)
        return child

    def add_output(self, child: ChildProcess) -> None:
        assert child.process.stdout is not None
        os.set_blocking(child.process.stdout.fileno(), False)
        self._selector.register(child.process.stdout, selectors.EVENT_READ, child)

    def print_output(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while True:
            for key, _ in self._selector.select(max(0.0, deadline - time.monotonic())):
                self._read_output(key.data)
            if time.monotonic() >= deadline:
                return

    def reap(self) -> list[ChildProcess]:
        gone = [child for child in self.running if child.process.poll() is not None]
        for child in gone:
            self.running.remove(child)
            _signal_group(child, signal.SIGKILL)
            self.guard.unwatch(child.process)
            self._drain_output(child)
        return gone

    def stop(self, grace: float) -> None:
        """Send one SIGTERM to each process. After `grace` seconds, kill the processes that are still running.

        Their children get no SIGTERM, because each process stops its own children.
        """
        for child in self.running:
            with contextlib.suppress(ProcessLookupError):
                child.process.terminate()
        deadline = time.monotonic() + grace
        while self.running and time.monotonic() < deadline:
            self.print_output(0.1)
            self.reap()
        for child in self.running:
            print_message(f"{child.name} did not stop in {grace:.0f} s and is killed.")
            _signal_group(child, signal.SIGKILL)
            child.process.wait()
        self.reap()

    def _read_output(self, child: ChildProcess) -> bool:
        assert child.process.stdout is not None
        try:
            output = os.read(child.process.stdout.fileno(), 65536)
        except BlockingIOError:
            return False
        if not output:
            self._selector.unregister(child.process.stdout)
            return False
        *lines, child.unfinished_line = (child.unfinished_line + output).split(b"\n")
        for line in lines:
            _print_line(child, line)
        return True

    def _drain_output(self, child: ChildProcess) -> None:
        stdout = child.process.stdout
        assert stdout is not None
        while stdout in self._selector.get_map() and self._read_output(child):
            pass
        if stdout in self._selector.get_map():
            self._selector.unregister(stdout)
        stdout.close()
        if child.unfinished_line:
            _print_line(child, child.unfinished_line)


def _print_line(child: ChildProcess, line: bytes) -> None:
    print(f"{child.name:<{NAME_WIDTH}} | {line.decode(errors='replace')}", flush=True)


def print_message(text: str) -> None:
    print(text, flush=True)


def _signal_group(child: ChildProcess, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.process.pid, number)
