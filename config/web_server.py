"""`python -m config.web_server [module of the WSGI application]`: Granian with the settings of the environment."""

import gc
import importlib
import sys
from typing import Any

from django.conf import settings
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from config import env, logs
from config.whole_requests import WholeRequests

CONNECTIONS = 1024  # of one process
GRACE_SECONDS = 12  # less than what the supervisor of `make run` and compose.yaml wait
HEAD_BYTES = 64 * 1024  # refused from twice as many on
IDLE_SECONDS = 15  # until the whole head of the next request has arrived


def load(module: str) -> Any:  # Granian wants a callable or, as this is, an object with __rsgi__
    application = importlib.import_module(module).application
    importlib.import_module(settings.ROOT_URLCONF)  # the views, which the first request would import
    return WholeRequests(application, env.number("WEB_THREADS", 8))


def main(module: str = "config.wsgi") -> None:
    load(module)  # before the processes are forked, which share what it needs
    gc.collect()
    gc.freeze()
    level = env.text("LOG_LEVEL", "INFO")
    Granian(
        module,
        address=env.text("HOST", "0.0.0.0"),  # noqa: S104  a container's own interface
        port=env.number("PORT", 8000),
        interface=Interfaces.RSGI,
        workers=env.number("WEB_CONCURRENCY", 4),
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(max_buffer_size=HEAD_BYTES, header_read_timeout=IDLE_SECONDS * 1000),
        websockets=False,
        backlog=CONNECTIONS,
        backpressure=CONNECTIONS,
        workers_kill_timeout=GRACE_SECONDS,
        respawn_failed_workers=True,
        log_level=LogLevels(level.lower()),
        log_dictconfig=logs.configuration(level),
    ).serve(target_loader=load)


if __name__ == "__main__":
    main(*sys.argv[1:])
