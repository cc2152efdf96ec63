"""Numbers for the coordinators' desk."""

HALF_EMPTY_PERCENT = 50  # an hour that is filled less than this is marked
ROSTER_ROWS_PER_PAGE = 50
PARKED_TASKS_PER_PAGE = 25
UPCOMING_DRIVES_SHOWN, PAST_DRIVES_SHOWN = 12, 8
