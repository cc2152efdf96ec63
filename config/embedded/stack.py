"""`make run`: database, broker, web, worker and beat until Ctrl-C."""

import http.client
import os
import signal
import subprocess
import sys
import time
from typing import NoReturn

from environs import env

from config.embedded import postgres, processes, workspace
from config.embedded.guard import Guard
from config.embedded.postgres import PostgresServer, StartError
from config.embedded.processes import ChildProcess, Supervisor
from config.embedded.workspace import Workspace

GRACE_SECONDS = 15.0
FORCE_STOP_AFTER_SECONDS = 1.0  # a second Ctrl-C after this delay kills everything immediately


class StopRequested(Exception):
    """The user or the parent process asked the stack to stop."""


class Stack:
    """Runs all servers and programs of the stack. `run` returns the exit code."""

    def __init__(self, workspace: Workspace, *, with_parent: bool) -> None:
        self.workspace = workspace
        self.guard = Guard()
        self.children = Supervisor(self.guard)
        self.database: PostgresServer | None = None
        self.parent = os.getppid() if with_parent else None
        self.stop_requested_at: float | None = None
        for number in (signal.SIGINT, signal.SIGTERM):  # handle SIGINT even if the calling script ignores it
            signal.signal(number, self._request_stop)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup ignores SIGHUP
            signal.signal(signal.SIGHUP, self._request_stop)

    def run(self) -> int:
        try:
            environment = self._start_servers()
            self._prepare(environment)
            self._run_programs(environment)
        except StopRequested:
            processes.print_message("Stopping …")
            return 0
        except StartError as error:
            processes.print_message(f"Error: {error}")
            return 1
        finally:
            self._stop()

    def _start_servers(self) -> dict[str, str]:
        """Start a database unless DATABASE_URL is set. Return the environment for the programs."""
        data = self.workspace.data
        if not env.str("DATABASE_URL", ""):
            processes.print_message("Starting PostgreSQL …")
            self._start_database()
        base = f"http://localhost:{self.workspace.port}"
        environment = {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "ENV_FILE": "",  # ignore the .env of another installation
            "SECRET_KEY": self.workspace.get_secret("SECRET_KEY"),
            "IDENTITY_KEY": self.workspace.get_secret("IDENTITY_KEY"),
            "BASE_URL": base,
            "DEMO": "on",
            "SMS_PROVIDER": "inbox",
            "EMAIL_URL": "inbox",
            "REDIS_URL": env.str("REDIS_URL", "") or workspace.create_broker_folders(data),
            "STATIC_ROOT": str(data / "static"),
            "PORT": str(self.workspace.port),
            "HOST": self.workspace.host,
        }
        if self.database:
            environment["DATABASE_URL"] = self.database.url("drives")
        return {name: os.environ.get(name) or value for name, value in environment.items()}

    def _start_database(self) -> None:
        self.database = postgres.start_postgres(
            self.workspace.data / "postgres", self.guard, settings=postgres.DURABLE_SETTINGS, output=subprocess.PIPE
        )
        self.database.create_database("drives")
        self.children.add_output(ChildProcess("db", self.database.process))

    def _prepare(self, environment: dict[str, str]) -> None:
        demo_output = str(self.workspace.data / "demo.txt")
        child = self.children.start(
            "setup", [sys.executable, "-m", "config.embedded.prepare", demo_output], environment
        )
        while child in self.children.running:
            self._poll_once(expected_to_end=child)
        if child.process.returncode:
            raise StartError("the database could not be made ready; the lines above say why.")

    def _run_programs(self, environment: dict[str, str]) -> NoReturn:
        """Run the programs until StopRequested is raised. If a program exits by itself, raise StartError."""
        celery = [sys.executable, "-m", "celery", "-q", "-A", "config.celery"]
        level = env.str("LOG_LEVEL", "INFO")
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        web = [sys.executable, "-m", "config.web_server"]
        self.children.start("web", web, {**environment, "WEB": "on"})
        as_root = {"PYTHONWARNINGS": "ignore:You're running the worker with superuser"}
        self.children.start("worker", [*celery, "worker", "-c", "2", "-l", level, *quiet], {**environment, **as_root})
        self.children.start("beat", [sys.executable, "-m", "config.beat"], environment)
        self._wait_until_ready()
        while True:
            self._poll_once()

    def _wait_until_ready(self) -> None:
        started = reminded = time.monotonic()
        while (answer := self._check_readiness()) != "":
            if time.monotonic() - reminded > 20:
                reminded = time.monotonic()
                processes.print_message(f"Not ready after {reminded - started:.0f} s: {answer}")
            self._poll_once()
        self._print_welcome()

    def _check_readiness(self) -> str:
        """Return "" if /readyz reports no problem, else its response or the error of the request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.workspace.port, timeout=2)
        try:
            connection.request("GET", "/readyz", headers={"Host": "localhost"})
            response = connection.getresponse()
            return "" if response.status == 200 else response.read(500).decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            return str(error)
        finally:
            connection.close()

    def _print_welcome(self) -> None:
        demo_output = self.workspace.data / "demo.txt"
        processes.print_message("")
        processes.print_message(f"Ready: http://localhost:{self.workspace.port}/")
        processes.print_message(f"Ctrl-C stops everything. The data stays in {self.workspace.data}")
        if demo_output.exists():
            processes.print_message(demo_output.read_text().rstrip())
        processes.print_message("")

    def _poll_once(self, *, expected_to_end: ChildProcess | None = None) -> None:
        self.children.print_output(0.2)
        for child in self.children.reap():
            if child is not expected_to_end:
                raise StartError(f"{child.name} stopped unexpectedly (exit code {child.process.returncode}).")
        if self.database and self.database.process.poll() is not None:
            raise StartError("the database stopped unexpectedly.")
        if self.guard.process.poll() is not None:
            raise StartError("the guard process stopped unexpectedly.")
        if self.stop_requested_at is not None or (self.parent is not None and os.getppid() != self.parent):
            raise StopRequested

    def _request_stop(self, number: int, frame: object) -> None:
        now = time.monotonic()
        if self.stop_requested_at is not None and now - self.stop_requested_at > FORCE_STOP_AFTER_SECONDS:
            for child in self.children.running:
                child.process.kill()
        self.stop_requested_at = self.stop_requested_at or now

    def _stop(self) -> None:
        self.children.stop(GRACE_SECONDS)
        if self.database:
            self.database.stop()
        self.guard.close()
        processes.print_message("Stopped.")
