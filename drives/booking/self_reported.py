"""Correct a self-reported donation of a held booking."""

from datetime import datetime

from django.db import transaction

from drives import refusals
from drives.booking import rules
from drives.capacity import locks
from drives.domain.intervals import Stated
from drives.eligibility import self_reported
from drives.models import BookingState, StatedDonation


@transaction.atomic
def correct(*, booking_id: int, stated: Stated | None, actor: str, now: datetime) -> None:
    """Change or take back (None) what was stated with a hold. Refuses what `keep` and `refuse_too_close` do.

    What has become of the hold meanwhile is refused in words. Locks: booking.
    """
    held = locks.booking(booking_id)
    if reasons := rules.reasons_not_to_change(held.state, frozenset({BookingState.HELD})):
        raise refusals.Refusal(reasons)
    StatedDonation.objects.filter(registration=held.registration).delete()
    if stated:
        self_reported.keep(stated, drive=held.drive, actor=actor, now=now, registration=held.registration)
    self_reported.refuse_too_close(stated, held.drive, held.visit, held.starts_at, now)
