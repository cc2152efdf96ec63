"""Clean up a database that was restored from a backup.

Erase people again, withdraw messages that may already have been sent, and list the messages that will be sent.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from drives.attendance import close_out
from drives.inbox import replies
from drives.messaging import email_fallback, invitations
from drives.planning import under_filled_alerts
from drives.privacy import erase, rules
from drives.privacy.erase import ErasureReason
from drives.waitlist import messages as waitlist_messages
from notifications import restored_messages
from notifications.restored_messages import MessagesOfKind
from organizations import audit, database_copy
from organizations.models import Organization
from volunteers.models import Volunteer


@dataclass(frozen=True)
class RestoreResult:
    erased: int
    withdrawn: dict[str, int]  # number of messages, by kind
    coming: Sequence[MessagesOfKind]


def preview_restored_copy(*, erasures: Collection[str], sent_until: datetime, now: datetime) -> RestoreResult:
    """Return the result of `accept_restored_copy` without changing anything."""
    with transaction.atomic():
        result = _clean_up(erasures, sent_until, now)
        transaction.set_rollback(True)
    return result


def accept_restored_copy(
    *, erasures: Collection[str], sent_until: datetime, actor: str, now: datetime
) -> RestoreResult:
    """Clean up a restored copy, and let the sweeps run again.

    `sent_until` is the time when the lost database sent its last message. Messages that were due by then are withdrawn,
    because the lost database may have sent them. For the same reason, this function runs the sweeps that create
    messages, for example follow-ups, alerts and invitations, and withdraws the messages that they create. Messages that
    were created after the service had started on the copy are kept.
    """
    with transaction.atomic():
        result = _clean_up(erasures, sent_until, now)
        _open_service("restored", actor, now)
    return result


@transaction.atomic
def accept_moved_database(*, actor: str, now: datetime) -> None:
    """Let the sweeps run again, after the database was moved or upgraded and no data was lost."""
    _open_service("moved_database", actor, now)


def _open_service(verb: str, actor: str, now: datetime) -> None:
    for organization in Organization.objects.order_by("pk"):
        about = f"organization:{organization.pk}"
        audit.add_audit_entry(organization=organization, actor=actor, verb=verb, about=about, now=now)
    database_copy.accept_database(now=now)


def _clean_up(erasures: Collection[str], sent_until: datetime, now: datetime) -> RestoreResult:
    erased = erase_again(erasures=erasures, now=now)
    close_out.close_out_due_drives(now=now)
    under_filled_alerts.alert_under_filled_drives(now=now)
    email_fallback.queue_fallback_emails(now=now)
    waitlist_messages.queue_fallback_emails(now=now)
    replies.handle_new_replies(now=now)
    invitations.invite_all_donors(now=now, in_quiet_hours=True)
    withdrawn = restored_messages.withdraw_past_messages(
        until=sent_until, copy_start=database_copy.find_copy_start(), created_since=now, now=now
    )
    return RestoreResult(
        erased, withdrawn, restored_messages.list_coming_messages(until=now + rules.RESTORED_MESSAGES_SHOWN_AHEAD)
    )


def erase_again(*, erasures: Collection[str], now: datetime) -> int:
    """Erase the listed people again. Return the number of erasures. A second call changes nothing."""
    known = Volunteer.objects.known().filter(uuid__in=erasures).order_by("pk").values_list("pk", flat=True)
    return erase.erase_volunteers(
        volunteer_ids=list(known), reason=ErasureReason.ASKED, actor="worker", now=now, is_listed=True
    )
