"""Donors move and cancel their bookings, and undo a cancellation."""

from datetime import timedelta

import pytest

from drives.capacity import drift
from drives.models import BookingState
from tests import builders
from tests.builders import NOW
from tests.journeys import expected_texts
from tests.journeys.actors import (
    Clock,
    Coordinator,
    Donor,
    Invitation,
    booked_ana,
    invitations,
    live,
    local,
    set_to,
    sweep,
)

pytestmark = pytest.mark.django_db

OLD = [local("2027-03-06 10:30"), local("2027-03-10 10:30"), local("2027-03-12 10:30")]
NEW = [local("2027-03-06 12:00"), local("2027-03-10 12:00"), local("2027-03-12 12:00")]
END = local("2027-03-13 12:00")
MARCH_4, MARCH_11 = local("2027-03-04 10:00"), local("2027-03-11 10:00")


def moves(ana: Donor, n: int) -> None:
    slot = str(builders.slot(ana.booking.drive, n).pk)
    page = ana.submits(ana.opens("move/"), "/move/", slot=slot)
    assert "Your time has been changed" in page.html
    sweep()


def test_a_moved_booking_is_reminded_of_its_new_time_only(time_machine: Clock) -> None:
    set_to(time_machine, NOW)
    ana = Donor(email="ana@example.org")
    ana.books(builders.drive(), 6)
    live(time_machine, NOW, MARCH_4)
    moves(ana, 12)
    live(time_machine, MARCH_4, END, watching=[*OLD, *NEW])
    assert ana.texts[2:] == [
        ("Thu Mar 4 10:00", expected_texts.moved(ana.link)),
        ("Wed Mar 10 12:00", expected_texts.days_before("Sat Mar 13 12:00 PM")),
        ("Fri Mar 12 12:00", expected_texts.the_day_before("Sat Mar 13 12:00 PM")),
    ]
    assert ana.mails == [
        ("Mon Mar 1 10:00", "You're booked: Saturday, March 13, 10:30 AM"),
        ("Thu Mar 4 10:00", "New time: Saturday, March 13, 12:00 PM"),
    ]
    uid = f"{ana.booking.uuid}@testserver"
    assert invitations("ana@example.org") == [
        Invitation("REQUEST", uid, 0, "CONFIRMED", "Sat Mar 13 10:30"),
        Invitation("REQUEST", uid, 1, "CONFIRMED", "Sat Mar 13 12:00"),
    ]
    assert drift.count_drifted_slots() == 0


def test_a_rendered_reminder_is_not_sent_after_a_move(time_machine: Clock) -> None:
    ana = booked_ana(time_machine)
    ten_minutes_before = OLD[1] - timedelta(minutes=10)
    live(time_machine, ten_minutes_before, ten_minutes_before)
    assert [message.kind for message in ana.messages("queued")] == ["three_days"]
    moves(ana, 12)
    live(time_machine, ten_minutes_before, END, watching=[*OLD[1:], *NEW[1:]])
    assert ana.texts[2:] == [
        ("Wed Mar 10 10:20", expected_texts.moved(ana.link)),
        ("Fri Mar 12 12:00", expected_texts.the_day_before("Sat Mar 13 12:00 PM")),
    ]


def test_a_rendered_reminder_is_not_sent_after_a_cancellation(time_machine: Clock) -> None:
    ana = booked_ana(time_machine)
    a_second_before = OLD[1] - timedelta(seconds=1)
    live(time_machine, a_second_before, a_second_before)
    assert [message.kind for message in ana.messages("queued")] == ["three_days"]
    ana.submits(ana.opens("cancel/"), "/cancel/")
    assert ana.messages("scheduled", "claimed") == []
    assert [message.kind for message in ana.messages("queued")] == ["cancelled"]
    live(time_machine, OLD[1], END, watching=OLD[1:])
    assert ana.texts[2:] == [("Wed Mar 10 10:30", expected_texts.cancelled(ana.link))]


def test_a_booking_moved_there_and_back_is_reminded_once(time_machine: Clock) -> None:
    set_to(time_machine, NOW)
    ana = Donor(email="ana@example.org")
    ana.books(builders.drive(), 6)
    moves(ana, 12)
    moves(ana, 6)
    live(time_machine, NOW, END, watching=[*OLD, *NEW])
    assert [text for _at, text in ana.texts[4:]] == [
        expected_texts.days_before("Sat Mar 13 10:30 AM"),
        expected_texts.the_day_before("Sat Mar 13 10:30 AM"),
    ]
    assert [(sent.sequence, sent.starts) for sent in invitations("ana@example.org")] == [
        (0, "Sat Mar 13 10:30"),
        (1, "Sat Mar 13 12:00"),
        (2, "Sat Mar 13 10:30"),
    ]


def test_a_cancelled_booking_gets_no_reminders_and_a_late_one_alerts_the_coordinator(
    time_machine: Clock,
) -> None:
    set_to(time_machine, NOW)
    owner = builders.organization()
    ben, ana = Coordinator(owner), Donor(email="ana@example.org")
    ana.books(builders.drive(owner), 6)
    live(time_machine, NOW, MARCH_11, watching=OLD)
    page = ana.submits(ana.opens("cancel/"), "/cancel/")
    assert "Your booking is cancelled" in page.html
    live(time_machine, MARCH_11, END, watching=[MARCH_11 + timedelta(minutes=16), *OLD])
    assert ana.texts[3:] == [("Thu Mar 11 10:00", expected_texts.cancelled(ana.link))]
    uid = f"{ana.booking.uuid}@testserver"
    assert invitations("ana@example.org") == [
        Invitation("REQUEST", uid, 0, "CONFIRMED", "Sat Mar 13 10:30"),
        Invitation("CANCEL", uid, 1, "CANCELLED", "Sat Mar 13 10:30"),
    ]
    assert [mail for mail in ben.mails if "Late cancellation" in mail[1]] == [
        ("Thu Mar 11 10:16", "Late cancellations on Saturday, March 13: 1")
    ]
    assert ana.messages("scheduled", "queued", "claimed") == []


def test_an_early_cancellation_alerts_no_coordinator(time_machine: Clock) -> None:
    set_to(time_machine, NOW)
    owner = builders.organization()
    ben, ana = Coordinator(owner), Donor()
    ana.books(builders.drive(owner), 6)
    set_to(time_machine, MARCH_4)
    ana.submits(ana.opens("cancel/"), "/cancel/")
    sweep()
    assert ana.texts[2:] == [("Thu Mar 4 10:00", expected_texts.cancelled(ana.link))]
    assert ben.mails == []


def test_a_cancellation_can_be_undone_while_the_spot_is_free(time_machine: Clock) -> None:
    set_to(time_machine, NOW)
    ana = Donor(email="ana@example.org")
    ana.books(builders.drive(), 6)
    set_to(time_machine, MARCH_11)
    page = ana.submits(ana.opens("cancel/"), "/cancel/")
    set_to(time_machine, MARCH_11 + timedelta(minutes=14))
    page = ana.submits(page, "/restore/")
    assert "You’re booked" in page.html
    live(time_machine, MARCH_11 + timedelta(minutes=14), END, watching=OLD)
    assert ana.texts[2:] == [
        ("Thu Mar 11 10:14", expected_texts.booked(ana.link)),
        ("Fri Mar 12 10:30", expected_texts.the_day_before("Sat Mar 13 10:30 AM")),
    ]
    assert [(sent.method, sent.sequence, sent.status) for sent in invitations("ana@example.org")] == [
        ("REQUEST", 0, "CONFIRMED"),
        ("REQUEST", 2, "CONFIRMED"),
    ]
    assert drift.count_drifted_slots() == 0


def test_a_cancellation_is_final_after_15_minutes_or_when_the_spot_is_taken(time_machine: Clock) -> None:
    set_to(time_machine, NOW)
    owner = builders.organization()
    drive = builders.drive(owner, builders.plain(builders.site(owner), spots=1))
    ana, bo = Donor(1), Donor(2, name="Test Bo Birch")
    ana.books(drive, 2)
    page = ana.submits(ana.opens("cancel/"), "/cancel/")
    bo.books(drive, 2)
    page = ana.submits(page, "/restore/")
    assert (page.status, ana.booking.state) == (409, BookingState.CANCELLED)
    assert "last spot" in page.html
    bo.submits(bo.opens("cancel/"), "/cancel/")
    set_to(time_machine, NOW + timedelta(minutes=15))
    assert [form.action for form in ana.opens().forms if "restore" in form.action] == []
    assert drift.count_drifted_slots() == 0


def test_an_unverified_hold_lapses_and_its_page_says_so(time_machine: Clock) -> None:
    set_to(time_machine, NOW)
    ana = Donor()
    page = ana.holds(builders.drive(), 6)
    sweep()
    code = ana.code
    set_to(time_machine, NOW + timedelta(minutes=15))
    page = ana.submits(page, "/verify/", code=code)
    assert "We’re no longer holding this time" in page.html
    sweep()
    assert ana.booking.state == BookingState.LAPSED
    assert len(ana.texts) == 1
    assert drift.count_drifted_slots() == 0
