from datetime import datetime

from django.db import transaction

from drives import refusals
from drives.booking import rules
from drives.capacity import locks
from drives.domain.intervals import SelfReported
from drives.eligibility import self_reported
from drives.models import SelfReportedDonation


@transaction.atomic
def correct_self_reported(*, booking_id: int, reported: SelfReported | None, actor: str, now: datetime) -> None:
    """Replace the self-reported donation of a hold, or remove it (None). Locks: booking.

    Refuses a booking that is no longer held, and everything that `save_self_reported` and
    `refuse_too_close_to_self_reported` refuse.
    """
    held = locks.lock_booking(booking_id)
    if reasons := rules.reasons_not_to_change(held.state, rules.list_states(rules.Act.VERIFY)):
        raise refusals.Refusal(reasons)
    SelfReportedDonation.objects.filter(registration=held.registration).delete()
    if reported:
        self_reported.save_self_reported(
            reported, drive=held.drive, actor=actor, now=now, registration=held.registration
        )
    self_reported.refuse_too_close_to_self_reported(reported, held.drive, held.visit, held.starts_at, now)
