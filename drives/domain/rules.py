"""Numbers in the rules for plans, parties, reminders and forecasts."""

# Plans
DRIVE_YEARS = range(2000, 2200)
STEP_MINUTES = range(5, 61, 5)

# Parties
MAX_PARTY_SIZE = 6
PARTY_SIZES = range(1, MAX_PARTY_SIZE + 1)
MAX_ARRANGEMENTS_TRIED = 3_000  # limits the search, because a fine grid may allow millions of arrangements

# Reminders
MIN_REMINDER_DAYS, MAX_REMINDER_DAYS = 2, 30
MIN_REMINDER_HOURS, MAX_REMINDER_HOURS = 1, 12

# Forecasts. The planning rule of the American Red Cross: 60 bookings give about 40 donations.
PLANNED_DONATIONS, PLANNED_BOOKINGS = 40, 60
MIN_BOOKINGS_FOR_OWN_RATE = 20  # with fewer bookings, the planning rule is the better estimate
FORECAST_RANGE_PERCENT = 80  # share of drives with a result in the forecast's range
