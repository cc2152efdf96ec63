"""STOP ends all texts at once. START allows them again."""

from datetime import timedelta

import pytest

from notifications.models import Message
from tests import builders
from tests.builders import NOW
from tests.journeys import expected_texts
from tests.journeys.actors import Clock, Donor, booked_ana, live, local, set_to, sweep

pytestmark = pytest.mark.django_db

THREE_DAYS, DAY = local("2027-03-10 10:30"), local("2027-03-12 10:30")
VISIT = local("2027-03-13 10:30")
SHORTLY_BEFORE = THREE_DAYS - timedelta(minutes=5)


def states(ana: Donor) -> list[tuple[str, str, str]]:
    """Return the kind, state and reason of each reminder by text."""
    rows = Message.objects.filter(about=ana.booking.about, channel="sms", kind__in=["three_days", "day_before"])
    return [(row.kind, row.state, row.reason) for row in rows.order_by("due_at")]


def test_stop_blocks_what_is_queued_at_once_and_nothing_leaves_any_more(time_machine: Clock) -> None:
    set_to(time_machine, NOW)
    ana = Donor(email="ana@example.org")
    drive = builders.drive()
    ana.books(drive, 6)
    live(time_machine, SHORTLY_BEFORE, SHORTLY_BEFORE)
    assert states(ana) == [("three_days", "queued", ""), ("day_before", "scheduled", "")]
    ana.texts_back("Stop")
    assert states(ana) == [("three_days", "withdrawn", "opted_out"), ("day_before", "scheduled", "")]
    ana.submits(ana.opens("move/"), "/move/", slot=str(builders.slot(drive, 12).pk))
    new_day = local("2027-03-12 12:00")
    live(time_machine, SHORTLY_BEFORE, VISIT, watching=[THREE_DAYS, DAY, new_day])
    assert len(ana.texts) == 2
    assert ana.mails[-2:] == [
        ("Wed Mar 10 10:25", "New time: Saturday, March 13, 12:00 PM"),
        ("Fri Mar 12 12:00", "Reminder: Saturday, March 13, 12:00 PM"),
    ]
    assert ana.messages("scheduled", "queued", "claimed") == []


def test_stop_counts_for_every_organization_of_the_same_sender(time_machine: Clock) -> None:
    set_to(time_machine, NOW)
    first, second = builders.organization(), builders.organization(sms_name="Faith Foundation")
    shared = first.senders.get()
    second.senders.set([shared])
    ana, same = Donor(), Donor()
    ana.books(builders.drive(first), 6)
    same.books(builders.drive(second, policy_id=builders.lax().pk), 12)
    ana.texts_back("please stop texting me", shared)
    live(time_machine, NOW, VISIT, watching=[THREE_DAYS, DAY, local("2027-03-10 12:00"), local("2027-03-12 12:00")])
    assert len(ana.texts) == 5  # two codes, two confirmations, and the answer to the opt-out


def test_stop_at_one_sender_leaves_another_alone(time_machine: Clock) -> None:
    set_to(time_machine, NOW)
    first, second = builders.organization(), builders.organization(sms_name="Faith Foundation")
    ana, same = Donor(), Donor()
    ana.books(builders.drive(first), 6)
    same.books(builders.drive(second, policy_id=builders.lax().pk), 6)
    ana.texts_back("STOP", first.senders.get())
    live(time_machine, NOW, VISIT, watching=[THREE_DAYS, DAY])
    assert [text.split(":")[0] for _at, text in ana.texts[4:]] == ["Faith Foundation", "Faith Foundation"]


def test_start_opens_the_way_again(time_machine: Clock) -> None:
    set_to(time_machine, NOW)
    ana = Donor()
    drive = builders.drive()
    ana.books(drive, 6)
    ana.texts_back("STOP")
    ana.texts_back("START")
    ana.submits(ana.opens("move/"), "/move/", slot=str(builders.slot(drive, 12).pk))
    new = [local("2027-03-10 12:00"), local("2027-03-12 12:00")]
    live(time_machine, NOW, local("2027-03-13 12:00"), watching=[THREE_DAYS, DAY, *new])
    assert ana.texts[2:] == [
        ("Mon Mar 1 10:00", expected_texts.moved(ana.link)),
        ("Wed Mar 10 12:00", expected_texts.days_before("Sat Mar 13 12:00 PM")),
        ("Fri Mar 12 12:00", expected_texts.the_day_before("Sat Mar 13 12:00 PM")),
    ]


def test_cancel_as_a_word_is_an_opt_out_and_leaves_the_booking(time_machine: Clock) -> None:
    ana = booked_ana(time_machine)
    live(time_machine, THREE_DAYS, THREE_DAYS)
    ana.texts_back("CANCEL")
    live(time_machine, THREE_DAYS, VISIT, watching=[DAY])
    assert ana.booking.state == "booked"
    assert len(ana.texts) == 3


def test_without_consent_no_reminder_leaves_by_text(time_machine: Clock) -> None:
    set_to(time_machine, NOW)
    ana = Donor(consents=False)
    ana.books(builders.drive(), 6)
    live(time_machine, NOW, VISIT, watching=[THREE_DAYS, DAY])
    # The code and the confirmation are sent, but no reminder.
    assert [text.split()[1:3] for _at, text in ana.texts] == [["is", "your"], ["Foundation:", "You're"]]
    sweep()
    assert states(ana) == [("three_days", "blocked", "no_consent"), ("day_before", "blocked", "no_consent")]
