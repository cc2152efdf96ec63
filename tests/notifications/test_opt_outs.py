"""Replies that may be opt-outs.

Texts to the donor pause until a coordinator decides or the deadline passes. Coordinators can undo an opt-out that we
inferred, but not a keyword such as STOP.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from notifications import contact_address, message_content, opt_outs, replies, rules
from notifications import queries as notifications_queries
from notifications.models import Message, OptOutBasis, Sender, Suppression
from organizations.models import Organization
from tests import builders
from tests.notifications import made
from tests.notifications.made import ANA, NOON

pytestmark = pytest.mark.django_db
POSSIBLE = "Please call me, don't text"
LA = "America/Los_Angeles"


def say(organization: Organization, text: str, now: datetime = NOON, sid: str = "SM1") -> None:
    number = organization.senders.get().number
    replies.receive_reply(sender_number=number, provider_id=sid, address=ANA, text=text, now=now)


def agreed() -> Organization:
    organization = builders.organization()
    builders.agreed(organization, ANA, "reminders", "news", now=NOON - timedelta(days=1))
    return organization


def sender_of(organization: Organization) -> Sender:
    return organization.senders.get()


@pytest.mark.parametrize("kind", ["moved", "day_before", "invitation", "booked", "late"])
def test_while_it_is_undecided_a_text_waits(kind: str) -> None:
    organization = agreed()
    say(organization, POSSIBLE)
    waiting = made.queued(organization, kind=kind)
    made.deliver()
    waiting.refresh_from_db()
    assert (waiting.state, waiting.reason) == ("queued", "opt_out_undecided")
    assert waiting.due_at == NOON + rules.PAUSE_CHECK


@pytest.mark.parametrize("kind", ["code", "answer", "waitlist_answer"])
def test_while_it_is_undecided_codes_and_answers_leave(kind: str) -> None:
    organization = agreed()
    say(organization, POSSIBLE)
    message = made.queued(organization, kind=kind)
    made.deliver()
    message.refresh_from_db()
    assert message.state == "delivered"


def test_control_an_innocent_text_pauses_nothing() -> None:
    organization = agreed()
    say(organization, "Don't text while driving")
    message = made.queued(organization)
    made.deliver()
    message.refresh_from_db()
    assert message.state == "delivered"


def test_other_numbers_and_e_mails_do_not_wait() -> None:
    organization = agreed()
    say(organization, POSSIBLE)
    made.queued(organization, address="+12135550143")
    made.queued(organization, channel="email", address="ana@example.org")
    made.deliver()
    assert not Message.objects.filter(state="queued").exists()


def test_texts_that_waited_leave_at_once_when_a_coordinator_says_it_was_no_opt_out() -> None:
    organization = agreed()
    say(organization, POSSIBLE)
    waiting = made.queued(organization)
    made.deliver()
    later = NOON + timedelta(minutes=1)
    assert opt_outs.resume_texts(
        sender=sender_of(organization), address=ANA, basis=OptOutBasis.UNDECIDED, actor="user:1", now=later
    )
    made.deliver(later)
    waiting.refresh_from_db()
    assert waiting.state == "delivered"
    assert notifications_queries.has_consent(organization, ANA, "reminders")


@pytest.mark.parametrize(("seconds", "stopped"), [(-1, False), (0, True)])
def test_an_undecided_reply_becomes_an_opt_out_after_two_business_days(seconds: int, stopped: bool) -> None:
    organization = agreed()
    say(organization, POSSIBLE)
    waiting = made.queued(organization, expires_at=NOON + timedelta(days=9))
    deadline = NOON + timedelta(days=2, seconds=seconds)
    assert opt_outs.settle_undecided(now=deadline) == stopped
    waiting.refresh_from_db()
    assert notifications_queries.is_suppressed(organization, ANA) is stopped
    assert (waiting.state == "withdrawn") is stopped
    assert notifications_queries.has_consent(organization, ANA, "reminders") is not stopped
    assert Message.objects.filter(kind="opt_out").count() == stopped
    assert opt_outs.settle_undecided(now=deadline) == 0


@pytest.mark.parametrize(
    ("asked", "deadline"),
    [((5, 10), (9, 10)), ((6, 10), (9, 10)), ((7, 23), (9, 23)), ((8, 0), (10, 0)), ((10, 17), (12, 17))],
)
def test_weekends_do_not_count(asked: tuple[int, int], deadline: tuple[int, int]) -> None:
    at, until = (datetime(2027, 3, day, hour, tzinfo=ZoneInfo(LA)) for day, hour in (asked, deadline))
    assert rules.compute_decision_deadline(at.astimezone(UTC), LA) == until


def test_a_sweep_settles_the_oldest_up_to_its_limit_and_the_next_one_continues() -> None:
    sender = sender_of(agreed())
    for number in (1, 2, 3):
        opt_outs.pause_texts(sender=sender, address=builders.phone(number), now=NOON - timedelta(minutes=number))
    late = NOON + timedelta(days=3)
    assert opt_outs.settle_undecided(now=late, limit=2) == 2
    assert Suppression.objects.get(basis="undecided").address == builders.phone(1)
    assert opt_outs.settle_undecided(now=late, limit=2) == 1


def test_a_coordinator_undoes_a_sentence_but_never_a_keyword() -> None:
    organization = agreed()
    for sid, text, undone in (("SM1", "Please stop texting me", True), ("SM2", "STOP", False)):
        say(organization, text, sid=sid)
        for basis in OptOutBasis:
            opt_outs.resume_texts(sender=sender_of(organization), address=ANA, basis=basis, actor="user:1", now=NOON)
        assert notifications_queries.is_suppressed(organization, ANA) is not undone
        assert notifications_queries.has_consent(organization, ANA, "reminders") is undone


def test_a_keyword_after_a_sentence_can_no_longer_be_undone_by_a_coordinator() -> None:
    organization = agreed()
    say(organization, "Please stop texting me", sid="SM1")
    say(organization, "STOP", sid="SM2")
    say(organization, "Please stop texting me", sid="SM3")
    assert Suppression.objects.get().basis == "keyword"


@pytest.mark.parametrize("text", ["STOP", "Please stop texting me", POSSIBLE])
def test_start_undoes_all_of_them(text: str) -> None:
    organization = agreed()
    say(organization, text, sid="SM1")
    say(organization, "START", sid="SM2")
    assert not Suppression.objects.exists()
    assert notifications_queries.has_consent(organization, ANA, "reminders")


def test_a_stop_kept_after_an_erasure_outweighs_a_possible_opt_out() -> None:
    organization = agreed()
    say(organization, "STOP", sid="SM1")
    Suppression.objects.update(address=contact_address.compute_identity(ANA))
    say(organization, POSSIBLE, sid="SM2")
    assert set(Suppression.objects.values_list("basis", flat=True)) == {"keyword", "undecided"}
    assert notifications_queries.is_suppressed(organization, ANA)


def test_yes_answers_a_question_while_an_opt_out_is_undecided() -> None:
    organization = agreed()
    say(organization, POSSIBLE, sid="SM1")
    say(organization, "Yes", sid="SM2")
    assert Suppression.objects.get().basis == "undecided"


def test_an_opt_out_is_confirmed_once_in_one_segment_after_all_texts_stopped() -> None:
    organization = agreed()
    Organization.objects.update(sms_name="W" * 20)
    for number in range(3):
        say(organization, "Please stop texting me", sid=f"SM{number}")
    made.deliver()
    (told,) = Message.objects.filter(kind="opt_out")
    assert told.state == "delivered"
    assert (message_content.is_gsm(told.text), message_content.count_segments(told.text)) == (True, 1)
    assert "Text START to undo" in told.text


def test_control_any_other_text_is_blocked_after_the_opt_out() -> None:
    organization = agreed()
    say(organization, "Please stop texting me")
    other = made.queued(organization, kind="waitlist_answer")
    made.deliver()
    other.refresh_from_db()
    assert (other.state, other.reason) == ("blocked", "opted_out")
