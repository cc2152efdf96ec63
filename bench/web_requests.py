"""Benchmarks through the web server: bookings, open times, calendar feeds and public pages."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bench import bench_data as bench_world
from bench import floors, load
from bench.bench_data import BenchData
from bench.load import KeptConnection, RequestFactory
from bench.stack import BenchStack
from bench.table import Benchmark

SHORT, LONG, ROUNDS = 2.0, 3.0, 3
HOLD_COUNT = 5_000  # holds at another drive, as after a drive has just opened
LISTED_COUNT = 50  # drives on the list of all drives and on the organization's page
_IDLE = "a view that only redirects"
_IDLE_REQUEST = load.build_get_request("/language/?next=/")  # the server answers /healthz without Django


@dataclass
class HoldRequests:
    slots: list[int]
    areas: list[str]

    def __call__(self, client: int, n: int) -> bytes:
        person = n * 8 + client
        phone = f"+1{self.areas[person // 100 % len(self.areas)]}55501{person % 100:02}"
        body = (
            f'{{"slot": "{self.slots[person * 7 % len(self.slots)]}", "visit": "return", "name": "Test Ana Alder",'
            f' "phone": "{phone}", "consents": ["reminders"], "self_check": ["will_ask"]}}'
        )
        return load.build_post_request(
            "/api/v1/bookings/", body.encode(), f"Idempotency-Key: {os.urandom(16).hex()}\r\n"
        )


def measure_bookings(bench: BenchStack, world: BenchData) -> Iterator[Benchmark]:
    """Measure holds per second. Each request checks the rules and the history, and queues a code."""
    areas, floor_description = (
        bench_world.list_area_codes(),
        "three statements in pgbench: counter, booking, outbox row",
    )
    grid, visits = (
        world.list_slot_ids(world.create_published_drive(200)),
        world.list_slot_ids(world.create_published_drive(200, screening=2, chair=3)),
    )
    kinds = [
        (Benchmark("book, spread over 200 slots", floor_description), HoldRequests(grid, areas), 200),
        (Benchmark("book, spread, visits of 5 steps", floor_description), HoldRequests(visits[:195], areas), 200),
        (Benchmark("book, one hot slot", f"{floor_description}, one slot"), HoldRequests(grid[:1], areas), 1),
    ]
    bench_world.create_holds(world.create_published_drive(200), HOLD_COUNT, world.now)
    bench_world.analyze_tables()
    first = load.run_clients(bench.port, kinds[0][1], seconds=1).next_number
    for _round in range(ROUNDS):
        for work, booker, slots in kinds:
            bench_world.analyze_tables()
            # A phone number gets few codes, so no number is used twice.
            measured = load.run_clients(bench.port, booker, seconds=LONG, first=first).expect(201)
            first = measured.next_number
            work.add(measured)
            work.floors.append(floors.run_booking_floor(bench, slots=slots, seconds=SHORT))
    yield from (work for work, _booker, _slots in kinds)


def measure_reads(bench: BenchStack, world: BenchData) -> Iterator[Benchmark]:
    """Measure requests for open times and calendar feeds. For comparison, measure a view that only redirects."""
    drive, person = world.create_published_drive(40), world.create_frequent_donor(200)
    times, feed = f"/api/v1/drives/{drive.pk}/slots/?visit=return", f"/feeds/{person.token}.ics"
    works = {
        times: Benchmark("availability, 40 slots", _IDLE),
        feed: Benchmark("calendar feed, 200 bookings", _IDLE),
        "304": Benchmark("calendar feed, not changed", _IDLE),
    }
    requests = {
        times: (load.build_get_request(times), 200),
        feed: (load.build_get_request(feed), 200),
        "304": (load.build_get_request(feed, **{"If-None-Match": _read_etag(bench, feed)}), 304),
    }
    _measure_beside_idle_view(bench, works, requests)
    yield from works.values()
    yield _compare_with_sql(bench, works[times], drive.pk)


def measure_pages(bench: BenchStack, world: BenchData) -> Iterator[Benchmark]:
    """Measure public pages, shared ones and one for a browser with our cookie, which is rendered for each request."""
    drives = [world.create_published_drive(40) for _number in range(LISTED_COUNT)]
    page, organization = f"/d/{drives[0].slug}/", f"/o/{world.organization.slug}/"
    works = {
        "page": Benchmark("drive page, 40 slots", _IDLE),
        "304": Benchmark("drive page, not changed", _IDLE),
        "own": Benchmark("drive page, rendered each time", _IDLE),
        "list": Benchmark(f"all drives, {LISTED_COUNT}", _IDLE),
        "organization": Benchmark(f"organization page, {LISTED_COUNT} drives", _IDLE),
    }
    requests = {
        "page": (load.build_get_request(page), 200),
        "304": (load.build_get_request(page, **{"If-None-Match": _read_etag(bench, page)}), 304),
        "own": (load.build_get_request(page, Cookie=f"browser={'x' * 43}"), 200),
        "list": (load.build_get_request("/"), 200),
        "organization": (load.build_get_request(organization), 200),
    }
    _measure_beside_idle_view(bench, works, requests)
    yield from works.values()


def _measure_beside_idle_view(
    bench: BenchStack, works: Mapping[str, Benchmark], requests: Mapping[str, tuple[bytes, int]]
) -> None:
    bench_world.analyze_tables()
    for request, _status in requests.values():
        load.run_clients(bench.port, _repeat_request(request), seconds=0.5)
    for _round in range(ROUNDS):
        floor = load.run_clients(bench.port, _repeat_request(_IDLE_REQUEST), seconds=SHORT).expect(302).rate
        for name, (request, status) in requests.items():
            works[name].add(load.run_clients(bench.port, _repeat_request(request), seconds=SHORT).expect(status))
            works[name].floors.append(floor)


def _compare_with_sql(bench: BenchStack, measured: Benchmark, drive: int) -> Benchmark:
    work = Benchmark("availability, 40 slots, beside SQL", "one SELECT of the 40 rows in pgbench")
    work.ours, work.times, work.n = measured.ours, measured.times, measured.n
    work.floors = [floors.run_availability_floor(bench, drive=drive, seconds=SHORT) for _round in range(ROUNDS)]
    return work


def _repeat_request(request: bytes) -> RequestFactory:
    return lambda _client, _n: request


def _read_etag(bench: BenchStack, path: str) -> str:
    connection = KeptConnection(bench.port)
    head = connection.head(load.build_get_request(path))
    connection.socket.close()
    return next(line.split(": ", 1)[1] for line in head.split("\r\n") if line.lower().startswith("etag"))
