"""Find volunteers past their organization's retention period."""

from datetime import datetime

from django.db import connection

# Activity is a visit, a booking, a waitlist entry, a text from the donor, a verification, or a consent that the donor
# gave or withdrew. The query uses the index volunteer_created. Each subquery uses its own index and stops at one row.
_INACTIVE_SQL = """
SELECT person.id
  FROM organizations_organization AS organization
 CROSS JOIN LATERAL (SELECT %(now)s - make_interval(months => organization.retention_months) AS since) AS cutoff
  JOIN volunteers_volunteer AS person ON person.organization_id = organization.id
   AND person.erased_at IS NULL AND person.created_at < cutoff.since
 WHERE NOT EXISTS (
       SELECT 1 FROM drives_booking AS booking
        WHERE booking.volunteer_id = person.id AND greatest(booking.starts_at, booking.created_at) >= cutoff.since)
   AND NOT EXISTS (
       SELECT 1 FROM drives_waitlistentry AS entry
        WHERE entry.volunteer_id = person.id
          AND (entry.state IN ('waiting', 'offered') OR entry.created_at >= cutoff.since))
   AND NOT EXISTS (
       SELECT 1 FROM volunteers_contact AS contact
        WHERE (contact.owner_id = person.id OR contact.id IN (person.phone_id, person.email_id)) AND (
              EXISTS (SELECT 1 FROM notifications_inboundmessage AS reply
                       WHERE reply.address = contact.address AND reply.received_at >= cutoff.since)
           OR EXISTS (SELECT 1 FROM volunteers_verifiedbrowser AS browser
                       WHERE browser.identity = contact.identity AND browser.verified_at >= cutoff.since)
           OR EXISTS (SELECT 1 FROM notifications_consententry AS consent
                       WHERE consent.organization_id = organization.id AND consent.address = contact.address
                         AND consent.actor = 'donor' AND consent.at >= cutoff.since)))
 ORDER BY person.id LIMIT %(limit)s
"""


def list_inactive_volunteers(now: datetime, limit: int) -> list[int]:
    """List volunteers of all organizations without activity within the retention period. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_INACTIVE_SQL, {"now": now, "limit": limit})
        return [volunteer_id for (volunteer_id,) in cursor.fetchall()]
