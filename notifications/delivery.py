"""Send due messages: claim, admit, call the provider and record the result, until no message is due or time is up.

Any number of processes may run this. Only the calling thread uses the database, in batches. Provider calls run in
threads, outside of transactions. Each channel and lane has its own worker, so that a slow mail server does not hold up
texts, and no other message holds up codes.
"""

import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Collection
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime

from django.db import transaction

from notifications import claim, providers, results, senders
from notifications.claimed import ClaimedMessage
from notifications.error_codes import ErrorKind
from notifications.kinds import Lane
from notifications.models import Channel, Heartbeat
from notifications.providers.base import OutgoingMessage, Provider, ProviderError
from notifications.results import CallResult

BATCH = 200  # rows per claim
SERIAL_BATCH = 10  # messages admitted at once for a provider that is not called in threads
IDLE_POLL_SECONDS = 1.0  # how often an empty channel is polled while the other is busy
COLLECT_SECONDS = 0.01  # how long to wait for more finished calls before recording them in one statement

logger = logging.getLogger(__name__)


class ChannelWorker:
    def __init__(self, channel: str, lane: Lane) -> None:
        self.channel, self.lane = channel, lane
        self.provider: Provider = providers.get_provider(channel)
        self.claimed: deque[ClaimedMessage] = deque()
        self.in_flight: set[Future[CallResult]] = set()
        self.is_drained = False  # nothing was due at the last claim
        self._claim_after = 0.0
        self._threads = ThreadPoolExecutor(max(1, self.provider.parallel_calls), thread_name_prefix=channel)

    def claim_batch(self, now: datetime) -> None:
        if not self.claimed and time.monotonic() >= self._claim_after:
            self.claimed.extend(claim.claim_messages(channel=self.channel, lane=self.lane, limit=BATCH, now=now))
            self.is_drained = not self.claimed
            self._claim_after = time.monotonic() + IDLE_POLL_SECONDS * self.is_drained

    def start_calls(self, now: datetime) -> None:
        free = (self.provider.parallel_calls or SERIAL_BATCH) - len(self.in_flight)
        batch = [self.claimed.popleft() for _ in range(min(free, len(self.claimed)))]
        passed = claim.admit_messages(claimed=batch, now=now)
        for message in passed:
            self.in_flight.add(self._start_call(message, message.build_outgoing_message(now)))
        self.claimed.extend(claim.list_still_claimed(claimed=[one for one in batch if one not in passed]))

    def collect_results(self) -> list[CallResult]:
        ended = {call for call in self.in_flight if call.done()}
        self.in_flight -= ended
        return [call.result() for call in ended]

    def close(self) -> None:
        claim.release_messages(claimed=self.claimed)
        self._threads.shutdown()
        self.provider.close()

    def _start_call(self, message: ClaimedMessage, outgoing: OutgoingMessage) -> "Future[CallResult]":
        if self.provider.parallel_calls:
            return self._threads.submit(call_provider, self.provider, message, outgoing)
        ended: Future[CallResult] = Future()
        ended.set_result(call_provider(self.provider, message, outgoing))
        return ended


def call_provider(provider: Provider, message: ClaimedMessage, outgoing: OutgoingMessage) -> CallResult:
    try:
        return CallResult(message, receipt=provider.send(outgoing))
    except ProviderError as error:
        return CallResult(message, error=error)
    except Exception as error:
        # The message may have been sent, so it is in doubt.
        logger.error("message %s: the provider failed with %s", message.id, type(error).__name__)
        return CallResult(message, error=ProviderError(ErrorKind.IN_DOUBT, "unexpected"))


def deliver_messages(
    *,
    clock: Callable[[], datetime],
    chance: Callable[[], float],
    seconds: float = 15,
    lanes: Collection[Lane] = tuple(Lane),
) -> dict[str, int]:
    """Send due messages of these lanes for about `seconds`. Return the number of messages by new state.

    Takes `clock` instead of `now`, because a message may expire during the run.
    """
    if Lane.OTHERS in lanes:
        record_heartbeat(now=clock())
    senders.ensure_default_sender()
    until = time.monotonic() + seconds
    workers = [ChannelWorker(channel, lane) for lane in lanes for channel in (Channel.SMS, Channel.EMAIL)]
    counts: Counter[str] = Counter()
    try:
        while _advance_workers(workers, clock, in_time=time.monotonic() < until):
            _wait_for_calls(workers)
            counts.update(
                results.record_results(
                    call_results=[one for worker in workers for one in worker.collect_results()],
                    now=clock(),
                    chance=chance,
                )
            )
    finally:
        for worker in workers:
            worker.close()
    return dict(counts)


@transaction.atomic(savepoint=False)
def record_heartbeat(*, now: datetime) -> None:
    heartbeat = Heartbeat(name="deliver_due", seen_at=now)
    Heartbeat.objects.bulk_create([heartbeat], update_conflicts=True, unique_fields=["name"], update_fields=["seen_at"])


def _advance_workers(workers: list[ChannelWorker], clock: Callable[[], datetime], *, in_time: bool) -> bool:
    for worker in workers:
        if in_time:
            worker.claim_batch(clock())
            worker.start_calls(clock())
    return any(worker.in_flight or (in_time and (worker.claimed or not worker.is_drained)) for worker in workers)


def _wait_for_calls(workers: list[ChannelWorker]) -> None:
    in_flight = [call for worker in workers for call in worker.in_flight]
    if not in_flight:
        time.sleep(COLLECT_SECONDS)  # other transactions hold the remaining rows
    wait(in_flight, IDLE_POLL_SECONDS, FIRST_COMPLETED)  # a slow call must not hold up the other workers
    # Wait briefly for more calls, so that one statement records several results.
    until = time.monotonic() + COLLECT_SECONDS
    while time.monotonic() < until and sum(call.done() for call in in_flight) * 2 < len(in_flight):
        time.sleep(0.001)
