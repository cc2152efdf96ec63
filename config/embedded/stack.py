"""`make run`: a database, a broker, web, worker and beat under one roof, until Ctrl-C."""

import http.client
import os
import signal
import subprocess
import sys
import time
from typing import NoReturn

from environs import env

from config.embedded import postgres, processes
from config.embedded import workspace as places
from config.embedded.guard import Guard
from config.embedded.postgres import PostgresServer, StartError
from config.embedded.processes import ChildProcess, Supervisor
from config.embedded.workspace import Workspace

GRACE_SECONDS = 15.0
FORCE_STOP_AFTER_SECONDS = 1.0  # a second Ctrl-C after this many seconds means "now"


class StopRequested(Exception):
    """Somebody asked the stack to stop."""


class Stack:
    """The whole stack. `run` returns the exit code."""

    def __init__(self, place: Workspace, *, with_parent: bool) -> None:
        self.place = place
        self.guard = Guard()
        self.children = Supervisor(self.guard)
        self.database: PostgresServer | None = None
        self.parent = os.getppid() if with_parent else None
        self.asked_at: float | None = None
        for number in (signal.SIGINT, signal.SIGTERM):  # SIGINT even if a script started us with it ignored
            signal.signal(number, self._asked_to_stop)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # under nohup it is
            signal.signal(signal.SIGHUP, self._asked_to_stop)

    def run(self) -> int:
        try:
            environment = self._servers()
            self._prepare(environment)
            self._serve(environment)
        except StopRequested:
            processes.print_message("Stopping …")
            return 0
        except StartError as error:
            processes.print_message(f"Error: {error}")
            return 1
        finally:
            self._stop()

    def _servers(self) -> dict[str, str]:
        """Start what the environment does not name; what the programs need to know comes back."""
        data = self.place.data
        if not env.str("DATABASE_URL", ""):
            processes.print_message("Starting PostgreSQL …")
            self._start_database()
        base = f"http://localhost:{self.place.port}"
        ours = {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "SECRET_KEY": self.place.key("SECRET_KEY"),
            "IDENTITY_KEY": self.place.key("IDENTITY_KEY"),
            "BASE_URL": base,
            "DEMO": "on",
            "SMS_PROVIDER": "inbox",
            "EMAIL_URL": "inbox",
            "REDIS_URL": env.str("REDIS_URL", "") or places.create_broker_folders(data),
            "STATIC_ROOT": str(data / "static"),
            "PORT": str(self.place.port),
            "HOST": self.place.host,
        }
        if self.database:
            ours["DATABASE_URL"] = self.database.url("drives")
        return {name: os.environ.get(name) or value for name, value in ours.items()}

    def _start_database(self) -> None:
        self.database = postgres.start_postgres(
            self.place.data / "postgres", self.guard, settings=postgres.DURABLE_SETTINGS, output=subprocess.PIPE
        )
        self.database.create("drives")
        self.children.listen(ChildProcess("db", self.database.process))

    def _prepare(self, environment: dict[str, str]) -> None:
        words = str(self.place.data / "demo.txt")
        child = self.children.start("setup", [sys.executable, "-m", "config.embedded.prepare", words], environment)
        while child in self.children.running:
            self._turn(expected_to_end=child)
        if child.process.returncode:
            raise StartError("the database could not be made ready; the lines above say why.")

    def _serve(self, environment: dict[str, str]) -> NoReturn:
        """Run until somebody asks to stop (raises Stopped) or one of the programs ends (raises StartError)."""
        celery = [sys.executable, "-m", "celery", "-q", "-A", "config.celery"]
        level = env.str("LOG_LEVEL", "INFO")
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        web = [sys.executable, "-m", "config.web_server"]
        self.children.start("web", web, {**environment, "WEB": "on"})
        as_root = {"PYTHONWARNINGS": "ignore:You're running the worker with superuser"}
        self.children.start("worker", [*celery, "worker", "-c", "2", "-l", level, *quiet], {**environment, **as_root})
        self.children.start("beat", [*celery, "beat", "-l", level, "--pidfile="], environment)
        self._wait_until_ready()
        while True:
            self._turn()

    def _wait_until_ready(self) -> None:
        started = reminded = time.monotonic()
        while (answer := self._readiness()) != "":
            if time.monotonic() - reminded > 20:
                reminded = time.monotonic()
                processes.print_message(f"Not ready after {reminded - started:.0f} s: {answer}")
            self._turn()
        self._welcome()

    def _readiness(self) -> str:
        """Empty when /readyz is content, else what it says."""
        connection = http.client.HTTPConnection("127.0.0.1", self.place.port, timeout=2)
        try:
            connection.request("GET", "/readyz", headers={"Host": "localhost"})
            response = connection.getresponse()
            return "" if response.status == 200 else response.read(500).decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            return str(error)
        finally:
            connection.close()

    def _welcome(self) -> None:
        words = self.place.data / "demo.txt"
        processes.print_message("")
        processes.print_message(f"Ready: http://localhost:{self.place.port}/")
        processes.print_message(f"Ctrl-C stops everything. The data stays in {self.place.data}")
        if words.exists():
            processes.print_message(words.read_text().rstrip())
        processes.print_message("")

    def _turn(self, *, expected_to_end: ChildProcess | None = None) -> None:
        """One turn of the loop: print, and see whether anything has ended."""
        self.children.print_output(0.2)
        for child in self.children.ended():
            if child is not expected_to_end:
                raise StartError(f"{child.name} stopped by itself (exit code {child.process.returncode}).")
        if self.database and self.database.process.poll() is not None:
            raise StartError("the database stopped by itself.")
        if self.guard.process.poll() is not None:
            raise StartError("the guard process stopped by itself.")
        if self.asked_at is not None or (self.parent is not None and os.getppid() != self.parent):
            raise StopRequested

    def _asked_to_stop(self, number: int, frame: object) -> None:
        now = time.monotonic()
        if self.asked_at is not None and now - self.asked_at > FORCE_STOP_AFTER_SECONDS:
            for child in self.children.running:
                child.process.kill()
        self.asked_at = self.asked_at or now

    def _stop(self) -> None:
        """Everybody, then the database last."""
        self.children.stop(GRACE_SECONDS)
        if self.database:
            self.database.stop()
        self.guard.close()
        processes.print_message("Stopped.")
