"""Find volunteers past their organization's retention period."""

from datetime import datetime

from django.db import connection

# Activity is a visit, a booking, a waitlist entry, a text from the donor, a verification, or a consent that the donor
# gave or withdrew. LIMIT makes PostgreSQL use the index volunteer_last_active, and each subquery reads one volunteer's
# rows by its own index, whatever PostgreSQL guesses about the number of volunteers.
_FOUND_SQL = """
    SELECT person.id, cutoff.since, greatest(
           (SELECT max(greatest(booking.starts_at, booking.created_at)) FROM drives_booking AS booking
             WHERE booking.volunteer_id = person.id),
           (SELECT max(entry.created_at) FROM drives_waitlistentry AS entry WHERE entry.volunteer_id = person.id),
           (SELECT max(greatest(
                   (SELECT max(reply.received_at) FROM notifications_inboundmessage AS reply
                     WHERE reply.address = contact.address),
                   (SELECT max(browser.verified_at) FROM volunteers_verifiedbrowser AS browser
                     WHERE browser.identity = contact.identity),
                   (SELECT max(consent.at) FROM notifications_consententry AS consent
                     WHERE consent.organization_id = organization.id AND consent.address = contact.address
                       AND consent.actor = 'donor')))
              FROM volunteers_contact AS contact
             WHERE contact.owner_id = person.id OR contact.id IN (person.phone_id, person.email_id))) AS active_at,
           (SELECT count(*) > 0 FROM drives_waitlistentry AS entry
             WHERE entry.volunteer_id = person.id AND entry.state IN ('waiting', 'offered')) AS is_waiting
      FROM organizations_organization AS organization
     CROSS JOIN LATERAL (
           SELECT %(now)s::timestamptz - make_interval(months => organization.retention_months) AS since) AS cutoff
     CROSS JOIN LATERAL (
           SELECT id, phone_id, email_id FROM volunteers_volunteer
            WHERE organization_id = organization.id AND erased_at IS NULL AND coalesce(active_at, created_at) < since
            ORDER BY coalesce(active_at, created_at) LIMIT %(limit)s {lock}) AS person
"""
_INACTIVE_SQL = f"""
SELECT id FROM ({_FOUND_SQL.replace("{lock}", "")}) AS found
 WHERE NOT is_waiting AND (active_at IS NULL OR active_at < since) ORDER BY id LIMIT %(limit)s
"""  # noqa: S608  only constants
# A time in the future counts as now, because the donor may still move the booking to an earlier day.
_REMEMBER_SQL = f"""
UPDATE volunteers_volunteer SET active_at = least(found.active_at, %(now)s)
  FROM ({_FOUND_SQL.replace("{lock}", "FOR NO KEY UPDATE SKIP LOCKED")}) AS found
 WHERE volunteers_volunteer.id = found.id AND found.active_at >= found.since
"""  # noqa: S608


def list_inactive_volunteers(now: datetime, limit: int) -> list[int]:
    """List up to `limit` volunteers without activity within their organization's retention period. One query.

    Looks only at the `limit` volunteers of each organization whose known activity is the oldest, so call
    `remember_active_volunteers` first.
    """
    with connection.cursor() as cursor:
        cursor.execute(_INACTIVE_SQL, {"now": now, "limit": limit})
        return [volunteer_id for (volunteer_id,) in cursor.fetchall()]


def remember_active_volunteers(now: datetime, limit: int) -> int:
    """Save the last activity of up to `limit` volunteers of each organization, so that the next run skips them.

    Returns the number of volunteers who were active within the retention period. One query.
    """
    with connection.cursor() as cursor:
        cursor.execute(_REMEMBER_SQL, {"now": now, "limit": limit})
        return int(cursor.rowcount)
