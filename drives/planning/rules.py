"""Numbers of the alert about an under-filled drive."""

from datetime import timedelta

UNDER_FILLED_ALERT_WITHIN = timedelta(days=7)  # before the drive
UNDER_FILLED_RATIO = 0.6  # of the drive's capacity
