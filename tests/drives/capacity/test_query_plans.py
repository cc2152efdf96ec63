"""Query plans of the most frequent statements.

These statements run every few seconds, or hundreds of times a second when a drive opens. The tests check plans, not
times, because times depend on the machine. PostgreSQL must find the few rows of one booking by an index. The tests
check the generic plan, because PostgreSQL may use it from the sixth execution on.
"""

import os
import re
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from bench import bench_data, delivery
from drives.desk import person_record
from drives.messaging import call_list, invitation_audience
from drives.models import Drive
from drives.planning import under_filled_alerts
from drives.privacy import retention
from drives.public import api_queries
from drives.waitlist import queries
from notifications import claim
from tests import builders

pytestmark = pytest.mark.django_db(transaction=True)

LIVE_HOLDS, DUE = 5_000, 3_000
LARGE = {"drives_booking", "volunteers_registration", "notifications_message"}


@pytest.fixture
def drive() -> Drive:
    """Create a drive with free slots, thousands of holds at another drive, and thousands of due texts."""
    owner = builders.organization()
    rushed = builders.coming_drive(of=owner, shape=builders.plain, spots=30_000, steps=20)
    bench_data.create_holds(rushed, LIVE_HOLDS, timezone.now())
    delivery.queue_messages(owner, DUE, "due")
    bench_data.analyze_tables()
    return builders.coming_drive(of=owner, shape=builders.plain, spots=4)


def statements(act: Callable[[], object]) -> list[str]:
    """Return the SQL statements that an action runs. They contain `%s` or `%(name)s` in place of values."""
    asked: list[str] = []

    def keep(execute: Callable[..., Any], sql: str, values: Any, many: bool, context: dict[str, Any]) -> Any:
        asked.append(sql)
        return execute(sql, values, many, context)

    with connection.execute_wrapper(keep):
        act()
    return [sql for sql in asked if re.search(r"^\s*(SELECT|WITH|INSERT|UPDATE)\b", sql, re.MULTILINE)]


def large_tables_read_whole(sql: str) -> set[str]:
    """Return the large tables that PostgreSQL would read completely for this statement."""
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", sql)))
    numbers = count(1)
    sql = re.sub(r"%\((\w+)\)s", lambda value: f"${names.index(value[1]) + 1}", sql)
    sql = re.sub(r"%s", lambda _value: f"${next(numbers)}", sql)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (GENERIC_PLAN) {sql}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    return LARGE & set(re.findall(r"Seq Scan on (\w+)", plan))


def post_booking(drive: Drive) -> None:
    body = {
        "slot": str(builders.slot(drive).pk),
        "visit": "return",
        "name": "Test Ana Alder",
        "self_check": ["will_ask"],
    }
    answer = Client().post(
        "/api/v1/bookings/",
        {**body, "phone": builders.phone(7)},
        content_type="application/json",
        headers={"Idempotency-Key": os.urandom(16).hex()},
    )
    assert answer.status_code == 201, answer.content


def load_record_of_donor(drive: Drive) -> None:
    donor = builders.booked(drive, now=timezone.now()).volunteer
    assert donor is not None
    person_record.load_person_record(donor)


HOT: dict[str, Callable[[Drive], object]] = {
    "hold through the API": post_booking,
    "prove": lambda drive: builders.verified(builders.held(drive, now=timezone.now()), now=timezone.now()),
    "open times": lambda drive: api_queries.find_public_times(drive.pk, "return", timezone.now()),
    "look for waitlists that changed": lambda _drive: queries.list_drives_to_offer(timezone.now()),
    "readiness": lambda _drive: Client().get("/readyz"),
    "donors to call": lambda drive: call_list.list_subjects_to_call([drive.pk], timezone.now()),
    "messages to a person": load_record_of_donor,
    "look for donors to invite": lambda _drive: invitation_audience.list_organizations_to_invite(timezone.now()),
    "what is past its retention": lambda _drive: retention.apply_retention(now=timezone.now()),
    "under-filled drives": lambda _drive: under_filled_alerts.alert_under_filled_drives(now=timezone.now()),
    "claim due texts": lambda _drive: claim.claim_messages(channel="sms", limit=500, now=timezone.now()),
}


@pytest.mark.parametrize("name", HOT)
def test_no_hot_statement_scans_a_large_table(name: str, drive: Drive) -> None:
    asked = statements(lambda: HOT[name](drive))
    assert asked
    assert {sql: found for sql in asked if (found := large_tables_read_whole(sql))} == {}


def test_control_a_statement_that_scans_is_detected(drive: Drive) -> None:
    """PostgreSQL expects to find a lapsed hold early, so it chooses to scan the table.

    If no hold has lapsed, the scan reads all bookings.
    """
    exists = """
    SELECT EXISTS (SELECT FROM drives_booking WHERE drive_id = drive.id AND state = 'held' AND held_until <= %s)
    FROM drives_drive AS drive WHERE drive.id = %s
    """
    assert large_tables_read_whole(exists) == {"drives_booking"}
