"""Apply the provider's status reports to messages."""

import logging
from datetime import datetime, timedelta

from django.db import transaction

from notifications import error_codes, results, rules
from notifications.error_codes import ErrorKind
from notifications.models import Message, MessageState, Report

ORPHANS_KEPT_FOR = timedelta(days=3)

logger = logging.getLogger(__name__)


@transaction.atomic(savepoint=False)
def record_report(*, provider_id: str, status: str, error_code: str = "", token: str = "", now: datetime) -> Report:
    """Store a report and, if its message is known, update the message's state. Locks the message.

    `token` identifies the attempt to send, and so finds a message that has no provider id yet. Reports may come twice,
    out of order, early or late, but a report never moves a message back to an earlier state. A report about an unknown
    message waits for `adopt_orphan_reports`.
    """
    message = _lock_message(provider_id, token)
    report = Report.objects.create(
        message=message, provider_id=provider_id, status=status[:20], error_code=error_code[:40], received_at=now
    )
    if message:
        _apply_report(message, report, now)
    return report


def adopt_orphan_reports(*, now: datetime, limit: int = 500) -> int:
    orphans = Report.objects.filter(message=None, received_at__gt=now - ORPHANS_KEPT_FOR).exclude(provider_id="")
    # Read the ids first. In a single statement, PostgreSQL might scan all messages, even to find none.
    waiting = list(orphans.values_list("provider_id", flat=True))
    known = Message.objects.filter(provider_id__in=waiting).values_list("provider_id", flat=True)
    ids = list(orphans.filter(provider_id__in=list(known)).order_by("pk").values_list("pk", flat=True)[:limit])
    return sum(_try_adopt_report(report_id, now) for report_id in ids)


def _try_adopt_report(report_id: int, now: datetime) -> bool:
    try:
        return _adopt_report(report_id, now)
    except Exception as error:  # one bad report must not hold up the rest
        logger.error("report %s cannot be applied: %s", report_id, type(error).__name__)
        return False


@transaction.atomic(savepoint=False)
def _adopt_report(report_id: int, now: datetime) -> bool:
    orphan = Report.objects.get(pk=report_id)
    message = _lock_message(orphan.provider_id, "")
    if message is None or not Report.objects.filter(pk=report_id, message=None).update(message=message):
        return False
    _apply_report(message, orphan, now)
    return True


def _lock_message(provider_id: str, token: str) -> Message | None:
    messages = Message.objects.select_for_update(no_key=True, of=("self",))
    found = messages.filter(attempt_token=token).first() if token else None
    if found is None and provider_id:
        found = messages.filter(provider_id=provider_id).first()
    return found


def _apply_report(message: Message, report: Report, now: datetime) -> None:
    reported = rules.parse_status(report.status)
    if reported is None or not rules.is_forward_move(message.state, reported):
        return
    message.state, message.lease_until = reported, None
    message.provider_id, message.error_code = report.provider_id, report.error_code
    message.check_at = None if reported in rules.FINAL else now + results.FIRST_CHECK
    message.sent_at = message.sent_at or now
    message.settled_at = now if reported in rules.FINAL else None
    if reported in {MessageState.FAILED, MessageState.UNDELIVERED}:
        _handle_failure(message, now)
    message.save()
    if reported in {MessageState.FAILED, MessageState.UNDELIVERED}:
        results.handle_error_code(code=report.error_code, sender_id=message.sender_id, address=message.address, now=now)


def _handle_failure(message: Message, now: datetime) -> None:
    treatment = error_codes.choose_treatment(message.error_code)
    message.reason = treatment.reason
    if treatment.kind == ErrorKind.EXPIRED:
        message.state = MessageState.EXPIRED
    delays = treatment.delays[max(0, message.attempts - 1) :]
    if delays and now + delays[0] < message.expires_at:
        message.state, message.due_at, message.settled_at = MessageState.QUEUED, now + delays[0], None
