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
from notifications.claimed import ClaimedMessage
from notifications.models import Channel, Heartbeat
from notifications.providers.base import OutgoingMessage, Provider, ProviderError
from notifications.results import CallResult
from notifications.rules import ErrorKind

BATCH = 200  # rows a claim
SERIAL_BATCH = 10  # messages a gate where calls are not made in threads
IDLE_POLL_SECONDS = 1.0  # a channel that had nothing due is asked again while another is still busy
COLLECT_SECONDS = 0.01  # how long ended calls are gathered, to be recorded in one statement

logger = logging.getLogger(__name__)


class ChannelWorker:
    """The messages of one channel on their way: claimed, then in flight."""

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self.provider: Provider = providers.get_provider(channel)
        self.waiting: deque[ClaimedMessage] = deque()
        self.flying: set[Future[CallResult]] = set()
        self.is_drained = False  # nothing was due at the last look
        self._claim_after = 0.0
        self._threads = ThreadPoolExecutor(max(1, self.provider.parallel_calls), thread_name_prefix=channel)

    def claim_batch(self, now: datetime) -> None:
        """Claim the next batch when the last one is used up."""
        if not self.waiting and time.monotonic() >= self._claim_after:
            self.waiting.extend(claim.claim_messages(channel=self.channel, limit=BATCH, now=now))
            self.is_drained = not self.waiting
            self._claim_after = time.monotonic() + IDLE_POLL_SECONDS * self.is_drained

    def launch(self, now: datetime) -> None:
        """Pass as many through the gate as can be called at once, and call."""
        free = (self.provider.parallel_calls or SERIAL_BATCH) - len(self.flying)
        batch = [self.waiting.popleft() for _ in range(min(free, len(self.waiting)))]
        passed = claim.admit_messages(claimed=batch, now=now)
        for message in passed:
            self.flying.add(self._call(message, message.letter(now)))
        self.waiting.extend(claim.list_still_claimed(claimed=[one for one in batch if one not in passed]))

    def collect_outcomes(self) -> list[CallResult]:
        """Take out the calls that have ended."""
        ended = {call for call in self.flying if call.done()}
        self.flying -= ended
        return [call.result() for call in ended]

    def close(self) -> None:
        """Give back what was not called, and end the threads and connections."""
        claim.release_messages(claimed=self.waiting)
        self._threads.shutdown()
        self.provider.close()

    def _call(self, message: ClaimedMessage, letter: OutgoingMessage) -> "Future[CallResult]":
        if self.provider.parallel_calls:
            return self._threads.submit(call_provider, self.provider, message, letter)
        ended: Future[CallResult] = Future()
        ended.set_result(call_provider(self.provider, message, letter))
        return ended


def call_provider(provider: Provider, message: ClaimedMessage, outgoing: OutgoingMessage) -> CallResult:
    """One call. What nobody foresaw is in doubt: it may have been sent."""
    try:
        return CallResult(message, receipt=provider.send(outgoing))
    except ProviderError as error:
        return CallResult(message, error=error)
    except Exception as error:
        logger.error("message %s: the provider failed with %s", message.id, type(error).__name__)
        return CallResult(message, error=ProviderError(ErrorKind.IN_DOUBT, "unexpected"))


def deliver_messages(
    *, clock: Callable[[], datetime], chance: Callable[[], float], seconds: float = 15
) -> dict[str, int]:
    """Send what is due, for at most about `seconds`; return how many messages got into which state.

    `clock` and not `now`, for this runs long enough that a message may expire on the way.
    """
    record_heartbeat(now=clock())
    senders.ensure_default_sender()
    until = time.monotonic() + seconds
    lines = [ChannelWorker(Channel.SMS), ChannelWorker(Channel.EMAIL)]
    counts: Counter[str] = Counter()
    try:
        while _advance_workers(lines, clock, in_time=time.monotonic() < until):
            _wait_for_calls(lines)
            counts.update(
                results.record_results(
                    call_results=[one for line in lines for one in line.collect_outcomes()], now=clock(), chance=chance
                )
            )
    finally:
        for line in lines:
            line.close()
    return dict(counts)


@transaction.atomic(savepoint=False)
def record_heartbeat(*, now: datetime) -> None:
    """A sign of life: /readyz reads it."""
    sign = Heartbeat(name="deliver_due", seen_at=now)
    Heartbeat.objects.bulk_create([sign], update_conflicts=True, unique_fields=["name"], update_fields=["seen_at"])


def _advance_workers(lines: list[ChannelWorker], clock: Callable[[], datetime], *, in_time: bool) -> bool:
    """Bring every line as far as it goes without waiting; False when there is nothing left to wait for."""
    for line in lines:
        if in_time:
            line.claim_batch(clock())
            line.launch(clock())
    return any(line.flying or (in_time and (line.waiting or not line.is_drained)) for line in lines)


def _wait_for_calls(lines: list[ChannelWorker]) -> None:
    """Wait until calls have ended: one, then for a moment those that end with it, until half of their line is free."""
    flying = [call for line in lines for call in line.flying]
    if not flying:
        time.sleep(COLLECT_SECONDS)  # all that is left is held by somebody else
    wait(flying, return_when=FIRST_COMPLETED)
    until = time.monotonic() + COLLECT_SECONDS
    while time.monotonic() < until and sum(call.done() for call in flying) * 2 < len(flying):
        time.sleep(0.001)
