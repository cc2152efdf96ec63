from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import override_settings

from notifications import claim, consents, delivery, outbox, senders, stuck_messages
from notifications import queries as notifications_queries
from notifications.kinds import Withdrawal
from notifications.models import Heartbeat, InboxItem, Message, Sender
from notifications.providers.base import OutgoingMessage, Receipt
from notifications.providers.inbox import InboxProvider
from tests import builders
from tests.notifications import made
from tests.notifications.made import ANA, NOON
from tests.standins.twilio import TwilioStandIn

pytestmark = pytest.mark.django_db


@pytest.fixture
def twilio() -> Iterator[TwilioStandIn]:
    with TwilioStandIn() as standin, override_settings(SMS_PROVIDER="twilio", TWILIO_API_URL=standin.url):
        yield standin


def what_became(message: Message) -> tuple[str, str]:
    message.refresh_from_db()
    return message.state, message.reason


def test_a_due_message_leaves_once() -> None:
    message = made.queued(builders.organization())
    assert made.deliver() == {"delivered": 1}
    assert made.deliver() == {}
    assert [(item.to, item.text) for item in InboxItem.objects.all()] == [(ANA, "See you tomorrow")]
    assert what_became(message) == ("delivered", "")
    assert (message.attempts, message.sent_at, message.settled_at) == (1, NOON, NOON)


def test_a_message_that_is_not_due_stays_queued() -> None:
    message = made.queued(builders.organization(), due_at=NOON + timedelta(minutes=1))
    assert made.deliver() == {}
    assert what_became(message) == ("queued", "")


def test_a_run_leaves_a_sign_of_life() -> None:
    made.deliver()
    assert Heartbeat.objects.get().seen_at == NOON


def test_the_lag_is_that_of_the_oldest_due_message() -> None:
    organization = builders.organization()
    made.queued(organization, due_at=NOON - timedelta(minutes=3))
    made.queued(organization, due_at=NOON + timedelta(minutes=3))
    assert compute_lag() == timedelta(minutes=3)
    made.deliver()
    assert compute_lag() == timedelta()


def compute_lag() -> timedelta:
    return stuck_messages.compute_outbox_lag(stuck_messages.list_overdue_messages(NOON), NOON)


def test_the_newest_ledger_entry_decides_what_is_sent() -> None:
    organization = builders.organization()
    before = made.queued(organization, purpose="reminders")
    made.deliver()
    builders.agreed(organization, ANA, now=NOON)
    after = made.queued(organization, purpose="reminders")
    made.deliver()
    assert [what_became(before), what_became(after)] == [("blocked", "no_consent"), ("delivered", "")]


def test_consent_given_to_another_organization_counts_for_nothing() -> None:
    builders.agreed(builders.organization(), ANA, now=NOON)
    message = made.queued(builders.organization(), purpose="reminders")
    made.deliver()
    assert what_became(message) == ("blocked", "no_consent")


def test_taking_consent_back_withdraws_what_waits_for_it() -> None:
    organization = builders.organization()
    builders.agreed(organization, ANA, now=NOON)
    reminder, code = made.queued(organization, purpose="reminders"), made.queued(organization)
    builders.agreed(organization, ANA, given=False, now=NOON)
    made.deliver()
    assert what_became(reminder) == ("withdrawn", "consent_withdrawn")
    assert what_became(code) == ("delivered", "")


def test_a_stop_blocks_a_message_that_is_already_claimed() -> None:
    organization = builders.organization()
    message = made.queued(organization)
    claimed = claim.claim_messages(channel="sms", limit=10, now=NOON)
    sender = notifications_queries.find_sender(organization)
    assert sender is not None
    consents.suppress_address(sender=sender, address=ANA, now=NOON)
    assert claim.admit_messages(claimed=claimed, now=NOON) == []
    assert what_became(message) == ("withdrawn", "opted_out")


def test_after_a_stop_not_even_a_code_leaves_by_text() -> None:
    organization = builders.organization()
    sender = notifications_queries.find_sender(organization)
    assert sender is not None
    consents.suppress_address(sender=sender, address=ANA, now=NOON)
    text = made.queued(organization)
    mail = made.queued(organization, channel="email", address="ana@example.org")
    made.deliver()
    assert [what_became(text), what_became(mail)] == [("blocked", "opted_out"), ("delivered", "")]


def test_a_message_withdrawn_while_claimed_is_not_sent() -> None:
    message = made.queued(builders.organization())
    claimed = claim.claim_messages(channel="sms", limit=10, now=NOON)
    outbox.withdraw_messages(abouts=["booking:1"], cause=Withdrawal.CANCELLATION, now=NOON)
    assert claim.admit_messages(claimed=claimed, now=NOON) == []
    assert what_became(message) == ("withdrawn", "withdrawn")


def test_an_expired_message_is_not_sent() -> None:
    message = made.queued(builders.organization())
    made.deliver(NOON + timedelta(days=1))
    assert what_became(message) == ("expired", "expired")


def test_in_quiet_hours_it_waits_for_the_morning_in_the_recipients_zone() -> None:
    message = made.queued(builders.organization(), keeps_quiet_hours=True)
    night = NOON + timedelta(hours=10)  # 22:00 in Los Angeles
    made.deliver(night)
    assert what_became(message) == ("queued", "quiet_hours")
    assert message.due_at == NOON + timedelta(hours=21)
    assert message.attempts == 0


def test_a_message_that_expires_in_quiet_hours_is_not_sent() -> None:
    message = made.queued(builders.organization(), keeps_quiet_hours=True, expires_at=NOON + timedelta(hours=21))
    made.deliver(NOON + timedelta(hours=10))
    assert what_became(message) == ("expired", "quiet_hours")


def test_the_hours_are_the_organizations_own() -> None:
    organization = builders.organization(quiet_until_hour=13)
    message = made.queued(organization, keeps_quiet_hours=True)
    made.deliver()
    assert what_became(message) == ("queued", "quiet_hours")
    assert message.due_at == NOON + timedelta(hours=1)


def test_codes_do_not_keep_quiet_hours() -> None:
    message = made.queued(builders.organization())
    made.deliver(NOON + timedelta(hours=10))
    assert what_became(message) == ("delivered", "")


def test_an_organization_without_a_sender_uses_the_installations() -> None:
    organization = builders.organization()
    organization.senders.all().delete()
    message = made.queued(organization)
    made.deliver()
    assert what_became(message) == ("delivered", "")
    assert message.sender == Sender.objects.get(is_default=True)


def test_a_running_sender_of_the_organization_comes_before_a_stopped_one() -> None:
    organization = builders.organization()
    first = organization.senders.get()
    second = Sender.objects.create(name="Second", number="+12135550188")
    second.organizations.add(organization)
    assert notifications_queries.find_sender(organization) == first
    Sender.objects.filter(pk=first.pk).update(stopped_at=NOON)
    assert notifications_queries.find_sender(organization) == second
    Sender.objects.filter(pk=second.pk).update(stopped_at=NOON)
    assert notifications_queries.find_sender(organization) == first


@override_settings(SMS_PROVIDER="twilio", TWILIO_FROM="")
def test_without_any_sender_it_is_blocked() -> None:
    organization = builders.organization()
    organization.senders.all().delete()
    message = made.queued(organization)
    made.deliver()
    assert what_became(message) == ("blocked", "no_sender")


def test_another_number_in_the_settings_becomes_the_default() -> None:
    first = senders.ensure_default_sender()
    with override_settings(TWILIO_FROM="+12025550177"):
        second = senders.ensure_default_sender()
    assert first
    assert second
    assert first.number == "+12025550100"
    assert Sender.objects.get(is_default=True) == second


def test_account_mail_leaves_without_an_organization() -> None:
    outbox.queue_messages(
        organization=None, messages=[made.message(channel="email", address="ben@example.org")], now=NOON
    )
    assert made.deliver() == {"delivered": 1}


def test_organizations_share_a_batch() -> None:
    big, small = builders.organization(), builders.organization()
    made.many(big, 30)
    reminder = made.queued(small, address="+12135550199", due_at=NOON - timedelta(seconds=1))
    claimed = claim.claim_messages(channel="sms", limit=10, now=NOON)
    assert reminder.pk in {one.id for one in claimed}
    assert len(claimed) == 6


def test_a_claimed_message_without_a_call_returns_to_the_queue() -> None:
    message = made.queued(builders.organization())
    claim.release_messages(claimed=claim.claim_messages(channel="sms", limit=10, now=NOON))
    assert what_became(message) == ("queued", "")
    assert made.deliver() == {"delivered": 1}


def test_a_run_without_time_sends_nothing_and_holds_nothing() -> None:
    message = made.queued(builders.organization())
    made.deliver(seconds=0)
    assert what_became(message) == ("queued", "")


def test_a_hundred_texts_are_each_taken_once(twilio: TwilioStandIn) -> None:
    messages = made.many(builders.organization(), 100)
    assert made.deliver() == {"accepted": 100}
    assert sorted(kept.fields["To"] for kept in twilio.accepted) == sorted(message.address for message in messages)
    ids = set(Message.objects.values_list("provider_id", flat=True))
    assert ids == {kept.sid for kept in twilio.accepted}


def test_a_message_that_was_certainly_not_sent_is_retried_after_a_pause(twilio: TwilioStandIn) -> None:
    twilio.plan(["429"])
    message = made.queued(builders.organization())
    assert made.deliver() == {"queued": 1}
    assert what_became(message) == ("queued", "too_many_requests")
    assert message.due_at >= NOON + timedelta(seconds=30)  # as the provider asked
    assert made.deliver(message.due_at) == {"accepted": 1}
    assert len(twilio.accepted) == 1


@pytest.mark.parametrize("fault", ["500", "503", "reset", "accepted-500", "accepted-reset", "accepted-not-json"])
def test_an_unclear_answer_is_in_doubt_and_not_sent_again(twilio: TwilioStandIn, fault: str) -> None:
    twilio.plan([fault])
    message = made.queued(builders.organization())
    assert made.deliver() == {"in_doubt": 1}
    assert made.deliver() == {}
    assert what_became(message)[0] == "in_doubt"
    assert twilio.calls == 1


def test_a_provider_that_is_not_there_is_tried_again() -> None:
    message = made.queued(builders.organization())
    with override_settings(SMS_PROVIDER="twilio", TWILIO_API_URL="http://127.0.0.1:9"):
        made.deliver()
    assert what_became(message) == ("queued", "unreachable")


def test_after_the_last_retry_the_message_fails(twilio: TwilioStandIn) -> None:
    message = made.queued(builders.organization(), expires_at=NOON + timedelta(days=9))
    Message.objects.update(attempts=9)
    twilio.plan(["429"])
    made.deliver()
    assert what_became(message) == ("failed", "gave_up")


def test_a_message_expires_if_its_next_try_would_be_too_late(twilio: TwilioStandIn) -> None:
    message = made.queued(builders.organization(), expires_at=NOON + timedelta(seconds=20))
    twilio.plan(["429"])
    made.deliver()
    assert what_became(message) == ("expired", "too_many_requests")


def test_a_wrong_number_fails_for_good(twilio: TwilioStandIn) -> None:
    twilio.refuse(ANA, 21211)
    message = made.queued(builders.organization())
    assert made.deliver() == {"failed": 1}
    assert what_became(message) == ("failed", "number_invalid")
    assert message.error_code == "21211"


def test_an_opt_out_that_only_the_provider_knew_stops_the_rest(twilio: TwilioStandIn) -> None:
    twilio.refuse(ANA, 21610)
    organization = builders.organization()
    message = made.queued(organization)
    later = made.queued(organization, due_at=NOON + timedelta(hours=1))
    made.deliver()
    assert [what_became(message), what_became(later)] == [("blocked", "opted_out"), ("withdrawn", "opted_out")]


@pytest.mark.expects_errors
def test_a_refused_sender_is_stopped_until_it_is_resumed(twilio: TwilioStandIn) -> None:
    twilio.refuse(ANA, 20003, status=401)
    organization = builders.organization()
    first = made.queued(organization)
    made.deliver()
    other = made.queued(organization, address="+12135550143")
    made.deliver()
    assert [what_became(first), what_became(other)] == [("blocked", "sender_stopped")] * 2
    sender = notifications_queries.find_sender(organization)
    assert sender is not None
    assert senders.resume_sender(sender=sender, now=NOON) == 2
    assert made.deliver() == {"accepted": 1, "blocked": 1}


@pytest.mark.expects_errors
def test_a_resumed_sender_sends_only_the_newest_time(twilio: TwilioStandIn) -> None:
    twilio.refuse(ANA, 20003, status=401)
    organization = builders.organization()
    for revision in (1, 2):
        made.queued(organization, kind="moved", about="booking:1", key=f"moved/{revision}", revision=revision)
        made.deliver()
    sender = notifications_queries.find_sender(organization)
    assert sender is not None
    assert senders.resume_sender(sender=sender, now=NOON) == 1
    assert list(Message.objects.filter(state="queued").values_list("revision", flat=True)) == [2]


def test_a_number_abroad_does_not_silence_the_organization(twilio: TwilioStandIn) -> None:
    twilio.refuse("+442079460958", 21408)
    organization = builders.organization()
    abroad = made.queued(organization, address="+442079460958")
    made.deliver()
    at_home = made.queued(organization)
    made.deliver()
    assert [what_became(abroad), what_became(at_home)] == [("blocked", "region_not_enabled"), ("accepted", "")]


class Broken(InboxProvider):
    def send(self, letter: OutgoingMessage) -> Receipt:
        raise ZeroDivisionError(letter.address)


@pytest.mark.expects_errors
def test_an_unexpected_error_leaves_the_message_in_doubt_and_logs_no_number(caplog: pytest.LogCaptureFixture) -> None:
    made.queued(builders.organization())
    [claimed] = claim.claim_messages(channel="sms", limit=1, now=NOON)
    outcome = delivery.call_provider(Broken(), claimed, claimed.build_outgoing_message(NOON))
    assert outcome.error
    assert outcome.error.kind == "in_doubt"
    assert [record.getMessage() for record in caplog.records] == [
        f"message {claimed.id}: the provider failed with ZeroDivisionError"
    ]
