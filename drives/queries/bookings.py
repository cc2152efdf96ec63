"""A donor's booking, and bookings as messages and calendars need them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import QuerySet

from drives.booking import rules as booking_rules
from drives.models import ACTIVE, Booking, BookingState
from drives.models import booking as models_booking
from drives.models.booking import WITH_DRIVE
from drives.queries import parties
from drives.queries.parties import Party
from drives.web import links
from organizations.models import linked
from volunteers import queries as volunteers_queries


@dataclass(frozen=True)
class BookingPage:
    """All that the donor's page of one booking shows. `held` while the code is outstanding."""

    booking: Booking
    key: str  # what its address names it by: the link's token, or the reference where a cookie holds the token
    may_change: bool
    may_confirm: bool
    may_be_restored: bool
    is_over: bool  # the visit's time has passed
    party: Party

    @property
    def held(self) -> bool:
        return self.booking.state == BookingState.HELD


def booking_page(token: str, now: datetime) -> BookingPage | None:
    """The booking behind a link, with its drive, site and people; None when the link opens nothing (any more).

    A link is good until 30 days after its drive. A hold whose time is over shows as lapsed.
    """
    return _page(Booking.by_token(token), token, now)


def booking_page_here(reference: str, tokens: Sequence[str], browser: str, now: datetime) -> BookingPage | None:
    """The booking with this reference, for a browser that holds its token or proved its donor's contact; else None.

    The reference alone opens nothing. Two queries at most.
    """
    named = Booking.objects.filter(reference=reference).order_by("-pk")
    page = _page(named.filter(link_hash__in=map(linked.token_digest, tokens)), reference, now) if tokens else None
    if page or not browser:
        return page
    return _page(named.filter(volunteer__in=volunteers_queries.reached_from(browser, now)), reference, now)


def _page(rows: QuerySet[Booking], key: str, now: datetime) -> BookingPage | None:
    good = rows.filter(drive__ends_at__gt=now - links.LINK_GOOD_FOR)
    booking = good.select_related(*WITH_DRIVE, "registration").first()
    return page_of(booking, key, now, parties.party_of(booking)) if booking else None


def page_of(booking: Booking, key: str, now: datetime, party: Party) -> BookingPage:
    """What may be done about a booking at this moment; a hold whose time is over shows as lapsed."""
    if booking.state == BookingState.HELD and booking.held_until is not None and booking.held_until <= now:
        booking.state = BookingState.LAPSED
    state, is_over = BookingState(booking.state), booking.starts_at <= now
    return BookingPage(
        booking=booking,
        key=key,
        may_change=state in booking_rules.MAY_BE_CHANGED and not is_over,
        may_confirm=state in booking_rules.MAY_BE_CONFIRMED and not is_over,
        may_be_restored=may_be_restored(booking, now),
        is_over=is_over,
        party=party,
    )


def may_be_restored(booking: Booking, now: datetime) -> bool:
    """A cancellation by the donor may be undone for a quarter of an hour, before the visit."""
    return (
        booking.state == BookingState.CANCELLED
        and booking.cancelled_by == "donor"
        and booking.cancelled_at is not None
        and now - booking.cancelled_at < booking_rules.UNDO_WITHIN
        and booking.starts_at > now
    )


def bookings_for_messages(booking_ids: Sequence[int]) -> dict[int, Booking]:
    """Bookings by id, with all that a notice about them says. One query."""
    rows = Booking.objects.filter(pk__in=booking_ids).select_related(*WITH_DRIVE)
    return {booking.pk: booking for booking in rows}


@dataclass(frozen=True)
class Feed:
    """Whose personal feed it is, and a number that is another when anything in it changes."""

    volunteer_id: int
    organization: str
    language: str
    fingerprint: str


_IN_FEED = ", ".join(f"'{state}'" for state in (*ACTIVE, *models_booking.OUTCOMES))
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
