"""Load the bookings in a donor's personal calendar feed."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import connection

from drives.web import rules as web_rules
from organizations.models import linked_model


@dataclass(frozen=True)
class Feed:
    """A donor's personal feed.

    `fingerprint` changes whenever a booking or its drive changes. It is None if there are no bookings.
    """

    volunteer_id: int
    organization: str
    language: str
    fingerprint: str | None


_FEED_SQL = Path(__file__).with_name("feed.sql").read_text()
_STAMPS_SQL = Path(__file__).with_name("feed_stamps.sql").read_text()


def find_feed(token: str, now: datetime) -> Feed | None:
    """Find a feed by the token in its link. One query.

    The feed covers active bookings, past visits, and cancelled bookings for 30 days.
    """
    since, link_hash = now - web_rules.LINK_VALID_FOR, linked_model.hash_token(token)
    with connection.cursor() as cursor:
        cursor.execute(_FEED_SQL, {"since": since, "link_hash": link_hash})
        row = cursor.fetchone()
    return Feed(*row) if row else None


def load_feed_stamps(feed: Feed, now: datetime) -> dict[str, int]:
    """Return the feed's booking ids, keyed by stamp, in order. One query.

    The stamp changes whenever the booking or its drive changes.
    """
    since = now - web_rules.LINK_VALID_FOR
    with connection.cursor() as cursor:
        cursor.execute(_STAMPS_SQL, {"volunteer": feed.volunteer_id, "since": since})
        return {stamp: booking_id for booking_id, stamp in cursor.fetchall()}
