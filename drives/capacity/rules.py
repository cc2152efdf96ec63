"""Why a donor may not take a slot: pure functions from facts to reasons. No queries, no clock, no writes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from drives.models import DriveState
from drives.refusals import Reason

LIVE_HOLDS_PER_CONTACT = 2


@dataclass(frozen=True)
class PlaceFacts:
    """What a place depends on, read under the drive's lock."""

    drive_state: DriveState
    drive_ends_at: datetime
    slot_of_drive: bool
    slot_open: bool
    slot_starts_at: datetime | None
    by_staff: bool = False  # coordinators may book into closed drives and closed slots
    promised: bool = False  # a turn in line, or a time that is kept already, counts after online booking has closed
    live_holds: int = 0
    active_booking: bool = False


def reasons_not_to_take(facts: PlaceFacts, now: datetime) -> list[Reason]:
    """Why this place may not be taken, all reasons at once. Whether it is full is judged by the counters."""
    return [reason for rule in _RULES for reason in rule(facts, now)]


def drive_takes_bookings(facts: PlaceFacts, now: datetime) -> list[Reason]:
    if facts.drive_state == DriveState.CANCELLED:
        return [Reason("drive_cancelled", _("This drive has been cancelled."))]
    if facts.drive_state == DriveState.COMPLETED or facts.drive_ends_at <= now:
        return [Reason("drive_past", _("This drive is over."))]
    if facts.drive_state == DriveState.DRAFT:
        return [Reason("drive_not_published", _("This drive is not open for booking yet."))]
    if facts.drive_state == DriveState.CLOSED and not (facts.by_staff or facts.promised):
        return [Reason("drive_closed", _("Online booking for this drive is closed."))]
    return []


def _slot_can_be_chosen(facts: PlaceFacts, now: datetime) -> list[Reason]:
    if not facts.slot_of_drive or facts.slot_starts_at is None:
        return [slot_unknown()]
    if facts.slot_starts_at <= now and not facts.by_staff:
        return [Reason("slot_past", _("This time has passed. Choose a later one."))]
    if not facts.slot_open and not facts.by_staff:
        return [Reason("slot_closed", _("This time is closed. Choose another one."))]
    return []


def _few_holds(facts: PlaceFacts, now: datetime) -> list[Reason]:
    if facts.live_holds < LIVE_HOLDS_PER_CONTACT:
        return []
    text = _("Two times are already kept for this phone or e-mail. Finish one of them, or wait until they lapse.")
    return [Reason("too_many_holds", text)]


def one_booking_a_drive(facts: PlaceFacts, now: datetime) -> list[Reason]:
    if not facts.active_booking:
        return []
    text = _("You already have a booking at this drive. To change its time, use the link in your confirmation.")
    return [Reason("already_booked", text)]


_RULES: tuple[Callable[[PlaceFacts, datetime], list[Reason]], ...] = (
    drive_takes_bookings,
    _slot_can_be_chosen,
    _few_holds,
    one_booking_a_drive,
)


def slot_unknown() -> Reason:
    return Reason("slot_unknown", _("This time does not belong to this drive. Choose a time from the list."))


def slot_full() -> Reason:
    return Reason("slot_full", _("Somebody else has just taken the last place at this time."))
