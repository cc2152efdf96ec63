"""Print the results of the benchmarks as a table or as JSON."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench import load
from bench.load import Measurement

RESULTS_PATH = Path(__file__).parent / "results" / "latest.json"


@dataclass
class Benchmark:
    name: str
    floor_description: str
    unit: str = "1/s"
    ours: list[float] = field(default_factory=list)
    floors: list[float] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    n: int = 0

    def add(self, measured: Measurement) -> None:
        self.ours.append(measured.rate)
        self.times += measured.times
        self.n += len(measured.times)

    def row(self) -> dict[str, object]:
        ours, floor = statistics.median(self.ours), statistics.median(self.floors)
        return {
            "name": self.name,
            "unit": self.unit,
            "ours": round(ours, 1),
            "floor": round(floor, 1),
            "ratio": round(ours / floor, 3),
            "n": self.n,
            "p50_ms": round(load.compute_percentile_ms(self.times, 0.5), 2),
            "p99_ms": round(load.compute_percentile_ms(self.times, 0.99), 2),
        }


def write_results(works: Sequence[Benchmark]) -> None:
    rows = [work.row() for work in works]
    RESULTS_PATH.parent.mkdir(exist_ok=True)
    RESULTS_PATH.write_text(json.dumps(rows, indent=2) + "\n")


def format_table(works: Sequence[Benchmark]) -> str:
    rows = [work.row() for work in works]
    width = max(len(str(row["name"])) for row in rows)
    head = f"{'':{width}}  {'ours':>9}  {'floor':>9}  {'ratio':>6}  {'p50 ms':>7}  {'p99 ms':>7}  {'n':>7}"
    lines = [
        f"{row['name']:{width}}  {row['ours']:>9}  {row['floor']:>9}  {row['ratio']:>6}"
        f"  {row['p50_ms']:>7}  {row['p99_ms']:>7}  {row['n']:>7}"
        for row in rows
    ]
    floors = [f"{work.name}: the floor is {work.floor_description}." for work in works]
    return "\n".join([head, *lines, "", "Rates are per second, medians of runs that took turns.", *floors])
