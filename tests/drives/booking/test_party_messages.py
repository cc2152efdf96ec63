"""Members of a party who share a phone get one text for all of them.

A member who cancels or moves before the text is sent is not in that text.
"""

from datetime import datetime, timedelta

import pytest

from drives.booking import changes
from drives.booking import messages as booking_messages
from drives.calendars import queries as calendars_queries
from drives.inbox import replies
from drives.messaging import reminders
from drives.models import Booking, CancelledBy
from drives.planning import lifecycle
from drives.web import members
from notifications import message_content
from notifications.models import InboundMessage, Message, Sender
from tests import builders
from tests.builders import NOW
from volunteers.models import Volunteer

pytestmark = pytest.mark.django_db
DAY_BEFORE = datetime(2027, 3, 12, 17, 0, tzinfo=NOW.tzinfo)  # nine o'clock at the site


def texts(kind: str, *states: str) -> list[Message]:
    found = Message.objects.filter(kind=kind, channel="sms").order_by("due_at", "pk")
    return list(found.filter(state__in=states) if states else found)


def family(spots: int = 2) -> list[Booking]:
    """Create a party of three. With only two spots at a time, the third member arrives 15 minutes later."""
    here = builders.organization()
    drive = builders.drive(here, builders.plain(builders.site(here), spots=spots, steps=4))
    people = [(name, "return") for name, _visit in builders.PARTY]
    return builders.booked_together(drive, people=people)


def cancel(booking: Booking, now: datetime = DAY_BEFORE) -> None:
    changes.cancel_bookings(booking_id=booking.pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=now)


def test_a_shared_reminder_covers_members_with_different_times() -> None:
    family()
    assert len(texts("day_before", "scheduled")) == 3
    reminders.render_due_reminders(now=DAY_BEFORE)
    [text] = texts("day_before", "queued")
    assert "Reminder: 3 spots " in text.text
    assert "from 9:00 AM" in text.text.replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert [row.reason for row in texts("day_before", "withdrawn")] == ["covered_by_shared_text"] * 2


def test_the_last_member_of_a_party_gets_a_single_reminder() -> None:
    party = family()
    for booking in party[:2]:
        cancel(booking, NOW)
    reminders.render_due_reminders(now=DAY_BEFORE + timedelta(minutes=20))
    [text] = texts("day_before", "queued")
    assert "tomorrow" in text.text


@pytest.mark.parametrize("who", [0, 1, 2])
def test_a_cancelled_member_is_left_out_of_the_shared_reminder(who: int) -> None:
    party = family()
    reminders.render_due_reminders(now=DAY_BEFORE)
    cancel(party[who])
    assert texts("day_before", "queued") == []
    reminders.render_due_reminders(now=DAY_BEFORE)
    [text] = texts("day_before", "queued")
    assert "Reminder: 2 spots " in text.text


def test_a_sent_shared_reminder_is_not_sent_again() -> None:
    party = family()
    reminders.render_due_reminders(now=DAY_BEFORE)
    Message.objects.filter(state="queued", kind="day_before").update(state="sent")
    cancel(party[0])
    reminders.render_due_reminders(now=DAY_BEFORE)
    assert texts("day_before", "queued", "scheduled") == []


def test_a_moved_member_gets_a_separate_reminder() -> None:
    party = family(spots=3)
    reminders.render_due_reminders(now=DAY_BEFORE - timedelta(hours=1))
    changes.move_bookings(
        booking_id=party[2].pk, slot_id=builders.slot(party[2].drive, 3).pk, actor="donor", now=NOW + timedelta(days=1)
    )
    reminders.render_due_reminders(now=DAY_BEFORE)
    assert sum("Reminder" in row.text for row in texts("day_before", "queued")) == 1


def test_two_parties_with_one_phone_are_reminded_separately() -> None:
    here = builders.organization()
    drive = builders.drive(here, builders.plain(builders.site(here), spots=6, steps=1))
    for number in (1, 2):
        builders.booked_together(drive, number=number, people=builders.PARTY)
    reminders.render_due_reminders(now=DAY_BEFORE)
    assert len(texts("day_before", "queued")) == 2


def test_a_cancelled_drive_sends_one_text_to_a_shared_phone() -> None:
    party = family()
    lifecycle.cancel_drive(drive_id=party[0].drive_id, reason="", actor="user:1", now=NOW)
    assert len(texts("drive_cancelled")) == 1


def replied(text: str) -> str:
    asked = texts("day_before", "queued")[0]
    Message.objects.filter(pk=asked.pk).update(
        state="delivered",
        sender=Sender.objects.get(),
        sending_at=DAY_BEFORE,
    )
    asked.refresh_from_db()
    InboundMessage.objects.create(
        provider_id=f"SM{text}", sender=asked.sender, address=asked.address, text=text, received_at=DAY_BEFORE
    )
    return next(iter(replies.handle_new_replies(now=DAY_BEFORE)))


def test_a_c_reply_confirms_everyone_in_the_text() -> None:
    family()
    reminders.render_due_reminders(now=DAY_BEFORE)
    assert replied("C") == "confirm"
    assert list(Booking.objects.values_list("state", flat=True)) == ["confirmed"] * 3


def test_an_x_reply_to_a_party_asks_which_booking() -> None:
    family()
    reminders.render_due_reminders(now=DAY_BEFORE)
    assert replied("X") == "asked"
    assert list(Booking.objects.values_list("state", flat=True)) == ["booked"] * 3
    (question,) = texts("reply_answer")
    choices = "X 1 = Test Sat Mar 13 9:00 AM, X 2 = Test 9:00 AM, X 3 = Test 9:15 AM, or X all"
    assert question.text == f"Hope Foundation: Which visit? Reply {choices}"


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(("people", "outcome"), [(4, "asked"), (5, "unclear")])
def test_the_question_to_a_large_party_fits_in_one_text_or_a_coordinator_answers(
    people: int, outcome: str, language: str
) -> None:
    here = builders.organization(sms_name="W" * 20)
    drive = builders.drive(here, builders.plain(builders.site(here), spots=6, steps=4), policy_id=builders.lax().pk)
    builders.booked_together(drive, people=[(f"Bartholomewus Test {n}", "return") for n in range(people)])
    Volunteer.objects.update(language=language)
    reminders.render_due_reminders(now=DAY_BEFORE)
    assert replied("X") == outcome
    assert members.count_open_conversations(here) == (outcome == "unclear")
    assert [message_content.count_segments(row.text) for row in texts("reply_answer")] == [1] * (outcome == "asked")


def test_a_shared_phone_gets_one_thank_you() -> None:
    party = family()
    booking_messages.queue_follow_ups(calendars_queries.load_message_bookings([row.pk for row in party]).values(), NOW)
    assert len(texts("thank_you")) == 1


@pytest.mark.parametrize(("apart", "said_to"), [(timedelta(hours=3, minutes=-1), 2), (timedelta(hours=3), 1)])
def test_reminders_within_three_hours_are_shared(apart: timedelta, said_to: int) -> None:
    party = builders.booked_together(builders.drive(), people=builders.PARTY[:2])
    first, second = texts("day_before", "scheduled")
    Message.objects.filter(pk=second.pk).update(due_at=first.due_at + apart)
    assert len(party) == 2
    reminders.render_due_reminders(now=DAY_BEFORE)
    [text] = texts("day_before", "queued")
    assert ("Reminder: 2 spots " in text.text) is (said_to == 2)
