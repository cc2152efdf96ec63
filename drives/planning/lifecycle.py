"""Create, change, publish, close, cancel and copy drives."""

from collections.abc import Mapping
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from drives import refusals
from drives.booking import changes
from drives.booking import messages as booking_messages
from drives.booking import rules as booking_rules
from drives.booking.rules import Act
from drives.capacity import counters, locks, reserved_spots
from drives.messaging import reschedule
from drives.models import Booking, CancelledBy, Drive, DriveState, Slot
from drives.planning import plan_check, queries, slots
from organizations import audit


class DriveVersionChanged(ValidationError):
    def __init__(self) -> None:
        text = _("Someone else has changed this drive in the meantime. Review it, then make your change again.")
        super().__init__(text, "version_changed")


@transaction.atomic
def create_drive(*, drive: Drive, actor: str, now: datetime) -> Drive:
    """Save a planned drive as a draft, and create its slots.

    Raises ValidationError by field if the plan is invalid, the day is past, or a record belongs to another
    organization.
    """
    steps = plan_check.build_valid_steps(drive, now)
    _set(
        drive,
        {
            "slug": slots.find_free_drive_slug(drive),
            "created_at": now,
            "changed_at": now,
            **slots.compute_bounds(drive, steps),
        },
    )
    drive.save(force_insert=True)
    slots.create_slots(drive, steps)
    audit.add_audit_entry(
        organization=drive.organization, actor=actor, verb="create_drive", about=f"drive:{drive.pk}", now=now
    )
    return drive


@transaction.atomic
def change_drive(*, drive: Drive, version: int, actor: str, now: datetime) -> Drive:
    """Save the changed plan of `drive`, and return the saved row.

    Bookings keep their slots. If there are bookings, chairs and stations may still change. `Slot.over` then counts the
    people above a lowered limit.

    Refuses:
    - an older `version`
    - a cancelled or completed drive
    - a move to a past day
    - a change of the day, hours, site or step length if there are bookings

    Locks: drive (exclusive), bookings by id, slots.
    """
    locks.lock_drive_exclusive(drive.pk)
    before = Drive.objects.select_related("organization", "site").get(pk=drive.pk)
    if before.version != version:
        raise DriveVersionChanged
    _refuse_state(before, {DriveState.DRAFT, DriveState.PUBLISHED, DriveState.CLOSED})
    steps = plan_check.build_valid_steps(drive, now, before.day)
    plan = {**drive.plan, **slots.compute_bounds(drive, steps)}
    booked = queries.has_bookings(before)
    if booked:
        # The grid must not change, because bookings refer to slots by step.
        slots.refuse_grid_change(before, plan)
    changed = _save_columns(before, {**plan, "version": version + 1, "changed_at": now})
    if booked:
        reschedule.reschedule_reminders(organization=before.organization, drive_ids=[before.pk], now=now)
        slots.change_slot_limits(before, steps)
    else:
        Slot.objects.filter(drive=before).delete()
        slots.create_slots(before, steps)
    audit.add_audit_entry(
        organization=before.organization,
        actor=actor,
        verb="change_drive",
        about=f"drive:{before.pk}",
        fields=changed,
        now=now,
    )
    return before


@transaction.atomic
def copy_drive(*, drive_id: int, day: date, actor: str, now: datetime) -> Drive:
    """Save a draft with another drive's plan for another day.

    Refuses a past day, and hours that do not exist on that day because the clocks change.
    """
    drive = Drive.objects.select_related("organization").get(pk=drive_id)
    return create_drive(drive=drive.build_copy(day=day), actor=actor, now=now)


def publish_drive(*, drive_id: int, actor: str, now: datetime) -> Drive:
    """Open a draft or a closed drive for booking, and open its waitlist. Refuses a past drive.

    Locks: drive (exclusive).
    """
    return _change_state(
        drive_id, DriveState.PUBLISHED, {DriveState.DRAFT, DriveState.CLOSED}, "published_at", actor, now
    )


def close_drive(*, drive_id: int, actor: str, now: datetime) -> Drive:
    """Close online booking. Existing bookings, holds and waitlist offers stay valid. Locks: drive (exclusive)."""
    return _change_state(drive_id, DriveState.CLOSED, {DriveState.PUBLISHED}, "closed_at", actor, now)


@transaction.atomic
def cancel_drive(*, drive_id: int, reason: str, actor: str, now: datetime) -> Drive:
    """Cancel a drive with its bookings and holds. Notify each donor once, and withdraw the reminders.

    A second call changes nothing. Recorded outcomes stay. Checked-in donors stay checked in, so that their outcomes can
    still be recorded. Refuses a closed-out drive. Locks: drive (exclusive), bookings by id, slots.
    """
    locks.lock_drive_exclusive(drive_id)
    drive = Drive.objects.select_related("organization", "site").get(pk=drive_id)
    if drive.state == DriveState.CANCELLED:
        return drive
    _refuse_state(drive, {DriveState.DRAFT, DriveState.PUBLISHED, DriveState.CLOSED})
    # A closed-out drive has no-shows and a turnout report, which a cancellation would contradict.
    if drive.closed_out_at is not None:
        raise refusals.Refusal([refusals.Reason("drive_past", _("This drive is over."))])
    ending = _lock_ending_bookings(drive, actor, now)
    moment = {"cancelled_at": now, "changed_at": now, "version": drive.version + 1}
    _save_columns(drive, {"state": DriveState.CANCELLED, "cancel_reason": reason, **moment})
    _cancel_bookings(drive, ending, actor=actor, now=now)
    audit.add_audit_entry(
        organization=drive.organization, actor=actor, verb="cancel_drive", about=f"drive:{drive.pk}", now=now
    )
    return drive


def _save_columns(drive: Drive, columns: Mapping[str, object]) -> list[str]:
    changed = {name: value for name, value in columns.items() if getattr(drive, name) != value}
    _set(drive, changed)
    drive.save(update_fields=changed)
    return list(changed)


def _set(drive: Drive, columns: Mapping[str, object]) -> None:
    for name, value in columns.items():
        setattr(drive, name, value)


@transaction.atomic
def _change_state(
    drive_id: int, state: DriveState, allowed: set[DriveState], stamp: str, actor: str, now: datetime
) -> Drive:
    locks.lock_drive_exclusive(drive_id)
    drive = Drive.objects.select_related("organization", "site").get(pk=drive_id)
    if drive.state == state:
        return drive
    _refuse_state(drive, allowed)
    if drive.ends_at <= now:
        raise refusals.Refusal([refusals.Reason("drive_past", _("This drive is over."))])
    moment = {stamp: now, "changed_at": now, "version": drive.version + 1}
    _save_columns(drive, {"state": state, "waitlist_closed_at": None, **moment})
    audit.add_audit_entry(
        organization=drive.organization, actor=actor, verb=str(state), about=f"drive:{drive.pk}", now=now
    )
    return drive


def _refuse_state(drive: Drive, allowed: set[DriveState]) -> None:
    if drive.state not in allowed:
        label = drive.get_state_display()
        text = _("That isn’t possible now, because this drive is “%(state)s”.") % {"state": label}
        raise refusals.Refusal([refusals.Reason(f"drive_{drive.state}", text)])


def _lock_ending_bookings(drive: Drive, actor: str, now: datetime) -> list[Booking]:
    states = booking_rules.list_states(Act.CANCEL_DRIVE)
    booking_ids = Booking.objects.filter(drive=drive, state__in=states).values_list("pk", flat=True)
    bookings = locks.lock_bookings(list(booking_ids))
    for booking in bookings:
        changes.refuse_step(Act.CANCEL_DRIVE, booking, actor, now)
    return bookings


def _cancel_bookings(drive: Drive, bookings: list[Booking], *, actor: str, now: datetime) -> None:
    cancelled = changes.end_bookings(bookings, actor=actor, cancelled_by=CancelledBy.DRIVE, now=now)
    for booking in cancelled:
        booking.drive = drive
    counters.change_counters(
        drive_id=drive.pk,
        deltas=counters.compute_released_deltas([*bookings, *reserved_spots.release_reserved_spots(drive, now)]),
    )
    booking_messages.queue_drive_cancelled(cancelled, now)
    booking_messages.withdraw_invitations(drive, now)
