"""The rules and constants of bookings, each tested on both sides of its boundary."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from drives import refusals
from drives.attendance import rules as attendance_rules
from drives.booking import rules as booking_rules
from drives.booking.rules import Act
from drives.capacity import rules as capacity_rules
from drives.capacity import visit_length
from drives.capacity.rules import BookingFacts
from drives.domain.grid import VisitShape
from drives.domain.intervals import GIVEN, SELF_REPORTED, BrokenRule, Donation, IntervalRules
from drives.eligibility import rules as eligibility_rules
from drives.models import BookingState, Drive, DriveState, Policy, Visit
from drives.refusals import Reason
from drives.waitlist import rules as waitlist_rules
from drives.web import rules as web_rules

NOW = datetime(2027, 3, 13, 18, tzinfo=UTC)
DAY, MINUTE, TICK = timedelta(days=1), timedelta(minutes=1), timedelta(microseconds=1)
LOS_ANGELES = "America/Los_Angeles"


def place(**changes: object) -> BookingFacts:
    """Build a bookable slot that starts in one hour, at a drive that ends in five hours."""
    facts: dict[str, object] = {
        "drive_state": DriveState.PUBLISHED,
        "drive_ends_at": NOW + timedelta(hours=5),
        "is_slot_of_drive": True,
        "is_slot_open": True,
        "slot_starts_at": NOW + timedelta(hours=1),
        **changes,
    }
    return BookingFacts(**facts)  # type: ignore[arg-type]


def reasons(found: list[Reason]) -> dict[str, str]:
    return {reason.code: reason.detail for reason in found}


def codes(**changes: object) -> list[str]:
    return [reason.code for reason in capacity_rules.reasons_not_to_book(place(**changes), NOW)]


def drive(**changes: object) -> Drive:
    fields: dict[str, object] = {
        "state": DriveState.PUBLISHED,
        "ends_at": NOW,
        "grace_minutes": 60,
        "first_screening_steps": 3,
        "first_chair_steps": 4,
        "return_screening_steps": 1,
        "return_chair_steps": 2,
        **changes,
    }
    return Drive(**fields)


def test_the_constants_of_the_rules() -> None:
    assert timedelta(minutes=15) == booking_rules.HOLD_FOR == booking_rules.UNDO_WITHIN
    assert timedelta(hours=24) == booking_rules.LATE_WITHIN
    assert timedelta(hours=72) == booking_rules.CANCELLATION_ALERT_WITHIN
    assert timedelta(days=30) == web_rules.LINK_VALID_FOR
    assert capacity_rules.MAX_HOLDS_PER_CONTACT == 2


@pytest.mark.parametrize(
    ("ahead", "is_late"),
    [
        (timedelta(hours=24), False),
        (timedelta(hours=24) + TICK, False),
        (timedelta(hours=24) - TICK, True),
        (timedelta(hours=48), False),
        (timedelta(0), True),
        (-MINUTE, True),
    ],
)
def test_is_late_cancellation_starts_below_24_hours(ahead: timedelta, is_late: bool) -> None:
    assert booking_rules.is_late_cancellation(NOW + ahead, NOW) is is_late


# Slots and drives


def test_an_open_slot_of_a_published_drive_is_bookable() -> None:
    assert codes() == []


@pytest.mark.parametrize(("holds", "found"), [(0, []), (1, []), (2, ["too_many_holds"]), (3, ["too_many_holds"])])
def test_a_hold_above_the_limit_of_one_contact_is_refused(holds: int, found: list[str]) -> None:
    assert codes(live_hold_count=holds) == found
    waiting = waitlist_rules.reasons_not_to_join_waitlist(place(live_hold_count=holds), NOW)
    assert [reason.code for reason in waiting] == found


def test_a_drive_is_past_exactly_at_its_end() -> None:
    assert codes(drive_ends_at=NOW + TICK) == []
    assert codes(drive_ends_at=NOW) == ["drive_past"]


def test_a_slot_is_past_exactly_at_its_start() -> None:
    assert codes(slot_starts_at=NOW + TICK) == []
    assert codes(slot_starts_at=NOW) == ["slot_past"]
    assert codes(slot_starts_at=NOW, by_member=True) == []


@pytest.mark.parametrize(
    ("state", "code", "staff", "has_reserved_spot"),
    [
        (DriveState.CANCELLED, ["drive_cancelled"], ["drive_cancelled"], ["drive_cancelled"]),
        (DriveState.COMPLETED, ["drive_past"], ["drive_past"], ["drive_past"]),
        (DriveState.DRAFT, ["drive_not_published"], ["drive_not_published"], ["drive_not_published"]),
        (DriveState.CLOSED, ["drive_closed"], [], []),
        (DriveState.PUBLISHED, [], [], []),
    ],
)
def test_each_drive_state_allows_its_own_bookings(
    state: DriveState, code: list[str], staff: list[str], has_reserved_spot: list[str]
) -> None:
    assert codes(drive_state=state) == code
    assert codes(drive_state=state, by_member=True) == staff
    assert codes(drive_state=state, has_reserved_spot=True) == has_reserved_spot


def test_only_coordinators_may_book_a_closed_slot() -> None:
    assert codes(is_slot_open=False) == ["slot_closed"]
    assert codes(is_slot_open=False, by_member=True) == []
    assert codes(is_slot_open=False, has_reserved_spot=True) == ["slot_closed"]


def test_a_slot_of_another_drive_is_unknown() -> None:
    assert codes(is_slot_of_drive=False) == ["slot_unknown"]
    assert codes(slot_starts_at=None) == ["slot_unknown"]


def test_every_reason_is_given_at_once() -> None:
    found = capacity_rules.reasons_not_to_book(
        place(drive_state=DriveState.CLOSED, is_slot_open=False, live_hold_count=2, has_active_booking=True), NOW
    )
    assert reasons(found) == {
        "drive_closed": "Online booking for this drive is closed.",
        "slot_closed": "This time is closed. Choose another one.",
        "too_many_holds": "We’re already holding 2 times for this phone or e-mail."
        " Finish booking one of them, or wait until they expire.",
        "already_booked": "You already have a booking at this drive. "
        "To change its time, use the link in your confirmation.",
    }
    refusal = refusals.Refusal(found)
    assert refusal.codes == list(reasons(found))
    assert [error.code for error in refusal.error_list] == list(reasons(found))
    assert (refusal.reasons, refusal.alternatives) == (found, [])
    assert refusal.messages == list(reasons(found).values())


def test_a_refusal_lists_the_alternatives() -> None:
    time = refusals.OpenTime(7, (NOW,), 2)
    assert refusals.Refusal([capacity_rules.build_slot_full_reason()], [time]).alternatives == [time]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"drive_state": DriveState.CANCELLED}, "This drive has been cancelled."),
        ({"drive_state": DriveState.COMPLETED}, "This drive is over."),
        ({"drive_state": DriveState.DRAFT}, "This drive isn’t open for booking yet."),
        ({"slot_starts_at": NOW}, "This time has passed. Choose a later one."),
        ({"is_slot_of_drive": False}, "This time isn’t part of this drive. Choose a time from the list."),
    ],
)
def test_each_reason_has_a_sentence(facts: dict[str, object], words: str) -> None:
    assert [reason.detail for reason in capacity_rules.reasons_not_to_book(place(**facts), NOW)] == [words]


def test_joining_a_waitlist_ignores_the_slot() -> None:
    facts = place(is_slot_of_drive=False, slot_starts_at=None, is_slot_open=False)
    assert waitlist_rules.reasons_not_to_join_waitlist(facts, NOW) == []
    taken = waitlist_rules.reasons_not_to_join_waitlist(
        place(has_active_booking=True, drive_ends_at=NOW, live_hold_count=2), NOW
    )
    assert reasons(taken) == {
        "drive_past": "This drive is over.",
        "too_many_holds": "This phone or e-mail already has 2 unfinished requests. "
        "Finish one of them, or wait 15 minutes.",
        "already_booked": "You already have a booking at this drive. "
        "To change its time, use the link in your confirmation.",
    }


@pytest.mark.parametrize(
    ("state", "is_open"),
    [
        (DriveState.PUBLISHED, True),
        (DriveState.CLOSED, True),
        (DriveState.DRAFT, False),
        (DriveState.CANCELLED, False),
        (DriveState.COMPLETED, False),
    ],
)
def test_a_waitlist_stays_open_when_online_booking_is_closed(state: DriveState, is_open: bool) -> None:
    assert waitlist_rules.is_waitlist_open(drive(state=state, ends_at=NOW + TICK), NOW) is is_open
    assert not waitlist_rules.is_waitlist_open(drive(state=state, ends_at=NOW), NOW)
    assert not waitlist_rules.is_waitlist_open(drive(state=state, ends_at=NOW + TICK, waitlist_closed_at=NOW), NOW)


@pytest.mark.parametrize("state", DriveState.values)
def test_a_drive_is_closed_out_exactly_after_its_grace_period(state: str) -> None:
    takes_place = state in {DriveState.PUBLISHED, DriveState.CLOSED}
    over = drive(state=state, ends_at=NOW - 45 * MINUTE, grace_minutes=45)
    assert attendance_rules.is_due_for_close_out(over, NOW) is takes_place
    assert attendance_rules.is_due_for_close_out(over, NOW - TICK) is False


def test_a_visit_takes_the_steps_of_its_type() -> None:
    assert visit_length.compute_visit_shape(drive(), Visit.FIRST) == VisitShape(3, 4)
    assert visit_length.compute_visit_shape(drive(), Visit.RETURN) == VisitShape(1, 2)


# Interval reasons


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (BrokenRule("interval_too_short"), "This time is too close to another donation."),
        (BrokenRule("cross_interval"), "This time is too close to a different type of donation."),
        (BrokenRule("window_full", 2, 7), "No more than 2 donations are allowed within 7 days."),
    ],
)
def test_an_interval_reason_names_the_first_allowed_time(broken: BrokenRule, words: str) -> None:
    earliest = datetime(2027, 3, 15, 17, 30, tzinfo=UTC)
    first = "The earliest allowed time is Monday, March 15, 2027, 10:30 AM Pacific Time."
    assert eligibility_rules.build_interval_reason(broken, None, LOS_ANGELES) == Reason(broken.code, words)
    assert eligibility_rules.build_interval_reason(broken, earliest, LOS_ANGELES) == Reason(
        broken.code, f"{words} {first}", earliest
    )


def gave(days_ago: int, basis: str = GIVEN, kind: str = "plasma") -> Donation:
    day = NOW.date() - days_ago * DAY
    return Donation(datetime(day.year, day.month, day.day, 18, tzinfo=UTC), day, IntervalRules(kind), basis=basis)


@pytest.mark.parametrize(
    ("donations", "visit"),
    [
        ([], None),
        ([gave(180)], Visit.RETURN),
        ([gave(181)], Visit.FIRST),
        ([gave(180, SELF_REPORTED)], None),
        ([gave(181, SELF_REPORTED)], Visit.FIRST),
        ([gave(300), gave(180, SELF_REPORTED)], Visit.RETURN),
        ([gave(300), gave(181, SELF_REPORTED)], Visit.FIRST),
        ([gave(10, kind="platelets")], None),
    ],
)
def test_a_visit_is_a_first_visit_again_after_180_days(donations: list[Donation], visit: Visit | None) -> None:
    policy = Policy(kind="plasma", lapse_after_days=180)
    assert eligibility_rules.compute_visit_type(donations, policy, NOW.date()) == visit


def test_a_policy_lapses_after_180_days_unless_it_says_otherwise() -> None:
    assert Policy().lapse_after_days == 180
    assert (
        eligibility_rules.compute_visit_type([gave(90)], Policy(kind="plasma", lapse_after_days=90), NOW.date())
        == Visit.RETURN
    )
    assert (
        eligibility_rules.compute_visit_type([gave(91)], Policy(kind="plasma", lapse_after_days=90), NOW.date())
        == Visit.FIRST
    )


# States


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("held", "This booking isn’t finished yet. Enter the code first."),
        ("lapsed", "The code wasn’t entered in time, so this time is open again."),
        ("booked", "This person isn’t checked in yet."),
        ("confirmed", "This person isn’t checked in yet."),
        ("cancelled", "This booking is cancelled."),
        ("no_show", "This booking is marked as a no-show."),
        ("checked_in", "This person is already checked in."),
        ("donated", "This visit is already over."),
        ("left", "This visit is already over."),
    ],
)
def test_a_refused_action_names_the_state(state: str, words: str) -> None:
    assert booking_rules.reasons_not_to_change(state, frozenset()) == [Reason(f"booking_{state}", words)]
    assert booking_rules.reasons_not_to_change(state, frozenset({BookingState(state)})) == []


@pytest.mark.parametrize(
    ("verb", "states"),
    [
        (booking_rules.list_states(Act.CONFIRM), {"booked"}),
        (booking_rules.CHANGEABLE_STATES, {"held", "booked", "confirmed"}),
        (booking_rules.list_states(Act.CHECK_IN), {"booked", "confirmed", "no_show"}),
        (booking_rules.list_states(Act.RECORD_OUTCOME), {"checked_in", "donated", "incomplete", "deferred", "left"}),
        (booking_rules.list_states(Act.CANCEL), {"held", "booked", "confirmed"}),
        (booking_rules.list_states(Act.RESTORE), {"cancelled"}),
        (booking_rules.UPCOMING_STATES, {"booked", "confirmed"}),
        (attendance_rules.NOT_COUNTED_FOR_INTERVAL, {"no_show", "deferred", "left"}),
        (attendance_rules.HAS_DONATED, {"donated"}),
    ],
)
def test_each_action_starts_from_its_states(verb: frozenset[BookingState], states: set[str]) -> None:
    assert set(map(str, verb)) == states


@pytest.mark.parametrize(
    ("made", "code", "words"),
    [
        (
            capacity_rules.build_slot_full_reason,
            "slot_full",
            "Someone else just took the last spot at this time.",
        ),
        (booking_rules.build_party_full_reason, "slot_full", "There’s no longer room for all of you at this time."),
        (booking_rules.build_visit_past_reason, "visit_past", "The time of this booking has passed."),
        (
            booking_rules.build_visit_too_long_reason,
            "visit_does_not_fit",
            "A visit starting at this time would run past the end of the drive.",
        ),
        (
            eligibility_rules.build_first_visit_reason,
            "visit_is_first",
            (
                "Your last donation was a while ago, so this counts as a first visit again. A first visit takes "
                "longer, so this time won’t work. Choose another one."
            ),
        ),
        (
            waitlist_rules.build_no_time_reason,
            "window_empty",
            "No visit can start between these times anymore. Choose other times.",
        ),
        (
            waitlist_rules.build_spots_open_reason,
            "slots_open",
            "There are open times in this range. You can book one right away.",
        ),
        (
            lambda: waitlist_rules.build_not_on_waitlist_reason("left"),
            "entry_left",
            "You’re no longer on this waiting list.",
        ),
        (
            lambda: waitlist_rules.build_offer_ended_reason("accepted"),
            "offer_accepted",
            "You’ve already taken this spot.",
        ),
        (lambda: waitlist_rules.build_offer_ended_reason("declined"), "offer_declined", "You passed on this spot."),
        (
            lambda: waitlist_rules.build_offer_ended_reason("withdrawn"),
            "offer_withdrawn",
            "We’re no longer holding this spot for you.",
        ),
        (
            lambda: waitlist_rules.build_offer_ended_reason("expired"),
            "offer_expired",
            "The time to reply has passed. This spot went to the next person.",
        ),
    ],
)
def test_each_reason_has_its_code_and_its_sentence(made: Callable[[], Reason], code: str, words: str) -> None:
    assert made() == Reason(code, words)


def test_only_interval_and_visit_type_reasons_may_be_overridden() -> None:
    intervals = {"interval_too_short", "window_full", "cross_interval"}
    assert intervals == eligibility_rules.INTERVAL_CODES
    assert intervals | {"visit_is_first"} == eligibility_rules.OVERRIDABLE_CODES


def test_is_first_visit_counts_days_by_dates() -> None:
    policy = Policy(kind="plasma", lapse_after_days=180)
    last = gave(0)
    assert eligibility_rules.compute_visit_type([last], policy, date(2027, 9, 9)) == Visit.RETURN
    assert eligibility_rules.compute_visit_type([last], policy, date(2027, 9, 10)) == Visit.FIRST
