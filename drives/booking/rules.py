"""Limits of a booking, and the states from which it may change."""

from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from drives.models import BookingState
from drives.refusals import Reason

HOLD_FOR = timedelta(minutes=15)
LATE_WITHIN = timedelta(days=1)  # a cancellation that is later than this is late
UNDO_WITHIN = timedelta(minutes=15)
CANCELLATION_ALERT_WITHIN = timedelta(days=3)  # coordinators are told of cancellations within it


def build_party_full_reason() -> Reason:
    return Reason("slot_full", _("There is no longer room for all of you at this time."))


def build_visit_too_long_reason() -> Reason:
    return Reason("visit_does_not_fit", _("A visit that starts then would not end before the drive does."))


# A booking's life. From which states a verb may start; every other state is refused as `wrong_state`.
CONFIRMABLE_STATES = frozenset({BookingState.BOOKED})
CHANGEABLE_STATES = frozenset({BookingState.HELD, BookingState.BOOKED, BookingState.CONFIRMED})
UPCOMING_STATES = frozenset({BookingState.BOOKED, BookingState.CONFIRMED})


def build_visit_past_reason() -> Reason:
    """The time of a visit is over."""
    return Reason("visit_past", _("The time of this booking has passed."))


def reasons_not_to_change(state: str, allowed: frozenset[BookingState]) -> list[Reason]:
    """Why a booking in this state does not take this verb, in words that say how it stands."""
    if state in allowed:
        return []
    sentences = {
        BookingState.HELD: _("This booking is not finished yet: enter the code first."),
        BookingState.LAPSED: _("The time was not confirmed in time and is free again."),
        BookingState.BOOKED: _("This person is not checked in yet."),
        BookingState.CONFIRMED: _("This person is not checked in yet."),
        BookingState.CANCELLED: _("This booking is cancelled."),
        BookingState.NO_SHOW: _("This booking is marked as missed."),
        BookingState.CHECKED_IN: _("This person is already checked in."),
    }
    detail = sentences.get(BookingState(state), _("This visit is already over."))
    return [Reason(f"booking_{state}", detail)]


def is_late_cancellation(starts_at: datetime, now: datetime) -> bool:
    """Within a day of the visit, or after it began."""
    return starts_at - now < LATE_WITHIN
