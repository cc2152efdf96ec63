"""What became of messages that nobody heard of again: killed workers, unclear answers, missing reports.

None is lost; none is sent twice as long as the provider can be asked. Where it cannot, at most one more for each crash.
"""

import logging
import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from notifications import kinds, providers, reports, results
from notifications.claim import LEASE
from notifications.models import Message, MessageState, Report
from notifications.models.message import MessageQuerySet
from notifications.providers.base import Found, Gateway, GatewayError, Letter

SETTLING = timedelta(seconds=60)  # after this long a provider lists what it took
LOOK_BACK = timedelta(days=3)  # wide, for clocks jump; the number and the text tell messages apart
MOST_RESENDS = 5  # of what the provider says it has not
MOST_BLIND_RESENDS = 2  # of what nobody can be asked about: each may be one too many
ANSWER_PATIENCE = timedelta(minutes=10)  # how long we wait for a provider that should be able to tell
FORGOTTEN = "-"
POLLED_FOR = timedelta(days=1)
BATCH, SECONDS = 100, 20
HELD = timedelta(seconds=45)  # how long one reconciler keeps a row from the others: longer than its run
UNREACHABLE = timedelta(seconds=30)

logger = logging.getLogger(__name__)


def reconcile(*, now: datetime) -> dict[str, int]:
    """Look after whatever is stuck; return what was done. Safe with any number of workers."""
    counts = Counter(end_leases(now=now))
    counts["adopted_reports"] = reports.adopt_orphans(now=now)
    counts["forgotten_codes"] = forget_codes(now=now)
    until = time.monotonic() + SECONDS
    while time.monotonic() < until and (batch := _to_check(now=now)):
        while batch and time.monotonic() < until:
            message = batch.pop(0)
            counts[_look_after(message, now)] += 1
        _let_go(batch, now=now)
    return dict(+counts)


@transaction.atomic(savepoint=False)
def end_leases(*, now: datetime) -> dict[str, int]:
    """Take back what a worker died with: what was claimed waits again, what was past the gate is in doubt.

    A lease that ends later than any can was given by a clock that has been put back since.
    """
    run_out = Message.objects.filter(Q(lease_until__lte=now) | Q(lease_until__gt=now + 2 * LEASE))
    claimed = _free(run_out.filter(state=MessageState.CLAIMED))
    sending = _free(run_out.filter(state=MessageState.SENDING))
    scheduled = _free(Message.objects.filter(state=MessageState.SCHEDULED, expires_at__lte=now))
    return {
        "released": claimed.update(state=MessageState.QUEUED, lease_until=None, attempt_token=""),
        "in_doubt": sending.update(state=MessageState.IN_DOUBT, lease_until=None, check_at=now),
        "expired": scheduled.update(state=MessageState.EXPIRED, reason="not_worded", settled_at=now),
    }


@transaction.atomic(savepoint=False)
def forget_codes(*, now: datetime) -> int:
    """Blank the codes that have served or expired: whoever reads the outbox later learns none."""
    kept = Message.objects.filter(kind=kinds.CODE.name).exclude(text=FORGOTTEN)
    done = kept.filter(Q(expires_at__lte=now) | Q(settled_at__isnull=False))
    done = done.exclude(state__in=[MessageState.CLAIMED, MessageState.SENDING, MessageState.IN_DOUBT])
    return done.update(text=FORGOTTEN, subject="", html="")


@transaction.atomic(savepoint=False)
def _to_check(*, now: datetime) -> list[Message]:
    """Messages whose time to be looked at has come, kept from other reconcilers for a while."""
    due = Message.objects.filter(check_at__lte=now).order_by("check_at", "pk")
    held = list(due.select_for_update(no_key=True, skip_locked=True, of=("self",)).select_related("sender")[:BATCH])
    Message.objects.filter(pk__in=[message.pk for message in held]).update(check_at=now + HELD)
    return held


@transaction.atomic(savepoint=False)
def _let_go(messages: Sequence[Message], *, now: datetime) -> None:
    """Leave what there was no time for to the next reconciler."""
    Message.objects.filter(pk__in=[one.pk for one in messages], check_at=now + HELD).update(check_at=now)


def _free(rows: MessageQuerySet) -> MessageQuerySet:
    """Those of the rows that nobody holds at the moment, locked."""
    ids = rows.select_for_update(no_key=True, skip_locked=True).values_list("pk", flat=True)
    return Message.objects.filter(pk__in=list(ids[:BATCH]))


def _look_after(message: Message, now: datetime) -> str:
    """One message. What nobody foresaw is left to a person, so that it does not hold up the rest."""
    try:
        return _check(message, now)
    except Exception as error:
        logger.error("message %s cannot be looked after: %s", message.pk, type(error).__name__)
        return _leave_to_a_person(message, now)


def _check(message: Message, now: datetime) -> str:
    """Ask the provider about one message, with no transaction open; what came of it, in a word."""
    gateway = providers.choose(message.channel)
    try:
        if message.state == MessageState.IN_DOUBT:
            return _resolve(message, gateway, now)
        return _poll(message, gateway, now)
    except GatewayError as error:
        logger.info("message %s could not be looked up: %s", message.pk, error)
        given_up = now >= min((message.sending_at or now) + ANSWER_PATIENCE, message.expires_at)
        if message.state == MessageState.IN_DOUBT and given_up:
            return _unknown(message, now, asked=False)
        return _change(message, "not_answered", check_at=now + UNREACHABLE)


def _resolve(message: Message, gateway: Gateway, now: datetime) -> str:
    """Adopt what the provider has; if it has nothing once it would list it, send again, or leave it to a person."""
    sending_at = message.sending_at or now
    if not message.address:  # erased while it was on its way: nobody can be asked, and nothing may leave again
        ended = {"state": MessageState.FAILED, "reason": "erased", "check_at": None, "settled_at": now}
        return _change(message, "ended", **ended)
    for found in gateway.find(_letter(message), sending_at - LOOK_BACK):
        if _same(found.text, message.text) and adopt(message=message, found=found, now=now):
            return "adopted"
    if sending_at > now + SETTLING:  # the clock was put back since
        return _change(message, "settling", sending_at=now, check_at=now + SETTLING)
    if now < sending_at + SETTLING:
        return _change(message, "settling", check_at=sending_at + SETTLING)
    return _unknown(message, now, asked=gateway.can_look_up)


def _unknown(message: Message, now: datetime, *, asked: bool) -> str:
    """Nobody knows of it: once more, as long as it is useful and a bounded number of times."""
    if now >= message.expires_at:
        # Where the provider cannot be asked it may have arrived: then we do not say that it was never sent.
        state = MessageState.EXPIRED if asked else MessageState.FAILED
        return _change(message, "ended", state=state, reason="unknown_fate", check_at=None, settled_at=now)
    if message.resends >= (MOST_RESENDS if asked else MOST_BLIND_RESENDS):
        logger.error("message %s is in doubt after %s resends: a person must decide", message.pk, message.resends)
        return _leave_to_a_person(message, now)
    again = {"state": MessageState.QUEUED, "due_at": now, "check_at": None, "resends": message.resends + 1}
    return _change(message, "sent_again", **again)


def _leave_to_a_person(message: Message, now: datetime) -> str:
    """Ask no more; what is in doubt has failed as far as we know."""
    parked: dict[str, Any] = {"check_at": None, "reason": "needs_person"}
    if message.state == MessageState.IN_DOUBT:
        parked |= {"state": MessageState.FAILED, "settled_at": now}
    return _change(message, "left_to_a_person", **parked)


@transaction.atomic(savepoint=False)
def adopt(*, message: Message, found: Found, now: datetime) -> bool:
    """Take what the provider has for this message; False if that is another message of ours, or the doubt is over.

    Locks the provider's number, for two messages of the same text to one person may be in doubt at once.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [found.provider_id])
    taken = Message.objects.filter(provider_id=found.provider_id).exists()
    if taken or Report.objects.filter(provider_id=found.provider_id, message__isnull=False).exists():
        return False
    in_doubt = Message.objects.filter(pk=message.pk, state=MessageState.IN_DOUBT, attempt_token=message.attempt_token)
    adopted = in_doubt.update(
        state=MessageState.ACCEPTED,
        provider_id=found.provider_id,
        reason="",
        error_code="",
        sent_at=now,
        check_at=now + results.FIRST_CHECK,
    )
    if adopted:
        reports.report(provider_id=found.provider_id, status=found.status, error_code=found.error_code, now=now)
    return bool(adopted)


def _poll(message: Message, gateway: Gateway, now: datetime) -> str:
    """Ask about a message whose reports stay away: at growing intervals, for a day."""
    age = now - (message.sent_at or now)
    later = now + max(results.FIRST_CHECK, age) if age < POLLED_FOR else None
    _change(message, "", check_at=later)
    found = gateway.fetch(message.provider_id) if gateway.can_look_up else None
    if found:
        reports.report(provider_id=found.provider_id, status=found.status, error_code=found.error_code, now=now)
        Message.objects.filter(pk=message.pk, check_at__isnull=False).update(check_at=later)
    return "polled"


@transaction.atomic(savepoint=False)
def _change(message: Message, outcome: str, **fields: Any) -> str:
    """Change the row unless somebody else has decided about it since it was read."""
    same = Message.objects.filter(pk=message.pk, state=message.state, attempt_token=message.attempt_token)
    return outcome if same.update(**fields) else "decided_elsewhere"


def _letter(message: Message) -> Letter:
    """The parts by which a provider finds a message."""
    return Letter(
        key=message.key,
        token=message.attempt_token,
        channel=message.channel,
        address=message.address,
        text=message.text,
        at=message.sending_at or message.due_at,
        expires_at=message.expires_at,
    )


def _same(found: str, sent: str) -> bool:
    """Whether the provider's text is ours: it may trim the ends, a trial account puts a sentence before it."""
    return found.strip().endswith(sent.replace("\u00a0", " ").strip())
