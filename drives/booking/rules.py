"""Time limits of bookings, and the table of steps: which actors may change a booking, from which state, and when."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Literal, cast, get_args

from django.utils.translation import gettext as _

from drives.models import EXPECTED_STATES, OUTCOMES, Booking, BookingState, CancelledBy, DriveState
from drives.refusals import HoldLapsed, Reason
from organizations.rules import Permission

HOLD_FOR = timedelta(minutes=15)  # a donor can extend a hold once, by the same time
WARN_BEFORE_LAPSE = timedelta(minutes=2)
TYPED_KEPT_FOR = timedelta(hours=1)  # after a hold lapsed, the form still offers its details to the same browser
LATE_WITHIN = timedelta(days=1)  # before the visit; a later cancellation counts as late
UNDO_WITHIN = timedelta(minutes=15)
CANCELLATION_ALERT_WITHIN = timedelta(days=3)  # before the visit; coordinators are alerted
CANCELLATION_DIGEST_EVERY = timedelta(minutes=15)
CANCELLATION_DIGEST_DELAY = timedelta(minutes=1)  # after the period ends, so that all its changes are committed
CANCELLATION_DIGEST_WITHIN = timedelta(days=1)  # older changes are never reported
RECENT_DRIVE_COUNT = 6  # older drives are poor predictors of the next one
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
    CLOSE_OUT = "close_out"


class When(StrEnum):
    ANY_TIME = "any time"
    BEFORE_DEADLINE = "before the hold's deadline"
    AFTER_DEADLINE = "from the hold's deadline"
    BEFORE_VISIT = "until the arrival time"
    BEFORE_DRIVE_END = "until the end of the drive"
    AFTER_CANCELLATION = "within 15 minutes of the donor's cancellation, and until the arrival time"
    FROM_DRIVE_DAY = "from the day of the drive, at the site"
    FROM_ARRIVAL = "from the arrival time"
    AFTER_DRIVE = "from the end of the drive and its grace minutes"


MemberActor = Literal["check_in", "plan"]
Actor = Literal["donor", "worker"] | MemberActor
"""The donor with the link, the worker, or a member with this permission. `organizations.rules` gives permissions to
roles. Pages and API calls check the permission that `get_permission` returns."""

_RUNNING = frozenset(DriveState) - {DriveState.CANCELLED, DriveState.COMPLETED}
_RUNNING_OR_CANCELLED = _RUNNING | {DriveState.CANCELLED}
UPCOMING_STATES = frozenset(EXPECTED_STATES)


@dataclass(frozen=True)
class Step:
    """One row of the table `STEPS`.

    The `actors` may change a booking from one of `states` to one of `next_states`.
    """

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


# All allowed changes of a booking's state. Pages, the API and the actions use this table. In a cancelled drive, only
# the outcomes of donors who were checked in at the cancellation may change. In a completed drive, nothing may change.
STEPS = (
    _step(Act.VERIFY, {BookingState.HELD}, {BookingState.BOOKED}, {"donor"}, When.BEFORE_DEADLINE),
    _step(Act.LAPSE, {BookingState.HELD}, {BookingState.LAPSED}, {"worker"}, When.AFTER_DEADLINE),
    _step(Act.CONFIRM, {BookingState.BOOKED}, {BookingState.CONFIRMED}, {"donor"}, When.BEFORE_VISIT),
    _step(Act.MOVE, {BookingState.HELD}, {BookingState.HELD}, {"donor"}, When.BEFORE_DEADLINE),
    _step(Act.MOVE, UPCOMING_STATES, {BookingState.BOOKED}, {"donor"}, When.BEFORE_VISIT),
    _step(Act.MOVE, UPCOMING_STATES, {BookingState.BOOKED}, {"plan"}, When.BEFORE_DRIVE_END),
    # The worker cancels when it erases a person.
    _step(Act.CANCEL, {BookingState.HELD}, {BookingState.LAPSED}, {"donor", "plan", "worker"}),
    _step(Act.CANCEL, UPCOMING_STATES, {BookingState.CANCELLED}, {"donor", "worker"}, When.BEFORE_VISIT),
    _step(Act.CANCEL, UPCOMING_STATES, {BookingState.CANCELLED}, {"plan"}, When.BEFORE_DRIVE_END),
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
    _step(Act.MARK_NO_SHOW, UPCOMING_STATES, {BookingState.NO_SHOW}, {"check_in"}, When.FROM_ARRIVAL),
    _step(Act.UNDO, OUTCOMES, {BookingState.CHECKED_IN}, {"check_in"}, drive_states=_RUNNING_OR_CANCELLED),
    # Undoing the check-in of a walk-in removes the walk-in (`lapsed`).
    _step(
        Act.UNDO,
        {BookingState.CHECKED_IN},
        UPCOMING_STATES | {BookingState.NO_SHOW, BookingState.LAPSED},
        {"check_in"},
    ),
    _step(Act.UNDO, {BookingState.NO_SHOW}, UPCOMING_STATES, {"check_in"}),
    # The worker closes out each drive once. When a coordinator completes the drive, bookings that were undone in the
    # meantime are closed out again.
    _step(Act.CLOSE_OUT, {BookingState.HELD}, {BookingState.LAPSED}, {"worker", "plan"}, When.AFTER_DRIVE),
    _step(Act.CLOSE_OUT, UPCOMING_STATES, {BookingState.NO_SHOW}, {"worker", "plan"}, When.AFTER_DRIVE),
)


def list_states(act: Act) -> frozenset[BookingState]:
    """List the states in which the act is allowed. In any other state, the act is refused as `booking_<state>`."""
    return frozenset(state for step in STEPS if step.act == act for state in step.states)


CHANGEABLE_STATES = list_states(Act.MOVE)


def get_next_state(act: Act, state: str) -> BookingState:
    """Return the state after the act. The act must have exactly one next state from `state`."""
    [next_state] = {after for step in STEPS if step.act == act and state in step.states for after in step.next_states}
    return next_state


def get_permission(act: Act) -> Permission:
    [permission] = {actor for step in STEPS if step.act == act for actor in step.actors} & MEMBER_ACTORS
    return cast("Permission", permission)


MEMBER_ACTORS: Final[frozenset[Actor]] = frozenset(get_args(MemberActor))


def list_actors(actor: str) -> frozenset[Actor]:
    """Return the values of `Step.actors` that match this actor.

    For a member ("user:7") or a key ("key:3"), the page or API call must have checked the permission.
    """
    if actor in ("donor", "worker"):
        return frozenset({cast("Actor", actor)})
    return MEMBER_ACTORS if actor.startswith(("user:", "key:")) else frozenset()


def reasons_not_to_take_step(act: Act, booking: Booking, actor: str, now: datetime) -> list[Reason]:
    """Return the reasons against this step: the booking's state, the actor, the drive's state, or the time."""
    drive, rows = booking.drive, [step for step in STEPS if step.act == act and booking.state in step.states]
    if not rows:
        return reasons_not_to_change(booking.state, list_states(act))
    step = next((row for row in rows if row.actors & list_actors(actor)), None)
    if step is None:
        return [Reason("actor_not_allowed", _("Only the donor or a coordinator can make this change to the booking."))]
    if drive.state == DriveState.COMPLETED:
        return [build_drive_completed_reason()]
    if drive.state not in step.drive_states or _is_frozen_by_cancellation(booking):
        return [Reason("drive_cancelled", _("This drive is cancelled, so you can’t change what was recorded."))]
    reason = _find_time_reason(step.when, booking, now)
    return [reason] if reason else []


def build_drive_completed_reason() -> Reason:
    return Reason("drive_completed", _("This drive is completed, so its turnout is final."))


def _find_time_reason(when: When, booking: Booking, now: datetime) -> Reason | None:
    return None if _IS_TIME[when](booking, now) else _TIME_REASONS[when](booking)


def _may_still_restore(booking: Booking, now: datetime) -> bool:
    cancelled_at = booking.cancelled_at
    if cancelled_at is None or booking.cancelled_by != CancelledBy.DONOR:
        return False
    return now - cancelled_at < UNDO_WITHIN and now < booking.starts_at


_IS_TIME: Mapping[When, Callable[[Booking, datetime], bool]] = {
    When.ANY_TIME: lambda _booking, _now: True,
    When.BEFORE_DEADLINE: lambda booking, now: booking.is_held(now),
    When.AFTER_DEADLINE: lambda booking, now: booking.is_overdue(now),
    When.BEFORE_VISIT: lambda booking, now: now < booking.starts_at,
    When.BEFORE_DRIVE_END: lambda booking, now: now < booking.drive.ends_at,
    When.AFTER_CANCELLATION: _may_still_restore,
    When.FROM_DRIVE_DAY: lambda booking, now: booking.drive.day <= now.astimezone(booking.drive.site.zone).date(),
    When.FROM_ARRIVAL: lambda booking, now: booking.starts_at <= now,
    When.AFTER_DRIVE: lambda booking, now: booking.drive.close_out_at <= now,
}
_TIME_REASONS: Mapping[When, Callable[[Booking], Reason]] = {
    When.BEFORE_DEADLINE: lambda _booking: Reason("hold_lapsed", str(HoldLapsed().message)),
    When.AFTER_DEADLINE: lambda _booking: Reason("hold_not_over", _("We’re still holding this time.")),
    When.BEFORE_VISIT: lambda _booking: build_visit_past_reason(),
    When.BEFORE_DRIVE_END: lambda _booking: Reason("drive_past", _("This drive is over.")),
    When.AFTER_CANCELLATION: lambda booking: reasons_not_to_change(booking.state, frozenset())[0],
    When.FROM_DRIVE_DAY: lambda _booking: Reason("drive_not_today", _("This drive is not in progress right now.")),
    When.FROM_ARRIVAL: lambda _booking: Reason("not_due_yet", _("It’s too early to mark this person as a no-show.")),
    When.AFTER_DRIVE: lambda _booking: Reason("drive_not_over", _("This drive isn’t over yet.")),
}


def _is_frozen_by_cancellation(booking: Booking) -> bool:
    """Return whether the drive was cancelled after the outcome was recorded. Such an outcome is final.

    If the donor was still checked in at the cancellation, the outcome can be recorded and corrected later.
    """
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
