"""Close a drive's waitlist and notify everyone on it."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from drives import refusals
from drives.capacity import counters, locks, reserved_spots
from drives.models import WAITLISTED_STATES, Drive, DriveState, WaitlistEntry, WaitlistEntryState
from drives.waitlist import messages, rules
from organizations import audit


@transaction.atomic
def close_waitlist(*, drive_id: int, actor: str, now: datetime) -> int:
    """Close the waitlist of a drive that takes no online bookings. Return the number of closed entries.

    Withdraws open offers, and makes reserved spots available to coordinators. A second call changes nothing. Refuses a
    published drive (`drive_published`), because donors could join its waitlist again. Locks: drive (exclusive),
    entries, slots.
    """
    locks.lock_drive_exclusive(drive_id)
    drive = Drive.objects.select_related("organization").get(pk=drive_id)
    if drive.state == DriveState.PUBLISHED:
        raise refusals.Refusal([refusals.Reason("drive_published", _("Close online booking first."))])
    if drive.waitlist_closed_at is None:
        drive.waitlist_closed_at = now
        drive.save(update_fields=["waitlist_closed_at"])
        audit.add_audit_entry(
            organization=drive.organization, actor=actor, verb="close_waitlist", about=f"drive:{drive.pk}", now=now
        )
    return _end_entries(drive, now)


@transaction.atomic
def close_ended_waitlist(*, drive_id: int, now: datetime) -> int:
    """Close the waitlist of a drive that is over or cancelled. Change nothing if donors can still get a spot.

    Locks: drive (exclusive), entries, slots.
    """
    locks.lock_drive_exclusive(drive_id)
    drive = Drive.objects.get(pk=drive_id)
    return 0 if rules.is_waitlist_open(drive, now) else _end_entries(drive, now)


def _end_entries(drive: Drive, now: datetime) -> int:
    released = reserved_spots.release_reserved_spots(drive, now)
    live = WaitlistEntry.objects.filter(drive=drive, state__in=(WaitlistEntryState.HELD, *WAITLISTED_STATES))
    entries = locks.lock_waitlist_entries(live.values_list("pk", flat=True))
    for entry in entries:
        was_waitlisted = entry.state in WAITLISTED_STATES
        reserved_spots.close_waitlist_entry(entry, WaitlistEntryState.CLOSED, now)
        if was_waitlisted:
            messages.queue_waitlist_closed(entry, now)
    counters.change_counters(drive_id=drive.pk, deltas=counters.compute_released_deltas(released))
    return len(entries)
