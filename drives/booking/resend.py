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

HOURLY_LIMIT: Final = 2, timedelta(hours=1)
DAILY_LIMIT: Final = 4, timedelta(days=1)


@transaction.atomic
def resend_confirmation(*, booking_id: int, now: datetime) -> Booking:
    """Send a booking's confirmation again, as things stand now, to its donor's phone and mailbox.

    Refuses a booking that has no place ahead (`Refusal`), and the third in an hour or fifth in a day
    (`limits.RateLimitExceeded`).
    Locks: booking.
    """
    booking = locks.lock_booking(booking_id)
    if reasons := rules.reasons_not_to_change(booking.state, rules.UPCOMING_STATES):
        raise refusals.Refusal(reasons)
    if booking.starts_at <= now:
        raise refusals.Refusal([rules.build_visit_past_reason()])
    messages.queue_confirmation_again(booking, now)
    subject = str(booking.pk)
    limits.spend_limits(
        limits=[Limit("resend", subject, *HOURLY_LIMIT), Limit("resend_day", subject, *DAILY_LIMIT)], now=now
    )
    return booking
