from datetime import timedelta

# Causes
MAX_FACTS = 8  # for each cause

# Alerts
UNDER_FILLED_ALERT_WITHIN = timedelta(days=7)  # before the drive
UNDER_FILLED_RATIO = 0.6  # of the drive's capacity
