from datetime import timedelta

import pytest

from notifications import queries as notifications_queries
from notifications import replies, senders
from notifications.models import ConsentEntry, InboundMessage, Message, Purpose, Sender, Suppression
from organizations.models import Organization
from tests import builders
from tests.notifications import made
from tests.notifications.made import ANA, NOON

pytestmark = pytest.mark.django_db


def agree(organization: Organization) -> None:
    builders.agreed(organization, ANA, *Purpose.values, now=NOON)


def only_sender(organization: Organization) -> Sender:
    return organization.senders.get()


def say(organization: Organization, text: str, provider_id: str = "SM1") -> InboundMessage:
    number = only_sender(organization).number
    return replies.receive_reply(sender_number=number, provider_id=provider_id, address=ANA, text=text, now=NOON)


def states() -> list[str]:
    return list(Message.objects.exclude(kind="opt_out").order_by("pk").values_list("state", flat=True))


def test_stop_withdraws_everything_and_takes_consent_back() -> None:
    organization = builders.organization()
    agree(organization)
    for purpose in ("reminders", "news", ""):
        made.queued(organization, purpose=purpose)
    made.queued(organization, address="+12135550143")
    made.queued(organization, channel="email", address="ana@example.org")
    reply = say(organization, "STOP")
    assert (reply.handled_as, reply.handled_at) == ("stop", NOON)
    assert states() == ["withdrawn", "withdrawn", "withdrawn", "queued", "queued"]
    assert notifications_queries.is_suppressed(organization, ANA) is True
    assert notifications_queries.load_consents(organization, [ANA]) == {
        (ANA, "reminders"): False,
        (ANA, "news"): False,
    }


def test_stop_covers_every_organization_on_the_sender_and_no_other() -> None:
    shared, other, stranger = builders.organization(), builders.organization(), builders.organization()
    only_sender(shared).organizations.add(other)
    other.senders.exclude(pk=only_sender(shared).pk).delete()
    for organization in (shared, other, stranger):
        agree(organization)
        made.queued(organization)
    say(shared, "stop")
    assert states() == ["withdrawn", "withdrawn", "queued"]
    assert [notifications_queries.has_consent(one, ANA, "reminders") for one in (shared, other, stranger)] == [
        False,
        False,
        True,
    ]


def test_stop_to_the_default_sender_covers_organizations_without_their_own() -> None:
    organization, lucky = builders.organization(), builders.organization()
    organization.senders.all().delete()
    default = senders.ensure_default_sender()
    assert default
    for one in (organization, lucky):
        agree(one)
        made.queued(one)
    replies.receive_reply(sender_number=default.number, provider_id="SM1", address=ANA, text="STOP", now=NOON)
    assert states() == ["withdrawn", "queued"]
    assert [notifications_queries.has_consent(one, ANA, "reminders") for one in (organization, lucky)] == [False, True]
    assert [notifications_queries.is_suppressed(one, ANA) for one in (organization, lucky)] == [True, False]


def test_start_brings_back_what_stop_took_and_nothing_else() -> None:
    organization = builders.organization()
    agree(organization)
    builders.agreed(organization, ANA, "news", given=False, now=NOON)
    say(organization, "STOP", "SM1")
    assert say(organization, "START", "SM2").handled_as == "start"
    assert notifications_queries.is_suppressed(organization, ANA) is False
    assert notifications_queries.load_consents(organization, [ANA]) == {(ANA, "reminders"): True, (ANA, "news"): False}


@pytest.mark.parametrize("text", ["STOP", "Yes"])
def test_the_same_text_twice_has_one_effect(text: str) -> None:
    organization = builders.organization()
    agree(organization)
    for _ in range(20):
        say(organization, text)
    lines = ConsentEntry.objects.count()
    say(organization, text)
    assert (InboundMessage.objects.count(), ConsentEntry.objects.count()) == (1, lines)


def test_yes_opts_in_again_only_after_an_opt_out() -> None:
    organization = builders.organization()
    assert say(organization, "yes", "SM1").handled_at is None
    say(organization, "STOP", "SM2")
    assert say(organization, "yes", "SM3").handled_as == "start"
    assert Suppression.objects.count() == 0


def test_cancel_is_an_opt_out_that_a_coordinator_should_see() -> None:
    organization = builders.organization()
    assert say(organization, "CANCEL").handled_as == "stop_or_cancel"
    assert notifications_queries.is_suppressed(organization, ANA) is True


@pytest.mark.parametrize(
    ("text", "handled_as", "stopped"),
    [("No more texts. And where is it?", "stop_in_words", True), ("Ayuda", "help_unanswered", False)],
)
def test_a_reply_without_an_automatic_answer_waits_for_a_coordinator(text: str, handled_as: str, stopped: bool) -> None:
    organization = builders.organization()
    made.queued(organization)
    reply = say(organization, text)
    assert (reply.handled_as, notifications_queries.list_unhandled_replies(10)) == (handled_as, [reply])
    assert notifications_queries.is_suppressed(organization, ANA) is stopped
    assert states() == ["withdrawn" if stopped else "queued"]


def test_help_is_left_to_the_provider_and_letters_to_others() -> None:
    organization = builders.organization()
    assert say(organization, "help", "SM1").handled_as == "help"
    letter = say(organization, "C", "SM2")
    assert notifications_queries.list_unhandled_replies(10) == [letter]
    assert replies.mark_reply_handled(reply_id=letter.pk, handled_as="confirm", now=NOON) is True
    assert replies.mark_reply_handled(reply_id=letter.pk, handled_as="cancel", now=NOON) is False
    assert notifications_queries.list_unhandled_replies(10) == []


def test_c_or_x_answers_the_newest_question_of_that_sender() -> None:
    organization, stranger = builders.organization(), builders.organization()
    made.queued(organization, kind="three_days", due_at=NOON - timedelta(hours=3))
    made.deliver(NOON - timedelta(hours=3))
    question = made.queued(organization, kind="day_before", due_at=NOON - timedelta(hours=2))
    made.deliver(NOON - timedelta(hours=2))
    made.queued(organization, kind="booked", due_at=NOON - timedelta(hours=1))
    made.queued(stranger, kind="day_before", due_at=NOON - timedelta(hours=1))
    made.deliver(NOON - timedelta(hours=1))
    letter = say(organization, "C")
    assert notifications_queries.find_prompt(letter, NOON) == question
    assert notifications_queries.find_prompt(letter, NOON + timedelta(days=1)) is None


def test_a_text_with_a_nul_is_kept_without_it() -> None:
    assert say(builders.organization(), "C\x00").text == "C"
