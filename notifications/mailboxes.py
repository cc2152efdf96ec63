"""Count how often a mailbox permanently refuses mail. After a few refusals, the mailbox gets only codes.

If the mail server accepts a code, the count starts again at 0. So a donor can get mail again by verifying the mailbox.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from django.db import transaction
from django.db.models import F

from notifications import contact_address, queries, rules
from notifications.models import Channel, MailboxRefusals, Message, MessageState
from organizations import audit
from organizations.models import Organization

BLOCKED_REASON = "mailbox_refuses"


class MailboxEvent(StrEnum):
    REFUSED = "refused"
    ACCEPTED = "accepted"
    TRIED_AGAIN = "tried_again"


# Functions from the old count of refusals to the new count. The count is a number, or an F() expression in an update.
# From `rules.MAX_REFUSALS` on, mail is blocked.
NEXT_COUNT: Mapping[MailboxEvent, Callable[[Any], Any]] = MappingProxyType(
    {
        MailboxEvent.REFUSED: lambda count: count + 1,
        MailboxEvent.ACCEPTED: lambda count: 0,
        MailboxEvent.TRIED_AGAIN: lambda count: min(count, rules.MAX_REFUSALS - 1),  # the next refusal blocks again
    }
)


def is_refusing(count: int) -> bool:
    return count >= rules.MAX_REFUSALS


@dataclass(frozen=True)
class MailResult:
    organization_id: int
    address: str
    error_code: str = ""  # "" if the server accepted the mail

    @property
    def address_hash(self) -> str:
        return contact_address.compute_identity(self.address)


def record_mail_results(*, mail_results: Iterable[MailResult], now: datetime) -> None:
    """Count refusals, and clear the counts of mailboxes that accepted mail.

    Each mailbox has its own statement, so no deadlock is possible.
    """
    accepted = set()
    for result in mail_results:
        if result.error_code:
            _count_refusal(result, now)
        else:
            accepted.add(result.address_hash)
    cleared = MailboxRefusals.objects.filter(address_hash__in=accepted).values_list("pk", flat=True)
    for pk in cleared if accepted else ():
        MailboxRefusals.objects.filter(pk=pk).delete()


def _count_refusal(result: MailResult, now: datetime) -> None:
    key = {"organization_id": result.organization_id, "address_hash": result.address_hash}
    refusal = {"error_code": result.error_code, "refused_at": now}
    next_count = NEXT_COUNT[MailboxEvent.REFUSED]
    if not MailboxRefusals.objects.filter(**key).update(count=next_count(F("count")), **refusal):
        MailboxRefusals.objects.bulk_create(
            [MailboxRefusals(**key, **refusal, count=next_count(0))], ignore_conflicts=True
        )


@transaction.atomic(savepoint=False)
def try_mailbox_again(*, organization: Organization, address: str, about: str, actor: str, now: datetime) -> int:
    """Let the mailbox get mail until its next refusal. Queue blocked messages again, and return their number."""
    rows = MailboxRefusals.objects.filter(
        organization=organization, address_hash=contact_address.compute_identity(address)
    )
    for row in rows.select_for_update():
        row.count = NEXT_COUNT[MailboxEvent.TRIED_AGAIN](row.count)
        row.save(update_fields=["count"])
    audit.add_audit_entry(organization=organization, actor=actor, verb="mailbox.tried_again", about=about, now=now)
    return requeue_blocked_mail(organization=organization, address=address, new_address=address, now=now)


@transaction.atomic(savepoint=False)
def requeue_blocked_mail(
    *, organization: Organization, address: str, new_address: str, recipient: str = "", now: datetime
) -> int:
    """Queue messages again that were blocked because the mailbox refused mail, and send them to `new_address`.

    Messages that are no longer useful stay blocked. Return the number of queued messages.
    """
    blocked = Message.objects.of(organization).filter(
        channel=Channel.EMAIL, state=MessageState.BLOCKED, reason=BLOCKED_REASON, address=address, expires_at__gt=now
    )
    if recipient:
        blocked = blocked.filter(recipient=recipient)
    current = queries.exclude_outdated(blocked)
    return current.update(state=MessageState.QUEUED, reason="", settled_at=None, address=new_address)
