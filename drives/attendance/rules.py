"""The states in which a helper may check a donor in or record an outcome."""

from datetime import datetime, timedelta

from drives.models import OUTCOMES, BookingState, Drive, DriveState

MAY_BE_CHECKED_IN = frozenset({BookingState.BOOKED, BookingState.CONFIRMED, BookingState.NO_SHOW})
NOT_COUNTED_FOR_INTERVAL = frozenset({BookingState.NO_SHOW, BookingState.DEFERRED, BookingState.LEFT})
MAY_HAVE_OUTCOME = frozenset({BookingState.CHECKED_IN}) | OUTCOMES
HAS_DONATED = frozenset({BookingState.DONATED})


def is_due_for_close_out(drive: Drive, now: datetime) -> bool:
    took_place = drive.state in (DriveState.PUBLISHED, DriveState.CLOSED)
    return took_place and drive.ends_at + timedelta(minutes=drive.grace_minutes) <= now
