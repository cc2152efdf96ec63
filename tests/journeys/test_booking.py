"""A booking from the first visit of a drive's page to the donor's confirmation."""

from datetime import date, timedelta

import pytest

from drives.capacity import drift
from drives.models import BookingState
from notifications.models import Message, MessageState
from tests import builders
from tests.builders import NOW
from tests.journeys import expected_texts
from tests.journeys.actors import Clock, Donor, Invitation, booked_ana, invitations, live, local, set_to, sweep

pytestmark = pytest.mark.django_db

WEEK, THREE_DAYS, DAY = local("2027-03-06 10:30"), local("2027-03-10 10:30"), local("2027-03-12 10:30")
VISIT = local("2027-03-13 10:30")


def test_a_donor_books_and_is_reminded_three_days_and_one_day_before(time_machine: Clock) -> None:
    set_to(time_machine, NOW)
    drive = builders.drive()
    ana = Donor(email="ana@example.org")
    ana.books(drive, 6)
    live(time_machine, NOW, VISIT, watching=[WEEK, THREE_DAYS, DAY])
    code, *texts = ana.texts
    assert code[0] == "Mon Mar 1 10:00"
    assert texts == [
        ("Mon Mar 1 10:00", expected_texts.booked(ana.link)),
        ("Wed Mar 10 10:30", expected_texts.days_before()),
        ("Fri Mar 12 10:30", expected_texts.the_day_before()),
    ]
    assert ana.mails == [
        ("Mon Mar 1 10:00", "You're booked: Saturday, March 13, 10:30 AM"),
        ("Sat Mar 6 10:30", "Reminder: Saturday, March 13, 10:30 AM"),
    ]
    uid = f"{ana.booking.uuid}@testserver"
    assert invitations("ana@example.org") == [Invitation("REQUEST", uid, 0, "CONFIRMED", "Sat Mar 13 10:30")]


def test_a_donor_who_answers_c_is_confirmed(time_machine: Clock) -> None:
    ana = booked_ana(time_machine)
    assert "We’ll text you 3 days and 1 day before." in ana.opens().html
    live(time_machine, THREE_DAYS, THREE_DAYS)
    ana.texts_back("C")
    sweep()
    assert ana.booking.state == BookingState.CONFIRMED
    assert "we know you’re coming" in ana.opens().html
    live(time_machine, THREE_DAYS, VISIT, watching=[DAY])
    assert ana.texts[2:] == [
        ("Wed Mar 10 10:30", expected_texts.days_before()),
        ("Fri Mar 12 10:30", expected_texts.the_day_before()),
    ]


def test_a_donor_who_answers_x_has_cancelled(time_machine: Clock) -> None:
    ana = booked_ana(time_machine)
    live(time_machine, THREE_DAYS, THREE_DAYS)
    ana.texts_back("x.")
    live(time_machine, THREE_DAYS, VISIT, watching=[DAY])
    assert ana.booking.state == BookingState.CANCELLED
    assert ana.texts[2:] == [
        ("Wed Mar 10 10:30", expected_texts.days_before()),
        ("Wed Mar 10 10:30", expected_texts.cancelled(ana.link)),
    ]


def test_a_worker_that_wakes_late_still_reminds_once(time_machine: Clock) -> None:
    ana = booked_ana(time_machine)
    for late in (THREE_DAYS + timedelta(minutes=20), THREE_DAYS + timedelta(hours=2)):
        live(time_machine, late, late)
    assert ana.texts[2:] == [("Wed Mar 10 10:50", expected_texts.days_before())]


def test_a_reminder_that_would_come_after_the_visit_never_leaves(time_machine: Clock) -> None:
    ana = booked_ana(time_machine)
    live(time_machine, VISIT, VISIT)
    assert ana.texts[2:] == []
    waiting = Message.objects.filter(about=ana.booking.about, state__in=["scheduled", "queued", "claimed"])
    assert list(waiting) == []


def test_reminders_of_an_early_visit_leave_the_evening_before(time_machine: Clock) -> None:
    """Quiet hours forbid a text at seven in the morning, so each reminder is sent on the evening before it is due."""
    set_to(time_machine, NOW)
    owner = builders.organization()
    drive = builders.drive(owner, opens=local("2027-03-13 07:00").time())
    ana = Donor()
    ana.books(drive, 0)
    evenings = [local("2027-03-09 19:45"), local("2027-03-11 19:45")]
    live(time_machine, NOW, local("2027-03-13 07:00"), watching=evenings)
    text = expected_texts.days_before("Sat Mar 13 7:00 AM")
    assert ana.texts[2:] == [("Tue Mar 9 19:45", text), ("Thu Mar 11 19:45", text)]


@pytest.mark.parametrize(
    ("booked_at", "kinds"),
    [
        ("2027-03-02 10:00", ["week", "three_days", "day_before"]),
        ("2027-03-08 22:29", ["three_days", "day_before"]),
        ("2027-03-08 22:31", ["day_before"]),
        ("2027-03-11 22:29", ["day_before"]),
        ("2027-03-11 22:31", []),
    ],
)
def test_a_late_booking_skips_reminders_that_would_come_too_soon(
    time_machine: Clock, booked_at: str, kinds: list[str]
) -> None:
    """A reminder is skipped if the time between booking and reminder is less than half its offset."""
    set_to(time_machine, NOW)
    drive = builders.drive()
    set_to(time_machine, local(booked_at))
    ana = Donor(email="ana@example.org")
    ana.books(drive, 6)
    scheduled = Message.objects.filter(about=ana.booking.about, state=MessageState.SCHEDULED).order_by("due_at")
    assert [message.kind for message in scheduled] == kinds


def test_a_donor_without_a_phone_gets_everything_by_mail(time_machine: Clock) -> None:
    set_to(time_machine, NOW)
    ana = Donor(email="ana@example.org", has_phone=False)
    ana.books(builders.drive(), 6)
    live(time_machine, NOW, VISIT, watching=[WEEK, THREE_DAYS, DAY])
    code, *mails = ana.mails
    assert code[0] == "Mon Mar 1 10:00"
    assert mails == [
        ("Mon Mar 1 10:00", "You're booked: Saturday, March 13, 10:30 AM"),
        ("Sat Mar 6 10:30", "Reminder: Saturday, March 13, 10:30 AM"),
        ("Wed Mar 10 10:30", "Reminder: Saturday, March 13, 10:30 AM"),
        ("Fri Mar 12 10:30", "Reminder: Saturday, March 13, 10:30 AM"),
    ]


def test_a_donor_who_reads_spanish_is_written_to_in_spanish(time_machine: Clock) -> None:
    set_to(time_machine, NOW)
    ana = Donor(language="es-MX,es;q=0.9", email="ana@example.org")
    ana.books(builders.drive(), 6)
    live(time_machine, NOW, VISIT, watching=[WEEK, THREE_DAYS, DAY])
    assert ana.texts[1:] == [
        ("Mon Mar 1 10:00", expected_texts.booked_in_spanish(ana.link)),
        ("Wed Mar 10 10:30", expected_texts.days_before_in_spanish()),
        ("Fri Mar 12 10:30", expected_texts.the_day_before_in_spanish()),
    ]
    assert ana.mails == [
        ("Mon Mar 1 10:00", "Su cita: sábado 13 de marzo, 10:30 AM"),
        ("Sat Mar 6 10:30", "Recordatorio: sábado 13 de marzo, 10:30 AM"),
    ]
    assert "es su codigo de Hope Foundation" in ana.texts[0][1]


def test_a_donor_who_comes_back_in_the_same_browser_needs_no_code_for_thirty_days(time_machine: Clock) -> None:
    set_to(time_machine, NOW)
    owner = builders.organization()
    first, second, third = (
        builders.drive(owner, day=day) for day in (date(2027, 3, 13), date(2027, 4, 10), date(2027, 4, 17))
    )
    ana = Donor()
    ana.books(first, 6)
    set_to(time_machine, NOW + timedelta(days=29))
    assert ana.books_again(second, 6).state == BookingState.BOOKED
    set_to(time_machine, NOW + timedelta(days=31))
    page = ana.holds(third, 6)
    assert "so you don’t need a code" not in page.html
    ana.submits(page, "/verify/")
    assert ana.booking.state == BookingState.HELD


def test_a_held_time_may_be_changed_before_the_code_is_entered(time_machine: Clock) -> None:
    set_to(time_machine, NOW)
    ana, drive = Donor(), builders.drive()
    page = ana.holds(drive, 6)
    sweep()
    page = ana.submits(ana.opens("move/"), "/move/", slot=str(builders.slot(drive, 12).pk))
    ana.submits(page, "/verify/", code=ana.code)
    sweep()
    assert [text for _at, text in ana.texts[1:]] == [expected_texts.booked(ana.link, "Sat Mar 13, 12:00 PM")]
    assert drift.count_drifted_slots() == 0


def test_c_or_x_for_two_bookings_changes_none_until_the_donor_chooses(time_machine: Clock) -> None:
    set_to(time_machine, NOW)
    owner = builders.organization()
    saturday = builders.drive(owner)
    sunday = builders.drive(owner, day=date(2027, 3, 14), policy_id=builders.lax().pk)
    ana, same = Donor(), Donor()
    ana.books(saturday, 6)
    same.books(sunday, 6)
    live(time_machine, NOW, THREE_DAYS + timedelta(days=1), watching=[THREE_DAYS, THREE_DAYS + timedelta(days=1)])
    ana.texts_back("c")
    sweep()
    assert (ana.booking.state, same.booking.state) == (BookingState.BOOKED, BookingState.BOOKED)
    question = "Which visit? Reply C 1 = Test Sat Mar 13 10:30 AM, C 2 = Test Sun Mar 14 10:30 AM, or C all"
    assert ana.texts[-1] == ("Thu Mar 11 10:30", f"Hope Foundation: {question}")
    ana.texts_back("C 2")
    sweep()
    assert (ana.booking.state, same.booking.state) == (BookingState.BOOKED, BookingState.CONFIRMED)


def test_another_refusal_keeps_the_time_while_the_donor_chooses(time_machine: Clock) -> None:
    """Only after verification does the page say that the donor already has a booking.

    The hold stays, so that the donor can use it for another person.
    """
    set_to(time_machine, NOW)
    ana, again = Donor(), Donor()
    drive = builders.drive()
    ana.books(drive, 6)
    page = again.holds(drive, 12)
    sweep()
    page = again.submits(page, "/verify/", code=again.code)
    assert (page.status, again.booking.state) == (409, BookingState.HELD)
    assert "You already have a booking at this drive." in page.html
