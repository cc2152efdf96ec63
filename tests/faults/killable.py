"""Workers that can be killed: each a fork that runs one sweep, as Celery's prefork pool has them.

`python -m tests.faults.killable [bug]`: for every line on standard input it forks one and writes its process id. The
bug, if one is named, is seeded into the workers.
"""

import importlib
import os
import signal
import sys

import django
from django.conf import settings


def main(arguments: list[str]) -> None:
    """What is slow to import is there before the fork; connections are made after it."""
    django.setup()
    names = ("notifications.tasks", "notifications.gateways", "tests.faults.seeded")
    tasks, gateways, seeded = (importlib.import_module(name) for name in names)
    gateways.choose("sms")
    for bug in arguments:
        getattr(seeded, bug)()
    assert settings.SMS_GATEWAY == "twilio"
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _line in sys.stdin:
        pid = os.fork()
        if not pid:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            tasks.deliver_due()
            os._exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
