from collections.abc import Iterable
from datetime import datetime

from drives.models import Booking, BookingChange, BookingState, Slot


def record_change(
    booking: Booking,
    *,
    from_state: str,
    actor: str,
    now: datetime,
    from_arrival: Slot | None = None,
    to_arrival: Slot | None = None,
    reason: str = "",
) -> None:
    BookingChange.objects.create(
        booking=booking,
        from_state=from_state,
        to_state=booking.state,
        from_arrival=from_arrival,
        to_arrival=to_arrival,
        actor=actor,
        reason=reason,
        at=now,
    )


def record_changes(bookings: Iterable[Booking], *, to_state: str, actor: str, now: datetime, reason: str = "") -> None:
    """Record the same change of state for each booking. Call this before you set the new state."""
    BookingChange.objects.bulk_create(
        BookingChange(booking=booking, from_state=booking.state, to_state=to_state, actor=actor, reason=reason, at=now)
        for booking in bookings
    )


def record_moves(moves: Iterable[tuple[Booking, Slot]], *, actor: str, now: datetime, reason: str = "") -> None:
    """Record a move for each booking. Call this before you set the new time."""
    BookingChange.objects.bulk_create(
        BookingChange(
            booking=booking,
            from_state=booking.state,
            to_state=booking.state if booking.state == BookingState.HELD else BookingState.BOOKED,
            from_arrival_id=booking.arrival_id,
            to_arrival=slot,
            actor=actor,
            reason=reason,
            at=now,
        )
        for booking, slot in moves
    )
