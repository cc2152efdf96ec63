"""Create .venv with exactly the locked versions. Runs on any Python, before any package is installed."""

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
LOCK = ROOT / "requirements-dev.lock"
STAMP = VENV / "installed"
PYTHON_COMMANDS = ("python3.14", "python3.13", "python3.12", "python3.11")


def main() -> None:
    """Install the packages, unless the last installation used the same lock file."""
    _require_supported_python()
    with LOCK.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = f"{hashlib.sha256(lock.read()).hexdigest()} {sys.version_info[:2]}"
        try:
            if STAMP.exists() and STAMP.read_text() == stamp and _is_venv_working():
                return
            _create_venv()
            _install_packages()
            STAMP.write_text(stamp)
        except PermissionError:
            _exit_with_error(f"You may not write to {ROOT}. Copy the project to a folder of your own.")


def _require_supported_python() -> None:
    if sys.version_info >= (3, 11):  # noqa: UP036  this script may run on an older Python
        return
    found = next(filter(None, map(shutil.which, PYTHON_COMMANDS)), None)
    if not found:
        _exit_with_error(
            f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}. Name another with PYTHON=..."
        )
    else:
        os.execv(found, [found, __file__])  # noqa: S606


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


def _install_packages() -> None:
    names = [line.split("==")[0] for line in LOCK.read_text().splitlines() if line[:1].isalnum()]
    print(f"Installing up to {len(names)} packages into .venv (a minute or two, the first time) …", flush=True)
    command = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--require-hashes", "--no-deps"]
    command += ["--progress-bar", "off", "--disable-pip-version-check", "-r", str(LOCK)]
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
    main()
