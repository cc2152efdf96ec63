"""The outbox: what will be sent, put there in the transaction that makes it true. Idempotent by the message's key."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from notifications import kinds
from notifications.kinds import KINDS, Withdrawal
from notifications.message_content import Envelope, MessageContent, RenderedMessage
from notifications.models import Channel, Message, MessageState
from organizations.models import Organization

ROWS_PER_STATEMENT = 500


@transaction.atomic(savepoint=False)
def queue_messages(*, organization: Organization | None, messages: Sequence[RenderedMessage], now: datetime) -> int:
    """Put worded notices in the outbox; return how many were new. Keys that are there already are left as they are.

    Without an organization it is account mail, which leaves in the installation's own name.
    """
    return _insert_rows([_build_row(organization, notice.envelope, now, notice.wording) for notice in messages])


@transaction.atomic(savepoint=False)
def schedule_messages(*, organization: Organization, envelopes: Sequence[Envelope], now: datetime) -> int:
    """Note what is to be said later; `render` gives it its text shortly before it is due. Return how many were new."""
    return _insert_rows([_build_row(organization, envelope, now) for envelope in envelopes])


@transaction.atomic(savepoint=False)
def queue_rendered_messages(*, contents: Sequence[tuple[int, MessageContent]], now: datetime) -> int:
    """Give scheduled messages their text, so that they leave when due. A withdrawn one stays withdrawn."""
    if not contents:
        return 0
    columns = [[message_id for message_id, _ in contents]]
    columns += [[getattr(wording, name) for _, wording in contents] for name in _CONTENT_FIELDS]
    with connection.cursor() as cursor:
        cursor.execute(_STORE_CONTENT, columns)
        return int(cursor.rowcount)


@transaction.atomic(savepoint=False)
def switch_messages_to_email(*, addresses: Mapping[int, str]) -> int:
    """Send scheduled texts by e-mail instead: message id to mailbox."""
    rows = Message.objects.filter(pk__in=addresses, state=MessageState.SCHEDULED)
    scheduled = list(rows.select_for_update(no_key=True))
    for message in scheduled:
        message.channel, message.address = Channel.EMAIL, addresses[message.pk]
    return Message.objects.bulk_update(scheduled, ["channel", "address"])


@transaction.atomic(savepoint=False)
def withdraw_scheduled_messages(*, ids: Collection[int], reason: str, now: datetime) -> int:
    """Withdraw scheduled messages that no longer hold."""
    scheduled = Message.objects.filter(pk__in=ids, state=MessageState.SCHEDULED)
    return scheduled.update(state=MessageState.WITHDRAWN, reason=reason, settled_at=now)


@transaction.atomic(savepoint=False)
def unrender_messages(
    *, abouts: Collection[str], changed_abouts: Collection[str], kinds: Collection[str], dropped_reason: str
) -> int:
    """Schedule again the texts about these that wait rendered, and those dropped because another text said it.

    For texts that speak of several things, of which those `beside` have changed: `render` writes them anew. Where the
    text that spoke for all has left, nothing is said twice. Returns how many are scheduled again.
    """
    texts = Message.objects.filter(kind__in=kinds, channel=Channel.SMS)
    unsaid = {"state": MessageState.SCHEDULED, "reason": "", "settled_at": None}
    unsaid |= {"lease_until": None, "attempt_token": ""}
    worded = texts.filter(about__in=abouts, state__in=(MessageState.QUEUED, MessageState.CLAIMED))
    taken_back = worded.update(**unsaid, **dict.fromkeys(_CONTENT_FIELDS, ""))
    not_gone = (MessageState.SCHEDULED, MessageState.WITHDRAWN)
    said = texts.filter(about__in=[*abouts, *changed_abouts], kind=OuterRef("kind"), address=OuterRef("address"))
    dropped = texts.filter(about__in=abouts, state=MessageState.WITHDRAWN, reason=dropped_reason)
    return taken_back + dropped.exclude(Exists(said.exclude(state__in=not_gone))).update(**unsaid)


@transaction.atomic(savepoint=False)
def withdraw_messages(
    *,
    abouts: Collection[str],
    now: datetime,
    cause: Withdrawal,
    before_revision: int | None = None,
    recipients: Collection[str] | None = None,
) -> int:
    """Take back what still waits about these, for these recipients if given, and is of a kind that this withdraws.

    Once this has been committed none of them leaves: the gate finds their state changed. What is past it is in flight.
    """
    waiting = Message.objects.waiting().filter(about__in=abouts, kind__in=kinds.list_kinds_withdrawn_by(cause))
    if before_revision is not None:
        waiting = waiting.filter(revision__lt=before_revision)
    if recipients is not None:
        waiting = waiting.filter(recipient__in=recipients)
    return waiting.update(state=MessageState.WITHDRAWN, reason="withdrawn", settled_at=now, lease_until=None)


@transaction.atomic(savepoint=False)
def withdraw_messages_by_id(*, ids: Collection[int], now: datetime) -> int:
    """Take back those of these messages that still wait."""
    waiting = Message.objects.waiting().filter(pk__in=ids)
    return waiting.update(state=MessageState.WITHDRAWN, reason="withdrawn", settled_at=now, lease_until=None)


@transaction.atomic(savepoint=False)
def withdraw_messages_by_key(*, key_prefix: str, cause: Withdrawal, now: datetime, reason: str = "withdrawn") -> int:
    """Take back what still waits under keys that begin so, and is of a kind that this withdraws."""
    waiting = Message.objects.waiting().filter(
        key__startswith=key_prefix, kind__in=kinds.list_kinds_withdrawn_by(cause)
    )
    return waiting.update(state=MessageState.WITHDRAWN, reason=reason, settled_at=now, lease_until=None)


@transaction.atomic(savepoint=False)
def rename_recipient(*, recipient: str, new_recipient: str) -> int:
    """Name another recipient for all that was and will be said to one: two of them are one."""
    return Message.objects.filter(recipient=recipient).update(recipient=new_recipient)


@transaction.atomic(savepoint=False)
def readdress_messages(*, recipient: str, channel: str, address: str, now: datetime) -> int:
    """Send what still waits for a recipient to a changed address; what is claimed goes back, to be read anew."""
    waiting = Message.objects.waiting().filter(recipient=recipient, channel=channel).exclude(address=address)
    waiting.filter(state=MessageState.CLAIMED).update(
        state=MessageState.QUEUED, address=address, lease_until=None, attempt_token=""
    )
    return waiting.update(address=address)


def _build_row(
    organization: Organization | None, envelope: Envelope, now: datetime, wording: MessageContent | None = None
) -> dict[str, Any]:
    return {
        **_EMPTY,
        **vars(envelope),
        **(vars(wording) if wording else {}),
        "organization_id": organization.pk if organization else None,
        "priority": KINDS[envelope.kind].priority,
        "created_at": now,
        "state": MessageState.QUEUED if wording else MessageState.SCHEDULED,
    }


def _insert_rows(rows: Sequence[dict[str, Any]]) -> int:
    """Insert in the order of the keys: two makers of the same messages wait for each other, and never both ways."""
    ordered = sorted(rows, key=itemgetter("key"))
    inserted = 0
    with connection.cursor() as cursor:
        for start in range(0, len(ordered), ROWS_PER_STATEMENT):
            cursor.execute(_INSERT, [json.dumps(ordered[start : start + ROWS_PER_STATEMENT], default=str)])
            inserted += len(cursor.fetchall())
    return inserted


_COLUMNS = [field for field in Message._meta.concrete_fields if not field.primary_key]
_EMPTY = {field.attname: field.get_default() for field in _COLUMNS}
_NAMES = ", ".join(str(field.column) for field in _COLUMNS)
# One parameter, whatever the number of rows and columns: the statement is the same for one row and for hundreds.
_INSERT = f"""
INSERT INTO notifications_message ({_NAMES})
SELECT {_NAMES} FROM jsonb_populate_recordset(NULL::notifications_message, %s) ON CONFLICT (key) DO NOTHING RETURNING id
"""  # noqa: S608  names of the model
_CONTENT_FIELDS = ("text", "subject", "html", "calendar", "calendar_method", "unsubscribe_url")
_STORE_CONTENT = """
UPDATE notifications_message AS message
   SET state = 'queued', text = worded.text, subject = worded.subject, html = worded.html, calendar = worded.calendar,
       calendar_method = worded.calendar_method, unsubscribe_url = worded.unsubscribe_url
  FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
       AS worded (id, text, subject, html, calendar, calendar_method, unsubscribe_url)
 WHERE message.id = worded.id AND message.state = 'scheduled' AND worded.text <> ''
"""
