"""Rules of the waitlist: joining, the length of an offer, and the end of entries and offers."""

from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from drives.capacity import rules as capacity_rules
from drives.capacity.rules import BookingFacts
from drives.domain.waitlist_matching import ArrivalWindow
from drives.models import Drive, DriveState, OfferState
from drives.refusals import Reason
from notifications.quiet_hours import QuietHours

REFUSED_OFFER_STATES = (OfferState.DECLINED, OfferState.EXPIRED)
# A waitlist is checked again after this time, even if neither the waitlist nor the free capacity has changed.
OFFER_CHECK_INTERVAL = timedelta(minutes=10)
ENTRIES_PER_PAGE = 50
MAX_OFFERS_PER_SWEEP = 200  # for each drive
OFFER_TIME_DIVISOR = 4  # an offer lasts a quarter of the time until the arrival
LONGEST_OFFER, SHORTEST_OFFER = timedelta(hours=24), timedelta(minutes=15)
MIN_OFFER_NOTICE = timedelta(minutes=30)  # from the deadline to the arrival, so that the donor has time to travel


def reasons_not_to_join_waitlist(facts: BookingFacts, now: datetime) -> list[Reason]:
    """List the reasons not to create an entry.

    `live_hold_count` in `facts` is the number of the contact's held entries.
    """
    applied = (
        capacity_rules.reasons_against_drive,
        _reasons_too_many_requests,
        capacity_rules.reasons_against_second_booking,
    )
    return [reason for rule in applied for reason in rule(facts, now)]


def parse_arrival_window(since: datetime | None, until: datetime | None) -> ArrivalWindow:
    """Build a window that includes `since` and excludes `until`. None means no limit.

    Refuses an empty window (`window_empty`).
    """
    if since and until and until <= since:
        empty = ValidationError(_("Choose a time later than the first one."), code="window_empty")
        raise ValidationError({"to": empty})
    return ArrivalWindow(since, until)


def is_waitlist_open(drive: Drive, now: datetime) -> bool:
    """Return whether entries can still get a spot.

    A waitlist may stay open until the drive ends, even after the end of online booking.
    """
    takes_place = drive.state in (DriveState.PUBLISHED, DriveState.CLOSED)
    return takes_place and drive.waitlist_closed_at is None and drive.ends_at > now


def compute_earliest_offered_arrival(now: datetime) -> datetime:
    return now + MIN_OFFER_NOTICE + SHORTEST_OFFER


def compute_offer_deadline(now: datetime, starts_at: datetime, quiet: QuietHours) -> datetime:
    """Return the deadline of an offer made now, rounded up to a full minute.

    - An offer lasts a quarter of the time until the arrival, but at least 15 minutes and at most 24 hours.
    - If an offer is made in quiet hours, its time starts at the end of quiet hours. If the arrival is too soon for
      that, its time starts now, and the donor gets the offer only by e-mail.
    - If possible, the deadline is outside quiet hours, because the next donor could not be texted before the morning.
    """
    morning = quiet.next_open(now)
    begins = morning if compute_earliest_offered_arrival(morning) <= starts_at else now
    duration = min(LONGEST_OFFER, max(SHORTEST_OFFER, (starts_at - begins) / OFFER_TIME_DIVISOR))
    ends = begins + duration
    if quiet.is_quiet(ends) and compute_earliest_offered_arrival(quiet.next_open(ends)) <= starts_at:
        ends = quiet.next_open(ends) + SHORTEST_OFFER
    minute = ends.replace(second=0, microsecond=0)
    return minute if minute == ends else minute + timedelta(minutes=1)


def _reasons_too_many_requests(facts: BookingFacts, now: datetime) -> list[Reason]:
    if facts.live_hold_count < capacity_rules.MAX_HOLDS_PER_CONTACT:
        return []
    text = _("This phone or e-mail already has %(count)s unfinished requests. Finish one of them, or wait 15 minutes.")
    return [Reason("too_many_holds", text % {"count": capacity_rules.MAX_HOLDS_PER_CONTACT})]


def build_no_time_reason() -> Reason:
    return Reason("window_empty", _("No visit can start between these times anymore. Choose other times."))


def build_spots_open_reason() -> Reason:
    return Reason("slots_open", _("There are open times in this range. You can book one right away."))


def build_not_on_waitlist_reason(state: str) -> Reason:
    return Reason(f"entry_{state}", _("You’re no longer on this waiting list."))


def build_offer_ended_reason(state: str) -> Reason:
    sentences = {
        "accepted": _("You’ve already taken this spot."),
        "declined": _("You passed on this spot."),
        "withdrawn": _("We’re no longer holding this spot for you."),
    }
    detail = sentences.get(state, _("The time to reply has passed. This spot went to the next person."))
    return Reason(f"offer_{state}", detail)
