"""Donors hold and verify bookings, and coordinators book for donors."""

from datetime import datetime, timedelta

import pytest

from drives.booking import book_for_donor, hold, verify
from drives.capacity import drift
from drives.models import Booking, BookingChange, BookingState
from drives.planning import lifecycle
from drives.refusals import HoldLapsed, Refusal
from notifications.models import Message
from tests import builders
from tests.builders import NOW
from volunteers.limits import RateLimitExceeded
from volunteers.models import VerificationCode
from volunteers.verification import CodeWrong

pytestmark = pytest.mark.django_db


def refused(act: object) -> list[str]:
    with pytest.raises(Refusal) as caught:
        act()  # type: ignore[operator]
    return caught.value.codes


def test_a_hold_takes_capacity_and_sends_a_code() -> None:
    drive = builders.drive()
    booking = builders.held(drive)
    assert (booking.state, booking.volunteer, booking.held_until) == ("held", None, NOW + timedelta(minutes=15))
    slots = list(drive.slots.order_by("n").values_list("screening_taken", "chairs_taken"))[:5]
    assert slots == [(1, 0), (0, 1), (0, 1), (0, 1), (0, 0)]
    assert list(Message.objects.values_list("kind", "channel")) == [("code", "sms")]
    assert drift.count_drifted_slots() == 0


def test_the_code_turns_a_hold_into_a_booking_with_its_messages() -> None:
    drive = builders.drive()
    booking = builders.booked(drive, email="ana@example.org")
    assert booking.state == BookingState.BOOKED
    assert booking.volunteer is not None
    assert booking.volunteer.name == "Test Ana Alder"
    kinds = set(Message.objects.exclude(kind="code").values_list("kind", "channel", "state"))
    assert kinds == {
        ("booked", "sms", "queued"),
        ("booked", "email", "queued"),
        ("week", "email", "scheduled"),
        ("three_days", "sms", "scheduled"),
        ("day_before", "sms", "scheduled"),
    }
    assert list(BookingChange.objects.order_by("pk").values_list("from_state", "to_state")) == [
        ("", "held"),
        ("held", "booked"),
    ]


def test_a_wrong_code_is_refused_and_the_hold_stands() -> None:
    booking = builders.held(builders.drive())
    wrong = "000000" if builders.code_of(booking) != "000000" else "111111"
    with pytest.raises(CodeWrong):
        verify.verify_booking(booking_id=booking.pk, code=wrong, bound_to="browser-42", now=NOW)
    assert Booking.objects.get().state == BookingState.HELD


def test_a_code_works_only_in_the_browser_that_requested_it() -> None:
    booking = builders.held(builders.drive())
    with pytest.raises(CodeWrong):
        verify.verify_booking(
            booking_id=booking.pk, code=builders.code_of(booking), bound_to="another browser", now=NOW
        )


def test_verifying_twice_returns_the_same_booking() -> None:
    booking = builders.held(builders.drive())
    code = builders.code_of(booking)
    first = builders.verified(booking)
    again = verify.verify_booking(booking_id=booking.pk, code=code, bound_to="browser-42", now=NOW)
    assert again == first
    assert Message.objects.filter(kind="booked").count() == 1


def test_an_overdue_hold_is_lapsed_by_the_next_booking() -> None:
    owner = builders.organization()
    drive = builders.drive(owner, builders.plain(builders.site(owner), spots=1))
    late = builders.held(drive, number=1)
    with pytest.raises(HoldLapsed):
        builders.verified(late, number=1, now=NOW + timedelta(minutes=15))
    builders.held(drive, number=2, now=NOW + timedelta(minutes=15))
    late.refresh_from_db()
    assert late.state == BookingState.LAPSED
    assert drift.count_drifted_slots() == 0


def test_the_sweep_lapses_overdue_holds() -> None:
    drive = builders.drive()
    builders.held(drive)
    assert hold.lapse_holds(now=NOW + timedelta(minutes=14)) == 0
    assert hold.lapse_holds(now=NOW + timedelta(minutes=15)) == 1
    assert list(drive.slots.filter(chairs_taken__gt=0)) == []


def test_a_full_time_is_refused_with_the_three_nearest() -> None:
    owner = builders.organization()
    drive = builders.drive(owner, builders.plain(builders.site(owner), spots=1, steps=6))
    builders.held(drive, n=2, number=1)
    with pytest.raises(Refusal) as caught:
        builders.held(drive, n=2, number=2)
    assert caught.value.codes == ["slot_full"]
    assert [builders.slot(drive, n).pk for n in (0, 1, 3)] == [time.slot_id for time in caught.value.alternatives]


def test_a_contact_has_at_most_two_live_holds() -> None:
    drive = builders.drive()
    builders.held(drive, n=0)
    builders.held(drive, n=1)
    assert refused(lambda: builders.held(drive, n=2)) == ["too_many_holds"]


@pytest.mark.parametrize(
    "spelling", ["+1 213 555 0142", "(213) 555-0142", "213.555.0142", "213-555-0142", "1 213 555 0142", "+12135550142"]
)
def test_another_spelling_of_the_phone_is_the_same_donor(spelling: str) -> None:
    drive = builders.drive()
    builders.booked(drive, phone="2135550142")
    again = builders.held(drive, n=8, phone=spelling)
    assert refused(lambda: builders.verified(again)) == ["already_booked"]
    again.refresh_from_db()
    assert again.state == BookingState.HELD


def test_a_slot_of_another_drive_is_refused() -> None:
    drive, other = builders.drive(), builders.drive()
    act = lambda: hold.hold_bookings(  # noqa: E731
        drive=drive,
        slot_id=builders.slot(other).pk,
        visit="return",
        person=builders.person(),
        ip=None,
        bound_to="b",
        now=NOW,
    )
    assert refused(act) == ["slot_unknown"]
    assert Booking.objects.count() == 0


def test_a_visit_must_end_by_closing() -> None:
    drive = builders.drive()
    assert refused(lambda: builders.held(drive, n=21, visit="return")) == ["visit_does_not_fit"]
    assert refused(lambda: builders.held(drive, n=19, visit="first")) == ["visit_does_not_fit"]
    assert builders.held(drive, n=20, visit="return").chair_to == 24


def test_draft_closed_cancelled_and_past_drives_are_refused() -> None:
    assert refused(lambda: builders.held(builders.drive(published=False))) == ["drive_not_published"]
    closed, cancelled, past = builders.drive(), builders.drive(), builders.drive()
    lifecycle.close_drive(drive_id=closed.pk, actor="user:1", now=NOW)
    lifecycle.cancel_drive(drive_id=cancelled.pk, reason="storm", actor="user:1", now=NOW)
    assert refused(lambda: builders.held(closed)) == ["drive_closed"]
    assert refused(lambda: builders.held(cancelled)) == ["drive_cancelled"]
    assert refused(lambda: builders.held(past, now=past.ends_at)) == ["drive_past", "slot_past"]


def test_a_hold_can_be_verified_after_online_booking_closes() -> None:
    drive, gone = builders.drive(), builders.drive()
    held, party, lost = (
        builders.held(drive),
        builders.held_together(drive, n=4, number=7),
        builders.held(gone, number=9),
    )
    lifecycle.close_drive(drive_id=drive.pk, actor="user:1", now=NOW)
    lifecycle.cancel_drive(drive_id=gone.pk, reason="storm", actor="user:1", now=NOW)
    assert builders.verified(held).state == BookingState.BOOKED
    assert builders.verified(party[0], number=7).state == BookingState.BOOKED
    with pytest.raises((Refusal, HoldLapsed)):
        builders.verified(lost, number=9)
    assert drift.count_drifted_slots() == 0


def test_a_coordinator_books_at_once_and_may_use_a_closed_drive() -> None:
    drive = builders.drive()
    lifecycle.close_drive(drive_id=drive.pk, actor="user:1", now=NOW)
    booking = book_for_donor.create_booking_for_donor(
        drive=drive, slot_id=builders.slot(drive).pk, visit="first", person=builders.person(), actor="user:1", now=NOW
    )
    assert (booking.state, booking.source) == ("booked", "coordinator")
    again = lambda: book_for_donor.create_booking_for_donor(  # noqa: E731
        drive=drive,
        slot_id=builders.slot(drive, 1).pk,
        visit="first",
        person=builders.person(),
        actor="user:1",
        now=NOW,
    )
    assert refused(again) == ["already_booked"]


def test_first_and_return_visits_share_the_chairs() -> None:
    owner = builders.organization()
    drive = builders.drive(owner, builders.plan(builders.site(owner), chairs=1))
    builders.held(drive, n=0, visit="first", number=1)  # in the chair in steps 3 to 5
    assert refused(lambda: builders.held(drive, n=2, visit="return", number=2)) == ["slot_full"]
    assert builders.held(drive, n=5, visit="return", number=2).chair_from == 6


def test_a_hold_can_be_verified_for_15_minutes() -> None:
    booking = builders.held(builders.drive())
    code = builders.code_of(booking)
    ends = NOW + timedelta(minutes=15)
    assert booking.held_until == ends
    VerificationCode.objects.update(expires_at=ends)
    with pytest.raises(HoldLapsed):
        verify.verify_booking(booking_id=booking.pk, code=code, bound_to="browser-42", now=ends)
    just = ends - timedelta(seconds=1)
    assert verify.verify_booking(booking_id=booking.pk, code=code, bound_to="browser-42", now=just).state == "booked"


def extend(booking: Booking, now: datetime, ip: str = "192.0.2.42", browser: str = "") -> Booking:
    return hold.extend_hold(booking_id=booking.pk, ip=ip, browser_token=browser, now=now)


def test_a_hold_is_extended_once_by_15_minutes() -> None:
    booking = builders.held(builders.drive())
    just = NOW + timedelta(minutes=15) - timedelta(seconds=1)
    for _time in range(2):
        assert extend(booking, just).held_until == NOW + timedelta(minutes=30)
    with pytest.raises(HoldLapsed):
        extend(booking, NOW + timedelta(minutes=30))


def test_a_lapsed_hold_is_not_extended() -> None:
    booking = builders.held(builders.drive())
    with pytest.raises(HoldLapsed):
        extend(booking, NOW + timedelta(minutes=15))
    assert not Booking.objects.get().is_extended


def test_an_extended_hold_counts_for_its_network_until_its_end() -> None:
    drive = builders.drive()  # 32 return visits fit, so a network may hold 8 spots
    party = builders.held_together(drive, number=42, people=(("Test Ana Alder", "return"), ("Test Bo Alder", "return")))
    assert extend(party[1], NOW + timedelta(minutes=14)).is_extended
    later = NOW + timedelta(minutes=15)
    for number in range(6):
        builders.held(drive, n=8 + number, number=number, ip="192.0.2.42", now=later)
    with pytest.raises(RateLimitExceeded):
        builders.held(drive, n=15, number=6, ip="192.0.2.42", now=later)
    builders.held(drive, n=15, number=7, ip="192.0.2.42", now=later + timedelta(minutes=15))


def test_a_hold_is_not_extended_on_a_network_that_holds_its_share() -> None:
    drive, browser = builders.drive(), builders.browser_of(builders.phone(42))
    booking = builders.held(drive)
    for number in range(8):
        builders.held(drive, n=8 + number, number=number, ip="192.0.2.99", now=NOW + timedelta(minutes=1))
    with pytest.raises(RateLimitExceeded):
        extend(booking, NOW, ip="192.0.2.99")
    assert not Booking.objects.get(pk=booking.pk).is_extended
    assert extend(booking, NOW, ip="192.0.2.99", browser=browser).is_extended  # this browser needs no code


def test_a_lapsed_hold_makes_room_for_another() -> None:
    drive = builders.drive()
    builders.held(drive, n=0)
    builders.held(drive, n=4, now=NOW + timedelta(minutes=1))
    before = NOW + timedelta(minutes=15) - timedelta(seconds=1)
    assert refused(lambda: builders.held(drive, n=8, now=before)) == ["too_many_holds"]
    assert builders.held(drive, n=8, now=NOW + timedelta(minutes=15)).state == "held"
