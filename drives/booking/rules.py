"""Time limits of bookings, and the table of steps: the actors that may change a booking, in which state, and when."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from django.utils.translation import gettext as _

from drives.models import EXPECTED_STATES, OUTCOMES, Booking, BookingState, DriveState
from drives.refusals import Reason

HOLD_FOR = timedelta(minutes=15)  # a donor can add the same time once
WARN_BEFORE_LAPSE = timedelta(minutes=2)
TYPED_KEPT_FOR = timedelta(hours=1)  # after a hold lapsed, the same browser finds its details in the form
LATE_WITHIN = timedelta(days=1)  # before the visit; a later cancellation counts as late
UNDO_WITHIN = timedelta(minutes=15)
CANCELLATION_ALERT_WITHIN = timedelta(days=3)  # before the visit; coordinators are alerted
CONFIRM_WITHIN = timedelta(days=4)  # before the visit; we do not ask the donor to confirm earlier
RESENDS_PER_HOUR = 2, timedelta(hours=1)  # of a booking's confirmation
RESENDS_PER_DAY = 4, timedelta(days=1)


def build_party_full_reason() -> Reason:
    return Reason("slot_full", _("There’s no longer room for all of you at this time."))


def build_visit_too_long_reason() -> Reason:
    return Reason("visit_does_not_fit", _("A visit starting at this time would run past the end of the drive."))


class Act(StrEnum):
    VERIFY = "verify"
    LAPSE = "lapse"
    CONFIRM = "confirm"
    MOVE = "move"
    CANCEL = "cancel"
    RESTORE = "restore"
    CANCEL_DRIVE = "cancel_drive"
    CHECK_IN = "check_in"
    RECORD_OUTCOME = "record_outcome"
    MARK_NO_SHOW = "mark_no_show"
    UNDO = "undo"


class When(StrEnum):
    ANY_TIME = "any time"
    BEFORE_DEADLINE = "before the hold's deadline"
    AFTER_DEADLINE = "from the hold's deadline"
    AFTER_CANCELLATION = "within 15 minutes of the donor's cancellation"
    FROM_DRIVE_DAY = "from the day of the drive, at the site"
    FROM_ARRIVAL = "from the arrival time"


Actor = Literal["donor", "worker", "check_in", "plan"]
"""A permission of members, the donor with the link, or the worker. Who may `check_in` or `plan` is in
`organizations.rules`."""

_RUNNING = frozenset(DriveState) - {DriveState.CANCELLED, DriveState.COMPLETED}
_RUNNING_OR_CANCELLED = _RUNNING | {DriveState.CANCELLED}
UPCOMING_STATES = frozenset(EXPECTED_STATES)


@dataclass(frozen=True)
class Step:
    """One row of the table: in these states, these actors may take a booking to one of the next states."""

    act: Act
    states: frozenset[BookingState]
    next_states: frozenset[BookingState]
    actors: frozenset[Actor]
    when: When = When.ANY_TIME
    drive_states: frozenset[DriveState] = _RUNNING


def _step(
    act: Act,
    states: set[BookingState] | frozenset[BookingState],
    next_states: set[BookingState] | frozenset[BookingState],
    actors: set[Actor],
    when: When = When.ANY_TIME,
    drive_states: frozenset[DriveState] = _RUNNING,
) -> Step:
    return Step(act, frozenset(states), frozenset(next_states), frozenset(actors), when, drive_states)


# Every change of a booking's state is a row here. Pages, the API and the actions take their states from it. In a
# cancelled drive, only the outcomes of donors who were checked in at the cancellation may change. A completed drive is
# final.
STEPS = (
    _step(Act.VERIFY, {BookingState.HELD}, {BookingState.BOOKED}, {"donor"}, When.BEFORE_DEADLINE),
    _step(Act.LAPSE, {BookingState.HELD}, {BookingState.LAPSED}, {"worker"}, When.AFTER_DEADLINE),
    _step(Act.CONFIRM, {BookingState.BOOKED}, {BookingState.CONFIRMED}, {"donor"}),
    _step(Act.MOVE, {BookingState.HELD}, {BookingState.HELD}, {"donor"}, When.BEFORE_DEADLINE),
    _step(Act.MOVE, UPCOMING_STATES, {BookingState.BOOKED}, {"donor", "plan"}),
    _step(Act.CANCEL, {BookingState.HELD}, {BookingState.LAPSED}, {"donor", "plan"}),
    _step(Act.CANCEL, UPCOMING_STATES, {BookingState.CANCELLED}, {"donor", "plan"}),
    _step(Act.RESTORE, {BookingState.CANCELLED}, {BookingState.BOOKED}, {"donor"}, When.AFTER_CANCELLATION),
    _step(Act.CANCEL_DRIVE, {BookingState.HELD}, {BookingState.LAPSED}, {"plan"}),
    _step(Act.CANCEL_DRIVE, UPCOMING_STATES, {BookingState.CANCELLED}, {"plan"}),
    _step(
        Act.CHECK_IN,
        UPCOMING_STATES | {BookingState.NO_SHOW},
        {BookingState.CHECKED_IN},
        {"check_in"},
        When.FROM_DRIVE_DAY,
    ),
    _step(
        Act.RECORD_OUTCOME,
        {BookingState.CHECKED_IN} | OUTCOMES,
        OUTCOMES,
        {"check_in"},
        drive_states=_RUNNING_OR_CANCELLED,
    ),
    _step(Act.MARK_NO_SHOW, UPCOMING_STATES, {BookingState.NO_SHOW}, {"check_in", "worker"}, When.FROM_ARRIVAL),
    _step(Act.UNDO, OUTCOMES, {BookingState.CHECKED_IN}, {"check_in"}, drive_states=_RUNNING_OR_CANCELLED),
    # Undoing the check-in of a walk-in removes it (`lapsed`).
    _step(
        Act.UNDO,
        {BookingState.CHECKED_IN},
        UPCOMING_STATES | {BookingState.NO_SHOW, BookingState.LAPSED},
        {"check_in"},
    ),
    _step(Act.UNDO, {BookingState.NO_SHOW}, UPCOMING_STATES, {"check_in"}),
)


def list_states(act: Act) -> frozenset[BookingState]:
    """List the states in which the act is allowed. In any other state it is refused as `booking_<state>`."""
    return frozenset(state for step in STEPS if step.act == act for state in step.states)


CONFIRMABLE_STATES = list_states(Act.CONFIRM)
CHANGEABLE_STATES = list_states(Act.MOVE)
CANCELLABLE_STATES = list_states(Act.CANCEL)
RESTORABLE_STATES = list_states(Act.RESTORE)


def reasons_not_to_take_step(act: Act, booking: Booking, now: datetime) -> list[Reason]:
    """List why this booking cannot take this step at the door now: its state, its drive's state, or the time."""
    drive = booking.drive
    if drive.state == DriveState.COMPLETED:
        return [Reason("drive_completed", _("This drive is completed, so its turnout is final."))]
    if reasons := reasons_not_to_change(booking.state, list_states(act)):
        return reasons
    step = next(step for step in STEPS if step.act == act and booking.state in step.states)
    if drive.state not in step.drive_states or _is_frozen_by_cancellation(booking):
        return [Reason("drive_cancelled", _("This drive is cancelled, so what was recorded is final."))]
    if step.when == When.FROM_DRIVE_DAY and now.astimezone(drive.site.zone).date() < drive.day:
        return [Reason("drive_not_today", _("This drive is not in progress right now."))]
    if step.when == When.FROM_ARRIVAL and now < booking.starts_at:
        return [Reason("not_due_yet", _("It’s too early to mark this person as a no-show."))]
    return []


def _is_frozen_by_cancellation(booking: Booking) -> bool:
    """Return whether the outcome was recorded before the drive was cancelled. A donor in a chair had none then."""
    cancelled_at = booking.drive.cancelled_at
    return cancelled_at is not None and booking.state in OUTCOMES and booking.changed_at <= cancelled_at


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
