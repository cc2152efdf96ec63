"""Record the results of provider calls: the next state, a retry, an alert."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import DataError, connection, transaction

from notifications import breakers, consents, error_codes, mailboxes, refusals, rules, senders
from notifications.claimed import ClaimedMessage
from notifications.error_codes import ErrorKind
from notifications.mailboxes import MailResult
from notifications.models import Channel, MessageState, Sender
from notifications.providers.base import ProviderError, Receipt

FIRST_CHECK = timedelta(minutes=15)  # if no report comes within this time, we ask the provider

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CallResult:
    message: ClaimedMessage
    receipt: Receipt | None = None
    error: ProviderError | None = None


# The order of the fields is the order of the columns in `RECORD`.
@dataclass(frozen=True)
class _NextState:
    state: MessageState
    reason: str = ""
    error_code: str = ""
    provider_id: str = ""
    due_at: datetime | None = None
    check_at: datetime | None = None


def record_results(*, call_results: Sequence[CallResult], now: datetime, chance: Callable[[], float]) -> dict[str, int]:
    """Record the results of many calls. Return the number of messages by state.

    Only rows still waiting for a result are updated, because a status report or a lookup may have come in first.
    """
    next_states = [_compute_next_state(result, now, chance()) for result in call_results]
    if not next_states:
        return {}
    _write_results(list(zip(call_results, next_states, strict=True)), now)
    breakers.count_failures(
        calls=[(one.message.breaker_subject, _is_provider_failure(one)) for one in call_results], now=now
    )
    mailboxes.record_mail_results(mail_results=_list_mail_results(call_results), now=now)
    refusals.count_refusals(calls=[(one.message.breaker_subject, _find_refusal(one)) for one in call_results], now=now)
    for result in call_results:
        if result.error:
            message = result.message
            handle_error_code(code=result.error.code, sender_id=message.sender_id, address=message.address, now=now)
    counts: dict[str, int] = {}
    for one in next_states:
        counts[one.state] = counts.get(one.state, 0) + 1
    return counts


@transaction.atomic(savepoint=False)
def handle_error_code(*, code: str, sender_id: int | None, address: str, now: datetime) -> None:
    treatment = error_codes.choose_treatment(code)
    if treatment.alert:
        logger.warning("the provider rejected a message with %s: %s", code, treatment.reason)
    if sender_id and treatment.kind == ErrorKind.OPTED_OUT:
        sender = Sender.objects.get(pk=sender_id)
        consents.suppress_address(sender=sender, address=address, now=now, source="provider", actor="provider")
    if sender_id and treatment.stops_sender:
        senders.stop_sender(sender_id=sender_id, reason=f"{code} {treatment.reason}", now=now)


def _compute_next_state(result: CallResult, now: datetime, chance: float) -> _NextState:
    if result.receipt:
        awaits_report = result.receipt.state == MessageState.ACCEPTED
        return _NextState(
            result.receipt.state,
            provider_id=result.receipt.provider_id,
            check_at=now + FIRST_CHECK if awaits_report else None,
        )
    error = result.error or ProviderError(ErrorKind.IN_DOUBT, "no_answer")
    if error.kind == ErrorKind.TRANSIENT or (
        error.kind == ErrorKind.CONFIGURATION and result.message.channel == "email"
    ):
        return _retry_later(result.message, error, now, chance)
    state, check_at = {
        ErrorKind.PERMANENT: (MessageState.FAILED, None),
        ErrorKind.OPTED_OUT: (MessageState.BLOCKED, None),
        ErrorKind.CONFIGURATION: (MessageState.BLOCKED, None),
        ErrorKind.EXPIRED: (MessageState.EXPIRED, None),
        ErrorKind.IN_DOUBT: (MessageState.IN_DOUBT, now),
    }[error.kind]
    reason = "sender_stopped" if error_codes.choose_treatment(error.code).stops_sender else error.reason
    return _NextState(state, reason, error.code, check_at=check_at)


def _list_mail_results(call_results: Sequence[CallResult]) -> list[MailResult]:
    # Other errors say nothing about the mailbox.
    return [
        MailResult(one.message.organization_id, one.message.address, one.error.code if one.error else "")
        for one in call_results
        if one.message.channel == Channel.EMAIL and one.message.organization_id
        if one.receipt or (one.error and one.error.reason == error_codes.ADDRESS_REFUSED)
    ]


def _is_provider_failure(result: CallResult) -> bool:
    error = result.error
    return error is not None and error_codes.is_provider_failure(error.kind, error.reason, result.message.channel)


def _find_refusal(result: CallResult) -> str | None:
    """Return why the provider permanently refused a message, "" if it accepted the message, or None if unclear."""
    if result.error is None:
        return ""
    is_refused = result.error.kind in {ErrorKind.PERMANENT, ErrorKind.CONFIGURATION}
    return f"{result.error.code} {result.error.reason}".strip() if is_refused else None


def _retry_later(message: ClaimedMessage, error: ProviderError, now: datetime, chance: float) -> _NextState:
    due_at = now + rules.compute_pause(message.attempts + 1, chance, error.retry_after)
    if message.attempts + 1 >= rules.MOST_ATTEMPTS:
        return _NextState(MessageState.FAILED, "gave_up", error.code)
    if due_at >= message.expires_at:
        return _NextState(MessageState.EXPIRED, error.reason, error.code)
    return _NextState(MessageState.QUEUED, error.reason, error.code, due_at=due_at)


def _write_results(rows: Sequence[tuple[CallResult, _NextState]], now: datetime) -> None:
    # If the database cannot store a response, its message is in doubt.
    try:
        recorded = _write_rows(rows, now, RECORD)
    except DataError:
        recorded = set()
    for result, next_state in rows:
        if result.message.id in recorded:
            continue
        try:
            _write_rows([(result, next_state)], now, RECORD_ONE)
        except DataError:
            logger.error("message %s: the provider's answer cannot be kept", result.message.id)
            _write_rows(
                [(result, _NextState(MessageState.IN_DOUBT, "unreadable_answer", check_at=now))], now, RECORD_ONE
            )


def _write_rows(rows: Sequence[tuple[CallResult, _NextState]], now: datetime, statement: str) -> set[int]:
    names = _NextState.__dataclass_fields__
    columns: list[list[Any]] = [
        [result.message.id for result, _ in rows],
        [result.message.token for result, _ in rows],
    ]
    columns += [[getattr(next_state, name) for _, next_state in rows] for name in names]
    with connection.cursor() as cursor:
        cursor.execute(statement, [*columns, now, now])
        return {message_id for (message_id,) in cursor.fetchall()}


# `state || ''`: as in `claim.ADMIT`.
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
# RECORD skips locked rows. RECORD_ONE then waits for one row and holds no other lock, so no deadlock is possible.
RECORD, RECORD_ONE = _RECORD.format(_DONE + "SKIP LOCKED"), _RECORD.format(_DONE)
