"""`python -m bench [booking|reading|claiming|delivering …]`: measure all or some, print a table."""

import importlib
import sys
import time
from typing import Any

import django

from bench import table
from bench.stack import Bench
from bench.table import Work

PARTS = ("booking", "reading", "claiming", "delivering")


def main(arguments: list[str]) -> int:
    if unknown := set(arguments) - set(PARTS):
        print(f"Unknown: {', '.join(sorted(unknown))}. There are {', '.join(PARTS)}.", file=sys.stderr)
        return 2
    began = time.monotonic()
    with Bench() as bench:
        django.setup()
        works = _measure(bench, arguments or list(PARTS))
    print(table.shown(works))
    if not arguments:
        table.write(works)
    print(f"\n{time.monotonic() - began:.0f} s in all")
    return 0


def _measure(bench: Bench, parts: list[str]) -> list[Work]:
    # The project can be imported only now: its settings come from the servers' environment.
    world_module, http, delivery = (importlib.import_module(f"bench.{name}") for name in ("world", "http", "delivery"))
    importlib.import_module("bench.floors").prepare()
    world: Any = world_module.World()
    measures = {
        "booking": lambda: http.bookings(bench, world),
        "reading": lambda: http.reading(bench, world),
        "claiming": lambda: delivery.claiming(world),
        "delivering": lambda: delivery.delivering(bench, world),
    }
    works: list[Work] = []
    for part in parts:
        print(f"measuring {part} …", flush=True)
        works += measures[part]()
    return works


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
