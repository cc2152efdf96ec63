"""`python -m config.web_server [WSGI module]`: run Granian, configured by the environment."""

import importlib
import os
import sys
from typing import Any

from django.conf import settings
from django.db import connections
from environs import env, validate
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from config import preload
from config.rsgi_adapter import RsgiAdapter

MAX_CONNECTIONS = 1024  # per process
GRACE_SECONDS = 12  # shorter than the wait in `make run` and compose.yaml
MAX_HEAD_BYTES = 64 * 1024  # Granian refuses request heads of more than twice this size
HEAD_TIMEOUT_SECONDS = 15  # to receive the whole head of a request
AT_LEAST_ONE = validate.Range(min=1)
# One process per core, because with more, bookings took a fifth longer. At least two, so that one can respond while the
# other is replaced.
DEFAULT_PROCESSES = max(2, os.cpu_count() or 1)


def load_application(module: str) -> Any:
    """Import the WSGI module, and return the RSGI application that Granian runs."""
    application = importlib.import_module(module).application
    importlib.import_module("config.keys").refuse_wrong_keys()  # not before: it needs the models
    importlib.import_module("config.restored").check_at_start()
    connections.close_all()  # no process shares a connection with another one
    return RsgiAdapter(application, env.int("WEB_THREADS", 8, validate=AT_LEAST_ONE))


def load_shared_memory(module: str) -> None:
    """Load before the fork what the processes share."""
    load_application(module)
    preload.load_pages()
    preload.load_texts()
    preload.freeze()


def main(module: str = "config.wsgi") -> None:
    load_shared_memory(module)
    Granian(
        module,
        address=env.str("HOST", "0.0.0.0"),  # noqa: S104  a container's own interface
        port=env.int("PORT", 8000, validate=validate.Range(min=1, max=65535)),
        interface=Interfaces.RSGI,
        workers=env.int("WEB_CONCURRENCY", DEFAULT_PROCESSES, validate=AT_LEAST_ONE),
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(max_buffer_size=MAX_HEAD_BYTES, header_read_timeout=HEAD_TIMEOUT_SECONDS * 1000),
        websockets=False,
        backlog=MAX_CONNECTIONS,
        backpressure=MAX_CONNECTIONS,
        workers_kill_timeout=GRACE_SECONDS,
        respawn_failed_workers=True,
        log_level=LogLevels(settings.LOG_LEVEL.lower()),
        log_dictconfig=settings.LOGGING,
    ).serve(target_loader=load_application)


if __name__ == "__main__":
    main(*sys.argv[1:])
