"""A web application with test pages: `/echo` shows the request, `/slow` responds late, and `/die` ends the process."""

import json
import os
import signal
import time
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from config import wsgi

SLOW_SECONDS = 2.0


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    door = environ["PATH_INFO"]
    if door == "/die":
        os.kill(os.getpid(), signal.SIGKILL)
    if door == "/slow":
        time.sleep(SLOW_SECONDS)
    if door != "/slow" and not door.startswith("/echo"):
        return wsgi.application(environ, start_response)
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(_shown(environ)).encode()]


def _shown(environ: WSGIEnvironment) -> dict[str, Any]:
    shown: dict[str, Any] = {name: value for name, value in environ.items() if isinstance(value, str)}
    return {**shown, "body": environ["wsgi.input"].read().decode(), "pid": os.getpid()}
