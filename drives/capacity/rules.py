"""Pure functions that list the reasons against booking a slot."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from drives.models import DriveState
from drives.refusals import Reason

MAX_HOLDS_PER_CONTACT = 2  # unverified bookings at once, with one phone number or e-mail address
NEAREST_COUNT = 3  # other open times that are offered to a donor

AUDIT_INTERVAL = timedelta(hours=1)
MAX_AUDIT_AGE = timedelta(hours=3)


@dataclass(frozen=True)
class BookingFacts:
    drive_state: DriveState
    drive_ends_at: datetime
    is_slot_of_drive: bool
    is_slot_open: bool
    slot_starts_at: datetime | None
    by_member: bool = False  # members may book at closed drives, and at closed or past times
    has_reserved_spot: bool = False  # an offer or a held slot stays valid after online booking has closed
    live_hold_count: int = 0
    has_active_booking: bool = False


def reasons_not_to_book(facts: BookingFacts, now: datetime) -> list[Reason]:
    """List all reasons not to book the slot, except a full slot.

    `counters.change_counters` refuses a full slot.
    """
    return [reason for rule in _RULES for reason in rule(facts, now)]


def reasons_against_more_holds(live_hold_count: int) -> list[Reason]:
    if live_hold_count < MAX_HOLDS_PER_CONTACT:
        return []
    text = _(
        "We’re already holding %(count)s times for this phone or e-mail. Finish booking one of them, or wait until they"
        " expire."
    )
    return [Reason("too_many_holds", text % {"count": MAX_HOLDS_PER_CONTACT})]


def reasons_against_drive(facts: BookingFacts, now: datetime) -> list[Reason]:
    if facts.drive_state == DriveState.CANCELLED:
        return [Reason("drive_cancelled", _("This drive has been cancelled."))]
    if facts.drive_state == DriveState.COMPLETED or facts.drive_ends_at <= now:
        return [Reason("drive_past", _("This drive is over."))]
    if facts.drive_state == DriveState.DRAFT:
        return [Reason("drive_not_published", _("This drive isn’t open for booking yet."))]
    if facts.drive_state == DriveState.CLOSED and not (facts.by_member or facts.has_reserved_spot):
        return [Reason("drive_closed", _("Online booking for this drive is closed."))]
    return []


def _reasons_against_slot(facts: BookingFacts, now: datetime) -> list[Reason]:
    if not facts.is_slot_of_drive or facts.slot_starts_at is None:
        return [build_slot_unknown_reason()]
    if facts.slot_starts_at <= now and not facts.by_member:
        return [Reason("slot_past", _("This time has passed. Choose a later one."))]
    if not facts.is_slot_open and not facts.by_member:
        return [Reason("slot_closed", _("This time is closed. Choose another one."))]
    return []


def _reasons_against_more_holds(facts: BookingFacts, now: datetime) -> list[Reason]:
    return reasons_against_more_holds(facts.live_hold_count)


def reasons_against_second_booking(facts: BookingFacts, now: datetime) -> list[Reason]:
    if not facts.has_active_booking:
        return []
    text = _("You already have a booking at this drive. To change its time, use the link in your confirmation.")
    return [Reason("already_booked", text)]


_RULES: tuple[Callable[[BookingFacts, datetime], list[Reason]], ...] = (
    reasons_against_drive,
    _reasons_against_slot,
    _reasons_against_more_holds,
    reasons_against_second_booking,
)


def build_slot_unknown_reason() -> Reason:
    return Reason("slot_unknown", _("This time isn’t part of this drive. Choose a time from the list."))


def build_slot_full_reason() -> Reason:
    return Reason("slot_full", _("Someone else just took the last spot at this time."))
