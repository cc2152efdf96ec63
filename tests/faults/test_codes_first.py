"""No action of donors or coordinators delays a verification code.

Set CHANGE_TRIES=2000 for the long run.
"""

import contextlib
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from types import MappingProxyType

import pytest
from django.db import connections
from django.test import override_settings
from environs import env

from drives.booking import changes
from notifications import claim, kinds
from notifications.claimed import ClaimedMessage
from notifications.kinds import Budget, Lane
from notifications.models import Message, Sender
from tests import builders, figures, programs, seeds
from tests.builders import NOW
from tests.notifications import made
from tests.standins.twilio import TwilioStandIn
from volunteers import rules
from volunteers.limits import TooManyChanges

pytestmark = pytest.mark.django_db
TRIES = env.int("CHANGE_TRIES", 200)
PER_MINUTE = 75
SECOND = timedelta(seconds=1)


@pytest.fixture
def twilio() -> Iterator[TwilioStandIn]:
    with TwilioStandIn() as standin, override_settings(SMS_PROVIDER="twilio", TWILIO_API_URL=standin.url):
        yield standin


def list_texts(twilio: TwilioStandIn, number: int) -> list[str]:
    return [text.fields["Body"] for text in twilio.accepted if text.fields["To"] == builders.phone(number)]


def test_a_donor_who_never_stops_changing_gets_few_texts_and_delays_no_code(
    twilio: TwilioStandIn, request: pytest.FixtureRequest
) -> None:
    owner = builders.organization(messages_per_day=2_000)
    Sender.objects.update(per_minute=PER_MINUTE, per_day=2_000)
    drive = builders.drive(owner)
    booking = builders.booked(drive)
    made.deliver(NOW)
    before, now = len(list_texts(twilio, 42)), NOW
    for turn in range(TRIES):
        now = NOW + turn * timedelta(seconds=174) / TRIES
        with contextlib.suppress(TooManyChanges):
            changes.move_bookings(
                booking_id=booking.pk, slot_id=builders.slot(drive, 4 + turn % 2).pk, actor="donor", now=now
            )
        if turn % 20 == 0:
            made.deliver(now)
    builders.held(drive, n=10, number=43, now=now)
    made.deliver(now)
    texts = len(list_texts(twilio, 42)) - before
    figures.note(request, "tries", f"{TRIES:,}: {texts} texts, another donor's code within 1 s")
    assert texts <= rules.CHANGES_PER_HOUR[0] <= 12
    booking.refresh_from_db()
    assert booking.revision == rules.CHANGES_PER_HOUR[0]
    assert len(list_texts(twilio, 43)) == 1


def seconds_until_the_code_leaves(twilio: TwilioStandIn) -> int:
    """Queue a code behind 400 texts about bookings. Return the seconds until the provider has it, 90 at most."""
    owner = builders.organization(messages_per_day=0)
    Sender.objects.update(per_minute=PER_MINUTE, per_day=0)
    made.many(owner, 400, kind="moved")
    for second in range(30):
        made.deliver(made.NOON + second * SECOND)
    made.many(owner, 20, kind="moved")
    made.queued(owner, "482913 is your code", kind="code", address=builders.phone(43), due_at=made.NOON + 30 * SECOND)
    for second in range(30, 120):
        made.deliver(made.NOON + second * SECOND)
        if list_texts(twilio, 43):
            return second - 30
    return 90


def test_a_code_leaves_at_once_behind_four_hundred_texts(twilio: TwilioStandIn) -> None:
    assert seconds_until_the_code_leaves(twilio) <= 1


def test_control_codes_without_a_share_of_the_pace_wait(twilio: TwilioStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    equal = {**kinds.PRIORITIES, Budget.CODES: kinds.PRIORITIES[Budget.BOOKING]}
    monkeypatch.setattr(kinds, "PRIORITIES", MappingProxyType(equal))
    assert seconds_until_the_code_leaves(twilio) > 10


@pytest.mark.parametrize("spent", [99, 100])
def test_bookings_reminders_and_invitations_leave_codes_their_part_of_a_day(spent: int) -> None:
    owner = builders.organization(messages_per_day=100)
    made.many(owner, spent, kind="moved")
    made.deliver()
    made.many(owner, 11, kind="code")
    made.deliver()
    sent = Message.objects.filter(state="delivered")
    assert (sent.filter(kind="moved").count(), sent.filter(kind="code").count()) == (90, 10)


def texts_before_the_code(twilio: TwilioStandIn) -> int:
    """Queue a code while a worker sends 120 texts, half a second each.

    Return how many texts the provider got before the code.
    """
    owner = builders.organization()
    made.many(owner, 120, kind="moved")
    twilio.slow = 0.5

    def deliver() -> None:
        made.deliver()
        connections.close_all()

    worker = threading.Thread(target=deliver)
    worker.start()
    assert programs.eventually(lambda: Message.objects.filter(state="sending").exists(), 5)
    made.queued(owner, "482913 is your code", kind="code", address=builders.phone(43))
    worker.join()
    return [text.fields["To"] for text in twilio.accepted].index(builders.phone(43))


@pytest.mark.django_db(transaction=True)
def test_a_code_does_not_wait_for_a_slow_provider_to_take_what_a_worker_has_claimed(twilio: TwilioStandIn) -> None:
    assert texts_before_the_code(twilio) <= 96


@pytest.mark.django_db(transaction=True)
def test_control_without_a_lane_a_code_waits_for_what_a_worker_has_claimed(
    twilio: TwilioStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim_messages = claim.claim_messages

    def claim_any(*, channel: str, limit: int, now: datetime, lane: Lane) -> list[ClaimedMessage]:
        return claim_messages(channel=channel, limit=limit, now=now) if lane == Lane.OTHERS else []

    seeds.replace(monkeypatch, claim, "claim_messages", claim_any)
    assert texts_before_the_code(twilio) == 120
