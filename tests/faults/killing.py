"""Kill workers at chosen points, let other workers recover, and count the lost and duplicate messages at the provider.

The code under test needs no hooks for the tests. A worker stops at a chosen point because it waits for a lock that the
test holds, or for a response that the fake provider withholds.
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Self

import psycopg
from django.utils import timezone

from config.embedded.processes import ROOT
from notifications import delivery, outbox, reconciliation
from notifications.models import Message, MessageState
from organizations.models import Organization
from tests import builders
from tests.notifications import made
from tests.programs import database_url, eventually
from tests.standins.twilio import TwilioStandIn

EACH = 3  # messages that a worker has claimed when it is killed
OPEN = [MessageState.QUEUED, MessageState.CLAIMED, MessageState.SENDING, MessageState.IN_DOUBT]
_LOCKING = """
SELECT pid FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
WHERE locktype = 'advisory' AND granted AND datname = current_database()
"""
_WAITING = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    " AND backend_type = 'client backend'"
)
_numbers = count(1)


@dataclass
class Count:
    """How many messages reached the provider, compared with the messages that were queued."""

    kills: int = 0
    messages: int = 0
    lost: int = 0
    doubled: int = 0
    most_extra: int = 0  # the most duplicates of one message
    extra: int = 0  # duplicates in total
    recovered_after: float = 0.0  # seconds on the workers' clock until the provider had the last message


@dataclass(kw_only=True)
class Workers:
    """Forked worker processes on the test's database. Each runs one sweep and is killed during the sweep.

    `bug` names the bugs to seed into the workers, separated by spaces.
    """

    bug: str = ""
    kills: int = 0

    def environment(self) -> dict[str, str]:
        return {**os.environ, "DATABASE_URL": database_url(), "LOG_LEVEL": "ERROR"}

    def __enter__(self) -> Self:
        self._workers = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.killable", *self.bug.split()],
            cwd=ROOT,
            env=self.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._watcher = psycopg.connect(database_url(), autocommit=True)
        return self

    def __exit__(self, *_error: object) -> None:
        self._workers.kill()
        self._workers.communicate()
        self._watcher.close()

    def start(self, sweep: str = "deliver") -> int:
        """Start a worker that runs one sweep. Return its process id."""
        assert self._workers.stdin
        assert self._workers.stdout
        self._workers.stdin.write(f"{sweep}\n")
        self._workers.stdin.flush()
        return int(self._workers.stdout.readline())

    def kill(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self.kills += 1

    def waiting(self) -> list[int]:
        """List the database backends that wait for a lock."""
        return [pid for (pid,) in self._watcher.execute(_WAITING).fetchall()]

    def locking(self) -> list[int]:
        """List the database backends that hold an advisory lock.

        After a worker is killed, its backend remains until the server notices.
        """
        return [pid for (pid,) in self._watcher.execute(_LOCKING).fetchall()]

    @contextlib.contextmanager
    def holding(self, statement: str, *arguments: Any) -> Iterator[None]:
        """Hold the locks that a statement takes until the block ends, and then roll back."""
        with psycopg.connect(database_url()) as holder:
            holder.execute(statement.encode(), arguments)
            yield
            holder.rollback()

    def stopped_by(self, pid: int, *, finishes: bool) -> None:
        """Kill a worker whose statement waits for the test's lock.

        With `finishes`, the server still completes the statement. Otherwise the worker's backend is terminated, too.
        """
        assert eventually(self.waiting), "the worker does not wait"
        self.kill(pid)
        if not finishes:
            for backend in self.waiting():
                self._watcher.execute("SELECT pg_terminate_backend(%s)", [backend])


@dataclass
class Arena(Workers):
    """Workers to kill, the fake provider that they call, and the test's database."""

    twilio: TwilioStandIn
    organization: Organization = field(default_factory=lambda: builders.organization(messages_per_day=0))
    texts: list[str] = field(default_factory=list)
    took: float = 0.0

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "SMS_PROVIDER": "twilio", "TWILIO_API_URL": self.twilio.url}

    def __enter__(self) -> Self:
        super().__enter__()
        delivery.record_heartbeat(now=timezone.now())
        return self

    def queue(self, number: int = EACH) -> list[Message]:
        """Queue `number` due messages, all with different texts."""
        now = timezone.now()
        numbers = [next(_numbers) for _each in range(number)]
        fields = {"due_at": now, "expires_at": now + timedelta(days=1)}
        notices = [made.message(f"Kill {n}", address=f"+1213{n:07}", about=f"kill:{n}", **fields) for n in numbers]
        outbox.queue_messages(organization=self.organization, messages=notices, now=now)
        self.texts += [notice.content.text for notice in notices]
        return list(Message.objects.filter(key__in=[notice.envelope.key for notice in notices]))

    def recover(self, patience: timedelta = timedelta(minutes=4)) -> float:
        """Run the sweeps that beat would run, on a clock that moves forward, until no message is open.

        Give up after `patience`. Return the longest recovery so far, in seconds on that clock.
        """
        at = began = timezone.now()
        offset = random.uniform(0, 30)
        while at < began + patience and Message.objects.filter(state__in=OPEN).exists():
            at = began + timedelta(seconds=offset)
            reconciliation.reconcile_messages(now=at)
            at += timedelta(seconds=2)
            delivery.deliver_messages(clock=_clock(at), chance=lambda: 0.5, seconds=30)
            offset += 30
        self.took = max(self.took, (at - began).total_seconds())
        return self.took

    def count(self) -> Count:
        """Compare the messages that the provider accepted with those queued."""
        taken = Counter(kept.fields["Body"] for kept in self.twilio.accepted)
        extras = [taken[text] - 1 for text in self.texts if taken[text] > 1]
        return Count(
            kills=self.kills,
            messages=len(self.texts),
            lost=sum(taken[text] == 0 for text in self.texts),
            doubled=len(extras),
            most_extra=max(extras, default=0),
            extra=sum(extras),
            recovered_after=round(self.took, 1),
        )


def _clock(at: datetime) -> Callable[[], datetime]:
    return lambda: at


def before_the_claim(arena: Arena, *, finishes: bool) -> None:
    arena.queue()
    with arena.holding("SELECT FROM notifications_heartbeat WHERE name = 'deliver_due' FOR UPDATE"):
        arena.stopped_by(arena.start(), finishes=finishes)


def after_the_claim(arena: Arena, *, finishes: bool) -> None:
    arena.queue()
    with arena.holding("LOCK TABLE notifications_suppression IN ACCESS EXCLUSIVE MODE"):
        arena.stopped_by(arena.start(), finishes=finishes)


def before_the_provider_has_it(arena: Arena, *, finishes: bool) -> None:
    arena.twilio.plan(["hang"] * EACH)
    arena.queue()
    _kill_when_called(arena)


def after_the_provider_accepted(arena: Arena, *, finishes: bool) -> None:
    arena.twilio.plan(["accepted-hang"] * EACH)
    arena.queue()
    _kill_when_called(arena)


def before_the_id_is_stored(arena: Arena, *, finishes: bool) -> None:
    """Kill a worker while it stores the provider's response."""
    arena.twilio.plan(["accepted-held"] * EACH)
    ids = [message.pk for message in arena.queue()]
    pid = arena.start()
    assert eventually(lambda: len(arena.twilio.held) == EACH)
    with arena.holding("SELECT FROM notifications_message WHERE id = ANY(%s) FOR UPDATE", ids):
        arena.twilio.release()
        arena.stopped_by(pid, finishes=finishes)


def after_the_id_is_stored(arena: Arena, *, finishes: bool) -> None:
    """Kill a worker that has stored all responses except one, and waits for that one."""
    arena.twilio.plan([*["ok"] * (EACH - 1), "hang"])
    ids = [message.pk for message in arena.queue()]
    pid = arena.start()
    done = Message.objects.filter(pk__in=ids, state=MessageState.ACCEPTED)
    assert eventually(lambda: done.count() == EACH - 1)
    arena.kill(pid)


def _kill_when_called(arena: Arena) -> None:
    before = arena.twilio.calls
    pid = arena.start()
    assert eventually(lambda: arena.twilio.calls == before + EACH)
    arena.kill(pid)


def at_a_random_moment(arena: Arena, *, finishes: bool) -> None:
    """Kill three workers at a random moment. Try again if all three had already finished."""
    before = arena.kills
    while arena.kills == before:
        arena.queue(10 * EACH)
        arena.twilio.slow = random.choice([0.0, 0.005, 0.02])
        pids = [arena.start() for _worker in range(3)]
        time.sleep(random.uniform(0.02, 0.3))
        for pid in pids:
            arena.kill(pid)
        arena.twilio.slow = 0.0


POINTS: dict[str, Callable[..., None]] = {
    "before the claim": before_the_claim,
    "after the claim": after_the_claim,
    "before the provider has it": before_the_provider_has_it,
    "after the provider accepted": after_the_provider_accepted,
    "before the id is stored": before_the_id_is_stored,
    "after the id is stored": after_the_id_is_stored,
    "at a random moment": at_a_random_moment,
}
