from datetime import datetime

from django.db import transaction

from drives import refusals
from drives.booking import messages, rules
from drives.capacity import locks
from drives.models import Booking
from volunteers import limits
from volunteers.limits import Limit


@transaction.atomic
def resend_confirmation(*, booking_id: int, now: datetime) -> Booking:
    """Queue a booking's confirmation again. Locks: booking.

    Refuses a booking that is not upcoming. Raises RateLimitExceeded for the third request in an hour and for the fifth
    in a day.
    """
    booking = locks.lock_booking(booking_id)
    if reasons := rules.reasons_not_to_change(booking.state, rules.UPCOMING_STATES):
        raise refusals.Refusal(reasons)
    if booking.starts_at <= now:
        raise refusals.Refusal([rules.build_visit_past_reason()])
    messages.queue_confirmation_again(booking, now)
    # Over a limit, this call raises an error, which also rolls back the messages.
    subject = str(booking.pk)
    limits.spend_limits(
        limits=[
            Limit("resend", subject, *rules.RESENDS_PER_HOUR),
            Limit("resend_day", subject, *rules.RESENDS_PER_DAY),
        ],
        now=now,
    )
    return booking
