from datetime import timedelta

# Reminders
RENDER_WITHIN = timedelta(minutes=15)  # before the due time

# Broadcasts
UNDO_BROADCAST_WITHIN = timedelta(minutes=2)
NEWS_USEFUL_FOR = timedelta(days=3)
MAX_BROADCAST_SEGMENTS = 3
MAX_BROADCASTS_SHOWN = 20  # for each drive

# Notices that a drive runs late
LATE_MINUTES = (10, 20, 30, 45)
UNDO_LATE_NOTICE_WITHIN = timedelta(seconds=30)  # short, because a late notice is urgent
REPEAT_LATE_NOTICE_AFTER = timedelta(minutes=10)
LATE_NOTICE_BEFORE_ARRIVAL = timedelta(hours=3)
LATE_NOTICE_AFTER_ARRIVAL = timedelta(minutes=30)

# Invitations
MAX_INVITATIONS_PER_MONTH = 2  # the consent text promises this limit
INVITATION_MONTH = timedelta(days=31)
MIN_INVITATION_GAP = timedelta(days=7)
EARLIEST_INVITED_AHEAD = timedelta(days=1)  # from now until the first offered time
LATEST_INVITED_AHEAD = timedelta(weeks=4)
INVITATION_USEFUL_FOR = timedelta(days=3)

# Reminders and custom texts
SHARED_REMINDERS_WITHIN = timedelta(hours=3)  # reminders that are due this close together can become one text
MAX_CUSTOM_TEXT_SEGMENTS = 2
MAX_CUSTOM_TEXT_CHARACTERS = 400

# Failed texts
REPLACE_FAILED_TEXTS_WITHIN = timedelta(days=1)  # after this, no e-mail replaces a failed text
CALL_WITHIN = timedelta(hours=1)  # after the arrival time
CALL_AFTER_CLOSING_WITHIN = timedelta(days=1)  # after the waitlist was closed, as long as its message is useful
