"""Parties of two to six donors with one code.

Either all members are booked or none is. Each member gets a booking and a history.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.core.exceptions import ValidationError

from drives.booking import changes, verify
from drives.capacity import drift
from drives.domain.waitlist_matching import ArrivalWindow
from drives.models import Booking, BookingState, CancelledBy, Drive, ReservedSpot
from drives.refusals import Refusal
from notifications.models import ConsentEntry, Message
from tests import builders, query_counts
from tests.builders import NOW
from volunteers.limits import RateLimitExceeded
from volunteers.models import Contact, Volunteer

pytestmark = pytest.mark.django_db
TWO = (("Test Ana Alder", "return"), ("Test Bo Alder", "return"))
SIX = tuple((f"Test {name} Alder", "return") for name in ("Ana", "Bo", "Ida", "Eli", "Uma", "Noor"))


def names(bookings: list[Booking]) -> list[str]:
    return [booking.volunteer.name for booking in bookings if booking.volunteer]


def texts(kind: str) -> list[Message]:
    return list(Message.objects.filter(kind=kind, channel="sms").order_by("pk"))


def move_all(party: list[Booking], n: int) -> list[Booking]:
    slot = builders.slot(party[0].drive, n).pk
    return changes.move_bookings(booking_id=party[0].pk, slot_id=slot, whole_party=True, actor="donor", now=NOW)


def test_a_party_is_held_with_one_code_and_counted() -> None:
    drive = builders.drive()
    party = builders.held_together(drive)
    assert [booking.state for booking in party] == ["held"] * 3
    assert len({booking.party for booking in party}) == 1
    assert len({booking.link_hash for booking in party}) == 3
    assert Message.objects.filter(kind="code").count() == 1
    assert drift.count_drifted_slots() == 0


def test_one_code_books_the_whole_party() -> None:
    drive = builders.drive()
    party = builders.booked_together(drive)
    assert [booking.state for booking in party] == ["booked"] * 3
    assert names(party) == ["Test Ana Alder", "Test Bo Alder", "Test Ida Alder"]
    contact = Contact.objects.get()
    assert contact.owner == party[0].volunteer
    assert {booking.volunteer.phone_id for booking in party if booking.volunteer} == {contact.pk}
    assert len({booking.uuid for booking in party}) == 3
    assert drift.count_drifted_slots() == 0


def test_verifying_twice_returns_the_same_booking() -> None:
    party = builders.held_together(builders.drive())
    first = builders.verified(party[0])
    assert builders.verified(party[0]) == first
    assert Booking.objects.filter(state="booked").count() == 3
    assert len(texts("booked")) == 1


def test_a_party_that_does_not_fit_is_refused_with_other_times() -> None:
    drive = builders.drive(
        planned=builders.plain(builders.site(here := builders.organization()), spots=1, steps=4), of=here
    )
    builders.held(drive, n=3, number=1)
    with pytest.raises(Refusal) as caught:
        builders.held_together(drive, n=2, people=TWO)
    assert caught.value.codes == ["slot_full"]
    assert [time.starts_at for time in caught.value.alternatives] == [builders.slot(drive, n).starts_at for n in (0, 1)]
    assert Booking.objects.count() == 1
    assert drift.count_drifted_slots() == 0


def test_a_party_arrives_one_after_another_if_chairs_are_few() -> None:
    here = builders.organization()
    drive = builders.drive(here, builders.plain(builders.site(here), spots=2, steps=4))
    party = builders.held_together(drive, n=1)
    assert [booking.first_step for booking in party] == [1, 1, 2]


def test_a_lapsed_hold_makes_room_for_a_party() -> None:
    here = builders.organization()
    drive = builders.drive(here, builders.plain(builders.site(here), spots=2, steps=1))
    builders.held(drive, number=1)
    later = NOW + timedelta(minutes=16)
    assert len(builders.held_together(drive, people=TWO, now=later)) == 2
    assert drift.count_drifted_slots() == 0


def test_a_refusal_names_the_person_and_keeps_the_holds() -> None:
    here = builders.organization()
    first, second = builders.drive(here), builders.drive(here)
    builders.booked_together(first, people=TWO)
    party = builders.held_together(second, people=(("Test Ana Alder", "return"), ("Test Ida Alder", "return")))
    with pytest.raises(Refusal) as caught:
        builders.verified(party[0])
    assert caught.value.codes == ["interval_too_short", "window_full"][: len(caught.value.codes)]
    assert {reason.person for reason in caught.value.reasons} == {"Test Ana Alder"}
    assert all(reason.detail.startswith("Test Ana Alder: ") for reason in caught.value.reasons)
    assert Booking.objects.filter(drive=second, state="held").count() == 2
    assert not Volunteer.objects.filter(name="Test Ida Alder").exists()

    changes.cancel_bookings(booking_id=party[0].pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=NOW)
    verify.verify_booking(booking_id=party[1].pk, code="", bound_to="browser-42", now=NOW)
    assert [row.state for row in Booking.objects.filter(drive=second).order_by("pk")] == ["lapsed", "booked"]


def on_days(*days: int) -> list[Drive]:
    """Create drives of one organization, `days` days after DRIVE_DAY. Book a party of two at the first drive."""
    here = builders.organization()
    place, dates = builders.site(here), [builders.DRIVE_DAY + timedelta(days=day) for day in days]
    drives = [builders.drive(here, builders.plan(place, day=day)) for day in dates]
    builders.booked_together(drives[0], people=TWO)
    return drives


def refused(party: list[Booking]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        builders.verified(party[0])
    return caught.value


def test_a_party_that_is_too_early_is_offered_times_for_all_of_it() -> None:
    _saturday, sunday, wednesday = on_days(0, 1, 4)
    party = builders.held_together(sunday, people=(TWO[0], ("Test Ida Alder", "first")))
    refusal = refused(party)
    assert {reason.person for reason in refusal.reasons} == {"Test Ana Alder"}
    assert [time.slot_id for time in refusal.alternatives] == [builders.slot(wednesday, n).pk for n in range(3)]
    assert {time.other_drive and time.other_drive.drive_id for time in refusal.alternatives} == {wednesday.pk}


def test_times_that_one_member_may_not_take_are_not_offered() -> None:
    _saturday, sunday, _wednesday, thursday, later = on_days(0, 1, 4, 5, 11)
    builders.booked(thursday, name="Test Bo Alder", is_for_other=True)
    party = builders.held_together(sunday, people=TWO)
    assert {time.other_drive and time.other_drive.drive_id for time in refused(party).alternatives} == {later.pk}


def test_a_party_with_a_past_time_is_offered_the_nearest_times() -> None:
    here = builders.organization()
    drive = builders.drive(here, builders.plain(builders.site(here), spots=2, steps=4))
    at = builders.slot(drive, 1).starts_at
    party = builders.held_together(drive, n=0, people=TWO, now=at - timedelta(minutes=20))
    builders.held(drive, n=3, number=9, now=at - timedelta(minutes=20))
    with pytest.raises(Refusal) as caught:
        builders.verified(party[0], now=at - timedelta(minutes=13))
    assert set(caught.value.codes) == {"slot_past"}
    assert [time.slot_id for time in caught.value.alternatives] == [builders.slot(drive, n).pk for n in (1, 2)]


def test_a_held_party_moves_together() -> None:
    here = builders.organization()
    drive = builders.drive(here, builders.plain(builders.site(here), spots=2, steps=4))
    party = builders.held_together(drive)
    assert [booking.first_step for booking in party] == [0, 0, 1]
    for _twice in range(2):
        slot = builders.slot(drive, 1).pk
        moved = changes.move_bookings(whole_party=True, booking_id=party[1].pk, slot_id=slot, actor="donor", now=NOW)
        assert [booking.first_step for booking in moved] == [1, 1, 2]
    assert [row.starts_at for row in Booking.objects.order_by("pk")] == [
        builders.slot(drive, n).starts_at for n in (1, 1, 2)
    ]
    assert drift.count_drifted_slots() == 0


def test_a_held_party_without_room_is_not_moved() -> None:
    here = builders.organization()
    drive = builders.drive(here, builders.plain(builders.site(here), spots=2, steps=4))
    party = builders.held_together(drive)
    builders.held(drive, n=3, number=9)
    with pytest.raises(Refusal) as caught:
        move_all(party, 3)
    assert caught.value.codes == ["slot_full"]
    assert [time.slot_id for time in caught.value.alternatives] == [builders.slot(drive, n).pk for n in (0, 1, 2)]
    assert [row.first_step for row in Booking.objects.filter(party=party[0].party).order_by("pk")] == [0, 0, 1]
    assert drift.count_drifted_slots() == 0


def test_spots_freed_by_a_party_are_reserved_for_the_waitlist() -> None:
    here = builders.organization()
    drive = builders.drive(here, builders.plain(builders.site(here), spots=2, steps=4))
    party = builders.held_together(drive, people=TWO)
    builders.waits(drive, number=9, window=ArrivalWindow(None, builders.slot(drive, 1).starts_at))
    move_all(party, 2)
    assert ReservedSpot.objects.count() == 2
    assert drift.count_drifted_slots() == 0


def test_each_member_has_their_own_history() -> None:
    here = builders.organization()
    builders.booked(builders.drive(here))
    party = builders.booked_together(
        builders.drive(here), people=(*TWO[1:], ("Test Ida Alder", "return")), is_for_other=True
    )
    assert names(party) == ["Test Bo Alder", "Test Ida Alder"]


def test_consents_stay_when_the_first_member_is_removed() -> None:
    party = builders.held_together(builders.drive())
    changes.cancel_bookings(booking_id=party[0].pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=NOW)
    code = builders.code_of(party[0])
    verify.verify_booking(booking_id=party[1].pk, code=code, bound_to="browser-42", now=NOW)
    agreed = ConsentEntry.objects.values_list("address", "purpose", "given")
    assert list(agreed) == [(builders.phone(42), "reminders", True)]


def test_two_names_of_one_donor_are_refused() -> None:
    here = builders.organization()
    builders.booked(builders.drive(here, builders.plan(builders.site(here), policy_id=builders.lax().pk)))
    other = builders.drive(here, builders.plan(builders.site(here), policy_id=builders.lax().pk))
    party = builders.held_together(other, people=(("Test Ana Alder", "return"), ("Test A. Alder", "return")))
    with pytest.raises(Refusal) as caught:
        builders.verified(party[0])
    assert caught.value.codes == ["same_person_twice"]


def test_the_same_name_twice_is_refused_by_field() -> None:
    with pytest.raises(ValidationError) as caught:
        builders.held_together(builders.drive(), people=(TWO[0], ("test ána alder", "return"), ("", "first")))
    found = {field: errors[0].code for field, errors in caught.value.error_dict.items()}
    assert found == {"people/1/name": "name_twice", "people/2/name": "name_missing"}


def test_a_party_is_at_most_six() -> None:
    assert len(builders.held_together(builders.drive(chairs=6, screening_stations=6), people=SIX)) == 6
    with pytest.raises(ValidationError) as caught:
        builders.held_together(builders.drive(), people=(*SIX, ("Test Gil Alder", "return")))
    assert caught.value.error_dict["people"][0].code == "people_count"


def test_one_person_is_a_party_of_one() -> None:
    [booking] = builders.held_together(builders.drive(), people=SIX[:1])
    assert booking.party is None
    assert builders.verified(booking).state == BookingState.BOOKED


def test_a_party_counts_as_one_hold_of_its_contact() -> None:
    drive = builders.drive(chairs=40, screening_stations=40)
    builders.held_together(drive)
    builders.held_together(drive, n=4)
    with pytest.raises(Refusal) as caught:
        builders.held(drive, n=8)
    assert caught.value.codes == ["too_many_holds"]


def test_a_network_holds_at_most_a_quarter_of_a_drive() -> None:
    drive = builders.drive()  # 32 return visits fit, so a network may hold 8 spots
    six = builders.held_together(drive, number=1, people=SIX)
    builders.held_together(drive, n=8, number=251, people=TWO)  # on the same network
    with pytest.raises(RateLimitExceeded):
        builders.held(drive, n=12, number=501)
    builders.held(drive, n=12, number=502)
    builders.verified(six[0], number=1)
    builders.held(drive, n=12, number=501)


def test_a_party_gets_one_text_and_each_member_an_e_mail() -> None:
    party = builders.booked_together(builders.drive(), email="ana@example.org")
    [text] = texts("booked")
    assert text.about == party[0].about
    assert text.text.startswith("Hope Foundation: 3 booked Sat, Mar 13 from 9:00 AM") or "3 booked" in text.text
    assert party[0].token in text.text
    mails = Message.objects.filter(kind="booked", channel="email")
    assert {mail.about for mail in mails} == {booking.about for booking in party}
    assert len({mail.calendar for mail in mails}) == 3


def test_a_cancelled_party_gets_one_text() -> None:
    party = builders.booked_together(builders.drive())
    for _twice in range(2):
        changes.cancel_bookings(
            whole_party=True, booking_id=party[1].pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=NOW
        )
    assert list(Booking.objects.values_list("state", flat=True)) == [BookingState.CANCELLED] * 3
    [text] = texts("cancelled")
    assert "3 spots" in text.text
    assert not Message.objects.filter(state="scheduled").exists()
    assert drift.count_drifted_slots() == 0


def test_one_member_can_be_moved_and_cancelled_alone() -> None:
    drive = builders.drive()
    party = builders.booked_together(drive)
    changes.cancel_bookings(booking_id=party[0].pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=NOW)
    changes.move_bookings(booking_id=party[1].pk, slot_id=builders.slot(drive, 8).pk, actor="donor", now=NOW)
    assert [row.state for row in Booking.objects.order_by("pk")] == ["cancelled", "booked", "booked"]
    assert drift.count_drifted_slots() == 0


def test_holding_takes_the_same_statements_for_two_and_six() -> None:
    drive = builders.drive(chairs=40, screening_stations=40)
    query_counts.count_for_each(
        lambda people: partial(builders.held_together, drive, number=people, people=SIX[:people]), (2, 6)
    )


def test_verifying_takes_the_same_statements_for_two_and_six() -> None:
    drive = builders.drive(chairs=40, screening_stations=40)

    def held(people: int) -> Callable[[], object]:
        party = builders.held_together(drive, number=people, people=SIX[:people])
        return partial(builders.verified, party[0], number=people)

    query_counts.count_for_each(held, (2, 6))


def test_the_spots_of_a_network_are_free_again_after_a_quarter_of_an_hour() -> None:
    drive, later = builders.drive(), NOW.replace(minute=15)
    builders.held_together(drive, number=1, people=SIX)
    builders.held_together(drive, n=8, number=251, people=TWO)
    with pytest.raises(RateLimitExceeded):
        builders.held(drive, n=12, number=501, now=later - timedelta(seconds=1))
    builders.held(drive, n=12, number=501, now=later)


def test_the_spots_of_a_network_count_until_their_holds_have_ended() -> None:
    drive, late = builders.drive(), NOW.replace(minute=14)
    builders.held_together(drive, number=1, people=SIX, now=late)
    builders.held_together(drive, n=8, number=251, people=TWO, now=late)
    for minute in (15, 28):
        with pytest.raises(RateLimitExceeded):
            builders.held(drive, n=12, number=501, now=NOW.replace(minute=minute))
    builders.held(drive, n=12, number=501, now=NOW.replace(minute=30))


def test_entering_the_code_frees_the_spots_in_both_windows() -> None:
    drive, late = builders.drive(), NOW.replace(minute=14)
    six = builders.held_together(drive, number=1, people=SIX, now=late)
    builders.held_together(drive, n=8, number=251, people=TWO, now=late)
    builders.verified(six[0], number=1, now=NOW.replace(minute=16))
    builders.held(drive, n=12, number=501, now=NOW.replace(minute=16))


def test_entering_a_code_that_was_sent_again_frees_the_spots() -> None:
    drive = builders.drive()
    six = builders.held_together(drive, number=1, people=SIX)
    builders.held_together(drive, n=8, number=251, people=TWO)
    for _time in range(2):
        verify.resend_hold_code(booking_id=six[0].pk, bound_to="browser-1", ip="192.0.2.1", now=NOW)
    with pytest.raises(RateLimitExceeded):
        builders.held(drive, n=12, number=501)
    builders.verified(six[0], number=1)
    for number in range(6):
        builders.held(drive, n=12 + number, number=60 + number, ip="192.0.2.1")
    with pytest.raises(RateLimitExceeded):
        builders.held(drive, n=18, number=70, ip="192.0.2.1")
