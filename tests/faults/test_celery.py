"""Real Celery: two beats and eight workers share one outbox.

The test kills workers, stops Redis, and starts an empty Redis.
"""

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from django.test import override_settings
from django.utils.timezone import now

from config.embedded import redis_server
from config.embedded.guard import Guard
from notifications import queries as notifications_queries
from notifications.models import Message, MessageState
from tests import figures, programs
from tests.faults.killing import Arena
from tests.programs import eventually
from tests.standins.twilio import TwilioStandIn

pytestmark = [
    pytest.mark.stack,
    pytest.mark.needs_redis,
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("stack"),
]
DUE, KILLED, LATE_AFTER_REDIS = 500, 4, 60
QUIET = timedelta(seconds=4)  # two rounds of beat


@pytest.fixture
def twilio() -> Iterator[TwilioStandIn]:
    with TwilioStandIn(slow=0.02) as standin, override_settings(SMS_PROVIDER="twilio", TWILIO_API_URL=standin.url):
        yield standin


class Kept:
    """A program that is restarted when it exits, as compose does (`restart: unless-stopped`).

    Celery needs the restart. A worker that loses its broker while it replaces a process of its pool crashes with "file
    descriptor is None" in Celery's own code.
    """

    def __init__(
        self, running: ExitStack, start: Callable[[], "AbstractContextManager[subprocess.Popen[bytes]]"]
    ) -> None:
        self._running, self._start = running, start
        self.process = running.enter_context(start())
        self.restarts = 0

    def ensure_running(self) -> bool:
        """Return whether the program is running. If it has exited, start it again and return False."""
        if self.process.poll() is None:
            return True
        self.process = self._running.enter_context(self._start())
        self.restarts += 1
        return False

    def children(self) -> list[psutil.Process]:
        found: list[psutil.Process] = psutil.Process(self.process.pid).children(recursive=True)
        return found

    def kill_some(self, number: int) -> int:
        """Kill `number` processes of the pool, wait until Celery has replaced them, and return `number`."""
        before = self.children()
        chosen = random.sample(before, number)
        for child in chosen:
            os.kill(child.pid, signal.SIGKILL)
        assert eventually(lambda: len(set(self.children()) - set(chosen)) >= len(before), 40)
        return len(chosen)


def waiting() -> bool:
    return Message.objects.filter(state=MessageState.QUEUED).exists()


def test_two_beats_and_eight_workers_send_each_message_once_through_kills_and_the_loss_of_redis(
    twilio: TwilioStandIn, tmp_path: Path, guard: Guard, request: pytest.FixtureRequest
) -> None:
    program = redis_server.find_redis_binary()
    assert program
    log = tmp_path / "worker.log"
    with Arena(twilio) as arena, ExitStack() as running:
        broker = redis_server.start_redis(program, tmp_path, guard)
        running.callback(lambda: broker.stop())  # noqa: PLW0108 - the one that runs then
        environment = {"REDIS_URL": broker.url(), "SMS_PROVIDER": "twilio", "TWILIO_API_URL": twilio.url}
        workers = Kept(running, lambda: programs.workers(guard, log, 8, environment))
        for name in ("first", "second"):
            running.enter_context(programs.beat(guard, tmp_path / f"{name}.log", **environment))
        assert eventually(lambda: len(workers.children()) >= 8, 40), log.read_text()
        arena.queue(DUE)
        assert eventually(lambda: len(twilio.accepted) > DUE // 10, 40), log.read_text()[-3000:]
        arena.kills += workers.kill_some(KILLED)
        assert eventually(lambda: not waiting(), 60)

        broker.stop()
        assert eventually(lambda: now() - (notifications_queries.find_last_delivery_at() or now()) > QUIET, 40)
        arena.queue(DUE)
        time.sleep(1)
        assert waiting()
        broker = redis_server.start_redis(program, tmp_path, guard, port=broker.port)
        back = time.monotonic()
        assert eventually(lambda: workers.ensure_running() and not waiting(), LATE_AFTER_REDIS), log.read_text()[-3000:]
        figures.note(request, "seconds after Redis was back", round(time.monotonic() - back, 1))
        figures.note(request, "workers started again", workers.restarts)
        assert workers.restarts <= 1, "Celery exited more than once after the loss of its broker"
        running.close()
        arena.recover()
        found = arena.count()
    figures.note(request, "two beats, eight workers", found)
    assert (found.messages, found.lost, found.doubled) == (2 * DUE, 0, 0)
    assert not Message.objects.exclude(state=MessageState.ACCEPTED).exists()
