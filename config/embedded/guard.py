"""A small process that outlives its owner and stops the processes that the owner started.

The owner writes commands to the guard's standard input. The pipe closes when the owner exits or is killed. Then the
guard stops all watched processes, databases last, and removes the folders. It imports only the standard library, so
that it starts in a few milliseconds.
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
    """Starts the guard process, and sends commands to it."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__], stdin=subprocess.PIPE, start_new_session=True, cwd="/"
        )

    def watch(self, process: "subprocess.Popen[bytes]", *, last: bool = False) -> None:
        """Let the guard stop the process group when the owner exits.

        Pass `last` for a database. The guard stops it after the others, with SIGINT.
        """
        self._send_command(f"{'last' if last else 'first'} {process.pid}")

    def unwatch(self, process: "subprocess.Popen[bytes]") -> None:
        """Tell the guard that a process has ended, because another process may get the same id."""
        self._send_command(f"ended {process.pid}")

    def remove_at_exit(self, folder: Path) -> None:
        """Let the guard delete the folder when the owner exits or is killed."""
        self._send_command(f"remove {folder}")

    def close(self) -> None:
        """Close the pipe. The guard then stops the processes that it still watches, removes the folders and exits."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(3 * GRACE_SECONDS)

    def _send_command(self, command: str) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(command.encode() + b"\n")
            self.process.stdin.flush()


def _signal_groups(groups: list[int], number: int) -> list[int]:
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
    # The guard must outlive its owner, even if a signal goes to all processes, for example at a shutdown.
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
