"""What became of the calls, and what follows from it."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import DataError, connection, transaction

from notifications import breakers, consents, rules, senders
from notifications.claimed import ClaimedMessage
from notifications.models import MessageState, Sender
from notifications.providers.base import ProviderError, Receipt
from notifications.rules import ErrorKind

FIRST_CHECK = timedelta(minutes=15)  # after this long without a report the provider is asked

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CallResult:
    """A call that has ended: with a receipt, or with an error."""

    message: ClaimedMessage
    receipt: Receipt | None = None
    error: ProviderError | None = None


@dataclass(frozen=True)
class _NextState:
    """What a row becomes. Fields in the order of `RECORD`."""

    state: MessageState
    reason: str = ""
    error_code: str = ""
    provider_id: str = ""
    due_at: datetime | None = None
    check_at: datetime | None = None


def record_results(*, call_results: Sequence[CallResult], now: datetime, chance: Callable[[], float]) -> dict[str, int]:
    """Write down what became of calls, for all at once; return how many rows are in which state.

    Only rows that still wait for that call change: a report may have been quicker, or somebody looked it up.
    """
    after = [_compute_next_state(outcome, now, chance()) for outcome in call_results]
    if not after:
        return {}
    _write_results(list(zip(call_results, after, strict=True)), now)
    breakers.record_calls(calls=[(one.message.way_out, _is_provider_failure(one)) for one in call_results], now=now)
    for outcome in call_results:
        if outcome.error:
            message = outcome.message
            handle_error_code(code=outcome.error.code, sender_id=message.sender_id, address=message.address, now=now)
    counts: dict[str, int] = {}
    for one in after:
        counts[one.state] = counts.get(one.state, 0) + 1
    return counts


@transaction.atomic(savepoint=False)
def handle_error_code(*, code: str, sender_id: int | None, address: str, now: datetime) -> None:
    """What an error means beyond its message: an opt-out that we had not heard of, a sender that is not fit to send."""
    treatment = rules.choose_treatment(code)
    if treatment.alert:
        logger.warning("the provider refused with %s: %s", code, treatment.reason)
    if sender_id and treatment.kind == ErrorKind.OPTED_OUT:
        sender = Sender.objects.get(pk=sender_id)
        consents.suppress_address(sender=sender, address=address, now=now, source="provider", actor="provider")
    if sender_id and treatment.stops_sender:
        senders.stop_sender(sender_id=sender_id, reason=f"{code} {treatment.reason}", now=now)


def _compute_next_state(outcome: CallResult, now: datetime, chance: float) -> _NextState:
    if outcome.receipt:
        waits = outcome.receipt.state == MessageState.ACCEPTED
        return _NextState(
            outcome.receipt.state,
            provider_id=outcome.receipt.provider_id,
            check_at=now + FIRST_CHECK if waits else None,
        )
    error = outcome.error or ProviderError(ErrorKind.IN_DOUBT, "no_answer")
    if error.kind == ErrorKind.TRANSIENT or (
        error.kind == ErrorKind.CONFIGURATION and outcome.message.channel == "email"
    ):
        return _retry_later(outcome.message, error, now, chance)
    state, check_at = {
        ErrorKind.PERMANENT: (MessageState.FAILED, None),
        ErrorKind.OPTED_OUT: (MessageState.BLOCKED, None),
        ErrorKind.CONFIGURATION: (MessageState.BLOCKED, None),
        ErrorKind.EXPIRED: (MessageState.EXPIRED, None),
        ErrorKind.IN_DOUBT: (MessageState.IN_DOUBT, now),
    }[error.kind]
    reason = "sender_stopped" if rules.choose_treatment(error.code).stops_sender else error.reason
    return _NextState(state, reason, error.code, check_at=check_at)


def _is_provider_failure(outcome: CallResult) -> bool:
    """Whether the provider failed, rather than the message."""
    error = outcome.error
    return error is not None and rules.is_provider_failure(error.kind, error.reason, outcome.message.channel)


def _retry_later(message: ClaimedMessage, error: ProviderError, now: datetime, chance: float) -> _NextState:
    """Surely not sent: once more after a pause, as long as it is useful."""
    due_at = now + rules.compute_pause(message.attempts + 1, chance, error.retry_after)
    if message.attempts + 1 >= rules.MOST_ATTEMPTS:
        return _NextState(MessageState.FAILED, "gave_up", error.code)
    if due_at >= message.expires_at:
        return _NextState(MessageState.EXPIRED, error.reason, error.code)
    return _NextState(MessageState.QUEUED, error.reason, error.code, due_at=due_at)


def _write_results(rows: Sequence[tuple[CallResult, _NextState]], now: datetime) -> None:
    """Write what can be written at once, the others one by one. What no row can hold is in doubt, and looked up."""
    try:
        recorded = _write_rows(rows, now, RECORD)
    except DataError:
        recorded = set()
    for outcome, after in rows:
        if outcome.message.id in recorded:
            continue
        try:
            _write_rows([(outcome, after)], now, RECORD_ONE)
        except DataError:
            logger.error("message %s: the provider's answer cannot be kept", outcome.message.id)
            _write_rows(
                [(outcome, _NextState(MessageState.IN_DOUBT, "unreadable_answer", check_at=now))], now, RECORD_ONE
            )


def _write_rows(rows: Sequence[tuple[CallResult, _NextState]], now: datetime, statement: str) -> set[int]:
    """Write the rows down; return the ids of those that changed."""
    names = _NextState.__dataclass_fields__
    columns: list[list[Any]] = [
        [outcome.message.id for outcome, _ in rows],
        [outcome.message.token for outcome, _ in rows],
    ]
    columns += [[getattr(after, name) for _, after in rows] for name in names]
    with connection.cursor() as cursor:
        cursor.execute(statement, [*columns, now, now])
        return {message_id for (message_id,) in cursor.fetchall()}


# `state || ''`: as in `handover.GATE`.
_DONE = """
SELECT message.id AS row, done.* FROM unnest(
       %s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[])
       AS done (id, token, state, reason, error_code, provider_id, due_at, check_at)
  JOIN notifications_message AS message
    ON message.id = done.id AND message.attempt_token = done.token AND message.state || '' IN ('sending', 'in_doubt')
   FOR NO KEY UPDATE OF message
"""
_RECORD = """
WITH done AS ({})
UPDATE notifications_message AS message
   SET state = done.state, reason = done.reason, error_code = done.error_code, provider_id = done.provider_id,
       due_at = coalesce(done.due_at, message.due_at), check_at = done.check_at, lease_until = NULL,
       sent_at = CASE WHEN done.state IN ('accepted', 'sent', 'delivered') THEN %s ELSE message.sent_at END,
       settled_at = CASE WHEN done.state NOT IN ('queued', 'in_doubt', 'accepted') THEN %s::timestamptz END
  FROM done WHERE message.id = done.row
RETURNING message.id
"""
# Many at once wait for nobody; a row that somebody held is then waited for by itself, while nothing else is held.
RECORD, RECORD_ONE = _RECORD.format(_DONE + "SKIP LOCKED"), _RECORD.format(_DONE)
