"""Through the web server: booking, looking at open times, reading a calendar feed."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from bench import floors, load
from bench import world as bench_world
from bench.load import Requests, Talk
from bench.stack import Bench
from bench.table import Work
from bench.world import World

SHORT, LONG, ROUNDS = 2.0, 3.0, 3
HELD = 5_000  # places at another drive, as in the rush when it opens
_RUN = 400  # requests of one client in one run, so that no number is asked for three codes


@dataclass
class Booker:
    """Makes requests to hold places: another made-up donor each time."""

    slots: list[int]
    areas: list[str]

    def __call__(self, client: int, n: int) -> bytes:
        person = n * 8 + client
        phone = f"+1{self.areas[person // 100 % len(self.areas)]}55501{person % 100:02}"
        body = (
            f'{{"slot": "{self.slots[person * 7 % len(self.slots)]}", "visit": "return", "name": "Test Ana Alder",'
            f' "phone": "{phone}", "consents": ["reminders"], "self_check": ["will_ask"]}}'
        )
        return load.post("/api/v1/bookings/", body.encode(), f"Idempotency-Key: {os.urandom(16).hex()}\r\n")


def bookings(bench: Bench, world: World) -> Iterator[Work]:
    """Holds a second, everything included: rules, history, the code's message, the kept answer."""
    areas, floors_is = bench_world.area_codes(), "three statements in pgbench: counter, booking, outbox row"
    grid, visits = world.slots(world.drive(200)), world.slots(world.drive(200, screening=2, chair=3))
    kinds = [
        (Work("book, spread over 200 slots", floors_is), Booker(grid, areas), 200),
        (Work("book, spread, visits of 5 steps", floors_is), Booker(visits[:195], areas), 200),
        (Work("book, one hot slot", f"{floors_is}, one slot"), Booker(grid[:1], areas), 1),
    ]
    bench_world.fill_with_holds(world.drive(200), HELD, world.now)
    bench_world.analyze()
    first = 0
    load.hammer(bench.port, kinds[0][1], seconds=1, first=first)
    for _round in range(ROUNDS):
        for work, booker, slots in kinds:
            bench_world.analyze()
            first += _RUN
            work.add(load.hammer(bench.port, booker, seconds=LONG, first=first).expect(201))
            work.floors.append(floors.book(bench, slots=slots, seconds=SHORT))
    yield from (work for work, _booker, _slots in kinds)


def reading(bench: Bench, world: World) -> Iterator[Work]:
    """Open times and calendar feeds, beside a view that does nothing."""
    drive, person = world.drive(40), world.much_booked(200)
    times, feed = f"/api/v1/drives/{drive.pk}/slots/?visit=return", f"/feeds/{person.token}.ics"
    idle = "a view that does nothing"
    works = {
        times: Work("availability, 40 slots", idle),
        feed: Work("calendar feed, 200 bookings", idle),
        "304": Work("calendar feed, not changed", idle),
    }
    asked = {
        times: (load.get(times), 200),
        feed: (load.get(feed), 200),
        "304": (load.get(feed, **{"If-None-Match": _tag(bench, feed)}), 304),
    }
    bench_world.analyze()
    for request, _status in asked.values():
        load.hammer(bench.port, _same(request), seconds=0.5)
    for _round in range(ROUNDS):
        floor = load.hammer(bench.port, _same(load.get("/healthz")), seconds=SHORT).expect(200).rate
        for name, (request, status) in asked.items():
            works[name].add(load.hammer(bench.port, _same(request), seconds=SHORT).expect(status))
            works[name].floors.append(floor)
    yield from works.values()
    yield _beside_sql(bench, works[times], drive.pk)


def _beside_sql(bench: Bench, looked: Work, drive: int) -> Work:
    """The availability figures once more, with bare SQL for a floor."""
    work = Work("availability, 40 slots, beside SQL", "one SELECT of the 40 rows in pgbench")
    work.ours, work.times, work.n = looked.ours, looked.times, looked.n
    work.floors = [floors.look(bench, drive=drive, seconds=SHORT) for _round in range(ROUNDS)]
    return work


def _same(request: bytes) -> Requests:
    return lambda _client, _n: request


def _tag(bench: Bench, path: str) -> str:
    """The present ETag of an address."""
    talk = Talk(bench.port)
    head = talk.head(load.get(path))
    talk.socket.close()
    return next(line.split(": ", 1)[1] for line in head.split("\r\n") if line.lower().startswith("etag"))
