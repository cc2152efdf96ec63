from datetime import date, timedelta

HALF_EMPTY_PERCENT = 50  # below this, an hour is marked as half empty
ROSTER_ROWS_PER_PAGE = 20
DRIVES_PER_PAGE = 25
MAX_CHART_DAYS = 90  # before a drive
MIN_EARLIER_DRIVES = 2  # a single drive is too little to compare with
PARKED_TASKS_PER_PAGE = 25
CALLS_AFTER_DRIVE = timedelta(days=2)  # later, no call about a drive is of use
UPCOMING_DRIVES_SHOWN, PAST_DRIVES_SHOWN = 12, 8
UNDER_FILLED_SHOWN = 12
PEOPLE_PER_PAGE = 50
PERSON_BOOKINGS_SHOWN, PERSON_MESSAGES_SHOWN, PERSON_CHANGES_SHOWN = 50, 30, 20
PEOPLE_PER_BATCH = 1000  # in the CSV file
SEARCH_LENGTH = 80
ELIGIBLE_DAYS_AHEAD = timedelta(days=366)
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)  # limits of date filters

# Reports on drives
MAX_REPORT_DRIVES = 500  # in one report
REPORT_DRIVES_PER_PAGE = 50
LEAD_CLASSES = ((0, 0), (1, 1), (2, 3), (4, 7), (8, 14), (15, 30), (31, None))  # days from the booking to the drive
MAX_LEAD_DAYS = 366  # before the drive; earlier bookings count as made on that day
