"""Benchmarks of the outbox: claim due messages, and deliver them to a fake provider."""

import time
from base64 import b64encode
from collections.abc import Callable, Iterator

from django.db import connection
from django.utils import timezone

from bench import bench_data as bench_world
from bench import load
from bench.bench_data import BenchData
from bench.load import Measurement
from bench.stack import PROVIDER_SECRET, WORKERS, BenchStack
from bench.table import Benchmark
from config import celery
from notifications import claim as notifications_claim
from notifications import senders
from organizations.models import Organization

MESSAGES, BATCH, ROUNDS = 10_000, 500, 3
TIMEOUT_SECONDS = 60.0
TEXT = (
    "Bench: Reminder: tomorrow, Sat Mar 14 10:30 AM, Hall. Bring photo ID. Reply C to confirm, X to cancel. STOP to end"
)

_CONSENTS = """
INSERT INTO notifications_consententry
    (organization_id, address, purpose, given, wording_version, wording, source, actor, at)
SELECT %s, '+1213555' || lpad(n::text, 5, '0'), 'reminders', true, 'bench', '', 'page', 'donor', now()
  FROM generate_series(1, %s) AS n
"""
_QUEUE = """
INSERT INTO notifications_message (organization_id, key, kind, about, revision, recipient, channel, address, purpose,
    language, zone, keeps_quiet_hours, subject, text, html, calendar, calendar_method, unsubscribe_url, state, reason,
    priority, due_at, expires_at, attempt_token, attempts, resends, provider_id, error_code, created_at)
SELECT %s, %s || n, 'day_before', 'booking:' || n, 0, 'volunteer:' || n, 'sms', '+1213555' || lpad(n::text, 5, '0'),
    'reminders', 'en', 'America/Los_Angeles', false, '', %s, '', '', '', '', 'queued', '', 1, now(),
    now() + interval '1 day', '', 0, 0, '', '', now()
  FROM generate_series(1, %s) AS n
"""
_CLAIM = """
UPDATE notifications_message SET state = 'claimed', lease_until = now() + interval '30 seconds'
 WHERE id IN (SELECT id FROM notifications_message WHERE state = 'queued' AND channel = 'sms' AND due_at <= now()
               ORDER BY organization_id, priority, due_at, id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED)
RETURNING id, address, text
"""


def measure_claims(world: BenchData) -> Iterator[Benchmark]:
    work = Benchmark("claim due messages", f"a bare UPDATE … FOR UPDATE SKIP LOCKED of {BATCH} rows")
    _reset_outbox(world)
    queue_messages(world.organization, MESSAGES, "claim")
    bench_world.analyze_tables()
    for _round in range(ROUNDS + 1):
        ours = _time_batches(
            lambda: len(notifications_claim.claim_messages(channel="sms", limit=BATCH, now=timezone.now()))
        )
        floor = _time_batches(_claim_bare)
        if _round:  # the first round is a warm-up
            work.ours.append(MESSAGES / sum(ours))
            work.times += ours
            work.n += MESSAGES
            work.floors.append(MESSAGES / sum(floor))
    yield work


def measure_deliveries(bench: BenchStack, world: BenchData) -> Iterator[Benchmark]:
    """Measure how many messages per second `WORKERS` worker processes deliver to a fake provider."""
    work = Benchmark(
        f"deliver messages, {WORKERS} workers", "the same requests to the stand-in by 8 connections, no database"
    )
    bench.start_worker()
    run_delivery(world, 400, "warm")
    work.add(run_delivery(world, MESSAGES, "run"))
    path, body = "/2010-04-01/Accounts/AC0/Messages.json", f"To=%2B12135550142&From=%2B12025550100&Body={TEXT}"
    login = b64encode(f"AC0:{PROVIDER_SECRET}".encode()).decode()
    form = "application/x-www-form-urlencoded"
    request = load.build_post_request(
        path, body.replace(" ", "+").encode(), f"Authorization: Basic {login}\r\n", kind=form
    )
    work.floors.append(load.run_clients(bench.provider_port, lambda _client, _n: request, seconds=3).expect(201).rate)
    yield work


def run_delivery(world: BenchData, count: int, name: str) -> Measurement:
    """Queue messages, and start the workers' tasks as beat does until the provider has accepted all messages."""
    _reset_outbox(world)
    queue_messages(world.organization, count, name)
    began = timezone.now()
    for _worker in range(WORKERS):
        celery.app.send_task("notifications.tasks.deliver_due")
    until = time.monotonic() + TIMEOUT_SECONDS
    while _has_pending_messages() and time.monotonic() < until:
        time.sleep(1)
        # These tasks expire, so that they do not pile up behind a busy worker.
        celery.app.send_task("notifications.tasks.deliver_due", expires=2)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM sent_at - sending_at)::float, extract(epoch FROM sent_at - %s)::float"
            " FROM notifications_message WHERE state = 'accepted' ORDER BY sent_at",
            [began],
        )
        rows = cursor.fetchall()
    if len(rows) != count:
        raise RuntimeError(f"{len(rows)} of {count} messages were delivered")
    return Measurement(seconds=rows[-1][1], times=[row[0] for row in rows])


def _time_batches(claim: Callable[[], int]) -> list[float]:
    times, claimed = [], MESSAGES
    while claimed:
        began = time.perf_counter()
        claimed = claim()
        times.append(time.perf_counter() - began)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE notifications_message SET state = 'queued', lease_until = NULL, attempt_token = ''")
        cursor.execute("VACUUM ANALYZE notifications_message")
    return times


def _claim_bare() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [BATCH])
        return len(cursor.fetchall())


def _reset_outbox(world: BenchData) -> None:
    """Empty the outbox, give all consents, and remove all limits."""
    senders.ensure_default_sender()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE notifications_message CASCADE")
        cursor.execute("TRUNCATE notifications_consententry")
        cursor.execute("UPDATE notifications_sender SET per_minute = 0, per_day = 0")
        cursor.execute("UPDATE organizations_organization SET messages_per_day = 0")
        cursor.execute(_CONSENTS, [world.organization.pk, MESSAGES])


def queue_messages(organization: Organization, count: int, name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_QUEUE, [organization.pk, name, TEXT, count])
        cursor.execute("ANALYZE notifications_message, notifications_consententry")


def _has_pending_messages() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM notifications_message WHERE state IN ('queued', 'claimed', 'sending'))"
        )
        return bool(cursor.fetchone()[0])
