"""`make bench ARGS=rush`: bookings in the rush after a drive opens, and while a drive's page is shared widely.

Three situations: a quiet service; 15,000 live holds; and, with these, 10,000 visitors of the page within a minute.
"""

from typing import Any

from bench import bench_data, load, web_requests
from bench.bench_data import BenchData
from bench.load import Measurement
from bench.stack import BenchStack

HOLD_COUNT = 15_000
BOOKING_CLIENTS, VISITOR_CLIENTS = 8, 16
VISITORS, VISIT_SECONDS = 10_000, 60.0
SECONDS, ROUNDS = 4.0, 3


class Crowd:
    """Requests of clients that book and of visitors who open the drive's page. Each visitor's browser is new."""

    def __init__(self, holds: web_requests.HoldRequests, path: str) -> None:
        self.holds, self.page = holds, load.build_get_request(path)

    def __call__(self, client: int, n: int) -> bytes:
        return self.holds(client, n) if client < BOOKING_CLIENTS else self.page


def measure(bench: BenchStack) -> list[dict[str, Any]]:
    """Measure the rate of bookings in each situation, and what the visitors got. Raises RuntimeError for an error."""
    world = BenchData()
    drive, areas = world.create_published_drive(200), bench_data.list_area_codes()
    crowd = Crowd(web_requests.HoldRequests(world.list_slot_ids(drive), areas), f"/d/{drive.slug}/")
    first = load.run_clients(bench.port, crowd.holds, seconds=1).next_number
    quiet, held = Measurement(), Measurement()
    for _round in range(ROUNDS):
        bench_data.analyze_tables()
        quiet.merge(load.run_clients(bench.port, crowd.holds, seconds=SECONDS, first=first).expect(201))
        first = quiet.next_number
    bench_data.create_holds(drive, HOLD_COUNT, world.now)
    for _round in range(ROUNDS):
        bench_data.analyze_tables()
        held.merge(load.run_clients(bench.port, crowd.holds, seconds=SECONDS, first=first).expect(201))
        first = held.next_number
    pause = VISITOR_CLIENTS * VISIT_SECONDS / VISITORS
    viral = load.run_clients(
        bench.port,
        crowd,
        seconds=VISIT_SECONDS,
        clients=BOOKING_CLIENTS + VISITOR_CLIENTS,
        first=first,
        intervals=dict.fromkeys(range(BOOKING_CLIENTS, BOOKING_CLIENTS + VISITOR_CLIENTS), pause),
    ).expect(200, 201)
    return [
        _build_row("bookings, quiet", quiet, 201),
        _build_row(f"bookings, {HOLD_COUNT:,} live holds", held, 201),
        _build_row("bookings, while 10,000 visitors come within a minute", viral, 201),
        _build_row("those visitors", viral, 200),
    ]


def _build_row(name: str, measured: Measurement, status: int) -> dict[str, Any]:
    part = measured.select(status)
    return {
        "name": name,
        "answers": len(part.times),
        "rate": round(part.rate, 1),
        "p50_ms": round(load.compute_percentile_ms(part.times, 0.5), 1),
        "p99_ms": round(load.compute_percentile_ms(part.times, 0.99), 1),
    }
