"""The data folder and the port of the embedded stack. Both are checked before anything starts."""

import contextlib
import fcntl
import hashlib
import secrets
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from environs import env, validate

from config.embedded import postgres
from config.embedded.postgres import StartError
from config.embedded.processes import ROOT

OWNED_NAMES = ("postgres", "postgres.new", "broker", "static", "keys", "demo.txt", "schema")


@dataclass(frozen=True)
class Workspace:
    """A data folder, and the host and port to serve. The folder is locked while the file `lock` is open."""

    data: Path
    host: str
    port: int
    lock: IO[str]

    def get_secret(self, name: str) -> str:
        """Read a secret from the data folder. Create it if it does not exist yet."""
        path = self.data / "keys" / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        if not path.exists():
            draft = path.with_suffix(".new")
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_urlsafe(48))
            draft.rename(path)
        return path.read_text()


def open_workspace() -> Workspace:
    """Check HOST and PORT, and lock the folder DATA_DIR. With FRESH, also empty the folder."""
    host = env.str("HOST", "127.0.0.1")
    port = env.int("PORT", 8000, validate=validate.Range(min=1, max=65535))
    _check_port(host, port)
    data = Path(env.str("DATA_DIR", ".data")).absolute()
    lock = _lock_folder(data)
    try:
        if env.bool("FRESH", default=False):
            _empty_folder(data)
        _refuse_older_tables(data)
    except StartError:
        lock.close()
        raise
    return Workspace(data, host, port, lock)


def _check_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            raise StartError(f"You may not use port {port}. Choose one above 1023, such as PORT=8000.") from None
        except OSError as error:
            hint = f"Stop what uses it, or choose another: make run PORT={port + 1 if port < 65535 else 8000}"
            raise StartError(f"Port {port} is in use ({error.strerror}). {hint}") from None


def _lock_folder(data: Path) -> IO[str]:
    try:
        data.mkdir(parents=True, exist_ok=True)
        lock = (data / "lock").open("a")
    except OSError as error:
        hint = "Choose a folder of your own: make run DATA_DIR=~/drives-data"
        raise StartError(f"{data} cannot be written to ({error.strerror}). {hint}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise StartError(f"Another run uses {data}. Stop it, or choose another folder with DATA_DIR.") from None
    return lock


def _empty_folder(data: Path) -> None:
    """Remove the files that earlier runs have created in the folder, and no others."""
    postgres.clear_stale_lock(data / "postgres")
    for name in OWNED_NAMES:
        path = data / name
        try:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise StartError(f"{path} cannot be removed ({error.strerror}).") from None


def _refuse_older_tables(data: Path) -> None:
    """Refuse a database created with different initial migrations, because it cannot be migrated.

    The file with the hash of these migrations is written before the database is created. So a first start that was
    killed can be repeated.
    """
    schema, current = data / "schema", _hash_initial_migrations()
    if not (data / "postgres").exists():
        schema.write_text(current)
    elif not schema.exists() or schema.read_text() != current:
        hint = "Start once with FRESH=1, which deletes its data, or choose another folder with DATA_DIR."
        raise StartError(f"{data} was made by an older version, and its tables differ. {hint}")


def _hash_initial_migrations() -> str:
    digest = hashlib.sha256()
    for path in sorted(ROOT.glob("*/migrations/0001_initial.py")):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def create_broker_folders(data: Path) -> str:
    for name in ("queue", "control"):
        (data / "broker" / name).mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(OSError):
        (data / "broker").chmod(0o700)
    return f"filesystem://{data / 'broker'}"
