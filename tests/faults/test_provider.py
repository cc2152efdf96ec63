"""No message is lost or duplicated if the provider fails, the clock jumps, or reports arrive in any order."""

import random
from collections.abc import Iterator
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.test import override_settings
from django.utils import timezone

from notifications import claim, reconciliation
from notifications import rules as notifications_rules
from notifications.models import Message, MessageState
from tests import builders, figures
from tests.faults.faulty_provider import FaultRun
from tests.faults.report_orders import ORDERS, count_wrong, find_highest_state
from tests.notifications import made
from tests.standins.twilio import TwilioStandIn

pytestmark = pytest.mark.django_db


@pytest.fixture
def twilio() -> Iterator[TwilioStandIn]:
    with TwilioStandIn() as standin, override_settings(SMS_PROVIDER="twilio", TWILIO_API_URL=standin.url):
        yield standin


@pytest.mark.django_db(transaction=True)
def test_with_a_third_of_faults_everything_arrives_once(twilio: TwilioStandIn, request: pytest.FixtureRequest) -> None:
    run = FaultRun(twilio, random.Random(7))
    run.queue(300)
    run.run_sweeps(hangs=2)
    found = run.count()
    figures.note(request, "provider at 30 % faults", found)
    assert (found.messages, found.lost, found.doubled) == (300, 0, 0)
    assert found.faults > 60
    assert set(Message.objects.values_list("state", flat=True)) == {MessageState.ACCEPTED}


@pytest.mark.django_db(transaction=True)
def test_control_sending_again_without_a_look_up_doubles(twilio: TwilioStandIn) -> None:
    run = FaultRun(twilio, random.Random(7))
    run.queue(60)
    run.run_sweeps(looks_up=False)
    assert run.count().doubled > 0


@pytest.mark.parametrize("hours", [2, -2, 24, -24])
def test_a_clock_that_jumps_sends_nothing_twice_and_nothing_too_late(twilio: TwilioStandIn, hours: int) -> None:
    jump = timedelta(hours=hours)
    run = FaultRun(twilio, random.Random(hours), jumps=[timedelta(), jump, timedelta(), jump, timedelta()])
    run.queue(20, useful_for=timedelta(hours=1))
    run.queue(20, useful_for=timedelta(days=4))
    run.run_sweeps()
    found = run.count()
    assert (found.doubled, found.too_late) == (0, 0)
    assert not Message.objects.filter(state__in=["claimed", "sending", "in_doubt", "queued"]).exists()
    sent = {kept.fields["Body"] for kept in twilio.accepted}
    assert set(Message.objects.exclude(text__in=sent).values_list("state", flat=True)) <= {MessageState.EXPIRED}
    assert Message.objects.filter(text__in=sent, expires_at__gt=run.began + timedelta(days=3)).count() == 20


def test_a_message_of_a_worker_that_died_with_a_fast_clock_is_recovered(twilio: TwilioStandIn) -> None:
    now = timezone.now()
    made.queued(builders.organization(), due_at=now, expires_at=now + timedelta(days=2))
    ahead = now + timedelta(days=1)
    claim.admit_messages(claimed=claim.claim_messages(channel="sms", limit=1, now=ahead), now=ahead)
    for seconds in range(0, 180, 30):
        reconciliation.reconcile_messages(now=now + timedelta(seconds=seconds))
        made.deliver(now + timedelta(seconds=seconds + 2))
    assert len(twilio.accepted) == 1
    assert Message.objects.get().state == MessageState.ACCEPTED


def test_the_highest_status_wins_in_any_order_of_reports() -> None:
    assert len(ORDERS) == 1956
    for order in ORDERS:
        state = str(MessageState.ACCEPTED)
        for status in order:
            reported = notifications_rules.parse_status(status)
            state = str(reported) if reported and notifications_rules.is_forward_move(state, reported) else state
        assert state == find_highest_state(order)


def test_reports_in_any_order_leave_the_message_in_the_highest_state() -> None:
    assert count_wrong(random.Random(3).sample(ORDERS, 100)) == 0


def test_reports_in_any_order_before_our_own_record_are_adopted() -> None:
    assert count_wrong(random.Random(4).sample(ORDERS, 40), early=True) == 0


def test_control_if_the_last_report_wins_some_orders_end_in_a_wrong_state() -> None:
    with patch.object(notifications_rules, "is_forward_move", lambda current, reported: True):
        assert count_wrong(random.Random(3).sample(ORDERS, 50)) > 0
