"""`python -m bench [booking|reading|pages|claiming|delivering …]`: run all benchmarks, or only the named ones.

`python -m bench growth` measures pages and sweeps on three databases of different sizes. It takes several minutes.
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


def main(arguments: list[str]) -> int:
    unknown = set(arguments) - set(PARTS)
    if unknown and arguments != ["growth"]:
        print(
            f"Unknown: {', '.join(sorted(unknown))}. There are {', '.join(PARTS)}, and growth alone.", file=sys.stderr
        )
        return 2
    began = time.monotonic()
    with BenchStack() as bench:
        if arguments == ["growth"]:
            report.write_growth(growth.measure_sizes(bench))
            print(f"{report.PAGE}\n{time.monotonic() - began:.0f} s in all")
            return 0
        django.setup()
        works = _measure(bench, arguments or list(PARTS))
    print(table.format_table(works))
    if not arguments:
        table.write_results(works)
    print(f"\n{time.monotonic() - began:.0f} s in all")
    return 0


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
