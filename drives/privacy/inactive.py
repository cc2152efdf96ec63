"""Who has not been heard of for as long as their organization keeps people."""

from datetime import datetime

from django.db import connection

# A contact is a visit or a booking, a place in line, a text that came in, a sign-in, a consent given or taken back by
# themselves.
# Walks volunteer_known_since; each part below is an index of its own and reads nothing once one of them says yes.
_INACTIVE_SQL = """
SELECT person.id
  FROM organizations_organization AS organization
 CROSS JOIN LATERAL (SELECT %(now)s - make_interval(months => organization.retention_months) AS since) AS kept
  JOIN volunteers_volunteer AS person ON person.organization_id = organization.id
   AND person.erased_at IS NULL AND person.created_at < kept.since
 WHERE NOT EXISTS (
       SELECT 1 FROM drives_booking AS booking
        WHERE booking.volunteer_id = person.id AND greatest(booking.starts_at, booking.created_at) >= kept.since)
   AND NOT EXISTS (
       SELECT 1 FROM drives_waitlistentry AS waits
        WHERE waits.volunteer_id = person.id
          AND (waits.state IN ('waiting', 'offered') OR waits.created_at >= kept.since))
   AND NOT EXISTS (
       SELECT 1 FROM volunteers_contact AS contact
        WHERE (contact.owner_id = person.id OR contact.id IN (person.phone_id, person.email_id)) AND (
              EXISTS (SELECT 1 FROM notifications_inboundmessage AS reply
                       WHERE reply.address = contact.address AND reply.received_at >= kept.since)
           OR EXISTS (SELECT 1 FROM volunteers_verifiedbrowser AS browser
                       WHERE browser.identity = contact.identity AND browser.verified_at >= kept.since)
           OR EXISTS (SELECT 1 FROM notifications_consententry AS line
                       WHERE line.organization_id = organization.id AND line.address = contact.address
                         AND line.actor = 'donor' AND line.at >= kept.since)))
 ORDER BY person.id LIMIT %(limit)s
"""


def list_inactive_volunteers(now: datetime, limit: int) -> list[int]:
    """Volunteers of all organizations whose last contact is longer ago than people are kept there. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_INACTIVE_SQL, {"now": now, "limit": limit})
        return [volunteer_id for (volunteer_id,) in cursor.fetchall()]
