"""What became of a drive's bookings, in numbers."""

from dataclasses import dataclass

from django.db.models import Count, Q

from drives.models import Booking, BookingState, Drive, Source, Visit


@dataclass(frozen=True)
class TurnoutNumbers:
    """Counts of one drive, as `Turnout` keeps them."""

    booked_count: int
    confirmed_count: int
    arrived_count: int
    donated_count: int
    incomplete_count: int
    deferred_count: int
    left_count: int
    no_show_count: int
    cancelled_early_count: int
    cancelled_late_count: int
    walk_in_count: int
    first_visit_count: int
    unresolved_count: int


_ARRIVED = Q(
    state__in=[
        BookingState.CHECKED_IN,
        BookingState.DONATED,
        BookingState.INCOMPLETE,
        BookingState.DEFERRED,
        BookingState.LEFT,
    ]
)
_WALK_IN = Q(source=Source.WALK_IN)


def turnout_numbers(drive: Drive) -> TurnoutNumbers:
    """Count a drive's bookings by what became of them. Holds that were never proved are not bookings. Two queries."""
    rows = Booking.objects.filter(drive=drive).exclude(state__in=[BookingState.HELD, BookingState.LAPSED])
    confirmed = rows.filter(changes__to_state=BookingState.CONFIRMED).distinct().count()
    counts = rows.aggregate(
        booked_count=Count("pk", filter=~_WALK_IN),
        arrived_count=Count("pk", filter=_ARRIVED),
        donated_count=_count(BookingState.DONATED),
        incomplete_count=_count(BookingState.INCOMPLETE),
        deferred_count=_count(BookingState.DEFERRED),
        left_count=_count(BookingState.LEFT),
        no_show_count=_count(BookingState.NO_SHOW),
        cancelled_early_count=Count("pk", filter=Q(state=BookingState.CANCELLED, cancelled_late=False)),
        cancelled_late_count=Count("pk", filter=Q(state=BookingState.CANCELLED, cancelled_late=True)),
        walk_in_count=Count("pk", filter=_WALK_IN & _ARRIVED),
        first_visit_count=Count("pk", filter=_ARRIVED & Q(visit=Visit.FIRST)),
        unresolved_count=_count(BookingState.CHECKED_IN),
    )
    return TurnoutNumbers(confirmed_count=confirmed, **counts)


def _count(state: BookingState) -> Count:
    return Count("pk", filter=Q(state=state))
