"""Workers are killed at every point while they send a message. No message is lost.

If the provider answers look-ups of messages, no message is sent twice either. `python -m bench.soak` repeats the test a
thousand times.
"""

import os
import signal
from collections.abc import Iterator
from datetime import timedelta

import psutil
import pytest
from django.test import override_settings

from tests import figures
from tests.faults import killing, seeded
from tests.faults.killing import POINTS, Arena
from tests.programs import eventually
from tests.standins.twilio import TwilioStandIn

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("kills")]
KILLS = 4  # at each point
RECOVERED_WITHIN = 120


@pytest.fixture
def twilio() -> Iterator[TwilioStandIn]:
    with TwilioStandIn() as standin, override_settings(SMS_PROVIDER="twilio", TWILIO_API_URL=standin.url):
        yield standin


def test_killed_workers_lose_nothing_and_double_nothing(twilio: TwilioStandIn, request: pytest.FixtureRequest) -> None:
    with Arena(twilio) as arena:
        for round_ in range(KILLS):
            for strike in POINTS.values():
                strike(arena, finishes=bool(round_ % 2))
        arena.recover()
        found = arena.count()
    figures.note(request, "kills", found)
    assert found.kills >= KILLS * len(POINTS)
    assert (found.lost, found.doubled) == (0, 0)
    assert found.recovered_after <= RECOVERED_WITHIN


@pytest.mark.expects_errors
def test_without_look_ups_a_crash_costs_at_most_one_extra(twilio: TwilioStandIn) -> None:
    twilio.deaf = True
    with Arena(twilio) as arena:
        for strike in POINTS.values():
            strike(arena, finishes=False)
        arena.recover(timedelta(minutes=15))
        found = arena.count()
    assert found.lost == 0
    assert found.most_extra <= 1
    assert found.extra > 0  # otherwise the kills did not test anything


def test_control_a_message_that_is_recorded_before_the_call_is_lost(twilio: TwilioStandIn) -> None:
    with Arena(twilio, bug="record_first") as arena:
        killing.before_the_provider_has_it(arena, finishes=False)
        arena.recover()
        assert arena.count().lost == killing.EACH


@pytest.mark.parametrize("point", ["after the provider accepted", "before the id is stored"])
def test_control_without_the_look_up_a_message_is_doubled(twilio: TwilioStandIn, point: str) -> None:
    with Arena(twilio) as arena, seeded.no_look_up():
        POINTS[point](arena, finishes=False)
        arena.recover()
        assert arena.count().doubled == killing.EACH


def freeze_after_the_claim(arena: Arena) -> None:
    """Freeze a worker until other workers have sent its messages, then let it continue."""
    arena.queue()
    with arena.holding("LOCK TABLE notifications_breaker IN ACCESS EXCLUSIVE MODE"):
        pid = arena.start()
        assert eventually(arena.waiting)
        os.kill(pid, signal.SIGSTOP)
    arena.recover()
    assert len(arena.twilio.accepted) == killing.EACH
    os.kill(pid, signal.SIGCONT)
    assert eventually(lambda: not psutil.pid_exists(pid))


def test_a_worker_that_was_frozen_repeats_nothing(twilio: TwilioStandIn) -> None:
    with Arena(twilio) as arena:
        freeze_after_the_claim(arena)
        assert arena.count().doubled == 0


def test_control_without_the_attempt_token_a_frozen_worker_doubles(twilio: TwilioStandIn) -> None:
    with Arena(twilio, bug="no_token") as arena:
        freeze_after_the_claim(arena)
        assert arena.count().doubled == killing.EACH
