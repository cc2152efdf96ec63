"""Queue, schedule and withdraw messages in the caller's transaction. Queueing the same key twice has no effect."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q

from notifications import kinds, message_content, unverified_mailboxes
from notifications.kinds import KINDS, Withdrawal
from notifications.message_content import Envelope, MessageContent, RenderedMessage
from notifications.models import Channel, Message, MessageState
from notifications.models.message import RESUMABLE_REASONS, UNSENT_STATES, MessageQuerySet
from organizations.models import Organization, linked_model

ROWS_PER_STATEMENT = 500


@transaction.atomic(savepoint=False)
def queue_messages(*, organization: Organization | None, messages: Sequence[RenderedMessage], now: datetime) -> int:
    """Queue rendered messages, and skip keys that exist. Return the number of new messages that are not blocked.

    E-mails over the limit of an unverified mailbox are stored as blocked, so that coordinators see them. Messages
    without an organization, such as password resets, are sent under the name of the installation.
    """
    rows = [_build_row(organization, message.envelope, now, message.content) for message in messages]
    if limited := [row for row in rows if row["has_unverified_mailbox"]]:
        unverified_mailboxes.block_emails_over_limit(limited, now)
    return _insert_rows(rows)


@transaction.atomic(savepoint=False)
def schedule_messages(*, organization: Organization, envelopes: Sequence[Envelope], now: datetime) -> int:
    return _insert_rows([_build_row(organization, envelope, now) for envelope in envelopes])


@transaction.atomic(savepoint=False)
def queue_rendered_messages(*, contents: Sequence[tuple[int, MessageContent]], now: datetime) -> int:
    # A message that was withdrawn in the meantime stays withdrawn.
    if not contents:
        return 0
    columns: list[list[Any]] = [[message_id for message_id, _ in contents]]
    columns += [[getattr(content, name) for _, content in contents] for name in _CONTENT_FIELDS]
    columns.append([None if content.html else _count_segments(content.text) for _, content in contents])
    with connection.cursor() as cursor:
        cursor.execute(_STORE_CONTENT, columns)
        return int(cursor.rowcount)


@transaction.atomic(savepoint=False)
def switch_messages_to_email(*, addresses: Mapping[int, str]) -> int:
    """Turn scheduled texts into e-mails to these addresses, by message id. Return the number of messages."""
    rows = Message.objects.filter(pk__in=addresses, state=MessageState.SCHEDULED)
    scheduled = list(rows.select_for_update(no_key=True))
    for message in scheduled:
        message.channel, message.address = Channel.EMAIL, addresses[message.pk]
    return Message.objects.bulk_update(scheduled, ["channel", "address"])


@transaction.atomic(savepoint=False)
def withdraw_scheduled_messages(*, ids: Collection[int], reason: str, now: datetime) -> int:
    scheduled = Message.objects.filter(pk__in=ids, state=MessageState.SCHEDULED)
    return scheduled.update(state=MessageState.WITHDRAWN, reason=reason, settled_at=now)


@transaction.atomic(savepoint=False)
def unrender_messages(
    *, abouts: Collection[str], changed_abouts: Collection[str], kinds: Collection[str], dropped_reason: str
) -> int:
    """Turn texts about `abouts` back into scheduled messages: rendered texts, and texts that a shared text replaced.

    Call this if one text names several bookings, and the bookings in `changed_abouts` change. If the shared text has
    already been sent, the replaced texts stay withdrawn, so that no donor gets a text twice. Return the number of texts
    that are scheduled again.
    """
    texts = Message.objects.filter(kind__in=kinds, channel=Channel.SMS)
    scheduled = {"state": MessageState.SCHEDULED, "reason": "", "settled_at": None}
    scheduled |= {"lease_until": None, "attempt_token": ""}
    rendered = texts.filter(about__in=abouts, state__in=(MessageState.QUEUED, MessageState.CLAIMED))
    unrendered = rendered.update(**scheduled, **dict.fromkeys(_CONTENT_FIELDS, ""), segments=None)
    not_sent = (MessageState.SCHEDULED, MessageState.WITHDRAWN)
    same_text = texts.filter(about__in=[*abouts, *changed_abouts], kind=OuterRef("kind"), address=OuterRef("address"))
    dropped = texts.filter(about__in=abouts, state=MessageState.WITHDRAWN, reason=dropped_reason)
    return unrendered + dropped.exclude(Exists(same_text.exclude(state__in=not_sent))).update(**scheduled)


@transaction.atomic(savepoint=False)
def withdraw_messages(
    *,
    abouts: Collection[str],
    now: datetime,
    cause: Withdrawal,
    before_revision: int | None = None,
    recipients: Collection[str] | None = None,
) -> int:
    """Withdraw unsent messages about `abouts`, of the kinds that `cause` withdraws. Return their number.

    After the commit, none of them is sent, because `claim.admit_messages` checks the state. Messages that a worker is
    sending at this moment still arrive.
    """
    unsent = Message.objects.unsent().filter(about__in=abouts, kind__in=kinds.list_kinds_withdrawn_by(cause))
    if before_revision is not None:
        unsent = unsent.filter(revision__lt=before_revision)
    if recipients is not None:
        unsent = unsent.filter(recipient__in=recipients)
    return unsent.update(state=MessageState.WITHDRAWN, reason="withdrawn", settled_at=now, lease_until=None)


@transaction.atomic(savepoint=False)
def withdraw_messages_by_id(*, ids: Collection[int], now: datetime) -> int:
    unsent = Message.objects.unsent().filter(pk__in=ids)
    return unsent.update(state=MessageState.WITHDRAWN, reason="withdrawn", settled_at=now, lease_until=None)


@transaction.atomic(savepoint=False)
def withdraw_messages_by_key(*, key_prefix: str, cause: Withdrawal, now: datetime, reason: str = "withdrawn") -> int:
    unsent = Message.objects.unsent().filter(key__startswith=key_prefix, kind__in=kinds.list_kinds_withdrawn_by(cause))
    return unsent.update(state=MessageState.WITHDRAWN, reason=reason, settled_at=now, lease_until=None)


@transaction.atomic(savepoint=False)
def rename_recipient(*, recipient: str, new_recipient: str) -> int:
    return Message.objects.filter(recipient=recipient).update(recipient=new_recipient)


@transaction.atomic(savepoint=False)
def readdress_messages(*, recipient: str, channel: str, address: str, now: datetime) -> int:
    unsent = Message.objects.unsent().filter(recipient=recipient, channel=channel).exclude(address=address)
    # A worker has already read the old contact from a claimed message, so that message is queued again.
    unsent.filter(state=MessageState.CLAIMED).update(
        state=MessageState.QUEUED, address=address, lease_until=None, attempt_token=""
    )
    return unsent.update(address=address)


def list_unsent_tokens(*, organization: Organization) -> dict[str, list[tuple[int, str]]]:
    """Find the tokens of links in unsent messages. Return (message id, token) pairs by the token's hash."""
    found: dict[str, list[tuple[int, str]]] = {}
    unsent = _filter_may_leave().filter(organization=organization).exclude(text="")
    for message_id, *texts in unsent.values_list("pk", *_LINKED_FIELDS).iterator():
        tokens = {token for text in texts for token in _TOKEN.findall(_FOLD.sub("", text))}
        for token in tokens:
            found.setdefault(linked_model.hash_token(token), []).append((message_id, token))
    return found


@transaction.atomic(savepoint=False)
def replace_tokens(*, replaced: Mapping[int, Sequence[tuple[str, str]]]) -> int:  # old and new tokens by message id
    """Replace tokens in unsent messages by new tokens of the same length. Return the number of messages."""
    rows = _filter_may_leave().filter(pk__in=replaced).order_by("pk")
    messages = list(rows.select_for_update(no_key=True, of=("self",)))
    for message in messages:
        for name in _LINKED_FIELDS:
            text = getattr(message, name)
            for old, new in replaced[message.pk]:
                text = _replace_token(text, old, new)
            setattr(message, name, text)
        if message.state == MessageState.CLAIMED:  # a worker has already read the old text
            message.state, message.lease_until, message.attempt_token = MessageState.QUEUED, None, ""
    return Message.objects.bulk_update(messages, [*_LINKED_FIELDS, "state", "lease_until", "attempt_token"])


def _filter_may_leave() -> MessageQuerySet:
    resumable = Q(state=MessageState.BLOCKED, reason__in=RESUMABLE_REASONS)
    return Message.objects.filter(Q(state__in=UNSENT_STATES) | resumable)


def _replace_token(text: str, old: str, new: str) -> str:
    if old in text:
        text = text.replace(old, new)
    folded = re.compile(f"(?:{_FOLD.pattern})?".join(map(re.escape, old)))  # lines of a calendar are folded

    def write_new(found: re.Match[str]) -> str:
        at = found[0].find("\r\n ")
        return new if at < 0 else f"{new[:at]}\r\n {new[at:]}"

    return folded.sub(write_new, text) if _FOLD.search(text) else text


def _build_row(
    organization: Organization | None, envelope: Envelope, now: datetime, content: MessageContent | None = None
) -> dict[str, Any]:
    return {
        **_EMPTY,
        **vars(envelope),
        **(vars(content) if content else {}),
        "segments": _count_segments(content.text) if content and envelope.channel == Channel.SMS else None,
        "organization_id": organization.pk if organization else None,
        "priority": KINDS[envelope.kind].priority,
        "created_at": now,
        "state": MessageState.QUEUED if content else MessageState.SCHEDULED,
    }


def _count_segments(text: str) -> int:
    return message_content.count_segments(text.replace("\u00a0", " "))  # as the provider's client sends it


def _insert_rows(rows: Sequence[dict[str, Any]]) -> int:
    # A fixed order, so that two transactions with the same keys cannot deadlock.
    ordered = sorted(rows, key=itemgetter("key"))
    inserted = 0
    with connection.cursor() as cursor:
        for start in range(0, len(ordered), ROWS_PER_STATEMENT):
            cursor.execute(_INSERT, [json.dumps(ordered[start : start + ROWS_PER_STATEMENT], default=str)])
            inserted += sum(state != MessageState.BLOCKED for (state,) in cursor.fetchall())
    return inserted


_COLUMNS = [field for field in Message._meta.concrete_fields if not field.primary_key]
_EMPTY = {field.attname: field.get_default() for field in _COLUMNS}
_NAMES = ", ".join(str(field.column) for field in _COLUMNS)
# One parameter for any number of rows, so that the statement stays the same.
_INSERT = f"""
INSERT INTO notifications_message ({_NAMES})
SELECT {_NAMES} FROM jsonb_populate_recordset(NULL::notifications_message, %s)
ON CONFLICT (key) DO NOTHING RETURNING state
"""  # noqa: S608  names of the model
_TOKEN, _FOLD = re.compile(r"(?<![\w-])[\w-]{22}(?![\w-])", re.ASCII), re.compile("\r\n ")
_LINKED_FIELDS = ("text", "html", "calendar", "unsubscribe_url")
_CONTENT_FIELDS = ("text", "subject", "html", "calendar", "calendar_method", "unsubscribe_url")
_STORE_CONTENT = """
UPDATE notifications_message AS message
   SET state = 'queued', text = worded.text, subject = worded.subject, html = worded.html, calendar = worded.calendar,
       calendar_method = worded.calendar_method, unsubscribe_url = worded.unsubscribe_url,
       segments = CASE WHEN channel = 'sms' THEN worded.segments END
  FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::smallint[])
       AS worded (id, text, subject, html, calendar, calendar_method, unsubscribe_url, segments)
 WHERE message.id = worded.id AND message.state = 'scheduled' AND worded.text <> ''
"""
