"""Workers that share a limit never exceed it together. Without the lock on the limit, they do."""

from collections.abc import Callable, Iterator

import pytest
from django.test import override_settings

from notifications import breakers, delivery, rules, senders, throttle
from notifications.models import Allowance, Message, Sender
from organizations.models import Organization
from tests import builders, seeds
from tests.notifications import made
from tests.races.arena import count_lost, count_lost_in_turn, run_concurrently
from tests.standins.twilio import TwilioStandIn

pytestmark = pytest.mark.django_db(transaction=True)
WORKERS, RUNS = 6, 10


@pytest.fixture
def twilio() -> Iterator[TwilioStandIn]:
    with TwilioStandIn() as standin, override_settings(SMS_PROVIDER="twilio", TWILIO_API_URL=standin.url):
        yield standin


def spend_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use small batches, so that the workers compete for the limit.

    Each worker pauses after it has read how much of the limit is used, and before it saves the new amount.
    """
    monkeypatch.setattr(delivery, "BATCH", 15)
    seeds.pause_before(monkeypatch, throttle, "_save_uses")


def without_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seed a bug: read without a lock how much of a limit is used."""
    plain = (
        "SELECT subject, used.paced_until, used.last_turn_at, used.day, coalesce(used.spent, 0)"
        " FROM unnest(%s::text[]) AS wanted (subject) LEFT JOIN notifications_allowance AS used USING (subject)"
    )
    monkeypatch.setattr(throttle, "LOCK", plain)


def crowd(twilio: TwilioStandIn, organization: Organization, most: int) -> Callable[[], bool]:
    senders.ensure_default_sender()

    def race() -> bool:
        Message.objects.all().delete()
        Allowance.objects.update(paced_until=None, last_turn_at=None, day=None, spent=0)
        for subject in (f"organization:{organization.pk}", *(f"sender:{row.pk}" for row in Sender.objects.all())):
            Allowance.objects.get_or_create(subject=subject)
        made.many(organization, 3 * most, kind="code")
        before = len(twilio.accepted)
        assert run_concurrently(*[made.deliver] * WORKERS) == ["ok"] * WORKERS
        return len(twilio.accepted) - before == most

    return race


def test_a_budget_is_used_up_and_never_exceeded(twilio: TwilioStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    spend_slowly(monkeypatch)
    assert count_lost(crowd(twilio, builders.organization(messages_per_day=30), 30), RUNS) == 0


def test_a_pace_is_never_exceeded(twilio: TwilioStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    spend_slowly(monkeypatch)
    organization = builders.organization()
    organization.senders.update(per_minute=150)
    assert count_lost(crowd(twilio, organization, 30), RUNS) == 0


def test_a_provider_that_failed_is_tried_by_one_of_all_workers(
    twilio: TwilioStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    spend_slowly(monkeypatch)
    organization = builders.organization(messages_per_day=1000)
    made.many(organization, 90)
    way = f"sender:{organization.senders.get().pk}"
    breakers.count_failures(
        calls=[(way, True)] * rules.BREAKER_FAILURES, now=made.NOON - rules.BREAKER_OPEN_DURATIONS[0]
    )
    twilio.plan(["503"] * 90)
    assert run_concurrently(*[made.deliver] * WORKERS) == ["ok"] * WORKERS
    assert twilio.calls == 1


def test_control_without_the_lock_the_budget_is_overdrawn(
    twilio: TwilioStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    spend_slowly(monkeypatch)
    without_the_lock(monkeypatch)
    assert count_lost_in_turn(crowd(twilio, builders.organization(messages_per_day=30), 30), RUNS) >= 9
