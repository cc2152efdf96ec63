"""A donor's booking, and bookings as messages and calendars need them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.contrib.postgres.aggregates import StringAgg
from django.db.models import F, Q, QuerySet, TextField, Value
from django.db.models.functions import MD5, Cast, Concat

from drives import rules
from drives.models import ACTIVE, Booking, BookingState
from organizations.models import token_digest
from volunteers.models import Volunteer
from volunteers.queries import reached_from


@dataclass(frozen=True)
class BookingPage:
    """All that the donor's page of one booking shows. `held` while the code is outstanding."""

    booking: Booking
    key: str  # what its address names it by: the link's token, or the reference where a cookie holds the token
    may_change: bool
    may_confirm: bool
    may_be_restored: bool
    is_over: bool  # the visit's time has passed

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
    page = _page(named.filter(link_hash__in=map(token_digest, tokens)), reference, now) if tokens else None
    if page or not browser:
        return page
    return _page(named.filter(volunteer__in=reached_from(browser, now)), reference, now)


def _page(rows: QuerySet[Booking], key: str, now: datetime) -> BookingPage | None:
    good = rows.filter(drive__ends_at__gt=now - rules.LINK_GOOD_FOR)
    booking = good.select_related(*WITH_DRIVE, "registration").first()
    return page_of(booking, key, now) if booking else None


def page_of(booking: Booking, key: str, now: datetime) -> BookingPage:
    """What may be done about a booking at this moment; a hold whose time is over shows as lapsed."""
    if booking.state == BookingState.HELD and booking.held_until is not None and booking.held_until <= now:
        booking.state = BookingState.LAPSED
    state, is_over = BookingState(booking.state), booking.starts_at <= now
    return BookingPage(
        booking=booking,
        key=key,
        may_change=state in rules.MAY_BE_CHANGED and not is_over,
        may_confirm=state in rules.MAY_BE_CONFIRMED and not is_over,
        may_be_restored=may_be_restored(booking, now),
        is_over=is_over,
    )


def may_be_restored(booking: Booking, now: datetime) -> bool:
    """A cancellation by the donor may be undone for a quarter of an hour, before the visit."""
    return (
        booking.state == BookingState.CANCELLED
        and booking.cancelled_by == "donor"
        and booking.cancelled_at is not None
        and now - booking.cancelled_at < rules.UNDO_WITHIN
        and booking.starts_at > now
    )


def bookings_for_messages(booking_ids: Sequence[int]) -> dict[int, Booking]:
    """Bookings by id, with all that a notice about them says. One query."""
    rows = Booking.objects.filter(pk__in=booking_ids).select_related(*WITH_DRIVE)
    return {booking.pk: booking for booking in rows}


class FeedStamp(NamedTuple):
    """A booking of a feed and all that its event depends on: while the stamp stays, the event does."""

    booking_id: int
    revision: int
    state: str
    changed_at: datetime
    drive_changed_at: datetime


def feed_stamps(volunteer: Volunteer, now: datetime) -> list[FeedStamp]:
    """What a volunteer's personal feed shows: active and past bookings, cancelled ones for 30 days. One query."""
    rows = _in_feed(volunteer, now).order_by("starts_at", "pk")
    return [FeedStamp(*row) for row in rows.values_list("pk", "revision", "state", "changed_at", "drive__changed_at")]


def feed_version(volunteer: Volunteer, now: datetime) -> str:
    """A digest of the stamps of a feed: it changes when one of them does. One query that returns one row."""
    stamp = [F("pk"), F("revision"), F("state"), F("changed_at"), F("drive__changed_at")]
    parts = [part for value in stamp for part in (Cast(value, TextField()), Value(":"))]
    stamps = StringAgg(Concat(*parts, output_field=TextField()), Value(","), order_by=("starts_at", "pk"))
    digest = MD5(stamps, output_field=TextField())
    return str(_in_feed(volunteer, now).aggregate(version=digest)["version"])


def _in_feed(volunteer: Volunteer, now: datetime) -> QuerySet[Booking]:
    shown = [*ACTIVE, BookingState.DONATED, BookingState.INCOMPLETE, BookingState.DEFERRED, BookingState.LEFT]
    lately = Q(state=BookingState.CANCELLED, cancelled_at__gt=now - rules.LINK_GOOD_FOR)
    return Booking.objects.filter(Q(state__in=shown) | lately, volunteer=volunteer)


WITH_DRIVE = (
    "drive__site",
    "drive__organization",
    "drive__policy",
    "drive__cause",
    "drive__collector",
    "volunteer__phone",
    "volunteer__email",
)
