from datetime import datetime, timedelta

# Causes
MAX_FACTS = 8  # for each cause

# Under-filled drives
UNDER_FILLED_WITHIN = timedelta(days=7)  # before the drive; earlier, few bookings are no reason to act
UNDER_FILLED_PERCENT = 60  # of the drive's capacity


def is_near(starts_at: datetime, now: datetime) -> bool:
    return now < starts_at <= now + UNDER_FILLED_WITHIN


def is_under_filled(booked: int, spots_left: int) -> bool:
    return 100 * booked < UNDER_FILLED_PERCENT * (booked + spots_left)
