"""`make bench ARGS=growth`: measure busy pages, both probes and every sweep at 10,000 to 1,000,000 bookings.

Each size has its own database. A separate process fills and measures it (`python -m bench.growth SIZE FILE`).
"""

import importlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

from bench.stack import BenchStack

SIZES = (10_000, 100_000, 1_000_000)
ROUNDS, IDLE_ROUNDS = 15, 5
MAX_RUNS, MAX_SECONDS = 50, 1_800  # of a sweep, until it is idle
_CONTROLS = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
Act = Callable[[], Any]


def measure_sizes(bench: BenchStack) -> dict[int, list[dict[str, Any]]]:
    """Measure each size in a separate process, because a process can use only one database."""
    assert bench.database is not None
    found: dict[int, list[dict[str, Any]]] = {}
    for size in SIZES:
        print(f"filling and measuring {size:,} bookings …", flush=True)
        path, database = bench.folder / f"{size}.json", f"growth_{size}"
        bench.database.create_database(database)
        command = [sys.executable, "-m", "bench.growth", str(size), str(path)]
        subprocess.run(command, env={**os.environ, "DATABASE_URL": bench.database.url(database)}, check=True)
        found[size] = json.loads(path.read_text())
    return found


def _measure(size: int) -> list[dict[str, Any]]:
    django.setup()
    importlib.import_module("django.core.management").call_command("migrate", verbosity=0, skip_checks=True)
    # Import the project only now, because it needs the settings.
    bench_data, filled_data = (importlib.import_module(f"bench.{name}") for name in ("bench_data", "filled_data"))
    world = bench_data.BenchData()
    began = time.monotonic()
    filled_data.fill_database(world, size)
    print(f"  filled in {time.monotonic() - began:.0f} s", flush=True)
    return measure_database(world.organization, world.now)


def measure_database(organization: Any, now: Any) -> list[dict[str, Any]]:
    pages = importlib.import_module("bench.pages").list_pages(organization, now)
    return [*(measure_act(page.name, page.read, ROUNDS) for page in pages), *measure_sweeps()]


def measure_sweeps() -> list[dict[str, Any]]:
    return [_measure_sweep(task) for task in importlib.import_module("config.schedule").SWEEPS]


def measure_act(name: str, act: Act, rounds: int) -> dict[str, Any]:
    """Measure a page or sweep in this process, without a web server."""
    response = act()
    with _capture_queries() as captured:
        act()
    statements = sum(
        not query["sql"].startswith(_CONTROLS) for query in captured.captured_queries
    )  # before the next request empties the log
    times, cpu = [], []
    for _round in range(rounds):
        began, began_cpu = time.perf_counter(), time.process_time()
        act()
        times.append(time.perf_counter() - began)
        cpu.append(time.process_time() - began_cpu)
    return {
        "name": name,
        "p50_ms": round(1000 * statistics.median(times), 1),
        "cpu_ms": round(1000 * statistics.median(cpu), 1),
        "statements": statements,
        "blocks": _count_blocks(act) - _count_blocks(lambda: None),
        "bytes": len(getattr(response, "content", b"")),
    }


def _count_blocks(act: Act) -> int:
    """Count the blocks that PostgreSQL reads for a page or sweep, from memory or disk.

    This number does not depend on how busy the machine is.
    """
    before = _read_block_count()
    act()
    return _read_block_count() - before


def _read_block_count() -> int:
    with importlib.import_module("django.db").connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT blks_hit + blks_read FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def _measure_sweep(task: str) -> dict[str, Any]:
    module, _, name = task.rpartition(".")
    sweep = getattr(importlib.import_module(module), name)
    _work_until_idle(name, sweep)
    return measure_act(f"{name}, idle", sweep, IDLE_ROUNDS)


def _work_until_idle(name: str, sweep: Act) -> None:
    """Let the sweep do the work that is due in the filled database, and print how long it took.

    A sweep is idle when a run reports no work. `watch_delivery` reports problems instead, so a repeated report counts
    as idle, too. Raises RuntimeError if the sweep does not become idle.
    """
    began, before, done = time.monotonic(), None, 0
    for _run in range(MAX_RUNS):
        report = sweep()
        if not any(report.values()) or report == before:
            break
        done, before = done + sum(report.values()), report
        if time.monotonic() - began > MAX_SECONDS:
            raise RuntimeError(f"{name} is not idle after {MAX_SECONDS} s: {report}")
    else:
        raise RuntimeError(f"{name} is not idle after {MAX_RUNS} runs: {before}")
    if (seconds := time.monotonic() - began) > 1:
        each = f", {1000 * seconds / done:.1f} ms each" if done else ""
        print(f"  {name}: {seconds:.1f} s until it was idle, {done:,} rows{each}", flush=True)


def _capture_queries() -> Any:
    utils, database = importlib.import_module("django.test.utils"), importlib.import_module("django.db")
    return utils.CaptureQueriesContext(database.connection)


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(_measure(int(sys.argv[1]))))
