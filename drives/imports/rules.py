from datetime import timedelta
from typing import Final

MAX_BYTES: Final = 8 * 1024 * 1024
MAX_ROWS: Final = 50_000
# All bookings of a file are made in one transaction. Other donors cannot book at the drive until it ends.
MAX_BOOKING_ROWS: Final = 200
MAX_COLUMNS: Final = 100
# The column names must be in one of the first rows with text. Titles may come before them.
MAX_HEADER_ROW: Final = 20
SAMPLE_CELLS: Final = 3  # shown for each column, to help the coordinator match the columns

KEPT_FOR: Final = timedelta(days=1)  # after the upload
# A worker takes an import for one minute, and works on it for up to 10 seconds. If the worker dies, another worker
# continues when the minute is over.
LEASE: Final = timedelta(minutes=1)
RUN_SECONDS: Final = 10
IMPORTS_PER_RUN: Final = 3
ROWS_CHECKED_PER_BATCH: Final = 1_000
ROWS_IMPORTED_PER_BATCH: Final = 250  # in one transaction

ROWS_PREVIEWED: Final = 10
ERRORS_PER_PAGE: Final = 25
IMPORTS_PER_PAGE: Final = 25
