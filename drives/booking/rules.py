"""Time limits of bookings, and the states in which they may change."""

from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from drives.models import BookingState
from drives.refusals import Reason

HOLD_FOR = timedelta(minutes=15)
LATE_WITHIN = timedelta(days=1)  # before the visit; a later cancellation counts as late
UNDO_WITHIN = timedelta(minutes=15)
CANCELLATION_ALERT_WITHIN = timedelta(days=3)  # before the visit; coordinators are alerted


def build_party_full_reason() -> Reason:
    return Reason("slot_full", _("There’s no longer room for all of you at this time."))


def build_visit_too_long_reason() -> Reason:
    return Reason("visit_does_not_fit", _("A visit starting at this time would run past the end of the drive."))


# Each action is allowed only in these states. In any other state it is refused as `booking_<state>`.
CONFIRMABLE_STATES = frozenset({BookingState.BOOKED})
CHANGEABLE_STATES = frozenset({BookingState.HELD, BookingState.BOOKED, BookingState.CONFIRMED})
UPCOMING_STATES = frozenset({BookingState.BOOKED, BookingState.CONFIRMED})


def build_visit_past_reason() -> Reason:
    return Reason("visit_past", _("The time of this booking has passed."))


def reasons_not_to_change(state: str, allowed: frozenset[BookingState]) -> list[Reason]:
    if state in allowed:
        return []
    sentences = {
        BookingState.HELD: _("This booking isn’t finished yet. Enter the code first."),
        BookingState.LAPSED: _("The code wasn’t entered in time, so this time is open again."),
        BookingState.BOOKED: _("This person isn’t checked in yet."),
        BookingState.CONFIRMED: _("This person isn’t checked in yet."),
        BookingState.CANCELLED: _("This booking is cancelled."),
        BookingState.NO_SHOW: _("This booking is marked as a no-show."),
        BookingState.CHECKED_IN: _("This person is already checked in."),
    }
    detail = sentences.get(BookingState(state), _("This visit is already over."))
    return [Reason(f"booking_{state}", detail)]


def is_late_cancellation(starts_at: datetime, now: datetime) -> bool:
    return starts_at - now < LATE_WITHIN
