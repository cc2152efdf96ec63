"""A party moves to another time: either every member gets a new slot or none does."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from drives.attendance import check_in
from drives.attendance import queries as attendance_queries
from drives.booking import changes
from drives.capacity import drift
from drives.models import Booking, BookingChange, Drive
from drives.refusals import HoldLapsed, Refusal
from notifications.models import Message
from organizations.models import Role
from tests import builders, query_counts
from tests.builders import NOW
from tests.drives import coordinator
from tests.drives.donor import text

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
TWO = builders.PARTY[:2]


def plain_drive(spots: int = 3, **changes: object) -> Drive:
    here = builders.organization()
    return builders.drive(here, builders.plain(builders.site(here), spots=spots, steps=6, **changes))


def move(booking: Booking, n: int, **how: object) -> list[Booking]:
    asked = {"slot_id": builders.slot(booking.drive, n).pk, "actor": "donor", "now": NOW, **how}
    return changes.move_bookings(whole_party=True, booking_id=booking.pk, **asked)  # type: ignore[arg-type]


def refusal(booking: Booking, n: int, **how: object) -> Refusal:
    with pytest.raises(Refusal) as caught:
        move(booking, n, **how)
    return caught.value


def steps(party: list[Booking]) -> list[int]:
    return list(Booking.objects.filter(party=party[0].party).order_by("pk").values_list("first_step", flat=True))


def test_a_booked_party_moves_together_and_a_shared_phone_gets_one_text() -> None:
    party = builders.booked_together(plain_drive())
    Message.objects.all().delete()
    moved = move(party[0], 3, reason="called")
    assert steps(party) == [3, 3, 3]
    assert {(booking.state, booking.revision) for booking in moved} == {("booked", 1)}
    (sent,) = Message.objects.filter(kind="moved", channel="sms")
    assert "New time for 3 of you: Sat Mar 13 from 9:45 AM." in sent.text
    kept = BookingChange.objects.filter(booking__in=party, from_arrival__isnull=False, to_arrival__isnull=False)
    assert set(kept.values_list("reason", "to_state")) == {("called", "booked")}
    assert kept.count() == 3
    assert drift.count_drifted_slots() == 0


def test_moving_to_the_present_time_changes_nothing() -> None:
    party = builders.booked_together(plain_drive())
    Message.objects.all().delete()
    move(party[0], 0)
    assert not Message.objects.exists()
    assert set(Booking.objects.values_list("revision", flat=True)) == {0}


def test_a_booked_party_without_room_is_not_moved() -> None:
    drive = plain_drive(spots=2)
    party = builders.booked_together(drive, people=TWO)
    builders.booked(drive, n=3, number=9)
    builders.booked(drive, n=4, number=10)
    builders.booked(drive, n=5, number=11)
    found = refusal(party[0], 5)
    assert found.codes == ["slot_full"]
    assert found.alternatives
    assert steps(party) == [0, 0]
    assert drift.count_drifted_slots() == 0


def test_one_refused_member_blocks_the_move_until_a_reason_overrides() -> None:
    saturday = plain_drive()
    party = builders.booked_together(saturday, people=TWO)
    sunday = builders.drive(
        saturday.organization,
        builders.plain(
            saturday.site, spots=1, steps=1, day=saturday.day + timedelta(days=2), policy_id=builders.lax().pk
        ),
    )
    builders.booked(sunday, name="Test Bo Alder", is_for_other=True)
    refused = refusal(party[0], 5)
    assert set(refused.codes) == {"interval_too_short"}
    assert {reason.person for reason in refused.reasons} == {"Test Bo Alder"}
    assert steps(party) == [0, 0]
    move(party[0], 5, by_member=True, override_reason="the center agreed")
    assert steps(party) == [5, 5]
    assert set(Booking.objects.filter(drive=saturday).values_list("override_reason", flat=True)) == {
        "the center agreed"
    }


def test_checking_a_move_takes_one_query_for_one_and_three() -> None:
    drive = builders.drive(chairs=40, screening_stations=40)

    def judged(people: int) -> Callable[[], object]:
        party = builders.booked_together(drive, number=people, people=builders.PARTY[:people])
        party = [Booking.objects.select_related("drive__site", "drive__policy").get(pk=one.pk) for one in party]
        arrivals = [one.starts_at for one in party]
        return lambda: changes._check_new_times(party, arrivals, by_member=False)

    assert query_counts.count_for_each(judged) == 1


def test_only_the_leader_moves_the_whole_party() -> None:
    party = builders.booked_together(plain_drive())
    assert refusal(party[1], 3).codes == ["not_who_booked"]
    move(party[1], 3, by_member=True)
    assert steps(party) == [3, 3, 3]


def test_checked_in_members_are_not_moved() -> None:
    party = builders.booked_together(plain_drive())
    check_in.check_in_donor(booking_id=party[2].pk, actor="user:1", now=party[2].starts_at - timedelta(hours=1))
    move(party[0], 3)
    assert steps(party) == [3, 3, 0]


def test_a_lapsed_hold_is_not_moved() -> None:
    held = builders.held_together(plain_drive())
    with pytest.raises(HoldLapsed):
        move(held[0], 3, now=NOW + timedelta(minutes=16))


def test_the_leader_moves_the_party_on_their_page() -> None:
    party, browser = builders.booked_together(plain_drive()), Client()
    address = reverse("booking_move_party", args=[party[0].token])
    assert address in browser.get(reverse("booking", args=[party[0].token]), follow=True).content.decode().replace(
        party[0].reference, party[0].token
    )
    page = text(browser.get(address))
    assert "A new time for all of you" in page
    assert "Test Ida Alder" in page
    assert "all together" in page
    done = browser.post(address, {"slot": builders.slot(party[0].drive, 2).pk}, follow=True)
    assert "Your time has been changed" in text(done)
    assert steps(party) == [2, 2, 2]
    assert "Choose a time first, then continue." in text(browser.post(address, {"slot": ""}))
    others = reverse("booking_move_party", args=[party[1].token])
    assert browser.get(others).status_code == 303
    browser.post(others, {"slot": builders.slot(party[0].drive, 4).pk})
    assert steps(party) == [2, 2, 2]


def test_a_coordinator_moves_a_party_from_any_member() -> None:
    party = builders.booked_together(plain_drive())
    ben = coordinator.signed_in(builders.member(party[0].drive.organization, Role.COORDINATOR))
    alone = ben.get(reverse("organizer_move_booking", args=[party[1].pk]))
    address = reverse("organizer_move_party", args=[party[1].pk])
    assert "Move all 3 people who come together" in text(alone)
    assert address in alone.content.decode()
    assert "Test Ana Alder, Test Bo Alder, Test Ida Alder" in text(ben.get(address))
    done = ben.post(address, {"slot": builders.slot(party[0].drive, 4).pk, "reason": "called"}, follow=True)
    assert "Everyone has a new time. We’re letting them know." in text(done)
    assert steps(party) == [4, 4, 4]


def test_a_single_booking_offers_no_party_move() -> None:
    booking = builders.booked(plain_drive())
    ben = coordinator.signed_in(builders.member(booking.drive.organization))
    assert ben.get(reverse("organizer_move_party", args=[booking.pk]))["Location"] == reverse(
        "organizer_move_booking", args=[booking.pk]
    )


def test_roster_record_and_door_show_the_party() -> None:
    drive = plain_drive(spots=4)
    builders.booked_together(drive)
    builders.booked(drive, n=2, number=9, name="Test Dan Dow")
    ben = coordinator.signed_in(builders.member(drive.organization))
    for address in (
        reverse("organizer_roster", args=[drive.pk]),
        reverse("organizer_drive", args=[drive.pk]),
        reverse("checkin", args=[drive.slug]),
    ):
        page = text(ben.get(address))
        assert page.count("with Test Bo Alder +1") == 1  # on Ana's booking
        assert page.count("with Test Ana Alder +1") == 2
    booking = Booking.objects.get(volunteer__name="Test Ida Alder")
    assert "Comes with Test Ana Alder , Test Bo Alder" in text(ben.get(reverse("organizer_booking", args=[booking.pk])))


@pytest.mark.parametrize("parties", [1, 3])
def test_lists_take_the_same_queries_for_one_party_and_three(parties: int, django_assert_num_queries: object) -> None:
    drive = plain_drive(spots=9)
    for number in range(parties):
        builders.booked_together(drive, number=20 + number, people=TWO)
    with django_assert_num_queries(3):  # type: ignore[operator]
        assert len(attendance_queries.load_roster(drive)) == 2 * parties
    with django_assert_num_queries(2):  # type: ignore[operator]
        attendance_queries.load_checkin_list(drive, NOW)
