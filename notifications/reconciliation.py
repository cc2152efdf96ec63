"""Find out what happened to messages that are stuck after a killed worker, an unclear response or a missing report.

No message is lost. If the provider can look up messages, none is sent twice. Otherwise each crash may cause one
duplicate. Any number of workers may run this.
"""

import logging
import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from notifications import kinds, providers, reports, results, rules
from notifications.claim import LEASE
from notifications.models import Message, MessageState, Report
from notifications.models.message import MessageQuerySet
from notifications.providers.base import OutgoingMessage, Provider, ProviderError, ProviderMessage

BLANKED_TEXT = "-"
BATCH = 100

logger = logging.getLogger(__name__)


def reconcile_messages(*, now: datetime) -> dict[str, int]:
    counts = Counter(end_leases(now=now))
    counts["adopted_reports"] = reports.adopt_orphan_reports(now=now)
    counts["forgotten_codes"] = blank_old_codes(now=now)
    until = time.monotonic() + rules.RECONCILIATION_RUN_SECONDS
    while time.monotonic() < until and (batch := _claim_due_checks(now=now)):
        while batch and time.monotonic() < until:
            message = batch.pop(0)
            counts[_check_safely(message, now)] += 1
        _release_checks(batch, now=now)
    return dict(+counts)


@transaction.atomic(savepoint=False)
def end_leases(*, now: datetime) -> dict[str, int]:
    # A lease far in the future was set before the clock was set back, so treat it as expired, too.
    expired = Message.objects.filter(Q(lease_until__lte=now) | Q(lease_until__gt=now + 2 * LEASE))
    in_flight = _lock_free_rows(expired.filter(state__in=[MessageState.CLAIMED, MessageState.SENDING]))
    # No message expires before it is due. With `due_at`, the index finds the few that are overdue.
    overdue = Message.objects.filter(state=MessageState.SCHEDULED, due_at__lte=now, expires_at__lte=now)
    scheduled = _lock_free_rows(overdue.order_by("due_at", "pk"))
    claimed, sending = (
        in_flight.filter(state=MessageState.CLAIMED),
        in_flight.filter(state=MessageState.SENDING),
    )
    return {
        "released": claimed.update(state=MessageState.QUEUED, lease_until=None, attempt_token=""),
        "in_doubt": sending.update(state=MessageState.IN_DOUBT, lease_until=None, check_at=now),
        "expired": scheduled.update(state=MessageState.EXPIRED, reason="not_worded", settled_at=now),
    }


@transaction.atomic(savepoint=False)
def blank_old_codes(*, now: datetime) -> int:
    codes = Message.objects.filter(kind=kinds.CODE.name).exclude(text=BLANKED_TEXT)
    done = codes.filter(Q(expires_at__lte=now) | Q(settled_at__isnull=False))
    done = done.exclude(state__in=[MessageState.CLAIMED, MessageState.SENDING, MessageState.IN_DOUBT])
    return done.update(text=BLANKED_TEXT, subject="", html="")


@transaction.atomic(savepoint=False)
def _claim_due_checks(*, now: datetime) -> list[Message]:
    due = Message.objects.filter(check_at__lte=now).order_by("check_at", "pk")
    claimed = list(due.select_for_update(no_key=True, skip_locked=True, of=("self",)).select_related("sender")[:BATCH])
    Message.objects.filter(pk__in=[message.pk for message in claimed]).update(check_at=now + rules.CHECK_LEASE)
    return claimed


@transaction.atomic(savepoint=False)
def _release_checks(messages: Sequence[Message], *, now: datetime) -> None:
    Message.objects.filter(pk__in=[one.pk for one in messages], check_at=now + rules.CHECK_LEASE).update(check_at=now)


def _lock_free_rows(rows: MessageQuerySet) -> MessageQuerySet:
    ids = rows.select_for_update(no_key=True, skip_locked=True).values_list("pk", flat=True)
    return Message.objects.filter(pk__in=list(ids[:BATCH]))


def _check_safely(message: Message, now: datetime) -> str:
    try:
        return _check_message(message, now)
    except Exception as error:
        # Leave the message to a coordinator, so that it does not hold up the others.
        logger.error("message %s cannot be reconciled: %s", message.pk, type(error).__name__)
        return _park_message(message, now)


def _check_message(message: Message, now: datetime) -> str:
    provider = providers.get_provider(message.channel)
    try:
        if message.state == MessageState.IN_DOUBT:
            return _resolve_doubt(message, provider, now)
        return _poll_message(message, provider, now)
    except ProviderError as error:
        logger.info("message %s could not be looked up: %s", message.pk, error)
        given_up = now >= min((message.sending_at or now) + rules.LOOKUP_TIMEOUT, message.expires_at)
        if message.state == MessageState.IN_DOUBT and given_up:
            return _resend_or_give_up(message, now, asked=False)
        return _update_message(message, "not_answered", check_at=now + rules.RETRY_UNREACHABLE_AFTER)


def _resolve_doubt(message: Message, provider: Provider, now: datetime) -> str:
    sending_at = message.sending_at or now
    if not message.address:  # erased in flight, so we can neither look it up nor send it again
        ended = {"state": MessageState.FAILED, "reason": "erased", "check_at": None, "settled_at": now}
        return _update_message(message, "ended", **ended)
    for known in provider.find(_build_outgoing_message(message), sending_at - rules.LOOKUP_WINDOW):
        if _is_same_text(known.text, message.text) and adopt_provider_message(message=message, known=known, now=now):
            return "adopted"
    if sending_at > now + rules.PROVIDER_LIST_DELAY:  # the clock was set back after the message was sent
        return _update_message(message, "settling", sending_at=now, check_at=now + rules.PROVIDER_LIST_DELAY)
    if now < sending_at + rules.PROVIDER_LIST_DELAY:
        return _update_message(message, "settling", check_at=sending_at + rules.PROVIDER_LIST_DELAY)
    return _resend_or_give_up(message, now, asked=provider.can_look_up)


def _resend_or_give_up(message: Message, now: datetime, *, asked: bool) -> str:
    if now >= message.expires_at:
        # "Expired" would say that the message was never sent. If the provider cannot be asked, it may have been.
        state = MessageState.EXPIRED if asked else MessageState.FAILED
        return _update_message(message, "ended", state=state, reason="unknown_fate", check_at=None, settled_at=now)
    if message.resends >= (rules.MOST_RESENDS if asked else rules.MOST_BLIND_RESENDS):
        logger.error("message %s is in doubt after %s resends: a person must decide", message.pk, message.resends)
        return _park_message(message, now)
    resend = {"state": MessageState.QUEUED, "due_at": now, "check_at": None, "resends": message.resends + 1}
    return _update_message(message, "sent_again", **resend)


def _park_message(message: Message, now: datetime) -> str:
    parked: dict[str, Any] = {"check_at": None, "reason": "needs_person"}
    if message.state == MessageState.IN_DOUBT:
        parked |= {"state": MessageState.FAILED, "settled_at": now}
    return _update_message(message, "left_to_a_person", **parked)


@transaction.atomic(savepoint=False)
def adopt_provider_message(*, message: Message, known: ProviderMessage, now: datetime) -> bool:
    """Record that the provider has a message in doubt, under the provider's id.

    Return False if another of our messages has this id, or if our message is no longer in doubt. Locks the provider's
    id, because two messages with the same text to one person may be in doubt at the same time.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [known.provider_id])
    taken = Message.objects.filter(provider_id=known.provider_id).exists()
    if taken or Report.objects.filter(provider_id=known.provider_id, message__isnull=False).exists():
        return False
    in_doubt = Message.objects.filter(pk=message.pk, state=MessageState.IN_DOUBT, attempt_token=message.attempt_token)
    adopted = in_doubt.update(
        state=MessageState.ACCEPTED,
        provider_id=known.provider_id,
        reason="",
        error_code="",
        sent_at=now,
        check_at=now + results.FIRST_CHECK,
    )
    if adopted:
        reports.record_report(provider_id=known.provider_id, status=known.status, error_code=known.error_code, now=now)
    return bool(adopted)


def _poll_message(message: Message, provider: Provider, now: datetime) -> str:
    age = now - (message.sent_at or now)
    later = now + max(results.FIRST_CHECK, age) if age < rules.STATUS_POLLED_FOR else None
    _update_message(message, "", check_at=later)
    known = provider.fetch(message.provider_id) if provider.can_look_up else None
    if known:
        reports.record_report(provider_id=known.provider_id, status=known.status, error_code=known.error_code, now=now)
        Message.objects.filter(pk=message.pk, check_at__isnull=False).update(check_at=later)
    return "polled"


@transaction.atomic(savepoint=False)
def _update_message(message: Message, outcome: str, **fields: Any) -> str:
    # The state may have changed since the message was read.
    same = Message.objects.filter(pk=message.pk, state=message.state, attempt_token=message.attempt_token)
    return outcome if same.update(**fields) else "decided_elsewhere"


def _build_outgoing_message(message: Message) -> OutgoingMessage:
    return OutgoingMessage(
        key=message.key,
        token=message.attempt_token,
        channel=message.channel,
        address=message.address,
        text=message.text,
        at=message.sending_at or message.due_at,
        expires_at=message.expires_at,
    )


def _is_same_text(known: str, sent: str) -> bool:
    # A provider may trim the text, and a trial account adds a sentence before it.
    return known.strip().endswith(sent.replace("\u00a0", " ").strip())
