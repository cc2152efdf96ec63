"""The embedded servers: they keep their data, clean up files and processes, and explain why they cannot start."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from environs import EnvError

from config.embedded import postgres, redis_server, workspace
from config.embedded.guard import Guard
from config.embedded.postgres import StartError
from config.embedded.processes import ROOT, Supervisor


def eventually(true: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while not (reached := true()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return reached


def gone(pid: int) -> bool:
    """Return whether the process has ended. A zombie counts as ended."""
    shown = subprocess.run(["ps", "-p", str(pid), "-o", "stat="], capture_output=True, text=True, check=False)
    return shown.stdout.strip()[:1] in {"", "Z"}


def test_data_is_kept_between_starts_and_through_a_kill(tmp_path: Path, guard: Guard) -> None:
    data = tmp_path / "a folder with a space"
    server = postgres.start_postgres(data, guard, settings=postgres.DURABLE_SETTINGS)
    with psycopg.connect(server.url("postgres")) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    server.process.kill()
    server.process.wait()
    assert (data / "postmaster.pid").exists()
    again = postgres.start_postgres(data, guard, settings=postgres.DURABLE_SETTINGS)
    with psycopg.connect(again.url("postgres")) as connection:
        row = connection.execute("SELECT answer, current_setting('fsync') FROM kept").fetchone()
    again.stop()
    assert row == (42, "on")


def test_a_server_that_outlived_its_owner_is_replaced(tmp_path: Path, guard: Guard) -> None:
    lost = postgres.start_postgres(tmp_path / "data", guard, settings=postgres.FAST_SETTINGS)
    found = postgres.start_postgres(tmp_path / "data", guard, settings=postgres.FAST_SETTINGS)
    assert lost.process.wait(10) == 0
    found.stop()


def test_a_lock_file_of_an_unrelated_process_is_no_obstacle(tmp_path: Path, guard: Guard) -> None:
    data = tmp_path / "data"
    postgres.start_postgres(data, guard, settings=postgres.FAST_SETTINGS).stop()
    (data / "postmaster.pid").write_text(f"{os.getppid()}\n{data}\n")
    postgres.start_postgres(data, guard, settings=postgres.FAST_SETTINGS).stop()


def test_no_folder_is_opened_to_others(tmp_path: Path, guard: Guard) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    postgres.start_postgres(private / "data", guard, settings=postgres.FAST_SETTINGS).stop()
    assert private.stat().st_mode & 0o777 == 0o700


def test_killing_the_owner_leaves_nothing(tmp_path: Path) -> None:
    program = f"""
        import subprocess, sys, time
        from pathlib import Path
        from config.embedded import postgres
        from config.embedded.guard import Guard
        guard = Guard()
        data = Path({str(tmp_path / "data")!r})
        server = postgres.start_postgres(data, guard, settings=postgres.FAST_SETTINGS, output=subprocess.DEVNULL)
        sleeper = subprocess.Popen(["sleep", "600"], start_new_session=True)
        guard.watch(sleeper)
        print(guard.process.pid, server.process.pid, sleeper.pid, server.socket, flush=True)
        time.sleep(600)
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        *pids, folder = owner.stdout.readline().split()
        owner.kill()
    assert eventually(lambda: all(gone(int(pid)) for pid in pids))
    assert not Path(folder).exists()


@pytest.mark.needs_redis
def test_the_embedded_redis_starts_and_stops(tmp_path: Path, guard: Guard) -> None:
    program = redis_server.find_redis_binary()
    assert program
    server = redis_server.start_redis(program, tmp_path, guard)
    server.stop()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", server.port)) != 0


def test_a_childs_lines_carry_its_name(guard: Guard, capsys: pytest.CaptureFixture[str]) -> None:
    children = Supervisor(guard)
    child = children.start("web", [sys.executable, "-c", "print('one'); print('two', end='')"], {})
    assert child.process.wait(10) == 0
    children.reap()
    assert capsys.readouterr().out.splitlines() == ["web    | one", "web    | two"]


def test_a_child_that_will_not_stop_is_killed(guard: Guard, capsys: pytest.CaptureFixture[str]) -> None:
    program = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    )
    children = Supervisor(guard)
    child = children.start("worker", [sys.executable, "-c", program], {})

    def is_up() -> bool:
        children.print_output(0.05)
        return "up" in capsys.readouterr().out

    assert eventually(is_up)
    children.stop(grace=0.3)
    assert "worker did not stop" in capsys.readouterr().out
    assert child.process.returncode == -signal.SIGKILL


def settled(monkeypatch: pytest.MonkeyPatch, data: Path, **changes: str) -> None:
    for name, value in {
        "DATA_DIR": str(data),
        "PORT": str(redis_server.find_free_port()),
        "FRESH": "0",
        **changes,
    }.items():
        monkeypatch.setenv(name, value)


def test_a_port_in_use_is_an_error_that_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        settled(monkeypatch, tmp_path, PORT=port)
        with pytest.raises(StartError, match=f"Port {port} is in use"):
            workspace.open_workspace()


@pytest.mark.parametrize("port", ["0", "65536", "eighty"])
def test_a_port_that_is_none_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, port: str) -> None:
    settled(monkeypatch, tmp_path, PORT=port)
    with pytest.raises(EnvError, match='"PORT" invalid'):
        workspace.open_workspace()


def test_two_runs_do_not_share_a_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settled(monkeypatch, tmp_path)
    with workspace.open_workspace().lock, pytest.raises(StartError, match="Another run uses"):
        workspace.open_workspace()


def test_a_folder_that_cannot_be_written_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settled(monkeypatch, tmp_path / "file")
    with pytest.raises(StartError, match="cannot be written to"):
        workspace.open_workspace()


def test_starting_from_empty_removes_only_what_is_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settled(monkeypatch, tmp_path)
    with (first := workspace.open_workspace()).lock:
        key = first.get_secret("SECRET_KEY")
        assert first.get_secret("SECRET_KEY") == key
    (tmp_path / "thesis.txt").write_text("three years")
    settled(monkeypatch, tmp_path, FRESH="1")
    with (second := workspace.open_workspace()).lock:
        assert second.get_secret("SECRET_KEY") != key
    assert (tmp_path / "thesis.txt").read_text() == "three years"
    assert (tmp_path / "keys" / "SECRET_KEY").stat().st_mode & 0o077 == 0


def test_data_of_the_same_tables_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settled(monkeypatch, tmp_path)
    with workspace.open_workspace().lock:
        (tmp_path / "postgres").mkdir()
    with workspace.open_workspace().lock:
        assert (tmp_path / "postgres").exists()


@pytest.mark.parametrize("schema", [None, "of other initial migrations"])
def test_data_of_older_tables_asks_for_a_fresh_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, schema: str | None
) -> None:
    settled(monkeypatch, tmp_path)
    (tmp_path / "postgres").mkdir()
    if schema is not None:
        (tmp_path / "schema").write_text(schema)
    with pytest.raises(StartError, match=r"older version.*Start once with FRESH=1"):
        workspace.open_workspace()
    assert (tmp_path / "postgres").exists()
    settled(monkeypatch, tmp_path, FRESH="1")
    with workspace.open_workspace().lock:
        assert not (tmp_path / "postgres").exists()
    monkeypatch.delenv("FRESH")
    with workspace.open_workspace().lock:
        pass
