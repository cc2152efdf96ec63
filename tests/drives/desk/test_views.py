"""The home page and the desk of a drive."""

import csv
import io
from collections.abc import Callable
from datetime import datetime, time, timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from django.db.models import F
from django.test import Client
from django.urls import reverse
from time_machine import TimeMachineFixture

from drives.attendance import check_in, close_out
from drives.booking import donation_rate
from drives.desk import queries as desk_queries
from drives.desk import rules as desk_rules
from drives.desk import todo
from drives.models import Booking, BookingState, Drive, DriveState, Slot
from drives.planning import lifecycle as planning_drives
from drives.waitlist import offers
from drives.web import csv_file
from notifications import consents
from notifications.models import Message, MessageState, Sender
from organizations.models import AuditEntry, Membership, Role
from tests import builders, query_counts
from tests.builders import NOW
from tests.drives import coordinator
from tests.drives.donor import text
from tests.notifications import made

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def ben() -> Membership:
    return builders.member(builders.organization())


def address(drive: Drive, page: str = "drive") -> str:
    return reverse(f"organizer_{page}", args=[drive.pk])


def test_without_a_drive_the_home_leads_to_the_first_one() -> None:
    response = coordinator.signed_in(ben()).get("/organizer/")
    assert "Set up your first drive in three minutes" in text(response)
    assert 'href="/organizer/drives/new/"' in response.content.decode()


def test_a_visitor_is_sent_to_sign_in() -> None:
    response = Client().get("/organizer/")
    assert response["Location"] == "/accounts/login/?next=/organizer/"


def test_the_home_shows_how_full_the_next_drive_is_and_what_its_goal_needs() -> None:
    member = ben()
    drive = builders.drive(member.organization, goal=20)
    for number in range(6):
        builders.booked(drive, n=number, number=number)
    shown = text(coordinator.signed_in(member).get("/organizer/"))
    assert "Next drive · Saturday, March 13, 9:00 AM Pacific Time · St Mary Hall Published" in shown
    assert "6 of 28 booked" in shown
    assert "4 of 20 donations expected, compared with the goal" in shown
    assert "24 more bookings needed to reach your goal" in shown
    assert "60 bookings give 40 donations" in shown


def test_the_home_lists_drafts_to_publish() -> None:
    member = ben()
    builders.drive(member.organization, published=False)
    shown = text(coordinator.signed_in(member).get("/organizer/"))
    assert "Draft “Plasma drive” on Saturday, March 13 isn’t open for booking yet." in shown


def test_the_organizations_own_rate_replaces_the_planning_rule() -> None:
    member = ben()
    earlier = builders.drive(member.organization)
    people = [builders.booked(earlier, n=n % 20, number=n) for n in range(20)]
    for booking in people[:15]:
        day = booking.starts_at
        check_in.check_in_donor(booking_id=booking.pk, actor="user:1", now=day)
        check_in.record_outcome(booking_id=booking.pk, outcome=BookingState.DONATED, actor="user:1", now=day)
    close_out.close_out_drive(drive_id=earlier.pk, now=earlier.ends_at + timedelta(hours=2))
    later = builders.drive(member.organization, day=builders.DRIVE_DAY + timedelta(days=30))
    shown = text(coordinator.signed_in(member).get(address(later)))
    assert "Based on 20 bookings at your own drives: of every 100 people who booked, 75 donated" in shown


def test_the_desk_shows_hours_sources_and_roster() -> None:
    member = ben()
    drive = builders.drive(member.organization)
    builders.booked(drive, number=1, name="Test Ana Alder")
    shown = text(coordinator.signed_in(member).get(address(drive)))
    assert "Bookings by hour" in shown
    assert "1 booking · Pacific Time" in shown
    assert "Test Ana Alder (201) 555-0101" in shown
    assert "Online, without a recruiter’s link 1 100%" in shown


def test_an_hour_is_full_only_if_a_visit_could_begin_in_it() -> None:
    member = ben()
    drive = builders.drive(member.organization, builders.plain(builders.site(member.organization), spots=1, steps=4))
    for n in range(4):
        builders.booked(drive, n=n, number=n)
    shown = text(coordinator.signed_in(member).get(address(drive)))
    assert "9:00 AM 100% full" in shown


def test_the_roster_finds_names_digits_and_states() -> None:
    member = ben()
    drive, browser = builders.drive(member.organization), coordinator.signed_in(member)
    builders.booked(drive, number=1, name="Test Ana Alder")
    builders.booked(drive, number=2, name="Test Bo Birch")
    for query in ({"q": "birch"}, {"q": "0102"}, {"q": "(201) 555-0102"}):
        shown = text(browser.get(address(drive), query))
        assert ("Test Bo Birch" in shown, "Test Ana Alder" in shown) == (True, False), query
    assert "No one matches." in text(browser.get(address(drive), {"state": "confirmed"}))
    assert browser.get(address(drive), {"q": "\x01", "state": "nonsense"}).status_code == 200


def test_donors_without_a_delivered_message_are_to_be_called() -> None:
    member = ben()
    drive = builders.drive(member.organization)
    booking = builders.booked(drive, number=1)
    Message.objects.filter(about=booking.about, kind="booked").update(state=MessageState.UNDELIVERED)
    shown = text(coordinator.signed_in(member).get(address(drive)))
    assert "1 person did not get a message. Call them." in shown
    assert "Could not be reached Test Ana Alder 9:00 AM · (201) 555-0101" in shown


def test_a_text_that_failed_while_the_mail_arrived_is_no_trouble() -> None:
    member = ben()
    drive = builders.drive(member.organization)
    booking = builders.booked(drive, number=1, email="ana@example.org")
    sent = Message.objects.filter(about=booking.about, kind="booked")
    sent.filter(channel="sms").update(state=MessageState.FAILED)
    sent.filter(channel="email").update(state=MessageState.DELIVERED)
    assert "did not get a message" not in text(coordinator.signed_in(member).get(address(drive)))


def test_publish_close_and_open_again() -> None:
    member = ben()
    drive, browser = builders.drive(member.organization, published=False), coordinator.signed_in(member)
    states = []
    for verb in ("publish_drive", "close_drive", "publish_drive"):
        browser.post(address(drive, verb))
        drive.refresh_from_db()
        states.append(drive.state)
    assert states == [DriveState.PUBLISHED, DriveState.CLOSED, DriveState.PUBLISHED]


def test_a_cancelled_drive_cannot_be_published_and_says_so() -> None:
    member = ben()
    drive, browser = builders.drive(member.organization), coordinator.signed_in(member)
    planning_drives.cancel_drive(drive_id=drive.pk, reason="The hall is closed.", actor="user:1", now=NOW)
    shown = text(browser.post(address(drive, "publish_drive"), follow=True))
    assert "That isn’t possible now, because this drive is “Cancelled”." in shown


def test_cancelling_shows_the_number_of_notified_donors_and_needs_a_reason() -> None:
    member = ben()
    drive, browser = builders.drive(member.organization), coordinator.signed_in(member)
    builders.booked(drive, number=1, email="ana@example.org")
    builders.booked(drive, number=2)
    consents.suppress_address(sender=member.organization.senders.get(), address=builders.phone(2), now=NOW)
    asked = text(browser.get(address(drive, "cancel_drive")))
    assert "2 people are booked. We’ll let 1 person know." in asked
    assert "By text 1 By e-mail 1 Need a phone call 1" in asked
    refused = browser.post(address(drive, "cancel_drive"), {"reason": "", "sure": "on"})
    assert (refused.status_code, Booking.objects.filter(state=BookingState.CANCELLED).count()) == (422, 0)
    done = browser.post(address(drive, "cancel_drive"), {"reason": "The hall is closed.", "sure": "on"}, follow=True)
    assert "This drive was cancelled on Monday, March 1. Reason: The hall is closed." in text(done)
    assert Booking.objects.filter(state=BookingState.CANCELLED).count() == 2


@pytest.mark.parametrize("is_here", [False, True])
def test_a_checked_in_donor_gets_no_cancellation(time_machine: TimeMachineFixture, *, is_here: bool) -> None:
    member = ben()
    drive = builders.drive(member.organization)
    here = builders.booked(drive)
    time_machine.move_to(here.starts_at, tick=False)
    if is_here:
        check_in.check_in_donor(booking_id=here.pk, actor="user:1", now=here.starts_at)
    browser = coordinator.signed_in(member)
    asked = text(browser.get(address(drive, "cancel_drive")))
    assert ("1 person is booked. We’ll let 1 person know." in asked) is not is_here
    assert ("No one is booked, so we won’t send any messages." in asked) is is_here
    done = browser.post(address(drive, "cancel_drive"), {"reason": "The hall is closed.", "sure": "on"}, follow=True)
    assert ("The drive is cancelled. We’re notifying 1 person." in text(done)) is not is_here
    assert Message.objects.filter(kind="drive_cancelled").exists() is not is_here


@pytest.mark.parametrize(("seconds", "section"), [(-1, "Coming up"), (0, "Past drives")])
def test_a_cancelled_drive_stays_under_coming_up_until_its_end(
    time_machine: TimeMachineFixture, seconds: int, section: str
) -> None:
    member = ben()
    drive = builders.drive(member.organization)
    planning_drives.cancel_drive(drive_id=drive.pk, reason="Storm.", actor="user:1", now=NOW)
    time_machine.move_to(drive.ends_at + timedelta(seconds=seconds), tick=False)
    shown = text(coordinator.signed_in(member).get("/organizer/"))
    assert [name for name in ("Next drive", "Coming up", "Past drives") if name in shown] == [section]
    assert "Plasma drive" in shown.partition(section)[2]


@pytest.mark.parametrize("is_late", [False, True])
def test_a_waitlist_that_closed_with_its_drive_is_still_a_task(
    time_machine: TimeMachineFixture, *, is_late: bool
) -> None:
    member = ben()
    first, *_others = builders.full_drive(of=member.organization, policy_id=builders.lax().pk)
    builders.waits(first.drive)
    consents.suppress_address(sender=member.organization.senders.get(), address=builders.phone(42), now=NOW)
    now = first.drive.ends_at
    offers.sweep_waitlists(now=now)
    made.deliver(now)
    time_machine.move_to(now + timedelta(hours=24 if is_late else 23), tick=False)
    shown = text(coordinator.signed_in(member).get("/organizer/"))
    assert ("1 person from “Plasma drive” did not get a message. Call them." in shown) is not is_late


def test_a_cancelled_drive_lists_donors_without_a_notice() -> None:
    member = ben()
    drive, browser = builders.drive(member.organization), coordinator.signed_in(member)
    booking = builders.booked(drive, number=1)
    planning_drives.cancel_drive(drive_id=drive.pk, reason="Storm.", actor="user:1", now=NOW)
    Message.objects.filter(about=booking.about, kind="drive_cancelled").update(state=MessageState.BLOCKED)
    shown = text(browser.get(address(drive)))
    assert "Messages about the cancellation: 1 not sent." in shown
    assert "Could not be reached Test Ana Alder" in shown


def test_a_copy_is_a_draft_of_another_day() -> None:
    member = ben()
    drive, browser = builders.drive(member.organization, goal=7), coordinator.signed_in(member)
    browser.post(address(drive, "copy_drive"), {"day": "2027-04-10"})
    copy = Drive.objects.exclude(pk=drive.pk).get()
    assert (str(copy.day), copy.state, copy.goal) == ("2027-04-10", DriveState.DRAFT, 7)


def test_a_copy_to_a_night_without_its_hours_is_refused_beside_the_day() -> None:
    member = ben()
    site = builders.site(member.organization)
    night = builders.plan(site, opens=time(2, 30), closes=time(8, 30))
    drive, browser = builders.drive(member.organization, night), coordinator.signed_in(member)
    response = browser.post(address(drive, "copy_drive"), {"day": "2027-03-14"})
    assert response.status_code == 422
    assert "02:30 does not exist on 2027-03-14" in text(response)


def test_a_viewer_sees_the_desk_and_changes_nothing() -> None:
    organization = builders.organization()
    vera = coordinator.signed_in(builders.member(organization, Role.VIEWER))
    drive = builders.drive(organization)
    shown = vera.get(address(drive))
    assert (shown.status_code, "Cancel the drive" in text(shown)) == (200, False)
    for page in (
        "publish_drive",
        "close_drive",
        "cancel_drive",
        "copy_drive",
        "complete_drive",
        "add_booking",
        "edit_drive",
    ):
        assert vera.post(address(drive, page)).status_code == 403, page


def test_no_cell_of_the_csv_is_a_formula() -> None:
    member = ben()
    drive, browser = builders.drive(member.organization), coordinator.signed_in(member)
    builders.booked(drive, number=1, name="=SUM(A1)")
    response = browser.get(address(drive, "roster_csv"))
    rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert rows[1][:4] == ["2027-03-13", "09:00", "America/Los_Angeles", "'=SUM(A1)"]
    assert [csv_file.escape_formula(f"{start}1") for start in "=+-@\t\r"] == [f"'{start}1" for start in "=+-@\t\r"]
    assert csv_file.escape_formula("Ana") == "Ana"
    assert AuditEntry.objects.get(verb="exported").about == f"drive:{drive.pk}"


def test_a_viewer_cannot_download_contacts() -> None:
    member = builders.member(builders.organization(), Role.VIEWER)
    drive, browser = builders.drive(member.organization), coordinator.signed_in(member)
    assert browser.get(address(drive, "roster_csv")).status_code == 403
    assert "Download CSV" not in browser.get(address(drive, "drive")).content.decode()
    assert not AuditEntry.objects.filter(verb="exported").exists()


@pytest.mark.parametrize(("role", "found"), [(Role.VIEWER, []), (Role.CHECK_IN, ["Test Ana Alder"])])
def test_a_viewer_cannot_guess_a_number_by_searching_the_roster(role: str, found: list[str]) -> None:
    member = builders.member(builders.organization(), role)
    drive, browser = builders.drive(member.organization), coordinator.signed_in(member)
    booking = builders.booked(drive, number=1, name="Test Ana Alder")

    def search(typed: str) -> list[str]:
        rows = browser.get(address(drive, "drive"), {"q": typed}).context["rows"]
        return [row.booking.volunteer.name for row in rows]

    assert search(builders.phone(1)[-4:]) == found
    assert search("alder") == search(booking.reference) == ["Test Ana Alder"]


def test_the_printed_roster_leaves_out_cancelled_bookings() -> None:
    member = ben()
    drive, browser = builders.drive(member.organization), coordinator.signed_in(member)
    booking = builders.booked(drive, number=1, name="Test Ana Alder")
    Booking.objects.filter(pk=booking.pk).update(state=BookingState.CANCELLED, cancelled_at=NOW, is_counted=False)
    assert "Test Ana Alder" not in text(browser.get(address(drive, "roster")))


@pytest.mark.parametrize("page", ["drive", "roster", "roster_csv"])
def test_one_row_and_three_take_the_same_number_of_queries(page: str) -> None:
    member = ben()
    drive, browser = builders.drive(member.organization), coordinator.signed_in(member)

    def donors(people: int) -> Callable[[], object]:
        for number in range(drive.bookings.count(), people):
            builders.booked(drive, n=number, number=number)
        browser.get(address(drive, page))
        return partial(browser.get, address(drive, page))

    query_counts.count_for_each(donors)


def test_the_roster_of_a_large_drive_has_pages() -> None:
    member = ben()
    drive = builders.drive(member.organization, builders.plain(builders.site(member.organization), spots=60, steps=2))
    browser, page = coordinator.signed_in(member), address(drive, "drive")

    def donors(people: int) -> Callable[[], object]:
        for number in range(drive.bookings.count(), people):
            builders.booked(drive, number=number)
        browser.get(page)
        return partial(browser.get, page)

    query_counts.count_for_each(donors, rows=(1, 60))
    first, second = browser.get(page), browser.get(f"{page}?page=2&q=&state=booked")
    assert [len(answer.context["rows"]) for answer in (first, second)] == [20, 20]
    assert "60 bookings" in text(first)
    assert "q=&amp;state=&amp;page=2#roster" in first.content.decode()
    assert "q=&amp;state=booked&amp;page=1#roster" in second.content.decode()
    assert len(browser.get(address(drive, "roster")).context["rows"]) == 60


def test_one_drive_and_three_take_the_same_number_of_queries_at_home() -> None:
    member = ben()
    browser = coordinator.signed_in(member)

    def drives(many: int) -> Callable[[], object]:
        for number in range(Drive.objects.count(), many):
            builders.booked(builders.drive(member.organization), number=number)
        browser.get("/organizer/")
        return partial(browser.get, "/organizer/")

    query_counts.count_for_each(drives)


def test_every_page_says_when_messages_do_not_leave() -> None:
    member = ben()
    browser = coordinator.signed_in(member)
    drive = builders.drive(member.organization)
    assert "We can’t send texts" not in text(browser.get("/organizer/"))
    Sender.objects.filter(organizations=member.organization).update(stopped_at=NOW)
    builders.booked(drive)
    Message.objects.filter(state="queued").update(due_at=NOW - timedelta(minutes=3))
    shown = text(browser.get(reverse("organizer_drives")))
    assert "2 messages are late and should have gone out minutes ago." in shown
    assert "We can’t send texts because the provider rejects the sender." in shown


def fill_of(drive: Drive, now: datetime) -> list[tuple[bool, bool]]:
    """Return, for each hour, whether it has ended and whether it counts as half empty."""
    return [(hour.is_over, hour.is_half_empty) for hour in desk_queries.load_desk(drive, now).hours]


@pytest.mark.parametrize(("seconds", "is_over"), [(3599, False), (3600, True)])
def test_an_hour_is_over_when_the_next_begins(seconds: int, is_over: bool) -> None:
    drive = builders.drive()
    assert fill_of(drive, drive.starts_at + timedelta(seconds=seconds))[0][0] is is_over


@pytest.mark.parametrize(("booked", "is_half_empty"), [(1, True), (2, False)])
def test_an_hour_is_half_empty_below_fifty_percent(booked: int, is_half_empty: bool) -> None:
    owner = builders.organization()
    drive = builders.drive(owner, builders.plain(builders.site(owner), spots=1))
    for number in range(booked):
        builders.booked(drive, n=number, number=number)
    assert fill_of(drive, NOW)[0][1] is is_half_empty


@pytest.mark.parametrize("visit", ["first", "return"])
def test_a_booking_changes_the_number_of_booked_but_not_what_the_drive_takes(visit: str) -> None:
    drive = builders.drive()
    before = desk_queries.load_desk(drive, NOW).figures
    for number in range(3):
        builders.booked(drive, n=5 * number, number=number, visit=visit)
        figures = desk_queries.load_desk(drive, NOW).figures
        assert (figures.booked, figures.capacity) == (number + 1, before.spots_left)
        assert figures.takes_fewer is (figures.booked + figures.spots_left < figures.capacity)
    shown = text(coordinator.signed_in(builders.member(drive.organization)).get(address(drive)))
    assert f"3 of {before.capacity} booked Room for {figures.spots_left} more return visits." in shown
    assert ("First visits take longer" in shown) is figures.takes_fewer


def test_a_time_that_has_passed_is_no_open_spot() -> None:
    drive = builders.drive()
    before = desk_queries.load_desk(drive, drive.starts_at - timedelta(seconds=1)).figures
    after = desk_queries.load_desk(drive, drive.starts_at + timedelta(hours=2)).figures
    assert (after.capacity, after.spots_left < before.spots_left) == (before.capacity, True)


def todo_of(drive: Drive, before: timedelta = timedelta(days=7)) -> set[str]:
    desk = desk_queries.load_desk(drive, drive.starts_at - before)
    return {str(each.pill) for each in todo.list_drive_todos(drive, desk)}


@pytest.mark.parametrize(("seconds", "is_near"), [(0, True), (1, False)])
def test_empty_hours_are_a_task_only_in_the_week_before_the_drive(seconds: int, is_near: bool) -> None:
    drive = builders.drive(goal=4)
    assert ("Half empty" in todo_of(drive, timedelta(days=7, seconds=seconds))) is is_near


def test_empty_hours_are_a_task_until_the_drive_is_over() -> None:
    drive = builders.drive(goal=4)
    assert "Half empty" in todo_of(drive, timedelta(hours=-1))
    assert "Half empty" not in todo_of(drive, drive.starts_at - drive.ends_at)


@pytest.mark.parametrize(("booked", "is_behind"), [(1, True), (2, False)])
def test_empty_hours_are_a_task_earlier_if_past_drives_had_more_bookings_by_then(booked: int, is_behind: bool) -> None:
    owner = builders.organization()
    for week in (0, 1):
        past = builders.drive(owner, day=builders.DRIVE_DAY + timedelta(weeks=week))
        for number in range(2):
            builders.booked(past, n=number, number=10 + 10 * week + number)
        close_out.close_out_drive(drive_id=past.pk, now=past.ends_at + timedelta(hours=2))
        Booking.objects.filter(drive=past).update(created_at=past.starts_at - timedelta(days=20))
    drive = builders.drive(owner, goal=4, day=builders.DRIVE_DAY + timedelta(days=30))
    for number in range(booked):
        builders.booked(drive, n=number, number=number)
    assert ("Half empty" in todo_of(drive, timedelta(days=12))) is is_behind


def home_todo(member: Membership, now: datetime = NOW) -> str:
    with time_machine.travel(now, tick=False):
        shown = text(coordinator.signed_in(member).get("/organizer/"))
    return shown.partition("To do")[2].partition("Coming up")[0]


@pytest.mark.parametrize(("booked", "is_asked"), [(4, True), (5, False)])
def test_the_home_asks_to_share_a_near_drive_that_is_less_than_sixty_percent_full(booked: int, is_asked: bool) -> None:
    """The drive has room for eight donors, and four of eight are fewer than 60 %."""
    owner = builders.organization()
    drive = builders.drive(owner, builders.plain(builders.site(owner), spots=1, steps=8))
    figures = desk_queries.load_desk(drive, NOW).figures
    for number in range(booked):
        builders.booked(drive, n=number, number=number)
    assert figures.capacity == 8
    shown = home_todo(builders.member(owner), drive.starts_at - timedelta(days=7))
    assert (
        f"{8 - booked} open spots for “Plasma drive” on Saturday, March 13. Share the drive again." in shown
    ) is is_asked
    assert "open spots" not in home_todo(builders.member(owner), drive.starts_at - timedelta(days=7, seconds=1))


def plan_drives_in_a_week(member: Membership, count: int) -> list[Drive]:
    """Plan empty drives that start a minute after each other, the last one seven days after NOW."""
    drives = [builders.drive(member.organization, policy_id=builders.lax().pk) for _number in range(count)]
    for number, drive in enumerate(reversed(drives)):
        shift = NOW + timedelta(days=7) - timedelta(minutes=number) - drive.starts_at
        Drive.objects.filter(pk=drive.pk).update(starts_at=drive.starts_at + shift, ends_at=drive.ends_at + shift)
        Slot.objects.filter(drive=drive).update(starts_at=F("starts_at") + shift)
    return drives


@pytest.mark.parametrize(
    ("count", "more"),
    [
        (12, ""),
        (13, "1 more drive in the next 7 days needs donors, too. See all drives."),
        (17, "5 more drives in the next 7 days need donors, too. See all drives."),
    ],
)
def test_the_home_counts_every_near_drive_that_needs_donors(count: int, more: str) -> None:
    member = ben()
    plan_drives_in_a_week(member, count)
    shown = home_todo(member)
    assert shown.count("Share the drive again.") == 12
    assert more in shown
    assert ("in the next 7 days" in shown) is bool(more)
    assert "in the next 7 days" not in home_todo(member, NOW - timedelta(days=7))


def test_the_home_asks_to_share_a_near_drive_behind_twelve_full_ones() -> None:
    member = ben()
    *full, last = plan_drives_in_a_week(member, 13)
    Slot.objects.filter(drive__in=full).update(chairs_limit=0)
    assert f'href="{reverse("organizer_share", args=[last.pk])}"' not in home_page(member, NOW - timedelta(seconds=1))
    assert f'href="{reverse("organizer_share", args=[last.pk])}"' in home_page(member, NOW)


def test_the_home_page_has_a_fixed_number_of_queries_with_many_near_drives() -> None:
    def act(number: int) -> query_counts.Act:
        member = ben()
        plan_drives_in_a_week(member, desk_rules.UPCOMING_DRIVES_SHOWN + number)
        browser = coordinator.signed_in(member)
        browser.get("/organizer/")  # stores when the member was last seen
        return lambda: browser.get("/organizer/")

    query_counts.count_for_each(act)


def home_page(member: Membership, now: datetime) -> str:
    with time_machine.travel(now, tick=False):
        return coordinator.signed_in(member).get("/organizer/").content.decode()


def test_an_offer_without_an_answer_and_open_set_up_steps_stand_on_the_home_page() -> None:
    member = ben()
    first, *_others = builders.full_drive(of=member.organization, policy_id=builders.lax().pk)
    builders.waits(first.drive)
    assert "offer" not in home_todo(member)
    builders.cancelled(first)
    offers.sweep_waitlists(now=NOW)
    shown = home_todo(member)
    assert "1 offer for “Plasma drive” is waiting for an answer. See the waiting list." in shown
    assert "steps of the guided set-up are left." in shown
    helper = builders.member(member.organization, Role.COORDINATOR)
    assert "guided set-up" not in home_todo(helper)


def test_a_drive_that_the_home_page_does_not_list_still_shows_its_problems() -> None:
    member = ben()
    drives = [
        builders.drive(member.organization, day=builders.DRIVE_DAY + timedelta(days=number))
        for number in range(desk_rules.UPCOMING_DRIVES_SHOWN + 1)
    ]
    last = drives[-1]
    booking = builders.booked(last)
    Message.objects.filter(about=booking.about, kind="booked").update(state=MessageState.UNDELIVERED)
    assert last.pk not in [row.drive.pk for row in desk_queries.load_home(member.organization, NOW).upcoming]
    assert "1 person from “Plasma drive” did not get a message. Call them." in home_todo(member)


@pytest.mark.parametrize(("booked", "tasks"), [(4, {"Goal", "Half empty"}), (5, {"Goal"})])
def test_free_chairs_without_an_open_spot_are_no_reason_to_share_the_link(booked: int, tasks: set[str]) -> None:
    """The only screening station serves one donor at a time, so most of the eight chairs stay free."""
    owner = builders.organization()
    few: dict[str, Any] = {"chairs": 8, "screening_stations": 1, "first_screening_steps": 1, "closes": time(11)}
    drive = builders.drive(owner, goal=4, **few)
    for number in range(booked):
        builders.booked(drive, n=number, number=number)
    assert todo_of(drive) & {"Goal", "Half empty"} == tasks
    shown = text(coordinator.signed_in(builders.member(owner)).get(address(drive)))
    assert ("no spots are left" in shown) is (booked == 5)
    assert ("only 1 spot is left" in shown) is (booked == 4)


def test_the_link_of_a_drive_without_online_booking_is_not_to_be_shared() -> None:
    drive = builders.drive(goal=4)
    assert "Half empty" in todo_of(drive)
    closed = planning_drives.close_drive(drive_id=drive.pk, actor="user:1", now=NOW)
    assert "Half empty" not in todo_of(closed)


@pytest.mark.parametrize(("chairs", "above"), [(2, 0), (1, 1)])
def test_an_hour_says_how_many_people_are_above_its_limit(chairs: int, above: int) -> None:
    member = ben()
    drive = builders.drive(member.organization, chairs=2)
    for number in (1, 2):
        builders.booked(drive, number=number)
    fewer = builders.replanned(drive, chairs=chairs)
    planning_drives.change_drive(drive=fewer, version=drive.version, actor="user:1", now=NOW)
    assert max(hour.above_limit for hour in desk_queries.load_desk(drive, NOW).hours) == above
    shown = text(coordinator.signed_in(member).get(address(drive)))
    assert ("1 over" in shown) is (above == 1)


def test_the_own_rate_is_that_of_the_last_six_drives() -> None:
    owner = builders.organization()
    for day in range(7):
        drive = builders.drive(owner, day=builders.DRIVE_DAY + timedelta(days=day), policy_id=builders.lax().pk)
        for number in range(4):
            builders.booked(drive, n=number, number=10 * day + number)
        close_out.close_out_drive(drive_id=drive.pk, now=drive.ends_at + timedelta(hours=2))
        Booking.objects.filter(drive=drive, first_step__lt=day).update(state=BookingState.DONATED)
    rate = donation_rate.load_donation_rate(owner)
    assert (rate.booked, rate.donated) == (24, 1 + 2 + 3 + 4 + 4 + 4)
