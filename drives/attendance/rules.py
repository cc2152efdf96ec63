"""What the day of a drive counts: visits that do not count for the intervals, donations, and drives to close out."""

from datetime import datetime, timedelta

from drives.models import BookingState, Drive, DriveState

NOT_COUNTED_FOR_INTERVAL = frozenset({BookingState.NO_SHOW, BookingState.DEFERRED, BookingState.LEFT})
HAS_DONATED = frozenset({BookingState.DONATED})


def is_due_for_close_out(drive: Drive, now: datetime) -> bool:
    took_place = drive.state in (DriveState.PUBLISHED, DriveState.CLOSED)
    return took_place and drive.ends_at + timedelta(minutes=drive.grace_minutes) <= now
