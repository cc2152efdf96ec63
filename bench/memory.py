"""`make bench ARGS=memory`: the memory of web, worker and beat, over 100,000 requests and 100,000 messages.

The proportional set size (PSS) counts shared memory only once.
"""

from typing import Any

import psutil

from bench import delivery, load
from bench.bench_data import BenchData
from bench.stack import BenchStack

REQUESTS, STEPS = 100_000, 4
SECONDS_PER_RUN = 5.0
PAGE_EVERY = 20  # requests; the others are API calls, which are ten times as fast
MEGABYTE = 1_000_000


def measure(bench: BenchStack) -> list[dict[str, Any]]:
    """Measure after the start, and after each quarter of the requests and messages."""
    world = BenchData()
    drive = world.create_published_drive(40)
    # With this cookie, the server renders the page for the visitor.
    page = load.build_get_request(f"/d/{drive.slug}/", Cookie=f"browser={'x' * 43}")
    times = load.build_get_request(f"/api/v1/drives/{drive.pk}/slots/?visit=return")
    processes = {"web": bench.web, "worker": bench.start_worker(), "beat": bench.start_beat()}
    delivery.run_delivery(world, 400, "warm")

    def run_requests() -> int:
        measured = load.run_clients(
            bench.port, lambda _client, n: times if n % PAGE_EVERY else page, seconds=SECONDS_PER_RUN
        )
        return len(measured.expect(200).times)

    run_requests()
    requests = messages = 0
    rows = [_build_row(processes, requests, messages)]
    for step in range(1, STEPS + 1):
        while requests < step * REQUESTS / STEPS:
            requests += run_requests()
        while messages < step * REQUESTS / STEPS:
            messages += len(delivery.run_delivery(world, delivery.MESSAGES, f"run-{messages}").times)
        rows.append(_build_row(processes, requests, messages))
    return rows


def _build_row(processes: dict[str, Any], requests: int, messages: int) -> dict[str, Any]:
    sizes = {name: _read_pss(process.pid) for name, process in processes.items()}
    return {"requests": requests, "messages": messages, **sizes, "sum": sum(sizes.values())}


def _read_pss(pid: int) -> int:
    """Return the PSS of a process and its descendants, in megabytes."""
    first = psutil.Process(pid)
    sizes = [int(process.memory_full_info().pss) for process in (first, *first.children(recursive=True))]
    return round(sum(sizes) / MEGABYTE)
