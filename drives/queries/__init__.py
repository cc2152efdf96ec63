"""Page-shaped reads, each with a fixed number of queries. Nothing here writes."""

from drives.queries.attendance import CheckinList, CheckinRow, RosterRow, checkin_list, roster
from drives.queries.bookings import (
    BookingPage,
    FeedStamp,
    booking_page,
    booking_page_here,
    bookings_for_messages,
    feed_stamps,
    feed_version,
    may_be_restored,
)
from drives.queries.desk import Desk, DriveFigures, Home, desk, give_rate, has_bookings, home, times_over
from drives.queries.donor import NextDate, PersonHere, donor_page, newest_contacts, people_here
from drives.queries.drives import (
    DrivePage,
    DriveSummary,
    HourFill,
    drifted_slots,
    drive_page,
    fill_by_hour,
    public_drives,
)
from drives.queries.history import Giver, donations_of, gave_lately, later_times
from drives.queries.message_plan import (
    DriveMessages,
    bookings_to_remind,
    drive_plan,
    drive_plans,
    drives_with_messages,
    organization_plan,
    own_words,
    quiet_hours,
)
from drives.queries.places import PlaceFound, nearest_times, open_times, place_facts, places_left
from drives.queries.reach import PeopleToTell, people_to_tell
from drives.queries.records import BookingRecord, booking_record
from drives.queries.reports import TurnoutReport, turnout_report
from drives.queries.turnout import TurnoutNumbers, turnout_numbers

__all__ = [
    "BookingPage",
    "BookingRecord",
    "CheckinList",
    "CheckinRow",
    "Desk",
    "DriveFigures",
    "DriveMessages",
    "DrivePage",
    "DriveSummary",
    "FeedStamp",
    "Giver",
    "Home",
    "HourFill",
    "NextDate",
    "PeopleToTell",
    "PersonHere",
    "PlaceFound",
    "RosterRow",
    "TurnoutNumbers",
    "TurnoutReport",
    "booking_page",
    "booking_page_here",
    "booking_record",
    "bookings_for_messages",
    "bookings_to_remind",
    "checkin_list",
    "desk",
    "donations_of",
    "donor_page",
    "drifted_slots",
    "drive_page",
    "drive_plan",
    "drive_plans",
    "drives_with_messages",
    "feed_stamps",
    "feed_version",
    "fill_by_hour",
    "gave_lately",
    "give_rate",
    "has_bookings",
    "home",
    "later_times",
    "may_be_restored",
    "nearest_times",
    "newest_contacts",
    "open_times",
    "organization_plan",
    "own_words",
    "people_here",
    "people_to_tell",
    "place_facts",
    "places_left",
    "public_drives",
    "quiet_hours",
    "roster",
    "times_over",
    "turnout_numbers",
    "turnout_report",
]
