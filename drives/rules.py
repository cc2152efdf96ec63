"""What is allowed: pure functions from facts to reasons. No queries, no clock, no writes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from drives import intervals, localtime
from drives.models import BookingState, Drive, DriveState, Policy, Visit
from drives.timetable import VisitShape

HOLD_FOR = timedelta(minutes=15)
LIVE_HOLDS_PER_CONTACT = 2
LATE_WITHIN = timedelta(days=1)  # a cancellation that is later than this is late
UNDO_WITHIN = timedelta(minutes=15)
CLOSE_TO_DRIVE = timedelta(days=3)  # coordinators are told of cancellations within it
LINK_GOOD_FOR = timedelta(days=30)  # after the drive


@dataclass(frozen=True)
class Reason:
    """Why something may not happen: a stable code, a sentence; for interval rules the first time that is allowed.

    `person` is whom of several it concerns, by the name that was typed.
    """

    code: str
    detail: str
    earliest_ok_at: datetime | None = None
    person: str = ""


@dataclass(frozen=True)
class Elsewhere:
    """The other drive to which a proposed time belongs."""

    drive_id: int
    slug: str
    title: str
    zone: str


@dataclass(frozen=True)
class OpenTime:
    """An arrival time that still has places for a kind of visit. `starts_at` is UTC."""

    slot_id: int
    starts_at: datetime
    places_left: int
    elsewhere: Elsewhere | None = None  # of the drive that was asked about, if not said


class Refusal(ValidationError):
    """An action was refused: every reason, and the nearest times that would have been possible."""

    def __init__(self, reasons: Sequence[Reason], alternatives: Sequence[OpenTime] = ()) -> None:
        super().__init__([ValidationError(reason.detail, code=reason.code) for reason in reasons])
        self.reasons = list(reasons)
        self.alternatives = list(alternatives)

    @property
    def codes(self) -> list[str]:
        return [reason.code for reason in self.reasons]


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


VISIT_IS_FIRST = "visit_is_first"
TOO_CLOSE = frozenset({intervals.INTERVAL_TOO_SHORT, intervals.WINDOW_FULL, intervals.CROSS_INTERVAL})
MAY_BE_OVERRIDDEN = TOO_CLOSE | {VISIT_IS_FIRST}


def too_close(broken: intervals.Broken, earliest_ok_at: datetime | None, zone: str) -> Reason:
    """A rule of interval in words, with the first time that all of them allow. It tells nothing of the other visit."""
    if broken.code == intervals.WINDOW_FULL:
        text = _("At most %(count)s donations are allowed in any %(days)s days.")
    elif broken.code == intervals.CROSS_INTERVAL:
        text = _("This is too close to a donation of another kind.")
    else:
        text = _("This is too close to another donation.")
    detail = text % {"count": broken.count, "days": broken.days}
    if earliest_ok_at is None:
        return Reason(broken.code, detail)
    first = _("The first time that is allowed is %(moment)s.") % {
        "moment": localtime.allowed_from(earliest_ok_at, zone)
    }
    return Reason(broken.code, f"{detail} {first}", earliest_ok_at)


def visit_by_record(donations: Sequence[intervals.Donation], policy: Policy, on: date) -> Visit | None:
    """The kind of visit that follows from what was given; None while nothing is recorded and the donor's word stands.

    Who has not given for `lapse_after_days` is a first visit again. A donation that is only stated makes nobody a
    return visit, for no centre of a drive has seen them; but it keeps one from lapsing.
    """
    recorded, stated = (
        intervals.last_given(donations, policy.kind, known) for known in (intervals.GIVEN, intervals.STATED)
    )
    if recorded is None and stated is None:
        return None
    last = max(day for day in (recorded, stated) if day)
    if intervals.is_first_again(last, on, policy.lapse_after_days):
        return Visit.FIRST
    return Visit.RETURN if recorded else None


def visit_is_first() -> Reason:
    text = _("Your last donation is long ago, so this is a first visit again. It takes longer and does not fit then.")
    return Reason(VISIT_IS_FIRST, text)


def reasons_not_to_wait(facts: PlaceFacts, now: datetime) -> list[Reason]:
    """Why somebody may not join a drive's waiting list. `live_holds` counts what their contact has not proved yet."""
    applied = (drive_takes_bookings, _few_requests, one_booking_a_drive)
    return [reason for rule in applied for reason in rule(facts, now)]


def line_is_open(drive: Drive, now: datetime) -> bool:
    """Whether who waits at a drive may still get a place: until it ends, also when online booking is closed."""
    takes_place = drive.state in (DriveState.PUBLISHED, DriveState.CLOSED)
    return takes_place and drive.line_closed_at is None and drive.ends_at > now


def _few_requests(facts: PlaceFacts, now: datetime) -> list[Reason]:
    if facts.live_holds < LIVE_HOLDS_PER_CONTACT:
        return []
    text = _("This phone or e-mail has asked twice already. Finish one of them, or wait a quarter of an hour.")
    return [Reason("too_many_holds", text)]


def no_time_to_wait_for() -> Reason:
    return Reason("window_empty", _("No visit can begin between these times any more. Choose others."))


def places_are_open() -> Reason:
    return Reason("places_open", _("There are open times between these: you can book one at once."))


def not_in_line(state: str) -> Reason:
    return Reason(f"waiting_{state}", _("You are not on this waiting list any more."))


def offer_is_over(state: str) -> Reason:
    """Why an offered place cannot be had any more, or passed on."""
    sentences = {
        "accepted": _("You have taken this place already."),
        "declined": _("You passed this place on."),
        "withdrawn": _("This place is no longer offered."),
    }
    detail = sentences.get(state, _("The time to answer is over: this place went to the next person."))
    return Reason(f"offer_{state}", detail)


def slot_unknown() -> Reason:
    return Reason("slot_unknown", _("This time does not belong to this drive. Choose a time from the list."))


def slot_full() -> Reason:
    return Reason("slot_full", _("Somebody else has just taken the last place at this time."))


def party_full() -> Reason:
    return Reason("slot_full", _("There is no longer room for all of you at this time."))


def visit_does_not_fit() -> Reason:
    return Reason("visit_does_not_fit", _("A visit that starts then would not end before the drive does."))


def visit_shape(drive: Drive, visit: str) -> VisitShape:
    """How many steps of screening and chair time a visit takes at this drive."""
    if visit == Visit.FIRST:
        return VisitShape(drive.first_screening_steps, drive.first_chair_steps)
    return VisitShape(drive.return_screening_steps, drive.return_chair_steps)


# A booking's life. From which states a verb may start; every other state is refused as `wrong_state`.
MAY_BE_CONFIRMED = frozenset({BookingState.BOOKED})
MAY_BE_CHANGED = frozenset({BookingState.HELD, BookingState.BOOKED, BookingState.CONFIRMED})
MAY_BE_CHECKED_IN = frozenset({BookingState.BOOKED, BookingState.CONFIRMED, BookingState.NO_SHOW})
OUTCOMES = frozenset({BookingState.DONATED, BookingState.INCOMPLETE, BookingState.DEFERRED, BookingState.LEFT})
COUNTS_NOT = frozenset({BookingState.NO_SHOW, BookingState.DEFERRED, BookingState.LEFT})  # for the intervals
MAY_HAVE_OUTCOME = frozenset({BookingState.CHECKED_IN}) | OUTCOMES
HAS_GIVEN = frozenset({BookingState.DONATED})
MAY_BE_MISSED = frozenset({BookingState.BOOKED, BookingState.CONFIRMED})


def visit_past() -> Reason:
    """The time of a visit is over."""
    return Reason("visit_past", _("The time of this booking has passed."))


def reasons_not_to_change(state: str, allowed: frozenset[BookingState]) -> list[Reason]:
    """Why a booking in this state does not take this verb, in words that say how it stands."""
    if state in allowed:
        return []
    sentences = {
        BookingState.HELD: _("This booking is not finished yet: enter the code first."),
        BookingState.LAPSED: _("The time was not confirmed in time and is free again."),
        BookingState.BOOKED: _("This person is not checked in yet."),
        BookingState.CONFIRMED: _("This person is not checked in yet."),
        BookingState.CANCELLED: _("This booking is cancelled."),
        BookingState.NO_SHOW: _("This booking is marked as missed."),
        BookingState.CHECKED_IN: _("This person is already checked in."),
    }
    detail = sentences.get(BookingState(state), _("This visit is already over."))
    return [Reason(f"booking_{state}", detail)]


def is_late_cancellation(starts_at: datetime, now: datetime) -> bool:
    """Within a day of the visit, or after it began."""
    return starts_at - now < LATE_WITHIN


def is_to_be_closed_out(drive: Drive, now: datetime) -> bool:
    """Its end and its grace have passed, and it took place."""
    took_place = drive.state in (DriveState.PUBLISHED, DriveState.CLOSED)
    return took_place and drive.ends_at + timedelta(minutes=drive.grace_minutes) <= now
