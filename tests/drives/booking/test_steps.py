"""The table of steps decides whether a booking may change.

The decision depends on the actor, the booking's state, and the time.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from drives.attendance import api as attendance_api
from drives.attendance import check_in, close_out
from drives.booking import changes
from drives.booking import rules as booking_rules
from drives.booking.rules import Act
from drives.models import Booking, BookingChange, BookingState, CancelledBy, Drive, DriveState, Site
from drives.planning import api as planning_api
from drives.planning import lifecycle
from tests import builders

UPCOMING, OUTCOMES = "booked confirmed", "donated incomplete deferred left"
MAY = {
    "verify": {"donor": "held"},
    "lapse": {"worker": "held"},
    "confirm": {"donor": "booked"},
    "move": {"donor": f"held {UPCOMING}", "member": UPCOMING},
    "cancel": {"donor": f"held {UPCOMING}", "member": f"held {UPCOMING}", "worker": f"held {UPCOMING}"},
    "restore": {"donor": "cancelled"},
    "cancel_drive": {"member": f"held {UPCOMING}"},
    "check_in": {"member": f"{UPCOMING} no_show"},
    "record_outcome": {"member": f"checked_in {OUTCOMES}"},
    "mark_no_show": {"member": UPCOMING},
    "undo": {"member": f"checked_in no_show {OUTCOMES}"},
    "close_out": {"member": f"held {UPCOMING}", "worker": f"held {UPCOMING}"},
}
"""The states from which each actor may take each step."""
ACTORS = {"donor": "donor", "worker": "worker", "user:7": "member", "key:3": "member", "test": "", "": "", "user": ""}
AT, HOUR, TICK = datetime(2027, 3, 13, 18, tzinfo=UTC), timedelta(hours=1), timedelta(microseconds=1)
WHEN = {"lapse": AT, "check_in": AT, "mark_no_show": AT, "close_out": AT + 4 * HOUR}
"""A time at which each step is allowed. The other steps are allowed an hour before the visit."""


def may(act: str, actor: str, state: str) -> bool:
    return state in MAY[act].get(ACTORS[actor], "").split()


def build(state: str, now: datetime, drive_state: str = "published") -> Booking:
    drive = Drive(state=drive_state, day=date(2027, 3, 13), ends_at=AT + 3 * HOUR, grace_minutes=60)
    drive.site = Site(timezone="America/Los_Angeles")
    drive.cancelled_at = AT if drive_state == DriveState.CANCELLED else None
    booking = Booking(drive=drive, state=state, starts_at=AT, held_until=AT, changed_at=AT + TICK)
    booking.cancelled_at, booking.cancelled_by = now - timedelta(minutes=5), CancelledBy.DONOR
    return booking


def judge(act: str, state: str, actor: str, now: datetime, drive_state: str = "published") -> list[str]:
    booking = build(state, now, drive_state)
    return [reason.code for reason in booking_rules.reasons_not_to_take_step(Act(act), booking, actor, now)]


@pytest.mark.parametrize("act", Act)
def test_the_table_says_which_actor_may_take_a_step_from_which_state(act: Act) -> None:
    now = WHEN.get(act, AT - HOUR)
    for state in BookingState:
        for actor in ACTORS:
            refused = judge(act, state, actor, now)
            assert (not refused) is may(act, actor, state), (act, state, actor, refused)
            is_state = any(state in states.split() for states in MAY[act].values())
            assert set(refused) <= {"actor_not_allowed" if is_state else f"booking_{state}"}


def test_every_step_is_in_the_table_of_this_test() -> None:
    assert set(MAY) == set(Act)


@pytest.mark.parametrize("drive_state", DriveState)
@pytest.mark.parametrize("act", Act)
def test_a_cancelled_drive_allows_outcomes_only_and_a_completed_one_nothing(act: Act, drive_state: DriveState) -> None:
    now = WHEN.get(act, AT - HOUR)
    actor = next(actor for actor in ("user:7", "donor", "worker") if ACTORS[actor] in MAY[act])
    for state in BookingState:
        is_open = drive_state not in {"cancelled", "completed"}
        is_outcome = act == "record_outcome" or (act == "undo" and state in OUTCOMES.split())
        expected = may(act, actor, state) and (is_open or (drive_state == "cancelled" and is_outcome))
        assert (not judge(act, state, actor, now, drive_state)) is expected, (state, drive_state)


@pytest.mark.parametrize(
    ("act", "state", "actor", "code", "last"),
    [
        ("verify", "held", "donor", "hold_lapsed", AT - TICK),
        ("move", "held", "donor", "hold_lapsed", AT - TICK),
        *((act, "booked", "donor", "visit_past", AT - TICK) for act in ("confirm", "move", "cancel")),
        ("cancel", "booked", "worker", "visit_past", AT - TICK),
        *((act, "booked", "user:7", "drive_past", AT + 3 * HOUR - TICK) for act in ("move", "cancel")),
    ],
)
def test_a_step_is_refused_after_its_time(act: str, state: str, actor: str, code: str, last: datetime) -> None:
    assert judge(act, state, actor, last) == []
    assert judge(act, state, actor, last + TICK) == [code]


@pytest.mark.parametrize(
    ("act", "state", "actor", "code", "first"),
    [
        ("lapse", "held", "worker", "hold_not_over", AT),
        ("check_in", "booked", "user:7", "drive_not_today", datetime(2027, 3, 13, 8, tzinfo=UTC)),
        ("mark_no_show", "booked", "user:7", "not_due_yet", AT),
        *(("close_out", "booked", actor, "drive_not_over", AT + 4 * HOUR) for actor in ("worker", "user:7")),
    ],
)
def test_a_step_is_refused_before_its_time(act: str, state: str, actor: str, code: str, first: datetime) -> None:
    assert judge(act, state, actor, first) == []
    assert judge(act, state, actor, first - TICK) == [code]


@pytest.mark.parametrize(
    ("minutes", "by", "visit_in", "is_allowed"),
    [(14, "donor", 60, True), (15, "donor", 60, False), (1, "coordinator", 60, False), (1, "donor", 0, False)],
)
def test_a_cancellation_is_undone_within_15_minutes(minutes: int, by: str, visit_in: int, is_allowed: bool) -> None:
    booking = build("cancelled", now := AT - timedelta(minutes=visit_in))
    booking.cancelled_at, booking.cancelled_by = now - timedelta(minutes=minutes), by
    assert bool(booking_rules.reasons_not_to_take_step(Act.RESTORE, booking, "donor", now)) is not is_allowed


def test_each_actor_has_one_row_for_a_step_from_a_state() -> None:
    rows = [(step.act, state, actor) for step in booking_rules.STEPS for state in step.states for actor in step.actors]
    assert len(rows) == len(set(rows))


def test_every_next_state_is_one_from_which_the_table_goes_on_or_an_end() -> None:
    reached = {state for step in booking_rules.STEPS for state in step.next_states} | {BookingState.HELD}
    assert reached == set(BookingState)
    starts = {state for step in booking_rules.STEPS for state in step.states}
    assert set(BookingState) - starts == {BookingState.LAPSED}


def test_pages_and_the_api_take_their_permission_from_the_table() -> None:
    door = (Act.CHECK_IN, Act.RECORD_OUTCOME, Act.MARK_NO_SHOW, Act.UNDO)
    assert {booking_rules.get_permission(act) for act in door} == {"check_in"}
    planned = (Act.MOVE, Act.CANCEL, Act.CANCEL_DRIVE, Act.CLOSE_OUT)
    assert {booking_rules.get_permission(act) for act in planned} == {"plan"}
    for view in (attendance_api.CheckInView, attendance_api.RecordOutcomeView, attendance_api.UndoStepView):
        assert view.needs["POST"] == "check_in"
    assert planning_api.CancelDriveView.needs["POST"] == "plan"


Action = Callable[[Booking, str, datetime], Any]


def confirm(booking: Booking, actor: str, now: datetime) -> None:
    changes.confirm_bookings(booking_ids=[booking.pk], actor=actor, now=now)


def move(booking: Booking, actor: str, now: datetime) -> None:
    slot = builders.slot(booking.drive, 4).pk
    changes.move_bookings(booking_id=booking.pk, slot_id=slot, actor=actor, now=now, by_member=actor != "donor")


def cancel(booking: Booking, actor: str, now: datetime) -> None:
    changes.cancel_bookings(booking_id=booking.pk, actor=actor, cancelled_by=CancelledBy.DONOR, now=now)


def restore(booking: Booking, actor: str, now: datetime) -> None:
    changes.restore_booking(booking_id=booking.pk, actor=actor, now=now)


def cancel_drive(booking: Booking, actor: str, now: datetime) -> None:
    lifecycle.cancel_drive(drive_id=booking.drive_id, reason="Storm.", actor=actor, now=now)


def take_door_step(action: Callable[..., Booking], booking: Booking, actor: str, now: datetime) -> None:
    action(booking_id=booking.pk, actor=actor, now=now)


def record_outcome(booking: Booking, actor: str, now: datetime) -> None:
    check_in.record_outcome(booking_id=booking.pk, outcome="left", actor=actor, now=now, at=now)


def undo(booking: Booking, actor: str, now: datetime) -> None:
    seen = Booking.objects.values_list("state", flat=True).get(pk=booking.pk)
    check_in.undo_last_step(booking_id=booking.pk, actor=actor, now=now, seen=seen)


def complete(booking: Booking, actor: str, now: datetime) -> None:
    Drive.objects.filter(pk=booking.drive_id).update(closed_out_at=now)
    close_out.complete_drive(drive_id=booking.drive_id, actor=actor, now=now)


ACTIONS: dict[str, Action] = {
    "confirm": confirm,
    "move": move,
    "cancel": cancel,
    "restore": restore,
    "cancel_drive": cancel_drive,
    "check_in": partial(take_door_step, check_in.check_in_donor),
    "record_outcome": record_outcome,
    "mark_no_show": partial(take_door_step, check_in.mark_no_show),
    "undo": undo,
    "close_out": complete,
}
"""The acts of the table that change a booking by its id. Other tests cover the verification and the lapse of a hold."""


@pytest.mark.django_db
@pytest.mark.parametrize("act", ACTIONS)
def test_the_actions_change_a_booking_exactly_where_the_table_allows_it(act: str) -> None:
    booking = builders.booked(builders.drive())
    before_visit = booking.starts_at - HOUR
    now = {
        "check_in": booking.starts_at,
        "mark_no_show": booking.starts_at,
        "record_outcome": booking.starts_at,
        "undo": booking.starts_at,
        "close_out": booking.drive.ends_at + 2 * HOUR,
    }.get(act, before_visit)
    for state in BookingState:
        for actor in ("donor", "worker", "user:7", "test"):
            with builders.rolled_back():
                put_into_state(booking, state, now)
                count = BookingChange.objects.count()
                try:
                    ACTIONS[act](booking, actor, now)
                except ValidationError:
                    is_refused = True
                else:
                    is_refused = False
                has_changed = BookingChange.objects.count() > count
                assert has_changed is may(act, actor, state), (act, state, actor)
                assert not (has_changed and is_refused)


def put_into_state(booking: Booking, state: BookingState, now: datetime) -> None:
    if state in booking_rules.list_states(Act.UNDO):
        BookingChange.objects.create(
            booking=booking, from_state="booked", to_state=state, actor="user:1", at=now, reason=""
        )
    Booking.objects.filter(pk=booking.pk).update(
        state=state,
        is_counted=state not in {"lapsed", "cancelled", "no_show"},
        held_until=now + HOUR if state == BookingState.HELD else None,
        cancelled_at=now if state == BookingState.CANCELLED else None,
        cancelled_by="donor" if state == BookingState.CANCELLED else "",
    )
