"""Load the donor's booking page, and the times to which bookings can move."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q, QuerySet

from drives.booking import party as booking_party
from drives.booking import rules
from drives.booking.party import Party
from drives.booking.rules import Act
from drives.capacity import availability, counters
from drives.models import WITH_DRIVE, Booking, BookingState
from drives.refusals import OpenTime
from drives.web import rules as web_rules
from organizations.models import linked_model
from volunteers import queries as volunteers_queries

# A hold that the donor removed lapsed before its deadline.
HAS_RUN_OUT = Q(state=BookingState.LAPSED, changed_at__gte=F("held_until"))


def has_run_out(booking: Booking, now: datetime) -> bool:
    """Return whether a hold has reached its deadline. False for a hold that the donor removed, and for a booking."""
    if booking.state != BookingState.LAPSED or booking.held_until is None:
        return booking.is_overdue(now)
    return booking.changed_at >= booking.held_until


@dataclass(frozen=True)
class BookingPage:
    booking: Booking
    key: str  # in the URL: the link's token, or the reference if a cookie has the token
    may_change: bool
    may_confirm: bool
    may_restore: bool
    is_over: bool  # the visit's time has passed
    has_run_out: bool  # the hold has reached its deadline
    party: Party

    @property
    def held(self) -> bool:
        return self.booking.state == BookingState.HELD


def load_booking_page(token: str, now: datetime) -> BookingPage | None:
    """Load a booking by the token in its link. Return None if the link is unknown or expired.

    A link expires 30 days after the drive.
    """
    return _load_page(Booking.filter_by_token(token), token, now)


def load_booking_page_by_reference(
    reference: str, tokens: Sequence[str], browser: str, now: datetime
) -> BookingPage | None:
    """Load a booking if this browser has its token or has verified its donor's contact. Otherwise return None.

    The reference alone gives no access. At most three queries.
    """
    rows = Booking.objects.filter(reference=reference).order_by("-pk")
    page = (
        _load_page(rows.filter(link_hash__in=map(linked_model.hash_token, tokens)), reference, now) if tokens else None
    )
    if page or not browser:
        return page
    return _load_page(
        rows.filter(volunteer__in=volunteers_queries.filter_volunteers_of_browser(browser, now)), reference, now
    )


def _load_page(rows: QuerySet[Booking], key: str, now: datetime) -> BookingPage | None:
    current = rows.filter(drive__ends_at__gt=now - web_rules.LINK_VALID_FOR)
    booking = current.select_related(*WITH_DRIVE, "registration").first()
    return build_booking_page(booking, key, now, booking_party.load_party(booking)) if booking else None


def build_booking_page(booking: Booking, key: str, now: datetime, party: Party) -> BookingPage:
    is_run_out = has_run_out(booking, now)
    if booking.is_overdue(now):
        booking.state = BookingState.LAPSED
    return BookingPage(
        booking=booking,
        key=key,
        may_change=_may(Act.MOVE, booking, now),
        may_confirm=_may(Act.CONFIRM, booking, now),
        may_restore=_may(Act.RESTORE, booking, now),
        is_over=booking.starts_at <= now,
        has_run_out=is_run_out,
        party=party,
    )


def list_times_to_move(bookings: Sequence[Booking], now: datetime) -> list[OpenTime]:
    """List the other times at this drive to which all of these bookings can move together. One query."""
    visit_types = tuple(booking.visit for booking in bookings)
    times = availability.list_open_times(
        bookings[0].drive, visit_types, now, counters.compute_released_deltas(bookings)
    )
    present = tuple(booking.starts_at for booking in bookings)
    return [time for time in times if time.arrivals != present]


def list_unfinished_party(held: Booking) -> list[Booking]:
    """List the members of a hold's party, even if the hold has lapsed. Members that the donor removed are left out."""
    if held.party is None:
        return [held]
    rows = Booking.objects.filter(HAS_RUN_OUT | Q(state=BookingState.HELD), party=held.party)
    return list(rows.select_related("registration").order_by("pk"))


def _may(act: Act, booking: Booking, now: datetime) -> bool:
    return not rules.reasons_not_to_take_step(act, booking, "donor", now)
