"""Run compose.yaml with the container engine of this machine: Docker, or Podman with docker-compose.

The copy differs only in the names of the project and its image, in the port, and, for docker-compose 1, in the lines
that it does not know.
"""

import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import pytest

from config.embedded import redis_server
from config.embedded.guard import Guard
from config.embedded.processes import ROOT
from tests.programs import eventually

Done: TypeAlias = "subprocess.CompletedProcess[bytes]"
NAME = "plasma-drives-test"
COMPOSE_COMMANDS = (["docker", "compose"], ["docker-compose"])
PULL_SECONDS, BUILD_SECONDS, START_SECONDS = 300, 900, 600


@dataclass
class Engine:
    """A container engine, the command of compose, and the environment in which they find each other."""

    program: str  # docker or podman
    compose: list[str]
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, seconds: float = 60) -> Done:
        return _run([self.program, *arguments], self.environment, seconds)

    @property
    def starts_no_health_checks(self) -> bool:
        """Return whether health checks never start, because Podman leaves them to systemd and there is no systemd."""
        return self.program == "podman" and not Path("/run/systemd/system").exists()


@contextmanager
def run_engine(guard: Guard, folder: Path) -> Iterator[Engine]:
    """Find the engine, and run Podman's service if needed. Skip the test if something is missing."""
    compose = next((command for command in COMPOSE_COMMANDS if _succeeds([*command, "version"])), None)
    docker, podman = _succeeds(["docker", "version"]), shutil.which("podman")
    if not docker and not podman:
        pytest.skip("no container engine runs here: neither Docker nor Podman")
    if compose is None:
        pytest.skip("neither `docker compose` nor docker-compose is installed")
    if docker:
        engine = Engine("docker", compose)
        _require_images(engine)
        yield engine
        return
    socket = folder / "podman.sock"
    _require_images(Engine("podman", compose))
    with (folder / "podman.log").open("wb") as log:
        service = subprocess.Popen(
            ["podman", "system", "service", "--time=0", f"unix://{socket}"],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    guard.watch(service)
    try:
        assert eventually(socket.exists, 30), (folder / "podman.log").read_text()
        yield Engine("podman", compose, {"DOCKER_HOST": f"unix://{socket}"})
    finally:
        service.terminate()
        service.wait(30)
        guard.unwatch(service)


def list_base_images() -> list[str]:
    """List the published images that our image is built on or that compose.yaml runs beside it."""
    built_on = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    beside = re.findall(r"^ +image: (\S+:\S+)$", (ROOT / "compose.yaml").read_text(), re.MULTILINE)
    return [f"docker.io/library/{name}" for name in dict.fromkeys([*built_on, *beside])]


def _require_images(engine: Engine) -> None:
    for image in list_base_images():
        if engine.run("image", "inspect", image).returncode == 0:
            continue
        pulled = engine.run("pull", image, seconds=PULL_SECONDS)
        if pulled.returncode != 0:
            pytest.skip(f"{engine.program} cannot pull {image}: {_read_last_line(pulled)}")
    tried = engine.run("run", "--rm", "--entrypoint", "/bin/true", image)
    if tried.returncode != 0:
        pytest.skip(f"{engine.program} starts no container here: {_read_last_line(tried)}")


def _read_last_line(done: Done) -> str:
    return (done.stderr.decode().strip().splitlines() or [f"exit status {done.returncode}"])[-1]


def _succeeds(command: list[str]) -> bool:
    return shutil.which(command[0]) is not None and _run(command, {}, 30).returncode == 0


def _run(
    command: list[str], environment: dict[str, str], seconds: float, *, cwd: Path = ROOT, stdin: bytes = b""
) -> Done:
    # Leave out the test run's values, because in compose.yaml they would replace those of .env.
    names = {name: value for name, value in os.environ.items() if name not in _list_variables()}
    whole = {**names, **environment}
    try:
        return subprocess.run(
            command, check=False, cwd=cwd, env=whole, input=stdin, capture_output=True, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 124, b"", b"no end after %d s" % seconds)


def _list_variables() -> set[str]:
    example = (ROOT / ".env.example").read_text()
    return set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]*)=", example, re.MULTILINE))


class Project:
    """A copy of the project with its own .env, brought up and taken down by compose."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.folder = engine, folder
        self.port = redis_server.find_free_port()
        _copy_project(folder)
        compose = (folder / "compose.yaml").read_text()
        replaced = {
            "name: plasma-drives\n": "",
            "image: plasma-drives\n": f"image: {NAME}\n",
            '"127.0.0.1:8000:8000"': f'"127.0.0.1:{self.port}:8000"',
        }
        for old, new in replaced.items():
            assert old in compose, old
            compose = compose.replace(old, new)
        (folder / "compose.yaml").write_text(compose)

    def run(self, *arguments: str, seconds: float = 120, stdin: bytes = b"") -> Done:
        command = [*self.engine.compose, "--project-name", NAME, "--file", "compose.yaml", *arguments]
        return _run(command, self.engine.environment, seconds, cwd=self.folder, stdin=stdin)

    def call(self, *arguments: str, seconds: float = 120, stdin: bytes = b"") -> str:
        """Run a command of compose that must succeed. Return what it prints."""
        return self.call_for_bytes(*arguments, seconds=seconds, stdin=stdin).decode()

    def call_for_bytes(self, *arguments: str, seconds: float = 120, stdin: bytes = b"") -> bytes:
        done = self.run(*arguments, seconds=seconds, stdin=stdin)
        output = (done.stdout[-3000:] + b"\n" + done.stderr[-3000:]).decode(errors="replace")
        assert done.returncode == 0, f"{arguments}\n{output}"
        return done.stdout

    @contextmanager
    def up(self) -> Iterator[None]:
        self.call("build", seconds=BUILD_SECONDS)
        ended = threading.Event()
        checks = threading.Thread(target=self._run_health_checks, args=(ended,))
        if self.engine.starts_no_health_checks:
            checks.start()
        try:
            started = self.run("up", "--detach", seconds=START_SECONDS)
            assert started.returncode == 0, f"{started.stderr.decode()}\n{self.call('logs', 'migrate', 'web')[-5000:]}"
            yield
        finally:
            ended.set()
            if checks.is_alive():
                checks.join()
            self.run("down", "--volumes", "--remove-orphans", "--timeout", "10", seconds=180)
            self.engine.run("image", "rm", "--force", NAME)

    def find_container(self, service: str) -> str:
        return self.call("ps", "-q", service).strip()

    def read_health(self, service: str) -> str:
        done = self.engine.run("inspect", "--format", "{{json .State}}", self.find_container(service))
        state = json.loads(done.stdout)
        return str((state.get("Health") or state.get("Healthcheck"))["Status"])

    def _run_health_checks(self, ended: threading.Event) -> None:
        label = f"label=com.docker.compose.project={NAME}"
        while not ended.wait(3):
            for container in self.engine.run("ps", "--quiet", "--filter", label).stdout.decode().split():
                if not ended.is_set():
                    self.engine.run("healthcheck", "run", container)


def _copy_project(folder: Path) -> None:
    """Copy the files that git tracks, and new files that it does not ignore."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in _run(listed, {}, 60).stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
