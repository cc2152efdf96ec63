"""Close out a drive: mark no-shows, compute the turnout report and thank donors.

A coordinator completes the drive later.
"""

from dataclasses import asdict
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from drives import refusals
from drives.attendance import rules, turnout
from drives.booking import changes, history
from drives.booking import messages as booking_messages
from drives.booking import rules as booking_rules
from drives.booking.rules import Act
from drives.calendars import queries as calendars_queries
from drives.capacity import counters, locks, reserved_spots
from drives.models import OUTCOMES, Booking, BookingState, Drive, DriveState, Turnout
from organizations import audit, sweeps


@transaction.atomic
def close_out_drive(*, drive_id: int, now: datetime) -> Turnout | None:
    """Mark no-shows, free their slots, compute the turnout report and queue the thank-you messages.

    A drive is closed out once, `grace_minutes` after its end. An earlier or repeated call changes nothing and returns
    None. Locks: drive (exclusive), bookings by id, slots.
    """
    locks.lock_drive_exclusive(drive_id)
    drive = Drive.objects.select_related("organization", "site", "policy").get(pk=drive_id)
    if drive.closed_out_at is not None or not rules.is_due_for_close_out(drive, now):
        return None
    _close_open_bookings(drive, "worker", now)
    Drive.objects.filter(pk=drive.pk).update(
        state=DriveState.CLOSED, closed_at=drive.closed_at or now, closed_out_at=now, changed_at=now
    )
    drive.closed_out_at = now
    report = update_turnout(drive=drive, now=now)
    booking_messages.queue_follow_ups(calendars_queries.load_message_bookings(_list_past_visits(drive)).values(), now)
    return report


@transaction.atomic
def complete_drive(*, drive_id: int, actor: str, now: datetime) -> Turnout:
    """Make a drive's turnout final. Afterward, no step can be undone.

    A booking becomes a no-show again if its no-show was undone and the donor was not checked in afterward. Refuses
    before the close-out (`not_closed_out`), and while a checked-in donor has no outcome (`outcomes_missing`). Locks:
    drive (exclusive), bookings by id, slots.
    """
    locks.lock_drive_exclusive(drive_id)
    drive = Drive.objects.select_related("organization", "site").get(pk=drive_id)
    if drive.state != DriveState.COMPLETED and drive.closed_out_at is not None:
        _close_open_bookings(drive, actor, now)
    report = update_turnout(drive=drive, now=now)
    if drive.state == DriveState.COMPLETED and report is not None:
        return report
    if report is None:
        raise refusals.Refusal(
            [refusals.Reason("not_closed_out", _("You can mark the drive as complete after it ends."))]
        )
    if report.unresolved_count:
        text = _("Donors checked in without an outcome: %(count)s. Record the outcomes first.")
        raise refusals.Refusal([refusals.Reason("outcomes_missing", text % {"count": report.unresolved_count})])
    Drive.objects.filter(pk=drive.pk).update(state=DriveState.COMPLETED, changed_at=now)
    Turnout.objects.filter(pk=report.pk).update(final=True)
    audit.add_audit_entry(
        organization=drive.organization, actor=actor, verb="complete_drive", about=f"drive:{drive.pk}", now=now
    )
    report.final = True
    return report


def update_turnout(*, drive: Drive, now: datetime) -> Turnout | None:
    if drive.closed_out_at is None:
        return None
    numbers = asdict(turnout.count_turnout(drive))
    report, _created = Turnout.objects.update_or_create(
        drive=drive, defaults={**numbers, "goal_count": drive.goal, "computed_at": now}
    )
    return report


def _close_open_bookings(drive: Drive, actor: str, now: datetime) -> None:
    open_states = booking_rules.list_states(Act.CLOSE_OUT)
    ids = Booking.objects.filter(drive=drive, state__in=open_states).values_list("pk", flat=True)
    bookings = locks.lock_bookings(list(ids))
    by_next_state: dict[BookingState, list[Booking]] = {}
    for booking in bookings:
        changes.refuse_step(Act.CLOSE_OUT, booking, actor, now)
        by_next_state.setdefault(booking_rules.get_next_state(Act.CLOSE_OUT, booking.state), []).append(booking)
    for state, rows in by_next_state.items():
        history.record_changes(rows, to_state=state, actor=actor, now=now)
        Booking.objects.filter(pk__in=[row.pk for row in rows]).update(state=state, is_counted=False, changed_at=now)
    counters.change_counters(
        drive_id=drive.pk,
        deltas=counters.compute_released_deltas([*bookings, *reserved_spots.release_reserved_spots(drive, now)]),
    )


def _list_past_visits(drive: Drive) -> list[int]:
    states = [*OUTCOMES, BookingState.CHECKED_IN, BookingState.NO_SHOW]
    return list(Booking.objects.filter(drive=drive, state__in=states).values_list("pk", flat=True))


def close_out_due_drives(*, now: datetime) -> int:
    ended = Drive.objects.filter(closed_out_at__isnull=True, ends_at__lte=now).exclude(
        state__in=[DriveState.DRAFT, DriveState.CANCELLED]
    )
    drive_ids = ended.order_by("ends_at", "pk").values_list("pk", flat=True)
    return sweeps.run_each(
        "close_out", drive_ids, lambda pk: close_out_drive(drive_id=pk, now=now) is not None, now=now
    )
