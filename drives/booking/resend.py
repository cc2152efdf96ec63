"""The confirmation once more, for a donor who lost it."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from drives import refusals
from drives.booking import messages, rules
from drives.capacity import locks
from drives.models import Booking
from volunteers import limits
from volunteers.limits import Limit

AN_HOUR: Final = 2, timedelta(hours=1)
A_DAY: Final = 4, timedelta(days=1)


@transaction.atomic
def send_again(*, booking_id: int, now: datetime) -> Booking:
    """Send a booking's confirmation again, as things stand now, to its donor's phone and mailbox.

    Refuses a booking that has no place ahead (`Refusal`), and the third in an hour or fifth in a day (limits.TooMany),
    whoever asks. Locks: booking.
    """
    booking = locks.booking(booking_id)
    if reasons := rules.reasons_not_to_change(booking.state, rules.MAY_BE_MISSED):
        raise refusals.Refusal(reasons)
    if booking.starts_at <= now:
        raise refusals.Refusal([rules.visit_past()])
    messages.booked_again(booking, now)
    subject = str(booking.pk)
    limits.spend_all(limits=[Limit("resend", subject, *AN_HOUR), Limit("resend_day", subject, *A_DAY)], now=now)
    return booking
