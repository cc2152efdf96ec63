"""Limit the e-mails about one booking or waitlist entry to a mailbox that may belong to a stranger."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from notifications.models import UNSENT_STATES, Channel, Message, MessageState
from notifications.rules import EMAILS_TO_UNVERIFIED_MAILBOX

UNVERIFIED_MAILBOX = "unverified_mailbox"  # the reason of the blocked e-mails
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest(%s::text[]) AS name"
_NOT_COUNTED = (MessageState.SCHEDULED, MessageState.WITHDRAWN, MessageState.EXPIRED, MessageState.BLOCKED)

MailboxSubject = tuple[str, str]  # what the e-mails are about, and the mailbox


def block_emails_over_limit(rows: Sequence[dict[str, Any]], now: datetime) -> None:
    """Block the new e-mails that are over the limit. E-mails that are due earlier use up the limit first.

    Call this before the rows are inserted. Locks each mailbox and subject until the transaction ends.
    """
    subjects = [(row["about"], row["address"]) for row in rows]
    _lock(subjects)
    emails = _load_emails(subjects)
    known_keys, used = {email.key for email in emails}, _count(emails, _NOT_COUNTED)
    for row in sorted(rows, key=lambda row: (row["due_at"], row["key"])):
        if row["key"] in known_keys:
            continue
        subject = row["about"], row["address"]
        if used[subject] >= EMAILS_TO_UNVERIFIED_MAILBOX:
            row |= {"state": MessageState.BLOCKED, "reason": UNVERIFIED_MAILBOX, "settled_at": now}
        used[subject] += 1


def list_over_limit(messages: Sequence[Message], later_emails: Mapping[int, int]) -> set[int]:
    """Return the ids of scheduled e-mails over the limit. Locks each mailbox and subject.

    `later_emails` is, by message id, the number of later e-mails that have precedence over this e-mail.
    """
    if not messages:
        return set()
    subjects = [(message.about, message.address) for message in messages]
    _lock(subjects)
    used, over_limit = _count(_load_emails(subjects), _NOT_COUNTED), set()
    for message, subject in zip(messages, subjects, strict=True):
        if used[subject] + later_emails[message.pk] >= EMAILS_TO_UNVERIFIED_MAILBOX:
            over_limit.add(message.pk)
        else:
            used[subject] += 1
    return over_limit


def count_sent_emails(subjects: Collection[MailboxSubject]) -> Counter[MailboxSubject]:
    """Count the e-mails that were sent. Unsent e-mails do not count, because a change of the booking withdraws them."""
    return _count(_load_emails(subjects), (*_NOT_COUNTED, *UNSENT_STATES))


class _Email(NamedTuple):
    key: str
    about: str
    address: str
    state: str


def _load_emails(subjects: Collection[MailboxSubject]) -> list[_Email]:
    abouts, addresses = {about for about, _ in subjects}, {address for _, address in subjects}
    emails = Message.objects.filter(about__in=abouts, address__in=addresses, channel=Channel.EMAIL)
    return [_Email(*row) for row in emails.values_list("key", "about", "address", "state")]


def _count(emails: Sequence[_Email], excluded: Collection[str]) -> Counter[MailboxSubject]:
    """Count e-mails by subject and mailbox. A reminder counts only after it has been rendered."""
    return Counter((email.about, email.address) for email in emails if email.state not in excluded)


def _lock(subjects: Collection[MailboxSubject]) -> None:
    # In a fixed order, so that two transactions cannot deadlock.
    names = sorted({f"notifications.unverified_mailbox/{about}/{address}" for about, address in subjects})
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [names])
