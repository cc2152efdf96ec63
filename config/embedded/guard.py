"""A small process that outlives its owner only to stop what the owner had started.

The owner writes what it starts into the guard's standard input. When that pipe closes, because the owner has finished
or was killed, the guard stops whatever is left: first everybody, then those that must go last. Then it removes the
folders it was told of. It imports nothing but the standard library, so that it starts in a few milliseconds.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

GRACE_SECONDS = 5.0


class Guard:
    """The owner's end of the pipe."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__], stdin=subprocess.PIPE, start_new_session=True, cwd="/"
        )

    def watch(self, process: "subprocess.Popen[bytes]", *, last: bool = False) -> None:
        """Stop the process's group when the owner dies; `last` for a database, which is asked with SIGINT."""
        self._say(f"{'last' if last else 'first'} {process.pid}")

    def forget(self, process: "subprocess.Popen[bytes]") -> None:
        """The process has ended: its number may soon be another's."""
        self._say(f"ended {process.pid}")

    def remove(self, folder: Path) -> None:
        """Delete the folder at the end, whether the owner lives or not."""
        self._say(f"remove {folder}")

    def close(self) -> None:
        """Let the guard clean up and go. What is still watched is stopped."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(3 * GRACE_SECONDS)

    def _say(self, line: str) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()


def _signal_groups(groups: list[int], number: int) -> list[int]:
    """Signal every group; those that are still there come back."""
    alive = []
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
            alive.append(group)
    return alive


def _stop_groups(groups: list[int], number: int) -> None:
    _signal_groups(groups, number)
    deadline = time.monotonic() + GRACE_SECONDS
    while groups and time.monotonic() < deadline:
        time.sleep(0.05)
        groups = _signal_groups(groups, 0)
    _signal_groups(groups, signal.SIGKILL)


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    watched: dict[str, list[int]] = {"first": [], "last": []}
    folders: list[str] = []
    for line in sys.stdin:
        word, _, rest = line.rstrip("\n").partition(" ")
        if word == "remove":
            folders.append(rest)
        elif word == "ended":
            for groups in watched.values():
                groups[:] = [group for group in groups if group != int(rest)]
        else:
            watched[word].append(int(rest))
    _stop_groups(watched["first"], signal.SIGTERM)
    _stop_groups(watched["last"], signal.SIGINT)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
