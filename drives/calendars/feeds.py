"""The bookings in a personal calendar feed, and a fingerprint of them."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from drives.models import ACTIVE, OUTCOMES
from drives.web import links
from organizations.models import linked


@dataclass(frozen=True)
class Feed:
    """Whose personal feed it is, and a number that is another when anything in it changes."""

    volunteer_id: int
    organization: str
    language: str
    fingerprint: str


_IN_FEED = ", ".join(f"'{state}'" for state in (*ACTIVE, *OUTCOMES))
_OF_FEED = f"""
FROM drives_booking AS booking JOIN drives_drive AS drive ON drive.id = booking.drive_id
WHERE booking.volunteer_id = {{volunteer}}
    AND (booking.state IN ({_IN_FEED}) OR booking.state = 'cancelled' AND booking.cancelled_at > %(since)s)"""
# Another number when anything changes that an event depends on.
_EVENT = (
    "hashtextextended(booking.state, hash_record_extended("
    "ROW(booking.changed_at, drive.changed_at), booking.id # (booking.revision::bigint << 40)))"
)
# One row whatever the number of bookings; plain SQL, since readers ask every hour and mostly hear "not changed".
_FEED = f"""
SELECT volunteer.id, organization.name, volunteer.language,
    (SELECT sum({_EVENT}) {_OF_FEED.format(volunteer="volunteer.id")})
FROM volunteers_volunteer AS volunteer
    JOIN organizations_organization AS organization ON organization.id = volunteer.organization_id
WHERE volunteer.link_hash = %(link_hash)s
"""  # noqa: S608  names of our own columns
_STAMPS = f"""
SELECT booking.id, concat_ws(':', booking.id, {_EVENT}) {_OF_FEED.format(volunteer="%(volunteer)s")}
ORDER BY booking.starts_at, booking.id
"""


def feed(token: str, now: datetime) -> Feed | None:
    """The personal feed behind a link: active and past bookings, cancelled ones for 30 days. One query."""
    since, link_hash = now - links.LINK_GOOD_FOR, linked.token_digest(token)
    with connection.cursor() as cursor:
        cursor.execute(_FEED, {"since": since, "link_hash": link_hash})
        found = cursor.fetchone()
    if found is None:
        return None
    volunteer_id, organization, language, fingerprint = found
    return Feed(volunteer_id, organization, language, str(fingerprint))


def feed_stamps(feed: Feed, now: datetime) -> dict[str, int]:
    """The bookings in a feed, in order, each under a stamp of all that its event depends on. One query."""
    since = now - links.LINK_GOOD_FOR
    with connection.cursor() as cursor:
        cursor.execute(_STAMPS, {"volunteer": feed.volunteer_id, "since": since})
        return {stamp: booking_id for booking_id, stamp in cursor.fetchall()}
