"""Fill a database with 600 days of data of several foundations, to measure how costs grow with the size.

Half of the rows belong to the measured organization, the other half to the other organizations. All constraints stay
active. Indexes that no constraint needs are dropped while the rows are inserted, and created again afterward.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from bench import bench_data
from bench.bench_data import ZONE, BenchData
from notifications import contact_address, senders
from organizations import secret_keys
from organizations.models import Organization

BOOKINGS_PER_DRIVE, BOOKINGS_PER_DONOR, STEPS = 100, 4, 40
UPCOMING_SHARE = 0.03  # of the drives; the others were in the last 600 days
MIN_UPCOMING = 60  # fills the lists at every size, so that only the size differs
FIRST_NAMES = ("Ana", "Ben", "Cleo", "Dora", "Elif", "Femi", "Gita", "Hugo", "Iris", "Jan", "Kofi", "Lena", "Mara")
LAST_NAMES = ("Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Ginkgo", "Hazel", "Juniper", "Linden", "Maple")
TABLES = (
    *("volunteers_volunteer", "volunteers_contact", "volunteers_registration", "notifications_consententry"),
    *("drives_drive", "drives_slot", "drives_booking", "drives_bookingchange", "drives_turnout"),
    *("drives_waitlistentry", "notifications_message", "notifications_report", "organizations_auditentry"),
)


def fill_database(world: BenchData, bookings: int) -> None:
    senders.ensure_default_sender()
    drives, donors = bookings // BOOKINGS_PER_DRIVE, bookings // BOOKINGS_PER_DONOR
    others = [_create_organization(world, number) for number in range(1, max(4, round(bookings**0.5 / 25)) + 1)]
    upcoming = max(MIN_UPCOMING, round(drives * UPCOMING_SHARE))
    facts = {
        "now": world.now,
        "zone": ZONE,
        "seal": secret_keys.seal("bench"),  # the same for all rows, because only the hash is unique
        "own": world.organization.pk,
        "policy": world.policy.pk,
        "drives": drives,
        "past": drives - upcoming,
        "steps": STEPS,
        "visits": BOOKINGS_PER_DRIVE,
        "own_donors": donors // 2,
        "other_donors": donors // 2 // len(others),
    }
    # Bare psycopg, because the service's connections stop statements that take long.
    with (
        psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as opened,
        psycopg.ClientCursor(opened) as cursor,
    ):
        cursor.execute(_TEMPORARY_TABLES)
        cursor.executemany(
            "INSERT INTO bench_organization VALUES (%s, %s, %s)",
            [(number, organization.pk, site) for number, (organization, site) in enumerate(others)],
        )
        cursor.execute("INSERT INTO bench_organization VALUES (-1, %s, %s)", [world.organization.pk, world.site.pk])
        _copy_donors(cursor, facts, [organization.pk for organization, _site in others])
        with _drop_indexes(cursor):
            for statement in STATEMENTS:
                cursor.execute(statement, facts)
        for table in TABLES:
            cursor.execute(sql.SQL(_SET_SEQUENCE).format(f"{table}_id_seq", sql.Identifier(table)))
        cursor.execute("VACUUM (ANALYZE)")


def _create_organization(world: BenchData, number: int) -> tuple[Organization, int]:
    name = f"Foundation {number}"
    organization = Organization.objects.create(
        name=name, slug=f"foundation-{number}", sms_name=name, email=f"{number}@example.org", created_at=world.now
    )
    site_fields = {"name": "Hall", "sms_name": "Hall", "address": "1 Example St", "city": "Los Angeles"}
    return organization, organization.sites.create(timezone=ZONE, **site_fields).pk


def _copy_donors(cursor: Any, facts: Mapping[str, Any], others: Sequence[int]) -> None:
    areas = bench_data.list_area_codes()
    with cursor.copy("COPY bench_donor FROM STDIN") as copy:
        for number in range(1, facts["own_donors"] + facts["other_donors"] * len(others) + 1):
            is_own = number <= facts["own_donors"]
            rank = number - 1 if is_own else number - facts["own_donors"] - 1
            organization = facts["own"] if is_own else others[rank // facts["other_donors"]]
            phone = f"+1{areas[number // 10_000]}555{number % 10_000:04}"
            email = f"donor{number}@example.org" if number % 5 < 3 else ""
            first, last = FIRST_NAMES[number % len(FIRST_NAMES)], LAST_NAMES[number // 13 % len(LAST_NAMES)]
            identities = (contact_address.compute_identity(address) if address else "" for address in (phone, email))
            row = (number, organization, f"Test {first} {last} {number // 143}", phone, email, *identities)
            copy.write_row(row)
    cursor.execute("ANALYZE bench_donor")


@contextmanager
def _drop_indexes(cursor: Any) -> Iterator[None]:
    cursor.execute(_LIST_INDEXES, [list(TABLES)])
    indexes = cursor.fetchall()
    for name, _definition in indexes:
        cursor.execute(f"DROP INDEX {name}")
    yield
    cursor.execute("SET maintenance_work_mem = '512MB'")
    for _name, definition in indexes:
        cursor.execute(definition)


_LIST_INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
 WHERE indrelid::regclass::text = ANY (%s)
   AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))
   AND NOT indisunique
"""
_SET_SEQUENCE: LiteralString = "SELECT setval({}, (SELECT max(id) + 1 FROM {}))"
_TEMPORARY_TABLES = """
CREATE TEMPORARY TABLE bench_organization (rank int, id bigint, site_id bigint);
CREATE TEMPORARY TABLE bench_donor (id bigint PRIMARY KEY, organization_id bigint, name text, phone text, email text,
    phone_identity text, email_identity text);
CREATE TEMPORARY TABLE bench_drive (id bigint PRIMARY KEY, rank bigint, day date, starts_at timestamptz, is_past bool,
    is_full bool, organization_id bigint, site_id bigint, first_donor bigint, donors bigint);
"""
_DONORS = """
INSERT INTO volunteers_volunteer (id, uuid, epoch, link_hash, link_seal, name, folded_name, language, created_at,
    organization_id)
SELECT id, uuid, 0, encode(sha256(uuid::text::bytea), 'hex'), %(seal)s, name, lower(name),
       CASE WHEN mod(id, 7) = 0 THEN 'es' ELSE 'en' END,
       %(now)s - interval '1 day' * (5 + mod(id, 595)), organization_id
  FROM (SELECT *, gen_random_uuid() AS uuid FROM bench_donor) AS donor
"""
_CONTACTS = """
INSERT INTO volunteers_contact (id, uuid, epoch, link_hash, link_seal, kind, address, identity, verified_at,
    organization_id, owner_id)
SELECT 2 * id + rank, uuid, 0, encode(sha256(uuid::text::bytea), 'hex'), %(seal)s, kind, address, identity,
       %(now)s - interval '5 days', organization_id, id
  FROM (SELECT donor.id, organization_id, contact.*, gen_random_uuid() AS uuid FROM bench_donor AS donor
         CROSS JOIN LATERAL (VALUES (0, 'phone', phone, phone_identity), (1, 'email', email, email_identity))
            AS contact (rank, kind, address, identity)
         WHERE contact.address <> '') AS contact
"""
_OWN_CONTACTS = """
UPDATE volunteers_volunteer AS person
   SET phone_id = 2 * donor.id, email_id = CASE WHEN donor.email <> '' THEN 2 * donor.id + 1 END
  FROM bench_donor AS donor WHERE donor.id = person.id
"""
# All donors agreed to reminders, one in three also to news.
_CONSENTS = """
INSERT INTO notifications_consententry (organization_id, address, purpose, given, wording_version, wording, source,
    actor, at, is_checked)
SELECT organization_id, address, purpose, true, 'bench', '', 'online', 'donor', %(now)s - interval '5 days', true
  FROM bench_donor AS donor
 CROSS JOIN LATERAL (VALUES (phone), (email)) AS contact (address)
 CROSS JOIN (VALUES ('reminders'), ('news')) AS asked (purpose)
 WHERE address <> '' AND (purpose = 'reminders' OR mod(donor.id, 3) = 0)
"""
_DRIVE_FACTS = """
INSERT INTO bench_drive
SELECT drive.rank, drive.rank, day, (day + time '08:00') AT TIME ZONE %(zone)s, is_past,
       NOT is_past AND mod(drive.rank, 4) = 3, organization.id, organization.site_id,
       CASE WHEN mod(drive.rank, 2) = 1 THEN 1
            ELSE 1 + %(own_donors)s + %(other_donors)s * organization.rank END,
       CASE WHEN mod(drive.rank, 2) = 1 THEN %(own_donors)s ELSE %(other_donors)s END
  FROM (SELECT rank, rank <= %(past)s AS is_past,
               CASE WHEN rank <= %(past)s THEN %(now)s::date - 2 - (%(past)s - rank) * 600 / %(past)s
                    ELSE %(now)s::date + 4 + mod(rank, 26) END::date AS day
          FROM generate_series(1, %(drives)s) AS rank) AS drive
  JOIN bench_organization AS organization
    ON organization.rank = CASE WHEN mod(drive.rank, 2) = 1 THEN -1
       ELSE mod(drive.rank / 2, (SELECT count(*) - 1 FROM bench_organization)) END;
ANALYZE bench_drive
"""
_DRIVES = """
INSERT INTO drives_drive (id, slug, state, title, day, opens, closes, breaks, chairs, screening_stations, step_minutes,
    goal, first_screening_steps, first_chair_steps, return_screening_steps, return_chair_steps, description, bring,
    phone, grace_minutes, starts_at, ends_at, version, schedule_revision, created_at, changed_at, published_at,
    closed_at, cancel_reason, closed_out_at, organization_id, policy_id, site_id)
SELECT id, 'filled-' || id, CASE WHEN is_past THEN 'completed' ELSE 'published' END,
       jsonb_build_array(jsonb_build_array('en', 'Drive ' || id)), day, '08:00', '18:00', '[]', 20, 8, 15, 80, 2, 3, 1,
       3, '[]', '[]', '', 60, starts_at, starts_at + interval '10 hours', 1, 0, starts_at - interval '40 days',
       starts_at - interval '40 days', starts_at - interval '40 days',
       CASE WHEN is_past THEN starts_at + interval '10 hours' END, '',
       CASE WHEN is_past THEN starts_at + interval '11 hours' END, organization_id, %(policy)s, site_id
  FROM bench_drive
"""
# Consecutive bookings of a drive belong to different donors, because 7919 is prime.
_BOOKING_FACTS = """
CREATE TEMPORARY TABLE bench_booking AS
SELECT (drive.rank - 1) * %(visits)s + visit + 1 AS id, drive.id AS drive_id, drive.organization_id, is_past, visit,
       mod(visit, 34) AS n, drive.starts_at + mod(visit, 34) * interval '15 minutes' AS starts_at,
       first_donor + mod((drive.rank / 2 * %(visits)s + visit) * 7919, donors) AS donor,
       CASE WHEN mod(visit, 5) = 0 THEN 2 ELSE 1 END AS screening,
       CASE WHEN mod(visit, 20) = 0 THEN 'cancelled' WHEN mod(visit, 20) = 1 AND is_past THEN 'no_show'
            WHEN mod(visit, 20) = 2 THEN CASE WHEN is_past THEN 'deferred' ELSE 'booked' END
            WHEN mod(visit, 20) = 3 THEN 'lapsed' WHEN is_past THEN 'donated' ELSE 'confirmed' END AS state,
       least(drive.starts_at, %(now)s::timestamptz) - interval '1 hour' * (72 + 4 * visit) AS made_at
  FROM bench_drive AS drive CROSS JOIN generate_series(0, %(visits)s - 1) AS visit;
ALTER TABLE bench_booking ADD PRIMARY KEY (id);
ANALYZE bench_booking
"""
_REGISTRATIONS = """
INSERT INTO volunteers_registration (id, name, phone, phone_as_typed, email, identity, language, consents, self_check,
    source, created_at, verified_at, organization_id, volunteer_id)
SELECT booking.id, donor.name, phone, phone, email, phone_identity, 'en', '["reminders"]', '[]', 'page', made_at,
       made_at, booking.organization_id, donor.id
  FROM bench_booking AS booking JOIN bench_donor AS donor ON donor.id = booking.donor
 WHERE state <> 'lapsed'
"""
_BOOKINGS = """
INSERT INTO drives_booking (id, uuid, epoch, link_hash, link_seal, reference, drive_id, arrival_id, starts_at,
    volunteer_id, registration_id, visit, state, source, held_until, is_extended, first_step, screening_steps,
    chair_from, chair_to,
    is_counted, revision, self_check, override_reason, overridden_rules, created_at, changed_at, verified_at,
    checked_in_at, donated_at, outcome_at, cancelled_at, cancelled_by, cancelled_late)
SELECT id, uuid, 0, encode(sha256(uuid::text::bytea), 'hex'), %(seal)s, 'R' || visit, drive_id,
       (drive_id - 1) * %(steps)s + n + 1, starts_at, CASE WHEN state <> 'lapsed' THEN donor END,
       CASE WHEN state <> 'lapsed' THEN id END, CASE WHEN screening = 2 THEN 'first' ELSE 'return' END, state, 'online',
       CASE WHEN state = 'lapsed' THEN made_at + interval '15 minutes' END, false, n, screening, n + screening,
       n + screening + 3, state NOT IN ('cancelled', 'lapsed', 'no_show'), 0, '[]', '', '[]', made_at, made_at,
       CASE WHEN state <> 'lapsed' THEN made_at END, CASE WHEN state IN ('donated', 'deferred') THEN starts_at END,
       CASE WHEN state = 'donated' THEN starts_at + interval '1 hour' END,
       CASE WHEN state IN ('donated', 'deferred') THEN starts_at + interval '1 hour' END,
       CASE WHEN state = 'cancelled' THEN made_at + interval '1 day' END,
       CASE WHEN state = 'cancelled' THEN 'donor' ELSE '' END, false
  FROM (SELECT *, gen_random_uuid() AS uuid FROM bench_booking) AS booking
"""
_CHANGES = """
INSERT INTO drives_bookingchange (booking_id, from_state, to_state, to_arrival_id, actor, reason, at)
SELECT id, old, new, arrival, 'donor', '', at FROM bench_booking
 CROSS JOIN LATERAL (VALUES ('', 'held', (drive_id - 1) * %(steps)s + n + 1, made_at),
                            ('held', state, NULL, made_at + interval '5 minutes')) AS change (old, new, arrival, at)
"""
# Count as the drift audit does. Full drives have no free chair left. The slots of a drive lie next to each other, as
# they do when a drive is published.
_SLOTS = """
INSERT INTO drives_slot (id, drive_id, n, starts_at, open, screening_limit, screening_taken, chairs_limit, chairs_taken,
    over)
SELECT (drive.id - 1) * %(steps)s + n + 1, drive.id, n, starts_at + n * interval '15 minutes', true,
       CASE WHEN is_full THEN coalesce(taken.screening, 0) ELSE 8 END, coalesce(taken.screening, 0),
       CASE WHEN is_full THEN coalesce(taken.chairs, 0) ELSE 20 END, coalesce(taken.chairs, 0), 0
  FROM bench_drive AS drive CROSS JOIN generate_series(0, %(steps)s - 1) AS n
  LEFT JOIN (SELECT drive_id, step,
               count(*) FILTER (WHERE step < booking.n + screening) AS screening,
               count(*) FILTER (WHERE step >= booking.n + screening) AS chairs
          FROM bench_booking AS booking CROSS JOIN generate_series(booking.n, booking.n + screening + 2) AS step
         WHERE state NOT IN ('cancelled', 'lapsed', 'no_show') GROUP BY drive_id, step) AS taken
    ON taken.drive_id = drive.id AND taken.step = n
 ORDER BY drive.id, n
"""
_TURNOUTS = """
INSERT INTO drives_turnout (computed_at, final, goal_count, booked_count, confirmed_count, arrived_count, donated_count,
    incomplete_count, deferred_count, left_count, no_show_count, cancelled_early_count, cancelled_late_count,
    walk_in_count, first_visit_count, unresolved_count, drive_id)
SELECT starts_at + interval '11 hours', true, 80, 95, 90, 85, 80, 0, 5, 0, 5, 5, 0, 0, 19, 0, id
  FROM bench_drive WHERE is_past
"""
# A dozen donors wait at each full drive, and old entries remain at past ones.
_WAITLISTS = """
INSERT INTO drives_waitlistentry (uuid, epoch, link_hash, link_seal, visit, state, source, joined_at, created_at,
    changed_at, verified_at, is_extended, drive_id, volunteer_id)
SELECT uuid, 0, encode(sha256(uuid::text::bytea), 'hex'), %(seal)s, 'return',
       CASE WHEN is_past THEN 'closed' ELSE 'waiting' END,
       'online', made_at, made_at, made_at, made_at, false, id, donor
  FROM (SELECT drive.id, is_past, gen_random_uuid() AS uuid,
               first_donor + mod((drive.rank / 2 * %(visits)s + %(visits)s + entry.rank) * 7919, donors) AS donor,
               least(drive.starts_at, %(now)s::timestamptz) - interval '1 hour' * (30 - entry.rank) AS made_at
          FROM bench_drive AS drive CROSS JOIN generate_series(1, 12) AS entry (rank)
         WHERE is_full OR is_past AND entry.rank = 1) AS entry
"""
# The confirmation, two reminders and the thank-you message. Messages older than 90 days are blanked, as by retention.
_MESSAGES = """
INSERT INTO notifications_message (id, key, kind, about, revision, recipient, channel, address, purpose, language, zone,
    keeps_quiet_hours, subject, text, html, calendar, calendar_method, unsubscribe_url, state, reason, priority, due_at,
    expires_at, attempt_token, attempts, resends, sending_at, provider_id, error_code, created_at, sent_at, settled_at,
    organization_id, sender_id)
SELECT (booking.id - 1) * 4 + rank, 'booking:' || booking.id || '/' || kind || '/0/' || channel, kind,
       'booking:' || booking.id, 0, '', channel,
       CASE WHEN is_old THEN '' WHEN channel = 'sms' THEN phone ELSE email END, purpose, 'en', %(zone)s, false, '',
       CASE WHEN planned.state = 'scheduled' THEN '' WHEN is_old THEN '-'
            ELSE 'Foundation: See you at Hall, 1 Example St, Los Angeles. Bring photo ID. Reply C to confirm.' END,
       '', '', '', '', planned.state, '', CASE WHEN rank = 1 THEN 1 ELSE 2 END, due_at,
       due_at + interval '6 hours',
       CASE WHEN is_sent THEN md5(booking.id || kind) ELSE '' END, is_sent::int, 0,
       CASE WHEN is_sent THEN due_at END, CASE WHEN is_sent THEN 'SM' || md5(kind || booking.id) ELSE '' END,
       CASE WHEN planned.state = 'undelivered' THEN '30003' ELSE '' END, made_at,
       CASE WHEN is_sent THEN due_at + interval '1 second' END,
       CASE WHEN is_sent THEN due_at + interval '5 seconds' END,
       booking.organization_id, (SELECT id FROM notifications_sender WHERE is_default)
  FROM bench_booking AS booking JOIN bench_donor AS donor ON donor.id = booking.donor
 CROSS JOIN LATERAL (
       SELECT *, due_at < %(now)s AS is_sent, made_at < %(now)s - interval '90 days' AS is_old,
              CASE WHEN due_at >= %(now)s THEN 'scheduled' WHEN mod(booking.id * 4 + rank, 101) = 0 THEN 'undelivered'
                   ELSE 'delivered' END AS state
         FROM (VALUES (1, 'booked', 'sms', '', made_at),
                      (2, 'day_before', 'sms', 'reminders', booking.starts_at - interval '1 day'),
                      (3, 'same_day', 'sms', 'reminders', booking.starts_at - interval '3 hours'),
                      (4, 'thank_you', 'email', 'reminders', booking.starts_at + interval '12 hours'))
              AS planned (rank, kind, channel, purpose, due_at)
        WHERE booking.state <> 'lapsed' AND (rank = 1 OR booking.state <> 'cancelled')
          AND (rank < 4 OR is_past AND email <> '')) AS planned
"""
_REPORTS = """
INSERT INTO notifications_report (provider_id, status, error_code, received_at, message_id)
SELECT provider_id, state, error_code, settled_at, id FROM notifications_message
 WHERE provider_id <> '' AND created_at > %(now)s - interval '90 days'
"""
_AUDIT = """
INSERT INTO organizations_auditentry (actor, verb, about, fields, at, organization_id)
SELECT 'user:1', 'exported', 'booking:' || id, '[]', made_at, organization_id FROM bench_booking WHERE mod(id, 10) = 0
"""
_STOPS = """
INSERT INTO notifications_suppression (address, since, basis, is_checked, sender_id)
SELECT phone, %(now)s - interval '5 days', 'keyword', true, (SELECT id FROM notifications_sender WHERE is_default)
  FROM bench_donor WHERE mod(id, 250) = 1
"""
STATEMENTS: tuple[LiteralString, ...] = (
    *(_DONORS, _CONTACTS, _OWN_CONTACTS, _CONSENTS, _DRIVE_FACTS, _DRIVES, _BOOKING_FACTS, _SLOTS, _REGISTRATIONS),
    *(_BOOKINGS, _CHANGES, _TURNOUTS, _WAITLISTS, _MESSAGES, _REPORTS, _AUDIT, _STOPS),
)
