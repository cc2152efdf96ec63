"""Work off the outbox: claim, gate, send, record, until nothing is due or the time is up.

Any number of workers may do this at once. The database is used by the calling thread alone, in batches; the calls to
the provider run in threads, with no transaction open. Each channel has a line of its own: a mail server that hangs does
not hold up texts.
"""

import logging
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime

from django.db import transaction

from notifications import claim, providers, results, senders
from notifications.claimed import Claimed
from notifications.models import Channel, Heartbeat
from notifications.providers.base import Gateway, GatewayError, Letter
from notifications.results import Outcome
from notifications.rules import Kind

BATCH = 200  # rows a claim
AT_ONCE = 10  # messages a gate where calls are not made in threads
LOOK_AGAIN_SECONDS = 1.0  # a channel that had nothing due is asked again while another is still busy
GATHER_SECONDS = 0.01  # how long ended calls are gathered, to be recorded in one statement

logger = logging.getLogger(__name__)


class Line:
    """The messages of one channel on their way: claimed, then in flight."""

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self.gateway: Gateway = providers.choose(channel)
        self.waiting: deque[Claimed] = deque()
        self.flying: set[Future[Outcome]] = set()
        self.dry = False  # nothing was due at the last look
        self._look_at = 0.0
        self._threads = ThreadPoolExecutor(max(1, self.gateway.parallel), thread_name_prefix=channel)

    def refill(self, now: datetime) -> None:
        """Claim the next batch when the last one is used up."""
        if not self.waiting and time.monotonic() >= self._look_at:
            self.waiting.extend(claim.claim(channel=self.channel, limit=BATCH, now=now))
            self.dry = not self.waiting
            self._look_at = time.monotonic() + LOOK_AGAIN_SECONDS * self.dry

    def launch(self, now: datetime) -> None:
        """Pass as many through the gate as can be called at once, and call."""
        free = (self.gateway.parallel or AT_ONCE) - len(self.flying)
        batch = [self.waiting.popleft() for _ in range(min(free, len(self.waiting)))]
        passed = claim.gate(claimed=batch, now=now)
        for message in passed:
            self.flying.add(self._call(message, message.letter(now)))
        self.waiting.extend(claim.still_ours(claimed=[one for one in batch if one not in passed]))

    def land(self) -> list[Outcome]:
        """Take out the calls that have ended."""
        ended = {call for call in self.flying if call.done()}
        self.flying -= ended
        return [call.result() for call in ended]

    def close(self) -> None:
        """Give back what was not called, and end the threads and connections."""
        claim.release(claimed=self.waiting)
        self._threads.shutdown()
        self.gateway.close()

    def _call(self, message: Claimed, letter: Letter) -> "Future[Outcome]":
        if self.gateway.parallel:
            return self._threads.submit(attempt, self.gateway, message, letter)
        ended: Future[Outcome] = Future()
        ended.set_result(attempt(self.gateway, message, letter))
        return ended


def attempt(gateway: Gateway, message: Claimed, letter: Letter) -> Outcome:
    """One call. What nobody foresaw is in doubt: it may have been sent."""
    try:
        return Outcome(message, receipt=gateway.send(letter))
    except GatewayError as error:
        return Outcome(message, error=error)
    except Exception as error:
        logger.error("message %s: the gateway failed with %s", message.id, type(error).__name__)
        return Outcome(message, error=GatewayError(Kind.IN_DOUBT, "unexpected"))


def deliver(*, clock: Callable[[], datetime], chance: Callable[[], float], seconds: float = 15) -> dict[str, int]:
    """Send what is due, for at most about `seconds`; return how many messages got into which state.

    `clock` and not `now`, for this runs long enough that a message may expire on the way.
    """
    beat(now=clock())
    senders.ensure_default()
    until = time.monotonic() + seconds
    lines = [Line(Channel.SMS), Line(Channel.EMAIL)]
    counts: Counter[str] = Counter()
    try:
        while _advance(lines, clock, in_time=time.monotonic() < until):
            _gather(lines)
            counts.update(
                results.record(outcomes=[one for line in lines for one in line.land()], now=clock(), chance=chance)
            )
    finally:
        for line in lines:
            line.close()
    return dict(counts)


@transaction.atomic(savepoint=False)
def beat(*, now: datetime) -> None:
    """A sign of life: /readyz reads it."""
    sign = Heartbeat(name="deliver_due", seen_at=now)
    Heartbeat.objects.bulk_create([sign], update_conflicts=True, unique_fields=["name"], update_fields=["seen_at"])


def _advance(lines: list[Line], clock: Callable[[], datetime], *, in_time: bool) -> bool:
    """Bring every line as far as it goes without waiting; False when there is nothing left to wait for."""
    for line in lines:
        if in_time:
            line.refill(clock())
            line.launch(clock())
    return any(line.flying or (in_time and (line.waiting or not line.dry)) for line in lines)


def _gather(lines: list[Line]) -> None:
    """Wait until calls have ended: one, then for a moment those that end with it, until half of their line is free."""
    flying = [call for line in lines for call in line.flying]
    if not flying:
        time.sleep(GATHER_SECONDS)  # all that is left is held by somebody else
    wait(flying, return_when=FIRST_COMPLETED)
    until = time.monotonic() + GATHER_SECONDS
    while time.monotonic() < until and sum(call.done() for call in flying) * 2 < len(flying):
        time.sleep(0.001)
