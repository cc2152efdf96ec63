"""Parts of the benchmarks in which an error would otherwise stay unnoticed."""

import re

import pytest
from django.db import connection

from bench import floors, load, report
from bench.load import Measurement
from bench.table import Benchmark


def test_a_percentile_is_a_measured_time() -> None:
    times = [number / 1000 for number in range(1, 101)]
    assert (
        load.compute_percentile_ms(times, 0.5),
        load.compute_percentile_ms(times, 0.99),
        load.compute_percentile_ms([], 0.5),
    ) == (51.0, 100.0, 0.0)


def test_a_row_holds_medians_and_their_ratio() -> None:
    work = Benchmark("book", "bare SQL")
    for count in (10, 30, 20):
        work.add(Measurement(seconds=1.0, times=[0.004] * count))
        work.floors.append(4.0 * count)
    assert work.row() == {
        "name": "book",
        "unit": "1/s",
        "ours": 20.0,
        "floor": 80.0,
        "ratio": 0.25,
        "n": 60,
        "p50_ms": 4.0,
        "p99_ms": 4.0,
    }


def test_a_run_with_other_statuses_is_refused() -> None:
    measured = Measurement(seconds=1.0, times=[0.1, 0.1], statuses=[201, 409])
    with pytest.raises(RuntimeError, match="409"):
        measured.expect(201)


def test_requests_are_well_formed() -> None:
    assert load.build_get_request("/healthz") == b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    head, _, body = load.build_post_request("/x", b"{}", "Idempotency-Key: 1\r\n").partition(b"\r\n\r\n")
    assert body == b"{}"
    assert head.split(b"\r\n")[1:] == [
        b"Host: localhost",
        b"Content-Type: application/json",
        b"Content-Length: 2",
        b"Idempotency-Key: 1",
    ]


def test_measurements_add_up_and_can_be_taken_apart_by_status() -> None:
    measured = Measurement(seconds=1.0, times=[0.1, 0.2], statuses=[200, 201], next_number=7)
    measured.merge(Measurement(seconds=2.0, times=[0.3], statuses=[201], next_number=5))
    assert (measured.rate, measured.next_number) == (1.0, 7)
    assert (measured.select(201).times, measured.select(201).seconds) == ([0.2, 0.3], 3.0)


def test_a_page_has_a_column_for_each_number_of_clients_and_a_sweep_only_the_first() -> None:
    cell = {"rate": 90.5, "p50_ms": 11.0, "p99_ms": 12.0}
    page = {"name": "home", "statements": 9, "bytes": 1024, "clients": {1: cell, 8: {**cell, "p50_ms": 80.0}}}
    sweep = {"name": "offer_spots, idle", "statements": 5, "bytes": 0, "p50_ms": 3.5}
    assert report.format_concurrency_table([page, sweep]).splitlines()[2:] == [
        "| home | 11.0 / 12.0 | 80.0 / 12.0 | 90.5 | 9 | 1,024 |",
        "| offer_spots, idle | 3.5 |  |  | 5 |  |",
    ]
    assert report.draw_concurrency([page, sweep]).count("<circle") == 2 + 2  # in the picture and in its legend


@pytest.mark.django_db
def test_the_floor_of_a_booking_fills_every_required_column() -> None:
    floors.create_floor_tables()
    statements = re.sub(r"(?<!:):slot", "1", floors.BOOK_SCRIPT.split("BEGIN;")[1].split("COMMIT;")[0])
    with connection.cursor() as cursor:
        for statement in filter(str.strip, statements.split(";")):
            cursor.execute(statement)
            assert cursor.rowcount == 1
