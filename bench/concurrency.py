"""`make bench ARGS=concurrency`: measure busy pages and probes at 1, 8 and 32 clients, and every idle sweep.

The database holds 100,000 bookings (`bench.filled_data`). Statements, bytes and sweeps are measured in one process, the
times through the web server.
"""

from typing import Any

from bench import bench_data, filled_data, growth, load, pages
from bench.pages import Page
from bench.stack import BenchStack

SIZE = 100_000
CLIENTS = (1, 8, 32)
SECONDS, ROUNDS = 1.5, 2


def measure(bench: BenchStack) -> list[dict[str, Any]]:
    """Fill the database of the started servers, then measure each page at each number of clients in turn."""
    world = bench_data.BenchData()
    filled_data.fill_database(world, SIZE)
    found = [_measure_page(bench, page) for page in pages.list_pages(world.organization, world.now)]
    return [*found, *growth.measure_sweeps()]


def _measure_page(bench: BenchStack, page: Page) -> dict[str, Any]:
    request = load.build_get_request(page.path, **({"Cookie": page.cookie} if page.cookie else {}))
    inside = growth.measure_act(page.name, page.read, rounds=3)
    load.run_clients(bench.port, lambda _client, _n: request, seconds=0.5)
    found = {clients: load.Measurement() for clients in CLIENTS}
    for _round in range(ROUNDS):
        for clients in CLIENTS:
            measured = load.run_clients(bench.port, lambda _client, _n: request, seconds=SECONDS, clients=clients)
            found[clients].merge(measured.expect(*page.statuses))
    return {
        "name": page.name,
        "statements": inside["statements"],
        "bytes": inside["bytes"],
        "clients": {
            clients: {
                "rate": round(one.rate, 1),
                "p50_ms": round(load.compute_percentile_ms(one.times, 0.5), 1),
                "p99_ms": round(load.compute_percentile_ms(one.times, 0.99), 1),
            }
            for clients, one in found.items()
        },
    }
