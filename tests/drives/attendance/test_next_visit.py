"""A donor's progress, the slots offered for the next visit, and the thank-you message that includes them."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from drives.attendance import close_out, next_visit
from drives.eligibility import next_visit as eligibility_next_visit
from drives.eligibility import queries as eligibility_queries
from drives.eligibility.next_visit import FollowUp, NextVisit, Progress
from drives.messaging.texts import next_visit_texts as texts_next_visit
from drives.models import Booking, CustomText, Drive, Site
from drives.refusals import Refusal
from notifications import message_content
from notifications.models import Message
from organizations.models import Organization
from tests import builders, query_counts
from tests.builders import DRIVE_DAY, NOW

DAY = timedelta(days=1)
NEXT_DAY = DRIVE_DAY + 7 * DAY
MAIL = "ana@example.org"
FIRST_OF_TWO = "Donation 1 of 2 to become a qualified donor. Give the second one by Sept. 9, 2027 so that it counts."


def days(*before: int, visit: str = "first") -> list[tuple[date, str]]:
    return [(DRIVE_DAY - number * DAY, visit) for number in before]


@pytest.mark.parametrize(
    ("before", "given"),
    [
        ([], None),
        ([0], 1),
        ([180], 1),
        ([181], None),
        ([180, 0], 2),
        ([181, 0], 1),
        ([3, 0], 2),
        ([10, 5, 0], 2),
        ([400, 390, 0], 1),
        ([200, 30, 0], 2),
        ([0, 0], 1),
    ],
)
def test_two_donations_within_half_a_year_make_two_of_two(before: list[int], given: int | None) -> None:
    found = eligibility_next_visit.compute_progress(days(*before), DRIVE_DAY, 180)
    assert (found.donation_count if found else None) == given
    if found:
        assert found.counts_until == max(days(*before))[0] + 180 * DAY


def test_a_donor_who_gave_elsewhere_before_has_no_count() -> None:
    assert eligibility_next_visit.compute_progress(days(0, visit="return"), DRIVE_DAY, 180) is None
    assert eligibility_next_visit.compute_progress([*days(9, visit="return"), *days(0)], DRIVE_DAY, 180) is None
    started_over = [*days(190, visit="return"), *days(0)]
    found = eligibility_next_visit.compute_progress(started_over, DRIVE_DAY, 180)
    assert found is not None
    assert found.donation_count == 1


@given(st.lists(st.integers(0, 800)), st.randoms())
def test_the_order_of_donations_does_not_matter_and_nothing_is_above_two(before: list[int], random: Any) -> None:
    mixed = days(*before)
    random.shuffle(mixed)
    found = eligibility_next_visit.compute_progress(mixed, DRIVE_DAY, 180)
    assert found == eligibility_next_visit.compute_progress(sorted(mixed), DRIVE_DAY, 180)
    assert found is None or found.donation_count in {1, 2}


def test_progress_is_said_in_both_languages_without_a_health_word() -> None:
    said = Progress(1, date(2027, 9, 9)).sentence
    assert (
        said == "Donation 1 of 2 to become a qualified donor. Give the second one by Sept. 9, 2027 so that it counts."
    )
    with translation.override("es"):
        assert Progress(2, date(2027, 9, 9)).sentence.startswith("Donación 2 de 2 para ser donante calificado")


def planned(of: Organization | None = None, **changes: Any) -> tuple[Drive, Drive]:
    """Create a drive on DRIVE_DAY and another one a week later, both with the same policy."""
    owner = of or builders.organization()
    policy = builders.policy().pk
    return builders.drive(owner, policy_id=policy), builders.drive(owner, policy_id=policy, day=NEXT_DAY, **changes)


def over(drive: Drive) -> datetime:
    return drive.ends_at + timedelta(minutes=drive.grace_minutes)


def closed(drive: Drive) -> datetime:
    """Close out the drive as soon as its grace period is over. Return that time."""
    assert close_out.close_out_drive(drive_id=drive.pk, now=over(drive))
    return over(drive)


def thanks(booking: Booking, channel: str = "sms") -> Message:
    return Message.objects.get(about=booking.about, kind="thank_you", channel=channel)


@pytest.mark.django_db
def test_after_a_first_donation_the_thanks_name_the_earliest_times_that_are_allowed() -> None:
    drive, later = planned()
    booking = builders.gave(drive, visit="first", email=MAIL)
    closed(drive)
    text = thanks(booking)
    said = "Hope Foundation: Thank you! Second visit: Sat Mar 20 9:00 AM, 9:15 AM, 9:30 AM. Book: "
    assert text.text.startswith(said)
    assert f"/b/{booking.token}/ STOP to end" in text.text
    assert message_content.count_segments(text.text) == 1
    mail = thanks(booking, "email")
    assert (
        "Donation 1 of 2 to become a qualified donor. Give the second one by Sept. 9, 2027 so that it counts."
        in mail.text
    )
    for n in range(3):
        assert f"http://testserver/t/{builders.slot(later, n).pk}/" in mail.text
        assert f"http://testserver/t/{builders.slot(later, n).pk}/" in mail.html


@pytest.mark.django_db
def test_times_too_soon_full_or_of_another_organization_are_not_named() -> None:
    owner = builders.organization()
    policy = builders.policy(min_hours=None, min_days=14, windows=[]).pk
    drive = builders.drive(owner, policy_id=policy)
    builders.drive(owner, policy_id=policy, day=NEXT_DAY)
    builders.drive(policy_id=policy, day=DRIVE_DAY + 15 * DAY)
    full = builders.drive(
        owner, builders.plain(builders.site(owner), spots=1, policy_id=policy, day=DRIVE_DAY + 20 * DAY)
    )
    open_again = builders.drive(owner, policy_id=policy, day=DRIVE_DAY + 21 * DAY)
    for n in range(1, 4):
        builders.booked(full, n=n, number=n, name=f"Test Donor {'ABCD'[n]}")
    found = eligibility_queries.load_follow_up(builders.gave(drive), over(drive), all_organizations=False)
    slots = [builders.slot(full).pk, *(builders.slot(open_again, n).pk for n in (0, 1))]
    assert [time.slot_id for time in found.times] == slots


@pytest.mark.django_db
def test_a_qualified_donor_and_one_without_a_donation_are_not_asked_for_a_second_visit() -> None:
    owner = builders.organization()
    first, second = planned(owner)
    builders.gave(first)
    again = builders.gave(second, booked_at=over(first))
    deferred = builders.gave(second, number=7, n=4, outcome="deferred", name="Test Bo Birch")
    closed(second)
    assert thanks(again).text.startswith("Hope Foundation: Thank you for your donation!")
    assert thanks(deferred).text.startswith("Hope Foundation: Thank you for coming!")


@pytest.mark.django_db
def test_an_incomplete_donation_starts_the_interval_but_does_not_qualify() -> None:
    drive, _later = planned()
    booking = builders.gave(drive, outcome="incomplete")
    assert eligibility_queries.load_progress([booking.volunteer_id or 0], over(drive)) == {}


@pytest.mark.django_db
@pytest.mark.parametrize(("purposes", "is_told"), [(("reminders",), False), (("reminders", "news"), True)])
def test_only_reachable_donors_are_notified(purposes: tuple[str, ...], is_told: bool) -> None:
    drive = builders.drive()
    booking = builders.gave(drive, email=MAIL, consents=purposes)
    closed(drive)
    assert ("let you know" in thanks(booking, "email").text) == is_told
    assert "See when you can come again" in thanks(booking).text


@pytest.mark.django_db
def test_a_donation_elsewhere_does_not_show_in_what_coordinators_can_read() -> None:
    policy = builders.policy(min_hours=None, min_days=28, windows=[]).pk
    owner, other = builders.organization(), builders.organization()
    drive = builders.drive(owner, policy_id=policy)
    later = builders.drive(owner, policy_id=policy, day=DRIVE_DAY + 30 * DAY)
    elsewhere = builders.drive(other, policy_id=builders.lax().pk, day=DRIVE_DAY + 5 * DAY)
    booking = builders.gave(drive)
    builders.gave(elsewhere, booked_at=over(drive))
    now = over(elsewhere)
    assert eligibility_queries.load_follow_up(booking, now, all_organizations=False).times[0].drive == later
    assert eligibility_queries.load_follow_up(booking, now, all_organizations=True).times == []


@pytest.mark.django_db
def test_the_thanks_of_one_and_of_three_take_the_same_number_of_queries() -> None:
    def donors(people: int) -> Callable[[], object]:
        drive, _later = planned()
        for number in range(people):
            builders.gave(drive, n=4 * number, number=10 * people + number, name=f"Test Donor {'ABC'[number]}")
        return partial(closed, drive)

    query_counts.count_for_each(donors)


def at(hour: int, day: int = 20, minute: int = 0) -> NextVisit:
    drive = Drive(site=Site(timezone="UTC"))
    return NextVisit(drive, 1, datetime(2027, 3, day, hour, minute, tzinfo=NOW.tzinfo), "return")


def test_a_day_is_said_once() -> None:
    assert (
        eligibility_next_visit.format_visit_times([at(9), at(9, minute=15), at(10, 21)])
        == "Sat Mar 20 9:00 AM, 9:15 AM, Sun Mar 21 10:00 AM"
    )


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "es"])
def test_as_many_times_are_named_as_one_segment_holds(language: str) -> None:
    owner = builders.organization(sms_name="W" * 20)
    drive, later = planned(owner)
    booking = builders.gave(drive)
    Drive.objects.filter(pk=later.pk).update(state="closed")
    site = builders.site(owner)
    apart = [builders.drive(owner, builders.plan(site, day=DRIVE_DAY + n * DAY)) for n in (180, 190, 200)]
    times = [NextVisit(one, 123456789, one.starts_at + timedelta(hours=2), "return") for one in apart]
    after = FollowUp(Progress(1, NEXT_DAY), times)
    with translation.override(language):
        said = [
            texts_next_visit.render_thank_you(booking, "sms", after=FollowUp(after.progress, times[:count])).text
            for count in (1, 2, 3)
        ]
        mail = texts_next_visit.render_invitation(booking.volunteer, times, "sms").text  # type: ignore[arg-type]
    assert [(message_content.count_segments(text), message_content.is_gsm(text)) for text in [*said, mail]] == [
        (1, True)
    ] * 4
    assert said[0] != said[1]
    assert said[1] == said[2]


@pytest.mark.django_db
def test_a_custom_text_contains_the_times() -> None:
    drive, _later = planned()
    CustomText.objects.create(
        organization=drive.organization, kind="second_visit", language="en", text="{slots}! {link}", changed_at=NOW
    )
    booking = builders.gave(drive, visit="first")
    closed(drive)
    said = f"Hope Foundation: Sat Mar 20 9:00 AM, 9:15 AM, 9:30 AM! http://testserver/b/{booking.token}/ STOP to end"
    assert thanks(booking).text == said


def book_next(booking: Booking, slot_id: int, now: datetime) -> Booking:
    return next_visit.book_next_visit(booking_id=booking.pk, slot_id=slot_id, actor="user:1", now=now)


@pytest.mark.django_db
def test_the_check_in_page_books_the_next_visit_once_and_notifies_the_donor() -> None:
    drive, later = planned()
    booking = builders.gave(drive, visit="first")
    slot = builders.slot(later, 2).pk
    made, again = (book_next(booking, slot, drive.ends_at) for _tap in range(2))
    assert made == again
    assert (made.volunteer, made.visit, made.state, made.source) == (
        booking.volunteer,
        "return",
        "booked",
        "coordinator",
    )
    assert made.changes.get().actor == "user:1"
    assert Message.objects.get(about=made.about, kind="booked").text.startswith(
        "Hope Foundation: You're booked Sat Mar 20"
    )


@pytest.mark.django_db
def test_the_table_does_not_see_bookings_at_another_organization() -> None:
    drive, later = planned()
    booking = builders.gave(drive, visit="first")
    builders.booked(builders.drive(builders.organization("Harbor"), day=later.day + timedelta(days=1)))
    assert book_next(booking, builders.slot(later, 2).pk, drive.ends_at).state == "booked"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("outcome", "slot_of", "code"),
    [
        ("deferred", "later", "booking_deferred"),
        ("donated", "stranger", "slot_unknown"),
        ("donated", "nobody", "slot_unknown"),
        ("donated", "closed", "drive_closed"),
        ("donated", "soon", "interval_too_short"),
    ],
)
def test_the_table_books_only_what_the_donor_could(outcome: str, slot_of: str, code: str) -> None:
    owner = builders.organization()
    drive, later = planned(owner)
    booking = builders.gave(drive, outcome=outcome)
    shut = builders.drive(owner, day=NEXT_DAY)
    Drive.objects.filter(pk=shut.pk).update(state="closed")
    drives = {
        "later": later,
        "stranger": builders.drive(day=NEXT_DAY),
        "closed": shut,
        "soon": builders.drive(owner, policy_id=drive.policy_id, day=DRIVE_DAY + DAY),
    }
    slot = builders.slot(drives[slot_of]).pk if slot_of in drives else 0
    with pytest.raises(Refusal) as refused:
        book_next(booking, slot, drive.ends_at)
    assert refused.value.codes == [code]
    assert Booking.objects.count() == 1
