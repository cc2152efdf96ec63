"""Find the reasons why messages of any organization are not sent: since when, how many messages, and what to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from notifications import rules
from notifications.models import Breaker, MessageState, RefusalRun, Sender
from organizations.models import Organization

MAX_COUNTED = 10_000  # of each state; keeps the query short
HOLDING_STATES = (
    MessageState.SCHEDULED,
    MessageState.QUEUED,
    MessageState.CLAIMED,
    MessageState.SENDING,
    MessageState.IN_DOUBT,
    MessageState.BLOCKED,  # only those that a stopped sender blocks
)


@dataclass(frozen=True)
class Blockage:
    code: str  # no_sender, sender_stopped, provider_failing, refused, overdue
    since: datetime | None
    sentence: str


@dataclass(frozen=True)
class OverdueMessages:
    state: str
    count: int
    first_due_at: datetime | None


def find_blockages(now: datetime) -> list[Blockage]:
    """List the reasons why messages are not sent. Always six queries."""
    return [*_find_sender_blockages(), *_find_failing_providers(), *_find_refusals(), *_find_overdue(now)]


def list_overdue_messages(now: datetime) -> list[OverdueMessages]:
    """Count the due messages that are not sent yet, by state. Includes e-mails without an organization."""
    with connection.cursor() as cursor:
        cursor.execute(_OVERDUE, {"now": now, "since": now - timedelta(days=7), "most": MAX_COUNTED})
        found = {state: (count, first) for state, count, first in cursor.fetchall()}
    return [OverdueMessages(state, *found.get(state, (0, None))) for state in map(str, HOLDING_STATES)]


def list_refusal_runs() -> list[RefusalRun]:
    return list(RefusalRun.objects.order_by("subject"))


def compute_outbox_lag(overdue: Sequence[OverdueMessages], now: datetime) -> timedelta:
    waiting = [one.first_due_at for one in overdue if one.state in {MessageState.SCHEDULED, MessageState.QUEUED}]
    return max((now - at for at in waiting if at), default=timedelta())


def _find_sender_blockages() -> list[Blockage]:
    found = [
        Blockage(
            "sender_stopped",
            sender.stopped_at,
            f"texts of the sender {sender.name} ({sender.pk}) have not been sent since {_format(sender.stopped_at)}:"
            f" {sender.stopped_reason}. Repair the account at the provider, then let it send again:"
            " `manage.py set_sender NUMBER --resume`",
        )
        for sender in Sender.objects.filter(stopped_at__isnull=False).order_by("pk")
    ]
    if not Organization.objects.exists() or Sender.objects.exists():
        return found
    sentence = "texts are not sent, because there is no sender. Set TWILIO_MESSAGING_SERVICE_SID or TWILIO_FROM"
    return [Blockage("no_sender", None, sentence)]


def _find_failing_providers() -> list[Blockage]:
    breakers = Breaker.objects.filter(open_until__isnull=False).order_by("subject")
    return [
        Blockage(
            "provider_failing",
            breaker.opened_at,
            f"{breaker.subject} has failed since {_format(breaker.opened_at)}, {breaker.failures} times in a"
            " row. The worker tries again automatically. Look at the provider's status page, or at the mail server",
        )
        for breaker in breakers
    ]


def _find_refusals() -> list[Blockage]:
    return [
        Blockage(
            "refused",
            run.first_at,
            f"{run.refusals} messages in a row were rejected by {run.subject} since {_format(run.first_at)}, the last"
            f" one with {run.reason}. Compare the sender's address and domain with what the provider allows",
        )
        for run in list_refusal_runs()
        if run.refusals >= rules.MANY_REFUSALS
    ]


def _find_overdue(now: datetime) -> list[Blockage]:
    return [
        Blockage(
            "overdue",
            overdue.first_due_at,
            f"{overdue.count} messages have been due and {overdue.state} since {_format(overdue.first_due_at)}. Check"
            f" that"
            " beat and worker are running, and look for errors in the worker's log",
        )
        for overdue in list_overdue_messages(now)
        if overdue.first_due_at
        and overdue.first_due_at <= now - rules.OVERDUE_AFTER
        and overdue.state != MessageState.BLOCKED  # is reported with its sender
    ]


def _format(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else "an unknown time"


# Each part has its own partial index. An expired message is no longer due. A message of a stopped sender is blocked
# when it is due.
_PART = """
(SELECT '{state}', count(*), min(due_at) FROM (
    SELECT due_at FROM notifications_message
     WHERE state = '{state}' {more} AND due_at <= %(now)s AND expires_at > %(now)s LIMIT %(most)s) AS part)
"""
_MORE = {
    MessageState.IN_DOUBT: "AND check_at IS NOT NULL",
    MessageState.BLOCKED: "AND channel = 'sms' AND settled_at > %(since)s AND reason = 'sender_stopped'",
}
_OVERDUE = "UNION ALL".join(_PART.format(state=str(state), more=_MORE.get(state, "")) for state in HOLDING_STATES)
