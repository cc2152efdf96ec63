"""Measure lower bounds for booking and for reading availability.

pgbench runs only their SQL, on copies of the tables with the same columns, checks and indexes.
"""

from django.db import connection

from bench.stack import BenchStack

TABLES = ("drives_slot", "drives_booking", "notifications_message")

# Update the counter, insert the booking and the outbox row, and commit.
BOOK_SCRIPT = """
\\set slot random(1, {slots})
BEGIN;
UPDATE bench_drives_slot SET chairs_taken = chairs_taken + 1 WHERE n = :slot AND chairs_taken < chairs_limit + over;
INSERT INTO bench_drives_booking (uuid, epoch, link_hash, link_seal, reference, drive_id, arrival_id, starts_at, visit,
    state, source, held_until, first_step, screening_steps, chair_from, chair_to, is_counted, revision, self_check,
    override_reason, overridden_rules, created_at, changed_at, cancelled_by, cancelled_late, is_extended)
  SELECT id, 0, id::text, repeat('x', 120), left(id::text, 8), abs(hashtext(id::text)), :slot, now(), 'return',
    'held', 'api', now() + interval '15 minutes', :slot, 0, :slot, :slot + 1, true, 0, '[]', '', '[]', now(), now(), '',
    false, false
  FROM (SELECT gen_random_uuid() AS id) AS new;
INSERT INTO bench_notifications_message (organization_id, key, kind, about, revision, recipient, channel, address,
    purpose, language, zone, keeps_quiet_hours, subject, text, html, calendar, calendar_method, unsubscribe_url, state,
    reason, priority, due_at, expires_at, attempt_token, attempts, resends, provider_id, error_code, created_at)
  SELECT 1, id::text, 'code', 'booking:' || left(id::text, 8), 0, '', 'sms', '+12135550142', '', 'en', 'UTC', false, '',
    '482913 is your Bench code. It expires in 10 minutes. Do not share it.', '', '', '', '', 'queued', '', 0, now(),
    now() + interval '10 minutes', '', 0, 0, '', '', now()
  FROM (SELECT gen_random_uuid() AS id) AS new;
COMMIT;
"""
_LOOK = """
SELECT id, starts_at, open, screening_limit - screening_taken, chairs_limit - chairs_taken
  FROM drives_slot WHERE drive_id = {drive} ORDER BY n;
"""


def create_floor_tables() -> None:
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"CREATE TABLE bench_{table} (LIKE {table} INCLUDING ALL)")
        cursor.execute(
            "INSERT INTO bench_drives_slot (drive_id, n, starts_at, open, screening_limit, screening_taken,"
            " chairs_limit, chairs_taken, over)"
            " SELECT 1, n, now(), true, 30000, 0, 30000, 0, 0 FROM generate_series(1, 200) AS n"
        )
        cursor.execute("CREATE UNIQUE INDEX ON bench_drives_slot (n)")


def run_booking_floor(bench: BenchStack, *, slots: int, seconds: float) -> float:
    return bench.run_pgbench(BOOK_SCRIPT.format(slots=slots), seconds=seconds)


def run_availability_floor(bench: BenchStack, *, drive: int, seconds: float) -> float:
    return bench.run_pgbench(_LOOK.format(drive=drive), seconds=seconds)
