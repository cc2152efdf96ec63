"""Load bookings with everything that messages and calendar events show."""

from collections.abc import Sequence

from drives.models import WITH_DRIVE, Booking


def load_message_bookings(booking_ids: Sequence[int]) -> dict[int, Booking]:
    rows = Booking.objects.filter(pk__in=booking_ids).select_related(*WITH_DRIVE)
    return {booking.pk: booking for booking in rows}
