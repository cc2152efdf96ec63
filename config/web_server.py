"""Settings of gunicorn: `gunicorn -c python:config.web_server config.wsgi`."""

import gc
from pathlib import Path

from config import env, logs

_memory = Path("/dev/shm")  # noqa: S108  a worker's sign of life must not wait for a disk

bind = f"{env.text('HOST', '0.0.0.0')}:{env.number('PORT', 8000)}"  # noqa: S104  a container's own interface
worker_class = "gthread"
workers = env.number("WEB_CONCURRENCY", 2)
threads = env.number("WEB_THREADS", 8)
timeout = 30
graceful_timeout = 15
keepalive = 5
control_socket_disable = True
worker_tmp_dir = str(_memory) if _memory.is_dir() else None
accesslog = None
logconfig_dict = logs.configuration(env.text("LOG_LEVEL", "INFO"))


def post_worker_init(_worker: object) -> None:
    """Look for garbage seldom, and never among what was there before the first request: it took a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
