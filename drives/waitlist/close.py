"""A line ends: with its drive, or when its coordinator closes it. Everybody in it is told once."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from drives import refusals
from drives.capacity import counters, locks, reserved_spots
from drives.models import IN_LINE, Drive, DriveState, WaitingEntry, WaitingState
from drives.waitlist import messages, rules
from organizations import audit


@transaction.atomic
def close_line(*, drive_id: int, actor: str, now: datetime) -> int:
    """Offer nobody anything any more at a drive whose online booking is closed; return how many waited.

    What is offered is withdrawn, what is kept is free for the coordinator. Twice changes nothing. Refuses a drive that
    still takes bookings online, for anybody could join its line anew. Locks: drive (exclusive), entries, slots.
    """
    locks.drive_exclusive(drive_id)
    drive = Drive.objects.select_related("organization").get(pk=drive_id)
    if drive.state == DriveState.PUBLISHED:
        raise refusals.Refusal([refusals.Reason("drive_published", _("Close online booking first."))])
    if drive.line_closed_at is None:
        drive.line_closed_at = now
        drive.save(update_fields=["line_closed_at"])
        audit.note(organization=drive.organization, actor=actor, verb="close_line", about=f"drive:{drive.pk}", now=now)
    return _end(drive, now)


@transaction.atomic
def close_over(*, drive_id: int, now: datetime) -> int:
    """Close the line of a drive that is over or cancelled; nothing while somebody in it may still get a place.

    Locks: drive (exclusive), entries, slots.
    """
    locks.drive_exclusive(drive_id)
    drive = Drive.objects.get(pk=drive_id)
    return 0 if rules.line_is_open(drive, now) else _end(drive, now)


def _end(drive: Drive, now: datetime) -> int:
    given_up = reserved_spots.drop_all(drive, now)
    live = WaitingEntry.objects.filter(drive=drive, state__in=(WaitingState.HELD, *IN_LINE))
    entries = locks.waiting_entries(live.values_list("pk", flat=True))
    for entry in entries:
        was_in_line = entry.state in IN_LINE
        reserved_spots.close(entry, WaitingState.OVER, now)
        if was_in_line:
            messages.over(entry, now)
    counters.change(drive_id=drive.pk, deltas=counters.released(given_up))
    return len(entries)
