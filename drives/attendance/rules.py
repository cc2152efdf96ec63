"""Rules for the day of a drive: time limits, the outcomes that count as donations, and when to close out."""

from datetime import datetime, timedelta

from drives.models import BookingState, Drive, DriveState, Visit

NOT_COUNTED_FOR_INTERVAL = frozenset({BookingState.NO_SHOW, BookingState.DEFERRED, BookingState.LEFT})
HAS_DONATED = frozenset({BookingState.DONATED})
DUE_WITHIN = timedelta(minutes=30)  # before the arrival time
LATE_AFTER = timedelta(minutes=10)  # after the arrival time
WALK_IN_VISIT = Visit.RETURN  # the default in the form


def is_due_for_close_out(drive: Drive, now: datetime) -> bool:
    took_place = drive.state in (DriveState.PUBLISHED, DriveState.CLOSED)
    return took_place and drive.close_out_at <= now
