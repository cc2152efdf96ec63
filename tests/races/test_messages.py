"""Workers compete for messages, or an action withdraws a message while a worker sends it."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings

from notifications import claim as notifications_claim
from notifications import outbox, senders
from notifications.kinds import Withdrawal
from notifications.models import Message
from tests import builders, seeds
from tests.notifications import made
from tests.notifications.made import NOON
from tests.races.arena import count_lost, count_lost_in_turn, run_concurrently
from tests.standins.twilio import TwilioStandIn

pytestmark = pytest.mark.django_db(transaction=True)
ALMOST_ALWAYS = 9


@pytest.fixture
def twilio() -> Iterator[TwilioStandIn]:
    with TwilioStandIn() as standin, override_settings(SMS_PROVIDER="twilio", TWILIO_API_URL=standin.url):
        yield standin


def slow_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pause after a worker has claimed due messages, and before it commits."""
    claim, pause = notifications_claim.claim_messages, seeds.pausing("claim.claim_messages")

    def slowly(**asked: Any) -> Any:
        with transaction.atomic():
            taken = claim(**asked)
            pause()
        return taken

    seeds.replace(monkeypatch, notifications_claim, "claim_messages", slowly)


def claim_without_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seed a bug: read messages without a lock, and claim them without checking again that they are queued."""
    unlocked = notifications_claim.CLAIM.replace("FOR NO KEY UPDATE SKIP LOCKED", "").replace(
        "AND message.state = 'queued'\n    RETURNING", "\n    RETURNING"
    )
    assert "SKIP LOCKED" not in unlocked
    assert unlocked.count("'queued'") == notifications_claim.CLAIM.count("'queued'") - 1
    monkeypatch.setattr(notifications_claim, "CLAIM", unlocked)


def send_without_condition(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seed a bug: send messages without checking that this worker still has the claim."""
    open_gate = notifications_claim.ADMIT.replace(
        "AND message.attempt_token = ours.token AND message.state || '' = 'claimed'", ""
    )
    assert open_gate != notifications_claim.ADMIT
    monkeypatch.setattr(notifications_claim, "ADMIT", open_gate)


def pause_before_send(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, pause = notifications_claim.admit_messages, seeds.pausing("claim.admit_messages")

    def slowly(**asked: Any) -> Any:
        if asked["claimed"]:
            pause()
        return gate(**asked)

    seeds.replace(monkeypatch, notifications_claim, "admit_messages", slowly)


def two_workers_one_message(twilio: TwilioStandIn) -> Callable[[], bool]:
    organization = builders.organization()
    senders.ensure_default_sender()

    def race() -> bool:
        made.queued(organization)
        before = len(twilio.accepted)
        assert run_concurrently(made.deliver, made.deliver) == ["ok", "ok"]
        return len(twilio.accepted) - before == 1

    return race


def test_two_workers_send_one_message_once(twilio: TwilioStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    slow_claim(monkeypatch)
    assert count_lost(two_workers_one_message(twilio)) == 0


def test_control_without_lock_and_condition_it_is_sent_twice(
    twilio: TwilioStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow_claim(monkeypatch)
    claim_without_lock(monkeypatch)
    send_without_condition(monkeypatch)
    assert count_lost_in_turn(two_workers_one_message(twilio)) >= ALMOST_ALWAYS


def two_claims() -> Callable[[], bool]:
    organization = builders.organization()

    def race() -> bool:
        Message.objects.all().delete()
        made.many(organization, 10)
        taken: list[int] = []

        def take() -> None:
            taken.extend(one.id for one in notifications_claim.claim_messages(channel="sms", limit=10, now=NOON))

        run_concurrently(take, take)
        return len(taken) == len(set(taken)) == 10

    return race


def test_a_message_is_claimed_by_one_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    slow_claim(monkeypatch)
    assert count_lost(two_claims()) == 0


def test_control_without_the_lock_a_message_is_claimed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    slow_claim(monkeypatch)
    claim_without_lock(monkeypatch)
    assert count_lost_in_turn(two_claims()) >= ALMOST_ALWAYS


def withdrawal_against_delivery(twilio: TwilioStandIn) -> Callable[[], bool]:
    organization = builders.organization()
    senders.ensure_default_sender()

    def race() -> bool:
        message = made.queued(organization)
        before, withdrawn = len(twilio.accepted), []

        def withdraw() -> None:
            withdrawn.append(outbox.withdraw_messages(abouts=[message.about], cause=Withdrawal.CANCELLATION, now=NOON))

        run_concurrently(made.deliver, withdraw)
        sent = len(twilio.accepted) - before
        return withdrawn == [1 - sent]

    return race


def test_a_withdrawn_message_is_not_sent(twilio: TwilioStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    pause_before_send(monkeypatch)
    assert count_lost(withdrawal_against_delivery(twilio)) == 0


def test_control_without_the_last_check_a_withdrawn_message_is_sent(
    twilio: TwilioStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause_before_send(monkeypatch)
    send_without_condition(monkeypatch)
    assert count_lost_in_turn(withdrawal_against_delivery(twilio)) >= ALMOST_ALWAYS


def test_many_workers_send_every_message_once(twilio: TwilioStandIn) -> None:
    for organization in (builders.organization(), builders.organization()):
        made.many(organization, 200)
    assert run_concurrently(*[made.deliver] * 6) == ["ok"] * 6
    assert len(twilio.accepted) == 400
    assert len({kept.fields["StatusCallback"] for kept in twilio.accepted}) == 400
    assert set(Message.objects.values_list("state", "attempts")) == {("accepted", 1)}


def test_workers_and_donors_do_not_deadlock(twilio: TwilioStandIn) -> None:
    made.many(builders.organization(), 60)
    abouts = list(Message.objects.values_list("about", flat=True))
    takers = [
        partial(outbox.withdraw_messages, abouts=abouts[start::3], cause=Withdrawal.CANCELLATION, now=NOON)
        for start in range(3)
    ]
    results = run_concurrently(made.deliver, *takers, made.deliver)
    assert results == ["ok"] * 5
    states = Message.objects.values_list("state", flat=True)
    assert len(twilio.accepted) == sum(state == "accepted" for state in states)
    assert set(states) <= {"accepted", "withdrawn"}
