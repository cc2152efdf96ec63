"""Erase a person's messages, replies and consents, and blank old texts."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Case, Q, QuerySet, Value, When

from notifications import contact_address, rules
from notifications.models import (
    UNSENT_STATES,
    ConsentEntry,
    InboundMessage,
    InboxItem,
    MailboxRefusals,
    Message,
    MessageState,
    Report,
    Suppression,
)
from notifications.models.message import MessageQuerySet
from notifications.reconciliation import BLANKED_TEXT
from organizations.models import Organization

ERASED = "erased"
STEP = 2_000

# A check constraint requires a text on every queued row, so a text becomes BLANKED_TEXT instead of "".
_NO_TEXT: dict[str, Any] = {
    "text": Case(When(text="", then=Value("")), default=Value(BLANKED_TEXT)),
    "subject": "",
    "html": "",
    "calendar": "",
    "unsubscribe_url": "",
}
_NO_ADDRESS: dict[str, Any] = {"address": "", "provider_id": "", "check_at": None}


def lock_replies(*, addresses: Collection[str]) -> None:
    """Lock the inbound texts from these numbers until this transaction ends. Wait for workers that are handling them.

    Take this lock before all other locks, as the workers do, so that no deadlock is possible.
    """
    texts = InboundMessage.objects.filter(address__in=addresses).order_by("pk")
    list(texts.select_for_update(no_key=True, of=("self",)).values_list("pk", flat=True))


@transaction.atomic(savepoint=False)
def erase_messages(
    *, organization: Organization, addresses: Collection[str], abouts: Collection[str], recipient: str, now: datetime
) -> int:
    """Blank a person's messages and return their number. The channel, the times and the result stay.

    - unsent messages are withdrawn; messages in flight still get their result
    - covers the messages about `abouts`, the unsent messages to `recipient`, and the messages to `addresses`, which no
      one else may have
    """
    ids = _lock_messages(organization, addresses, abouts, recipient)
    rows = Message.objects.filter(pk__in=ids)
    Report.objects.filter(message__in=ids).delete()
    ended = {"reason": ERASED, "settled_at": now, "lease_until": None}
    rows.filter(state__in=UNSENT_STATES).update(state=MessageState.WITHDRAWN, **ended)
    rows.filter(state=MessageState.IN_DOUBT).update(state=MessageState.FAILED, **ended)
    rows.exclude(state=MessageState.SENDING).update(attempt_token="")
    return rows.update(**_NO_TEXT, **_NO_ADDRESS)


@transaction.atomic(savepoint=False)
def delete_replies(*, ids: Collection[int], addresses: Collection[str]) -> int:
    """Delete replies by id, and all replies from `addresses`.

    The caller makes sure that no organization has these contacts anymore.
    """
    InboxItem.objects.filter(to__in=addresses).delete()
    return InboundMessage.objects.filter(Q(pk__in=ids) | Q(address__in=addresses)).delete()[0]


@transaction.atomic(savepoint=False)
def hash_consents(*, organization: Organization, addresses: Collection[str]) -> None:
    # By law, we must keep the rest of an entry.
    senders = Q(sender__organizations=organization) | Q(sender__is_default=True)
    hashes = [contact_address.compute_identity(address) for address in addresses]
    MailboxRefusals.objects.filter(organization=organization, address_hash__in=hashes).delete()
    for address in addresses:
        entries = ConsentEntry.objects.filter(organization=organization, address=address)
        entries.update(address=contact_address.compute_identity(address), ip=None, is_checked=True)
        hash_suppressions(Suppression.objects.filter(senders, address=address), address)


@transaction.atomic(savepoint=False)
def hash_suppressions(suppressions: QuerySet[Suppression], address: str) -> None:
    # An earlier erasure may have hashed the same STOP. A sender keeps only one row for it.
    ids, hashed = list(suppressions.values_list("pk", flat=True)), contact_address.compute_identity(address)
    duplicates = Suppression.objects.filter(address=hashed).values("sender")
    Suppression.objects.filter(pk__in=ids, sender__in=duplicates).delete()
    Suppression.objects.filter(pk__in=ids).update(address=hashed, is_checked=True)


def purge_old_texts(*, now: datetime) -> int:
    """Blank the text and the contact of settled messages and handled replies after 90 days. Return their number.

    Each step is its own transaction, so the run can be killed or repeated safely.
    """
    before, blanked = now - rules.TEXTS_KEPT_FOR, 0
    while step := _list_old_messages(before):
        kept = Message.objects.filter(pk__in=step).exclude(state__in=_UNSETTLED_STATES)
        blanked += kept.update(**_NO_TEXT, address="")
    with connection.cursor() as cursor:
        cursor.execute(_BLANK_REPLIES_SQL, [before])
        return blanked + int(cursor.rowcount)


def _list_old_messages(before: datetime) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_OLD_MESSAGES_SQL, {"before": before, "limit": STEP})
        return [message_id for (message_id,) in cursor.fetchall()]


# The conditions are literals, so that every plan can use the partial indexes message_not_blanked and
# inbound_not_blanked.
_UNSETTLED_STATES = (*UNSENT_STATES, MessageState.SENDING, MessageState.IN_DOUBT)
_OLD_MESSAGES_SQL = f"""
SELECT id FROM notifications_message
 WHERE address <> '' AND state NOT IN ({", ".join(f"'{state}'" for state in _UNSETTLED_STATES)})
   AND created_at < %(before)s
 ORDER BY created_at LIMIT %(limit)s
"""  # noqa: S608  only constants
_BLANK_REPLIES_SQL = """
UPDATE notifications_inboundmessage SET text = '', address = ''
 WHERE received_at < %s AND handled_at IS NOT NULL AND address <> ''
"""


def _lock_messages(
    organization: Organization, addresses: Collection[str], abouts: Collection[str], recipient: str
) -> list[int]:
    # Each part has its own index. One OR across all parts would scan the table.
    ours = Message.objects.of(organization)
    to_them = ours.filter(address__in=addresses)
    never_sent = to_them.filter(sending_at__isnull=True)
    parts: list[MessageQuerySet] = [
        Message.objects.filter(about__in=abouts),
        to_them.filter(sending_at__isnull=False),
        never_sent.filter(state__in=UNSENT_STATES),
        never_sent.exclude(state__in=UNSENT_STATES),
        ours.unsent().filter(recipient=recipient).exclude(recipient=""),
    ]
    found = {pk for part in parts for pk in part.values_list("pk", flat=True)}
    rows = Message.objects.filter(pk__in=found).order_by("pk").select_for_update(no_key=True, of=("self",))
    return list(rows.values_list("pk", flat=True))
