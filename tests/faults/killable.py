"""Workers that a test can kill. Each worker is a forked process that runs one sweep, as in Celery's prefork pool.

`python -m tests.faults.killable [bug …]` reads lines from standard input, each with a sweep's name and its arguments.
For each line, it forks a worker and prints the worker's process id. It seeds the named bugs into the workers.
"""

import importlib
import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime

import django


def main(arguments: list[str]) -> None:
    """Import slow modules before the first fork. Each worker connects to the database after its fork."""
    django.setup()
    names = ("notifications.tasks", "notifications.providers", "drives.messaging.invitations", "drives.imports.run")
    tasks, providers, invitations, imports = (importlib.import_module(name) for name in names)
    seeded = importlib.import_module("tests.faults.seeded")
    providers.get_provider("sms")
    for bug in arguments:
        getattr(seeded, bug)()
    sweeps: dict[str, Callable[..., object]] = {
        "deliver": tasks.deliver_due,
        "imports": lambda at: imports.run_imports(now=datetime.fromisoformat(at)),
        "invitation": lambda at: invitations.invite_all_donors(now=datetime.fromisoformat(at)),
    }
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        name, *said = line.split()
        pid = os.fork()
        if not pid:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            sweeps[name](*said)
            os._exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
