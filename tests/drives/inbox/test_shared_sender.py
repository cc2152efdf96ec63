"""Two organizations send their texts from the same number."""

from datetime import timedelta

import pytest

from drives.models import Booking
from notifications import queries as notifications_queries
from notifications.models import Message, Sender
from organizations.models import Organization
from tests import builders
from tests.builders import NOW
from tests.drives.inbox.test_conversations import PHONE, asked_of, say, state_of
from tests.notifications import made

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def two_organizations() -> tuple[Organization, Organization]:
    hope, cleo = builders.organization(), builders.organization("Cleo Foundation", sms_name="Cleo Foundation")
    Sender.objects.filter(organizations=cleo).delete()
    hope.senders.get().organizations.add(cleo)
    return hope, cleo


def ask(owner: Organization, *, day: int, at_minute: int) -> Booking:
    drive = builders.drive(owner, day=builders.DRIVE_DAY + timedelta(days=day), policy_id=builders.lax().pk)
    booking = builders.booked(drive)
    at = NOW + at_minute * MINUTE
    fields = {"address": PHONE, "about": booking.about, "revision": 0, "kind": "day_before"}
    asked_of(owner, at, **fields, expires_at=booking.starts_at)
    return booking


def send(text: str, minute: int) -> str:
    handled_as = say(text, NOW + minute * MINUTE).handled_as
    made.deliver(NOW + minute * MINUTE)
    return handled_as


def test_stop_covers_both_organizations_and_start_undoes_it_for_both() -> None:
    both = two_organizations()
    for position, owner in enumerate(both):
        ask(owner, day=2 * position, at_minute=position)
    send("STOP", 10)
    assert [notifications_queries.is_suppressed(owner, PHONE) for owner in both] == [True, True]
    send("START", 11)
    assert [notifications_queries.is_suppressed(owner, PHONE) for owner in both] == [False, False]


def test_control_stop_to_its_own_sender_leaves_the_other_organization_alone() -> None:
    hope, cleo = builders.organization(), builders.organization("Cleo Foundation")
    ask(hope, day=0, at_minute=0)
    ask(cleo, day=2, at_minute=1)
    say("STOP", NOW + 10 * MINUTE, sender=hope.senders.get())
    assert [notifications_queries.is_suppressed(owner, PHONE) for owner in (hope, cleo)] == [True, False]


@pytest.mark.parametrize("letter", ["C", "X"])
def test_c_or_x_with_questions_of_two_organizations_acts_on_neither_and_each_names_its_own_visits(letter: str) -> None:
    hope, cleo = two_organizations()
    rows = [ask(hope, day=0, at_minute=0), ask(cleo, day=2, at_minute=1)]
    assert send(letter, 10) == "asked"
    assert [state_of(row) for row in rows] == ["booked", "booked"]
    texts = {text.organization_id: text.text for text in Message.objects.filter(kind="reply_answer")}
    assert set(texts) == {hope.pk, cleo.pk}
    assert "Sat Mar 13" in texts[hope.pk]
    assert "Mon Mar 15" not in texts[hope.pk]
    assert "Mon Mar 15" in texts[cleo.pk]
    assert "Sat Mar 13" not in texts[cleo.pk]
    send(f"{letter} 2", 11)
    assert [state_of(row) for row in rows] == ["booked", {"C": "confirmed", "X": "cancelled"}[letter]]


def test_control_the_only_open_question_of_the_sender_is_answered_at_once() -> None:
    hope, cleo = two_organizations()
    first, second = ask(hope, day=0, at_minute=0), ask(cleo, day=2, at_minute=1)
    Message.objects.filter(about=second.about).update(expires_at=NOW + 5 * MINUTE)
    assert send("X", 10) == "cancel"
    assert [state_of(first), state_of(second)] == ["cancelled", "booked"]
