"""`python -m bench [booking|reading|pages|claiming|delivering …]`: run all benchmarks, or only the named ones.

Four more measurements take several minutes each, start from an empty database and write their results into
docs/performance.md:

- `python -m bench growth`: pages and sweeps on three databases of different sizes
- `python -m bench concurrency`: pages at 1, 8 and 32 clients
- `python -m bench rush`: bookings while many donors hold spots, and while many people visit a drive's page
- `python -m bench memory`: memory of web, worker and beat over 100,000 requests and messages
"""

import importlib
import sys
import time
from typing import Any

import django

from bench import growth, report, table
from bench.stack import BenchStack
from bench.table import Benchmark

PARTS = ("booking", "reading", "pages", "claiming", "delivering")
ALONE = ("growth", "concurrency", "rush", "memory")


def main(arguments: list[str]) -> int:
    unknown = set(arguments) - set(PARTS)
    alone = arguments[0] if len(arguments) == 1 and arguments[0] in ALONE else ""
    if unknown and not alone:
        print(
            f"Unknown: {', '.join(sorted(unknown))}. There are {', '.join(PARTS)}, and each alone: {', '.join(ALONE)}.",
            file=sys.stderr,
        )
        return 2
    began = time.monotonic()
    with BenchStack() as bench:
        if alone:
            _measure_alone(bench, alone)
        else:
            django.setup()
            works = _measure(bench, arguments or list(PARTS))
            print(table.format_table(works))
            if not arguments:
                table.write_results(works)
    print(f"\n{time.monotonic() - began:.0f} s in all")
    return 0


def _measure_alone(bench: BenchStack, name: str) -> None:
    if name == "growth":
        report.write_growth(growth.measure_sizes(bench))
    else:
        django.setup()
        module: Any = importlib.import_module(f"bench.{name}")
        write = {"concurrency": report.write_concurrency, "rush": report.write_rush, "memory": report.write_memory}
        write[name](module.measure(bench))
    print(report.PAGE)


def _measure(bench: BenchStack, parts: list[str]) -> list[Benchmark]:
    # Import the project only now, because its settings read the environment variables of the started servers.
    world_module, web_requests, delivery = (
        importlib.import_module(f"bench.{name}") for name in ("bench_data", "web_requests", "delivery")
    )
    importlib.import_module("bench.floors").create_floor_tables()
    world: Any = world_module.BenchData()
    measures = {
        "booking": lambda: web_requests.measure_bookings(bench, world),
        "reading": lambda: web_requests.measure_reads(bench, world),
        "pages": lambda: web_requests.measure_pages(bench, world),
        "claiming": lambda: delivery.measure_claims(world),
        "delivering": lambda: delivery.measure_deliveries(bench, world),
    }
    works: list[Benchmark] = []
    for part in parts:
        print(f"measuring {part} …", flush=True)
        works += measures[part]()
    return works


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
