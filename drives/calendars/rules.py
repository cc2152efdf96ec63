"""Time limits of calendar entries and feeds."""

from datetime import timedelta

ALARM_BEFORE = timedelta(hours=2)  # before the visit
CANCELLED_SHOWN_FOR = timedelta(days=30)  # after the cancellation of a drive
