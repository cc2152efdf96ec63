from datetime import timedelta

ALARM_BEFORE = timedelta(hours=2)  # before the visit
CANCELLED_SHOWN_FOR = timedelta(days=30)  # after the cancellation of a drive
REFRESH_EVERY = timedelta(hours=1)  # calendar apps are asked to reload feeds this often
MAX_FEED_DRIVES = 100
