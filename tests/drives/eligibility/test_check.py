"""Every action that books a donor checks the interval rules."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from drives.attendance import check_in
from drives.booking import book_for_donor
from drives.booking import changes as booking_changes
from drives.eligibility import history
from drives.models import Booking, BookingState, CancelledBy, Drive, Visit
from drives.refusals import Refusal
from organizations.models import Organization
from tests import builders
from tests.builders import DRIVE_DAY, NOW
from volunteers import registration
from volunteers.models import Contact

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def drive_on(days_later: int, of: Organization | None = None, **changes: Any) -> Drive:
    return builders.drive(of, day=DRIVE_DAY + timedelta(days=days_later), **changes)


def refused(act: Callable[[], object]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        act()
    return caught.value


def entered(drive: Drive, n: int = 0, **more: Any) -> Booking:
    slot_id, person = builders.slot(drive, n).pk, builders.person()
    return book_for_donor.create_booking_for_donor(
        drive=drive, slot_id=slot_id, visit=Visit.RETURN, person=person, actor="user:1", now=NOW, **more
    )


# Verification


def test_a_booking_elsewhere_counts_for_a_verified_phone() -> None:
    first, second = drive_on(0), drive_on(1)
    builders.booked(first)
    hold = builders.held(second)
    refusal = refused(lambda: builders.verified(hold))
    assert refusal.codes == ["interval_too_short"]
    assert refusal.reasons[0].earliest_ok_at == datetime(2027, 3, 15, 17, tzinfo=UTC)  # 48 hours, across the DST change
    assert refusal.reasons[0].detail == (
        "This time is too close to another donation."
        " The earliest allowed time is Monday, March 15, 2027, 10:00 AM Pacific Time."
    )
    hold.refresh_from_db()
    assert hold.state == BookingState.HELD


def test_a_hold_does_not_reveal_the_history() -> None:
    builders.booked(drive_on(0))
    assert builders.held(drive_on(1)).state == BookingState.HELD


@pytest.mark.parametrize("state", ["held", "lapsed", "cancelled", "no_show", "deferred", "left"])
def test_visits_without_a_donation_do_not_count(state: str) -> None:
    known = builders.booked(drive_on(0))
    free: dict[str, Any] = {"held_until": NOW, "cancelled_at": NOW, "is_counted": state not in {"lapsed", "cancelled"}}
    Booking.objects.filter(pk=known.pk).update(state=state, **free)
    assert builders.booked(drive_on(1)).state == BookingState.BOOKED


@pytest.mark.parametrize("state", ["booked", "confirmed", "checked_in", "donated", "incomplete"])
def test_bookings_and_donations_count(state: str) -> None:
    known = builders.booked(drive_on(0))
    Booking.objects.filter(pk=known.pk).update(state=state)
    assert refused(lambda: builders.booked(drive_on(1))).codes == ["interval_too_short"]


def test_the_interval_starts_at_the_donation() -> None:
    known = builders.booked(drive_on(0))
    needle = known.starts_at + timedelta(minutes=47)
    Booking.objects.filter(pk=known.pk).update(state="donated", donated_at=needle)
    late = builders.held(drive_on(2), n=6)  # 10:30, which is 48 hours and 30 minutes after the arrival
    assert refused(lambda: builders.verified(late)).reasons[0].earliest_ok_at == needle + 2 * DAY
    assert builders.booked(drive_on(2), n=8).state == BookingState.BOOKED


def test_an_unverified_mailbox_does_not_reveal_bookings_elsewhere() -> None:
    drive, theirs = builders.drive(), "cleo@example.org"
    harbor = builders.drive(builders.organization("Harbor"), day=drive.day + timedelta(days=1))
    builders.booked(harbor, number=43, name="Test Cleo Cedar", phone="", email=theirs)
    typed = {"name": "Test Ana Alder", "phone": builders.phone(42), "email": theirs}
    registration.enter_volunteer(organization=drive.organization, **typed, actor="user:1", now=NOW)
    assert builders.booked(drive).state == "booked"


def test_an_unverified_phone_does_not_join_two_histories() -> None:
    entered(drive_on(0))
    assert builders.booked(drive_on(1)).state == BookingState.BOOKED


def test_a_family_member_has_a_separate_history() -> None:
    known = builders.booked(drive_on(0))
    Contact.objects.filter(owner=known.volunteer).update(owner=None)
    assert builders.booked(drive_on(1), name="Test Ivo Alder").state == BookingState.BOOKED


def test_a_full_window_names_its_numbers() -> None:
    for days in (0, 3):
        builders.booked(drive_on(days))
    refusal = refused(lambda: builders.booked(drive_on(5)))
    assert refusal.codes == ["window_full"]
    assert refusal.reasons[0].detail == (
        "No more than 2 donations are allowed within 7 days."
        " The earliest allowed time is Saturday, March 20, 2027, 12:00 AM Pacific Time."
    )


def test_a_whole_blood_donation_blocks_plasma() -> None:
    whole_blood = builders.policy(kind="whole_blood", min_hours=None, min_days=56, windows=[])
    plasma = builders.policy(cross_days={"whole_blood": 56})
    builders.booked(drive_on(0, policy_id=whole_blood.pk))
    refusal = refused(lambda: builders.booked(drive_on(10, policy_id=plasma.pk)))
    assert refusal.codes == ["cross_interval"]
    assert refusal.reasons[0].earliest_ok_at == datetime(2027, 5, 8, 7, tzinfo=UTC)


def test_alternatives_are_later_allowed_times_here_then_at_other_drives() -> None:
    owner = builders.organization()
    closes = builders.plain(builders.site(owner), spots=1, steps=6).closes
    past, here, other = drive_on(0, owner), drive_on(2, owner, closes=closes), drive_on(3, owner)
    known = builders.booked(past)
    Booking.objects.filter(pk=known.pk).update(state="donated", donated_at=known.starts_at - timedelta(minutes=45))
    refusal = refused(lambda: builders.verified(builders.held(here, n=0)))
    assert refusal.reasons[0].earliest_ok_at == datetime(2027, 3, 15, 16, 15, tzinfo=UTC)
    assert [(time.slot_id, time.other_drive and time.other_drive.slug) for time in refusal.alternatives] == [
        (builders.slot(here, 1).pk, None),
        (builders.slot(here, 2).pk, None),
        (builders.slot(other, 0).pk, other.slug),
    ]


# Booking for a donor


def test_a_coordinator_sees_only_the_organizations_own_history() -> None:
    owner = builders.organization()
    builders.booked(drive_on(0))
    assert entered(drive_on(1, owner)).state == BookingState.BOOKED
    assert refused(lambda: entered(drive_on(2, owner))).codes == ["interval_too_short"]


def test_a_coordinators_override_is_recorded() -> None:
    owner = builders.organization()
    entered(drive_on(0, owner))
    late = entered(drive_on(1, owner), override_reason="The center agreed by phone.")
    late.refresh_from_db()
    assert late.override_reason == "The center agreed by phone."


# Moving, restoring


def test_a_moved_booking_does_not_block_itself() -> None:
    known = builders.booked(drive_on(0))
    [moved] = booking_changes.move_bookings(
        booking_id=known.pk, slot_id=builders.slot(known.drive, 8).pk, actor="donor", now=NOW
    )
    assert moved.arrival.n == 8


def test_a_move_counts_bookings_elsewhere_only_for_the_donor() -> None:
    here, ahead = drive_on(0), drive_on(2)
    known = builders.booked(here)
    builders.booked(ahead, n=4)  # 10:00 daylight time is 48 hours after 9:00 standard time
    later: dict[str, Any] = {"booking_id": known.pk, "slot_id": builders.slot(here, 8).pk, "now": NOW}
    assert refused(lambda: booking_changes.move_bookings(**later, actor="donor")).codes == ["interval_too_short"]
    assert booking_changes.move_bookings(**later, actor="user:1", by_member=True)[0].arrival.n == 8


def test_a_coordinator_may_override_a_move() -> None:
    owner = builders.organization()
    known = builders.booked(drive_on(0, owner))
    builders.booked(drive_on(2, owner), n=4)
    later: dict[str, Any] = {
        "booking_id": known.pk,
        "slot_id": builders.slot(known.drive, 8).pk,
        "now": NOW,
        "by_member": True,
    }
    assert refused(lambda: booking_changes.move_bookings(**later, actor="user:1")).codes == ["interval_too_short"]
    booking_changes.move_bookings(**later, actor="user:1", override_reason="The center agreed.")
    known.refresh_from_db()
    assert (known.arrival.n, known.override_reason) == (8, "The center agreed.")


def test_an_undo_too_close_to_a_new_booking_is_refused() -> None:
    known = builders.booked(drive_on(0))
    booking_changes.cancel_bookings(booking_id=known.pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=NOW)
    builders.booked(drive_on(1))
    restore: dict[str, Any] = {"booking_id": known.pk, "actor": "donor", "now": NOW}
    assert refused(lambda: booking_changes.restore_booking(**restore)).codes == ["interval_too_short"]
    known.refresh_from_db()
    assert known.state == BookingState.CANCELLED


# The day of the drive


def test_a_check_in_is_checked_again_and_may_be_overridden() -> None:
    owner = builders.organization()
    first, second = drive_on(0, owner), drive_on(2, owner)
    known, due = builders.booked(first), builders.booked(second, n=4)
    Booking.objects.filter(pk=known.pk).update(state="donated", donated_at=known.starts_at + timedelta(minutes=40))
    seen: dict[str, Any] = {"booking_id": due.pk, "actor": "user:1", "now": due.starts_at}
    assert refused(lambda: check_in.check_in_donor(**seen)).codes == ["interval_too_short"]
    check_in.check_in_donor(**seen, override_reason="The center agreed.")
    due.refresh_from_db()
    assert (due.state, due.override_reason) == ("checked_in", "The center agreed.")


def test_an_early_arrival_is_checked_at_the_booked_time() -> None:
    owner = builders.organization()
    builders.booked(drive_on(0, owner))
    due = builders.booked(drive_on(2, owner), n=4)
    early = check_in.check_in_donor(booking_id=due.pk, actor="user:1", now=due.starts_at - timedelta(minutes=20))
    assert early.state == BookingState.CHECKED_IN


def test_a_walk_in_who_gave_yesterday_needs_a_reason() -> None:
    owner = builders.organization()
    entered(drive_on(0, owner))
    today = drive_on(1, owner)
    come: dict[str, Any] = {
        "drive": today,
        "name": "Test Ana Alder",
        "visit": "return",
        "actor": "user:1",
        "phone": builders.phone(42),
    }
    assert refused(lambda: check_in.add_walk_in(**come, now=today.starts_at)).codes == ["interval_too_short"]
    came = check_in.add_walk_in(**come, now=today.starts_at, override_reason="The center agreed.")
    assert (came.state, came.override_reason) == ("checked_in", "The center agreed.")


def missed_and_booked_tomorrow() -> Booking:
    """Create a no-show, and a booking of the same donor at the next day's drive. Return the no-show."""
    owner = builders.organization()
    missed = builders.booked(drive_on(0, owner))
    check_in.mark_no_show(booking_id=missed.pk, actor="user:1", now=missed.starts_at + timedelta(hours=1))
    builders.booked(drive_on(1, owner), now=missed.starts_at + timedelta(hours=2))
    return missed


def test_undoing_a_no_show_is_checked() -> None:
    missed = missed_and_booked_tomorrow()
    back: dict[str, Any] = {
        "booking_id": missed.pk,
        "actor": "user:1",
        "now": missed.starts_at + 3 * timedelta(hours=1),
    }
    assert refused(lambda: check_in.undo_last_step(**back, seen="no_show")).codes == ["interval_too_short"]
    missed.refresh_from_db()
    assert missed.state == BookingState.NO_SHOW
    check_in.undo_last_step(**back, seen="no_show", override_reason="It was our mistake.")
    missed.refresh_from_db()
    assert (missed.state, missed.override_reason) == ("booked", "It was our mistake.")


@pytest.mark.parametrize("outcome", ["deferred", "left"])
def test_undoing_an_uncounted_outcome_is_checked(outcome: str) -> None:
    owner = builders.organization()
    known = builders.booked(drive_on(0, owner))
    seen: dict[str, Any] = {"booking_id": known.pk, "actor": "user:1", "now": known.starts_at}
    check_in.check_in_donor(**seen)
    check_in.record_outcome(**seen, outcome=outcome)
    builders.booked(drive_on(1, owner))
    assert refused(lambda: check_in.undo_last_step(**seen, seen=outcome)).codes == ["interval_too_short"]


def test_undoing_a_counted_outcome_is_not_checked() -> None:
    owner = builders.organization()
    known = builders.booked(drive_on(0, owner))
    builders.booked(drive_on(2, owner), n=4)
    seen: dict[str, Any] = {"booking_id": known.pk, "actor": "user:1", "now": known.starts_at}
    check_in.check_in_donor(**seen)
    check_in.record_outcome(**seen, outcome="donated", at=known.starts_at + timedelta(hours=1))
    assert check_in.undo_last_step(**seen, seen="donated").state == BookingState.CHECKED_IN


# The history


def test_the_history_takes_the_same_queries_for_one_and_three(django_assert_num_queries: Any) -> None:
    known = builders.booked(drive_on(0))
    assert known.volunteer_id
    giver = history.DonorScope(known.volunteer_id, everywhere=True)
    for days in (0, 14, 28):
        if days:
            builders.booked(drive_on(days))
        with django_assert_num_queries(1):
            found = history.list_donations(giver, NOW, ZoneInfo("America/Los_Angeles"))
    assert [str(donation.donated_on) for donation in found] == ["2027-03-13", "2027-03-27", "2027-04-10"]


@pytest.mark.parametrize(("seconds", "counts"), [(-1, True), (0, False), (1, False)])
def test_a_donation_counts_for_intervals_for_800_days(seconds: int, counts: bool) -> None:
    """An older donation no longer counts for intervals, but it still counts for the visit type."""
    given = builders.gave(drive_on(0))
    assert given.volunteer_id
    assert given.donated_at
    wanted = given.donated_at + timedelta(days=800, seconds=seconds)
    [found] = history.list_donations(history.DonorScope(given.volunteer_id), wanted, ZoneInfo("UTC"))
    assert found.counts == counts


@pytest.mark.parametrize(("seconds", "is_read"), [(-1, True), (0, False), (1, False)])
def test_a_booking_without_outcome_counts_for_800_days(seconds: int, is_read: bool) -> None:
    booked = builders.booked(drive_on(0))
    assert booked.volunteer_id
    wanted = booked.starts_at + timedelta(days=800, seconds=seconds)
    found = history.list_donations(history.DonorScope(booked.volunteer_id), wanted, ZoneInfo("UTC"))
    assert bool(found) == is_read


@pytest.mark.parametrize(("place", "is_found"), [(4, True), (5, True), (6, False)])
def test_alternatives_come_from_the_next_five_drives(place: int, is_found: bool) -> None:
    owner = builders.organization()
    here, *others = [drive_on(7 * week, owner) for week in range(7)]
    only = others[place - 1]
    found = history.list_allowed_times(here, (Visit.RETURN,), NOW, NOW, lambda drive, _starts_at: drive == only)
    assert {time.other_drive.drive_id for time in found if time.other_drive} == ({only.pk} if is_found else set())


def test_a_reason_never_books_one_donor_at_two_drives_at_once() -> None:
    owner = builders.organization()
    here, there = (builders.drive(owner, policy_id=builders.lax().pk) for _site in range(2))
    known = builders.booked(here, n=4)  # four steps of 15 minutes
    why: dict[str, Any] = {"override_reason": "The center approved it."}
    assert refused(lambda: entered(there, 7, **why)).codes == ["visits_overlap"]
    assert refused(lambda: entered(there, 7)).codes == ["visits_overlap"]
    booked = entered(there, 8, **why)  # as the other visit ends
    assert booked.starts_at == known.starts_at + timedelta(hours=1)
    move: dict[str, Any] = {"booking_id": booked.pk, "actor": "user:1", "now": NOW, "by_member": True, **why}
    again = builders.slot(there, 5).pk
    assert refused(lambda: booking_changes.move_bookings(**move, slot_id=again)).codes == ["visits_overlap"]


def test_a_reason_overrides_only_what_it_was_given_for() -> None:
    owner = builders.organization()
    why: dict[str, Any] = {"override_reason": "The center approved it."}
    builders.booked(drive_on(0, owner))
    booked = entered(drive_on(1, owner), **why)
    booked.refresh_from_db()
    assert [rule.partition("/")[0] for rule in booked.overridden_rules] == ["interval_too_short"]
    came: dict[str, Any] = {"booking_id": booked.pk, "actor": "user:1", "now": booked.starts_at}
    another = entered(drive_on(2, owner), **why)
    assert "interval_too_short" in refused(lambda: check_in.check_in_donor(**came)).codes
    Booking.objects.filter(pk=another.pk).delete()
    assert check_in.check_in_donor(**came).state == BookingState.CHECKED_IN
