"""A donor may change bookings six times an hour and twelve times a day. After that, the donor has to call."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.test import Client
from django.urls import reverse

from drives.account import profile
from drives.booking import changes, hold, rebook, verify
from drives.inbox import replies
from drives.models import Booking, BookingState, CancelledBy, Drive
from drives.privacy import erase
from drives.refusals import Refusal
from drives.waitlist import entries
from drives.waitlist.entries import WaitlistRequest
from notifications.models import Message
from organizations.models import Organization
from tests import builders
from tests.builders import NOW
from tests.drives.caller import Api
from tests.drives.donor import text
from tests.drives.inbox.test_conversations import DAY_BEFORE, asked, say
from volunteers import limits, rules
from volunteers.limits import TooManyChanges
from volunteers.matching import BookingFor
from volunteers.models import LimitCounter, Volunteer

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
HOURLY, DAILY = rules.CHANGES_PER_HOUR[0], rules.CHANGES_PER_DAY[0]
HOUR = timedelta(hours=1)
CALL_US = "Please call us at (202) 555-0170 to make this change."


def foundation() -> Organization:
    return builders.organization(phone="+12025550170")


def move(booking: Booking, turn: int, now: datetime = NOW, actor: str = "donor") -> None:
    """Move the booking between two slots. Successive turns use different slots, so that each turn changes something."""
    slot = builders.slot(booking.drive, 4 + turn % 2)
    changes.move_bookings(booking_id=booking.pk, slot_id=slot.pk, actor=actor, now=now)


def cancel_or_restore(booking: Booking, turn: int, now: datetime = NOW, actor: str = "donor") -> None:
    if turn % 2:
        changes.restore_booking(booking_id=booking.pk, actor=actor, now=now)
    else:
        changes.cancel_bookings(booking_id=booking.pk, actor=actor, cancelled_by=CancelledBy.DONOR, now=now)


def confirm_or_move(booking: Booking, turn: int, now: datetime = NOW, actor: str = "donor") -> None:
    if turn % 2:
        changes.confirm_bookings(booking_ids=[booking.pk], actor=actor, now=now)
    else:
        move(booking, turn // 2, now, actor)


@pytest.mark.parametrize("act", [move, cancel_or_restore, confirm_or_move])
def test_the_seventh_change_in_an_hour_and_the_thirteenth_in_a_day_are_refused(
    act: Callable[[Booking, int, datetime], None],
) -> None:
    booking = builders.booked(builders.drive(foundation()))
    for turn in range(HOURLY):
        act(booking, turn, NOW)
    with pytest.raises(TooManyChanges, match=r"\(202\) 555-0170"):
        act(booking, HOURLY, NOW + HOUR - timedelta(seconds=1))
    for turn in range(HOURLY, DAILY):
        act(booking, turn, NOW + HOUR)
    with pytest.raises(TooManyChanges):
        act(booking, DAILY, NOW + 2 * HOUR)
    assert booking.changes.count() == 2 + DAILY  # the hold and the verification are changes, too


def test_a_refused_change_changes_nothing_and_a_repeated_one_is_not_counted() -> None:
    booking = builders.booked(builders.drive(foundation()))
    for _time in range(2 * HOURLY):
        changes.confirm_bookings(booking_ids=[booking.pk], actor="donor", now=NOW)
    for turn in range(HOURLY - 1):
        move(booking, turn)
    messages = Message.objects.count()
    with pytest.raises(TooManyChanges):
        cancel_or_restore(booking, 0)
    booking.refresh_from_db()
    assert (booking.state, Message.objects.count()) == (BookingState.BOOKED, messages)


def test_coordinators_and_programs_are_not_limited() -> None:
    booking = builders.booked(builders.drive(foundation()))
    for turn in range(2 * DAILY):
        move(booking, turn, actor=("user:1", "key:1")[turn % 2])
    for turn in range(HOURLY):
        move(booking, turn)
    with pytest.raises(TooManyChanges):
        move(booking, HOURLY)
    move(booking, HOURLY, actor="user:1")


def test_several_bookings_of_one_contact_share_its_limit() -> None:
    owner, policy = foundation(), builders.lax()
    bookings = [builders.booked(builders.drive(owner, policy=policy)) for _drive in range(3)]
    for turn in range(HOURLY):
        move(bookings[turn % 2], turn // 2)
    with pytest.raises(TooManyChanges):
        move(bookings[2], 0)
    move(builders.booked(builders.drive(owner), number=43), 0)


def test_an_unverified_hold_does_not_use_up_the_changes_of_its_contact() -> None:
    drive = builders.drive(foundation())
    booking = builders.booked(drive)
    hold = builders.held(builders.drive(drive.organization))
    for turn in range(HOURLY):
        move(hold, turn)
    with pytest.raises(TooManyChanges):
        move(hold, HOURLY)
    move(booking, 0)


def test_a_number_that_a_donor_typed_without_a_code_is_not_limited_by_them() -> None:
    drive = builders.drive(foundation(), policy=builders.lax())
    stranger = builders.booked(drive, number=43, phone="", email="test.bo@example.org")
    ana = builders.booked(builders.drive(drive.organization, policy=builders.lax()))
    person = stranger.volunteer
    assert person
    assert ana.volunteer
    person.phone = ana.volunteer.phone
    person.phone.verified_at, person.phone.owner_id = None, None  # type: ignore[union-attr]
    assert limits.find_limited_identity(person) == rules.compute_identity("test.bo@example.org")


def test_a_number_that_its_owner_verified_later_is_not_limited_by_the_donor_who_typed_it() -> None:
    drive = builders.drive(foundation(), policy=builders.lax())
    builders.booked(drive, number=43, phone="", email="test.bo@example.org")
    builders.booked(builders.drive(drive.organization, policy=builders.lax()))
    stranger, ana = Volunteer.objects.order_by("pk")
    stranger.phone = ana.phone
    assert limits.find_limited_identity(stranger) == rules.compute_identity("test.bo@example.org")
    assert limits.find_limited_identity(ana) == rules.compute_identity(builders.phone(42))


def test_a_party_that_confirms_by_one_text_makes_one_change() -> None:
    party = [booking.pk for booking in builders.booked_together(builders.drive(foundation()))]
    confirmed = changes.confirm_bookings(booking_ids=party, actor="donor", now=NOW)
    assert [booking.state for booking in confirmed] == ["confirmed"] * len(party)
    assert set(LimitCounter.objects.filter(scope__endswith="_changes_hour").values_list("count", flat=True)) == {1}


def test_page_and_api_answer_429_with_the_number_to_call() -> None:
    booking = builders.booked(builders.drive(foundation()))
    for turn in range(HOURLY):
        move(booking, turn)
    slot = builders.slot(booking.drive, 4 + HOURLY % 2).pk
    for name, body in (("booking_move", {"slot": slot}), ("booking_cancel", {}), ("booking_confirm", {})):
        page = Client().post(reverse(name, args=[booking.token]), body)
        assert (page.status_code, CALL_US in text(page), page["Retry-After"]) == (429, True, "3600"), name
    for path, sent in (("move/", {"slot": str(slot)}), ("cancel/", None), ("confirm/", None)):
        answer = Api().post(f"bookings/{booking.token}/{path}", sent)
        assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (429, "too_many_changes", "3600")
        assert CALL_US in answer.json()["detail"]


def test_a_drive_with_its_own_number_and_an_organization_without_one() -> None:
    of_drive = builders.booked(builders.drive(foundation(), phone="+12025550171"))
    without = builders.booked(builders.drive(), number=43)
    for booking, said in ((of_drive, r"call us at \(202\) 555-0171"), (without, "write to office@example.org")):
        for turn in range(HOURLY):
            move(booking, turn)
        with pytest.raises(TooManyChanges, match=said):
            move(booking, HOURLY)


def test_a_text_over_the_limit_goes_to_a_person() -> None:
    booking = builders.booked(builders.drive(foundation()))
    for turn in range(HOURLY):
        move(booking, turn + 1, DAY_BEFORE)
    booking.refresh_from_db()
    asked(booking)
    assert say("X", DAY_BEFORE).handled_as == replies.REFUSED
    booking.refresh_from_db()
    assert booking.state == BookingState.BOOKED


def test_a_page_of_a_held_party_that_was_changed_too_often_says_so() -> None:
    first, *_others = builders.held_together(builders.drive(foundation()))
    for turn in range(HOURLY):
        move(first, turn)
    page = Client().post(reverse("booking_remove_from_party", args=[first.token]))
    assert (page.status_code, CALL_US in text(page)) == (429, True)


def test_an_erasure_is_never_refused() -> None:
    booking = builders.booked(builders.drive(foundation()))
    for turn in range(HOURLY):
        move(booking, turn)
    erase.erase_volunteer(volunteer_id=booking.volunteer_id or 0, reason="asked", actor="donor", now=NOW)
    booking.refresh_from_db()
    assert booking.state == BookingState.CANCELLED


def test_a_waitlist_entry_changes_six_times_an_hour_and_can_always_be_left() -> None:
    [booked] = builders.full_drive(steps=1, of=foundation())
    entry = builders.waits(booked.drive)
    for _turn in range(HOURLY):
        entries.change_entry(entry_id=entry.pk, waitlist_request=WaitlistRequest("return"), now=NOW)
    with pytest.raises(TooManyChanges):
        entries.change_entry(entry_id=entry.pk, waitlist_request=WaitlistRequest("return"), now=NOW)
    page = Client().post(reverse("waitlist_change", args=[entry.token]), {"visit": "return"})
    assert (page.status_code, CALL_US in text(page)) == (429, True)
    assert entries.remove_entry(entry_id=entry.pk, actor="donor", now=NOW).state == "left"


def test_details_change_six_times_an_hour() -> None:
    booking = builders.booked(builders.drive(foundation()))
    assert booking.volunteer
    save = partial(profile.save_details, people=[booking.volunteer], name="Test Ana Alder", language="en", now=NOW)
    for _turn in range(HOURLY):
        save()
    with pytest.raises(TooManyChanges):
        save()


def test_a_known_browser_books_and_cancels_six_times_an_hour() -> None:
    """A verified browser needs no code, so the limits on codes do not apply."""
    owner = foundation()
    first = builders.booked(builders.drive(owner, policy=builders.lax()))
    assert first.volunteer
    browser = builders.browser_of(builders.phone(42))

    def book_and_cancel(drive: Drive) -> None:
        booking = rebook.rebook_donor(
            drive=drive,
            slot_id=builders.slot(drive).pk,
            visit="return",
            volunteer=first.volunteer,  # type: ignore[arg-type]
            browser=browser,
            language="en",
            ip="192.0.2.1",
            now=NOW,
        )
        cancel_or_restore(booking, 0)

    drive = builders.drive(owner, policy=builders.lax())
    for _turn in range(HOURLY // 2):
        book_and_cancel(drive)
    with pytest.raises(TooManyChanges):
        book_and_cancel(drive)


def test_a_refused_booking_in_a_known_browser_is_not_counted() -> None:
    """The first try is refused, because the donor has not said yet that the booking is for another person.

    Only the second try is counted.
    """
    owner, browser = foundation(), builders.browser_of(builders.phone(42))
    builders.booked(builders.drive(owner))

    def book_for(name: str, booking_for: BookingFor) -> Booking:
        drive = builders.drive(owner)
        [held] = hold.hold_bookings(
            drive=drive,
            slot_id=builders.slot(drive).pk,
            visit="first",
            person=builders.person(42, name=name),
            ip="192.0.2.1",
            browser_token=browser,
            now=NOW,
        )
        finish = partial(verify.verify_booking, booking_id=held.pk, code="", bound_to="", browser=browser, now=NOW)
        with pytest.raises(Refusal, match="another name"):
            finish()
        return finish(booking_for=booking_for)

    for letter in "ABCDEF":
        assert book_for(f"Test {letter} Birch", "other").state == BookingState.BOOKED
    with pytest.raises(TooManyChanges):
        book_for("Test G Birch", "other")
