"""Create .venv with the locked versions of the packages: those of the service, and with `--dev` also the tools.

This file runs on any Python, before any package is installed.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
RUN_LOCKS = [ROOT / "requirements.lock", ROOT / "requirements-postgres.lock"]
DEV_LOCKS = [ROOT / "requirements-dev.lock"]  # includes the packages of the other two
PYTHON_COMMANDS = ("python3.14", "python3.13", "python3.12", "python3.11")


def main(arguments: "list[str]") -> None:
    """Install the packages, unless .venv works and was installed from the same lock files."""
    _require_supported_python()
    with RUN_LOCKS[0].open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run = VENV / "installed", _compute_stamp(RUN_LOCKS)
        dev = VENV / "installed-dev", _compute_stamp(DEV_LOCKS)
        is_dev = "--dev" in arguments
        try:
            if _is_stamped(dev if is_dev else run) and _is_venv_working():
                return
            _create_venv()
            _install_packages(DEV_LOCKS if is_dev else RUN_LOCKS)
            for path, stamp in (run, dev) if is_dev else (run,):
                path.write_text(stamp)
        except PermissionError:
            _exit_with_error(f"You may not write to {ROOT}. Copy the project to a folder of your own.")


def _compute_stamp(locks: "list[Path]") -> str:
    content = b"".join(lock.read_bytes() for lock in locks)
    return f"{hashlib.sha256(content).hexdigest()} {sys.version_info[:2]}"


def _is_stamped(expected: "tuple[Path, str]") -> bool:
    path, stamp = expected
    return path.exists() and path.read_text() == stamp


def _require_supported_python() -> None:
    if sys.version_info >= (3, 11):  # noqa: UP036  this script may run on an older Python
        return
    found = next(filter(None, map(shutil.which, PYTHON_COMMANDS)), None)
    if not found:
        _exit_with_error(
            f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}. Name another with PYTHON=..."
        )
    else:
        os.execv(found, [found, __file__, *sys.argv[1:]])  # noqa: S606


def _is_venv_working() -> bool:
    python = VENV / "bin" / "python"
    return python.exists() and subprocess.call([str(python), "-m", "pip", "--version"], stdout=subprocess.DEVNULL) == 0


def _create_venv() -> None:
    if _is_venv_working():
        return
    if not os.access(str(ROOT), os.W_OK):
        raise PermissionError
    print(f"Making .venv with Python {sys.version.split()[0]} …", flush=True)
    if subprocess.call([sys.executable, "-m", "venv", "--clear", str(VENV)]):
        _exit_with_error(
            "Python could not make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv"
        )


def _install_packages(locks: "list[Path]") -> None:
    lines = [line for lock in locks for line in lock.read_text().splitlines()]
    names = [line.split("==")[0] for line in lines if line[:1].isalnum()]
    print(f"Installing up to {len(names)} packages into .venv (the first time, pip downloads them) …", flush=True)
    command = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--require-hashes", "--no-deps"]
    # Python compiles what it imports. Compiling every module of every package takes as long as unpacking them.
    command += ["--no-compile", "--progress-bar", "off", "--disable-pip-version-check"]
    command += [argument for lock in locks for argument in ("-r", str(lock))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
        output = _print_progress(pip.stdout or [], names)
    if pip.returncode:
        print("".join(output[-15:]), end="", flush=True)
        _exit_with_error("pip could not install the packages; the lines above say why.")
    print("Installed.", flush=True)


def _print_progress(lines: "Iterable[str]", names: "list[str]") -> "list[str]":
    output, printed_tens = [], 0
    for line in lines:
        output.append(line)
        name = line.split()[1].split("==")[0].split("[")[0] if line.startswith("Collecting ") else ""
        position = names.index(name) + 1 if name in names else 0
        if position // 10 > printed_tens:
            printed_tens = position // 10
            print(f"  {position} of {len(names)}: {name}", flush=True)
        elif line.startswith("Installing collected"):
            print("  unpacking …", flush=True)
    return output


def _exit_with_error(sentence: str) -> None:
    sys.stdout.flush()
    sys.stderr.write(f"Error: {sentence}\n")
    sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
