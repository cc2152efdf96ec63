"""Settings of gunicorn: `gunicorn -c python:config.web_server config.wsgi`."""

import gc
import select
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from config import env, logs

_A_MOMENT = 2  # milliseconds

_memory = Path("/dev/shm")  # noqa: S108  a worker's sign of life must not wait for a disk

bind = f"{env.text('HOST', '0.0.0.0')}:{env.number('PORT', 8000)}"  # noqa: S104  a container's own interface
worker_class = "config.web_server.Worker"
workers = env.number("WEB_CONCURRENCY", 4)
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


class Threads(ThreadPoolExecutor):
    """Gunicorn's threads."""

    @property
    def are_wanted(self) -> bool:
        """Whether some connection waits for one of them."""
        return not self._work_queue.empty()


class Worker(ThreadWorker):
    """Threads that look a moment for the next request where they have answered one.

    Else a connection goes back to the main thread between two requests: with these two switches less, 8 % more bookings
    were made. While other connections wait for a thread it goes back at once.
    """

    tpool: Threads

    def get_thread_pool(self) -> Threads:
        return Threads(max_workers=self.cfg.threads)

    def handle(self, conn: Any) -> Any:
        while True:
            stays = super().handle(conn)  # type: ignore[no-untyped-call]
            if stays is not True or not self.alive or self.tpool.are_wanted or not _says_more(conn.sock):
                return stays


def _says_more(client: socket.socket) -> bool:
    """Whether a client begins its next request within a moment."""
    waiting = select.poll()
    waiting.register(client, select.POLLIN)
    return bool(waiting.poll(_A_MOMENT))
