"""Queries about messages, consents and replies, for other packages."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Replace

from notifications import contact_address, kinds, pace, rules
from notifications.kinds import Withdrawal
from notifications.models import (
    Allowance,
    Breaker,
    Channel,
    ConsentEntry,
    Heartbeat,
    InboundMessage,
    InboxItem,
    MailboxRefusals,
    Message,
    MessageState,
    OptOutBasis,
    Purpose,
    Report,
    Sender,
    Suppression,
)
from notifications.models.message import MessageQuerySet
from organizations.models import Organization

_MAY_HAVE_ARRIVED = [
    MessageState.SENDING,
    MessageState.IN_DOUBT,
    MessageState.ACCEPTED,
    MessageState.SENT,
    MessageState.DELIVERED,
]


def lock_messages_to_render(now: datetime, horizon: timedelta, limit: int) -> list[Message]:
    # A change of a booking locks its messages, then its mailbox (`unverified_mailboxes`). So the sweep locks messages
    # first, too.
    scheduled = Message.objects.filter(state=MessageState.SCHEDULED, due_at__lte=now + horizon)
    unlocked = scheduled.select_for_update(no_key=True, skip_locked=True, of=("self",))
    return list(unlocked.select_related("organization").order_by("due_at", "pk")[:limit])


def exclude_outdated(messages: MessageQuerySet) -> MessageQuerySet:
    """Exclude messages about an earlier revision of a booking if there is a message about a later revision.

    Messages of kinds that a new revision does not withdraw stay.
    """
    newer = Message.objects.filter(about=OuterRef("about"), revision__gt=OuterRef("revision"))
    replaced = kinds.list_kinds_withdrawn_by(Withdrawal.REVISION)
    return messages.exclude(Exists(newer), kind__in=replaced)


def list_scheduled_messages(abouts: Sequence[str]) -> dict[str, list[Message]]:
    found: dict[str, list[Message]] = {about: [] for about in abouts}
    for message in Message.objects.filter(about__in=abouts, state=MessageState.SCHEDULED).order_by("due_at", "pk"):
        found[message.about].append(message)
    return found


def list_messages_about(abouts: Sequence[str]) -> dict[str, list[Message]]:
    found: dict[str, list[Message]] = {about: [] for about in abouts}
    for message in Message.objects.filter(about__in=abouts).order_by("due_at", "pk"):
        found[message.about].append(message)
    return found


def list_failed_texts(*, kinds: Collection[str], since: datetime) -> list[Message]:
    # The e-mail that replaces a text has the same key, but with /email at the end.
    failed = Message.objects.filter(channel=Channel.SMS, state__in=FAILED_STATES, settled_at__gt=since, kind__in=kinds)
    emails = Message.objects.filter(key=Replace(OuterRef("key"), Value("/sms"), Value("/email")))
    return list(failed.filter(key__endswith="/sms").exclude(Exists(emails)).order_by("settled_at", "pk"))


def list_open_breakers() -> list[Breaker]:
    return list(Breaker.objects.filter(open_until__isnull=False).order_by("subject"))


MAX_COUNTED = 10_000  # keeps a scrape short while very many messages wait
FAILED_STATES = (MessageState.FAILED, MessageState.UNDELIVERED, MessageState.BLOCKED, MessageState.EXPIRED)
DEFERRAL_REASONS = ("pace", "budget", "provider_down", "quiet_hours")


def count_deferred_messages() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(_DEFERRED, [MAX_COUNTED])
        counts = Counter(dict(cursor.fetchall()))
    return {reason: counts[reason] for reason in DEFERRAL_REASONS}


_DEFERRED = """
SELECT reason, count(*) FROM (SELECT reason FROM notifications_message WHERE state = 'queued' LIMIT %s) AS queued
 GROUP BY reason
"""


def count_unsettled_messages() -> dict[str, int]:
    """Count the messages without a final result, by state. Stops counting at `MAX_COUNTED` in each state."""
    with connection.cursor() as cursor:
        cursor.execute(_UNSETTLED, {"most": MAX_COUNTED})
        return dict(cursor.fetchall())


# Each part reads its own partial index. Every message in doubt has a time for its next check.
_UNSETTLED = """
SELECT 'scheduled', count(*)
  FROM (SELECT FROM notifications_message WHERE state = 'scheduled' LIMIT %(most)s) AS part UNION ALL
SELECT 'queued', count(*)
  FROM (SELECT FROM notifications_message WHERE state = 'queued' LIMIT %(most)s) AS part UNION ALL
SELECT 'claimed', count(*)
  FROM (SELECT FROM notifications_message WHERE state = 'claimed' LIMIT %(most)s) AS part UNION ALL
SELECT 'sending', count(*)
  FROM (SELECT FROM notifications_message WHERE state = 'sending' LIMIT %(most)s) AS part UNION ALL
SELECT 'in_doubt', count(*)
  FROM (SELECT FROM notifications_message WHERE state = 'in_doubt' AND check_at IS NOT NULL LIMIT %(most)s) AS part
"""


def count_failed_texts(*, since: datetime) -> dict[str, int]:
    failed = Message.objects.filter(channel=Channel.SMS, state__in=FAILED_STATES, settled_at__gt=since)
    counts = Counter(failed.values_list("state", flat=True)[:MAX_COUNTED])
    return {str(state): counts[state] for state in FAILED_STATES}


def find_last_delivery_at() -> datetime | None:
    return Heartbeat.objects.filter(name="deliver_due").values_list("seen_at", flat=True).first()


def has_consent(organization: Organization, address: str, purpose: str) -> bool:
    return load_consents(organization, [address]).get((address, purpose), False)


def load_consents(organization: Organization, addresses: Collection[str]) -> dict[tuple[str, str], bool]:
    entries = ConsentEntry.objects.only("address", "purpose", "given")
    return {key: entry.given for key, entry in _find_newest_entries(entries, organization, addresses).items()}


def load_newest_consent_entries(
    organization: Organization, addresses: Collection[str]
) -> dict[tuple[str, str], ConsentEntry]:
    """Return the newest ledger entry for each contact and purpose. One query.

    Entries of an erased person count only if they are refusals. A refusal holds until the contact consents again.
    """
    return _find_newest_entries(ConsentEntry.objects.all(), organization, addresses)


def _find_newest_entries(
    entries: QuerySet[ConsentEntry], organization: Organization, addresses: Collection[str]
) -> dict[tuple[str, str], ConsentEntry]:
    by_hash = {contact_address.compute_identity(address): address for address in addresses}
    entries = entries.filter(organization=organization, address__in=[*addresses, *by_hash])
    newest = list(entries.order_by("address", "purpose", "-at", "-pk").distinct("address", "purpose"))
    refusals = {(by_hash[one.address], one.purpose): one for one in newest if one.address in by_hash and not one.given}
    return {**refusals, **{(one.address, one.purpose): one for one in newest if one.address not in by_hash}}


def filter_consenting_addresses(organization: Organization, purpose: str) -> QuerySet[ConsentEntry, str]:
    """Return the contacts with a consent in force. Does not check for opt-outs. Reads the whole ledger once."""
    entries = ConsentEntry.objects.filter(organization=organization, purpose=purpose)
    is_newer = Q(at__gt=OuterRef("at")) | Q(at=OuterRef("at"), pk__gt=OuterRef("pk"))
    refusals = entries.filter(is_newer, address=OuterRef("address"), given=False)
    return entries.filter(~Exists(refusals), given=True).values_list("address", flat=True)


def filter_suppressed_addresses(organization: Organization) -> QuerySet[Suppression, str]:
    """Return the numbers that have opted out, or their hashes after an erasure. One more query finds the sender."""
    stopped = Suppression.objects.in_force().filter(sender=find_sender(organization))
    return stopped.values_list("address", flat=True)


def has_ended_texts(consents: Mapping[tuple[str, str], bool], address: str) -> bool:
    # A donor who refused all purposes, on a page or through a coordinator, counts as stopped, too.
    return all(consents.get((address, purpose)) is False for purpose in Purpose.values)


def list_consent_entries(organization: Organization, addresses: Collection[str]) -> list[ConsentEntry]:
    entries = ConsentEntry.objects.filter(organization=organization, address__in=addresses)
    return list(entries.order_by("-at", "-pk"))


def find_sender(organization: Organization) -> Sender | None:
    """Return the organization's own sender, or else the default sender. A stopped one comes after the others."""
    return next(iter(Sender.objects.raw(_SENDER, [organization.pk])), None)


_SENDER = """
SELECT sender.* FROM notifications_sender AS sender
  LEFT JOIN notifications_sender_organizations AS own ON own.sender_id = sender.id AND own.organization_id = %s
 WHERE own.id IS NOT NULL OR sender.is_default
 ORDER BY own.id IS NULL, sender.stopped_at IS NOT NULL, sender.id LIMIT 1
"""


@dataclass(frozen=True)
class SenderSignals:
    """Whether texts and status reports for a sender have reached us."""

    has_inbound: bool  # a text arrived at its number
    has_reports: bool  # a status report arrived for one of its texts


def load_sender_signals(sender: Sender) -> SenderSignals:
    return SenderSignals(
        has_inbound=InboundMessage.objects.filter(sender=sender).exists(),
        has_reports=Report.objects.filter(message__sender=sender).exists(),
    )


def is_suppressed(organization: Organization, address: str) -> bool:
    suppression = find_suppression(organization, address)
    return suppression is not None and suppression.basis != OptOutBasis.UNDECIDED


def find_suppression(organization: Organization, address: str) -> Suppression | None:
    sender = find_sender(organization)
    forms = [address, contact_address.compute_identity(address)]
    rows = Suppression.objects.filter(sender=sender, address__in=forms).select_related("sender")
    return (
        rows.order_by("-decide_by").first() if sender else None
    )  # an opt-out in force has no `decide_by` and comes first


def list_undecided_addresses(organization: Organization, addresses: Collection[str]) -> set[str]:
    sender = find_sender(organization)
    rows = Suppression.objects.filter(sender=sender, address__in=addresses, basis=OptOutBasis.UNDECIDED)
    return set(rows.values_list("address", flat=True)) if sender else set()


def count_texts_of_today(organization: Organization, now: datetime) -> int:
    """Return how many texts of its daily budget the organization has used. The day begins at midnight Pacific Time."""
    used = Allowance.objects.filter(subject=f"organization:{organization.pk}", day=pace.compute_budget_day(now))
    return used.values_list("spent", flat=True).first() or 0


def list_unhandled_replies(limit: int) -> list[InboundMessage]:
    return list(InboundMessage.objects.filter(handled_at=None).select_related("sender").order_by("pk")[:limit])


def find_prompt(reply: InboundMessage, now: datetime) -> Message | None:
    """Return the newest question that this reply can answer.

    The question must come from the same sender, before the reply, and must not have expired.
    """
    questions = kinds.list_kind_names(lambda kind: kind.asks_for_reply)
    return _filter_texts_before(reply).filter(kind__in=questions, expires_at__gt=now).first()


def list_prompts(reply: InboundMessage, now: datetime) -> list[Message]:
    """List the open questions to this number, newest first. At most one per booking or offer, and ten in total."""
    questions = kinds.list_kind_names(lambda kind: kind.asks_for_reply)
    texts = _filter_texts_before(reply).filter(kind__in=questions, expires_at__gt=now)
    newest: dict[str, Message] = {}
    for text in texts[:40]:
        newest.setdefault(text.about, text)
    return list(newest.values())[:10]


def find_newest_text(reply: InboundMessage, about: str = "", revision: int | None = None) -> Message | None:
    texts = _filter_texts_before(reply)
    if about:
        texts = texts.filter(about=about)
    return (texts if revision is None else texts.filter(revision=revision)).first()


def has_reply_between(reply: InboundMessage, earlier_id: int, handled_as: str) -> bool:
    """Return whether this number sent a text handled as `handled_as`, after the earlier text and before this one."""
    texts = InboundMessage.objects.filter(address=reply.address, sender=reply.sender, handled_as=handled_as)
    return texts.filter(pk__gt=earlier_id, pk__lt=reply.pk).exists()


def find_newest_text_of_kind(reply: InboundMessage, kind: str, about_prefix: str) -> Message | None:
    return _filter_texts_before(reply).filter(kind=kind, about__startswith=about_prefix).first()


def list_texts_with_key(reply: InboundMessage, key_prefix: str) -> list[Message]:
    return list(_filter_texts_before(reply).filter(key__startswith=key_prefix))


def _filter_texts_before(reply: InboundMessage) -> MessageQuerySet:
    texts = Message.objects.filter(
        address=reply.address,
        sender=reply.sender,
        channel=Channel.SMS,
        state__in=_MAY_HAVE_ARRIVED,
        sending_at__lte=reply.received_at,
    )
    return texts.select_related("organization").order_by("-sending_at", "-pk")


def filter_organizations_of_sender(sender: Sender) -> QuerySet[Organization]:
    own = Q(senders=sender)
    return Organization.objects.filter(own | Q(senders=None) if sender.is_default else own).distinct()


def list_suppressed_addresses(sender: Sender | None, addresses: Collection[str]) -> set[str]:
    by_form = {form: address for address in addresses for form in (address, contact_address.compute_identity(address))}
    stopped = Suppression.objects.in_force().filter(sender=sender, address__in=by_form)
    return {by_form[form] for form in stopped.values_list("address", flat=True)} if sender else set()


def list_refusing_mailboxes(organization: Organization, addresses: Collection[str]) -> set[str]:
    by_hash = {contact_address.compute_identity(address): address for address in addresses if "@" in address}
    rows = MailboxRefusals.objects.filter(
        organization=organization, address_hash__in=by_hash, count__gte=rules.MAX_REFUSALS
    )
    return {by_hash[one] for one in rows.values_list("address_hash", flat=True)} if by_hash else set()


def find_mailbox_refusals(organization: Organization, address: str) -> MailboxRefusals | None:
    """Return the refusals that blocked a mailbox, or None if the mailbox is not blocked."""
    known = {"organization": organization, "address_hash": contact_address.compute_identity(address)}
    return MailboxRefusals.objects.filter(**known, count__gte=rules.MAX_REFUSALS).first()


@dataclass(frozen=True)
class DeliveryProblem:
    code: str  # late, sender_stopped, no_sender, undelivered
    organization_id: int
    figure: int = 0  # late: number of messages; undelivered: percent of texts


def list_delivery_problems(now: datetime, organization: Organization | None = None) -> list[DeliveryProblem]:
    """List current sending problems of one organization, or of all. Three queries.

    - late: a message is overdue, or was tried four times (each try sets a new due time)
    - no_sender, sender_stopped: the organization has no sender of texts, or a stopped sender
    - undelivered: more than 20 % of the last texts were not delivered or were refused by the provider; counts at most
      50 texts of the last day with a known outcome, and skips an organization with fewer than 20
    """
    scope = {"organization": organization.pk if organization else None}
    problems: list[DeliveryProblem] = []
    with connection.cursor() as cursor:
        cursor.execute(
            _LATE, {**scope, "now": now, "before": now - rules.MESSAGE_LATE_AFTER, "tries": rules.MIN_TRIES_FOR_ALERT}
        )
        problems += [DeliveryProblem("late", *row) for row in cursor.fetchall()]
        cursor.execute(_SENDERS, scope)
        problems += [DeliveryProblem(code, organization_id) for code, organization_id in cursor.fetchall()]
        cursor.execute(_OUTCOMES, {**scope, "since": now - timedelta(days=1)})
        rates = [
            (pk, lost * 100 // known) for pk, known, lost in cursor.fetchall() if known >= rules.MIN_TEXTS_FOR_LOSS_RATE
        ]
    return problems + [
        DeliveryProblem("undelivered", pk, percent) for pk, percent in rates if percent > rules.MAX_LOST_PERCENT
    ]


_LATE = """
SELECT message.organization_id, count(*) FROM notifications_message AS message
 WHERE message.state = 'queued' AND (message.due_at <= %(before)s OR message.attempts >= %(tries)s)
   AND message.expires_at > %(now)s AND message.organization_id IS NOT NULL
   AND (%(organization)s::bigint IS NULL OR message.organization_id = %(organization)s)
 GROUP BY message.organization_id
"""
_SENDERS = """
SELECT CASE WHEN used.id IS NULL THEN 'no_sender' ELSE 'sender_stopped' END, organization.id
  FROM organizations_organization AS organization
  LEFT JOIN LATERAL (
       SELECT sender.id, sender.stopped_at FROM notifications_sender AS sender
         LEFT JOIN notifications_sender_organizations AS own
           ON own.sender_id = sender.id AND own.organization_id = organization.id
        WHERE own.id IS NOT NULL OR sender.is_default
        ORDER BY own.id IS NULL, sender.stopped_at IS NOT NULL, sender.id LIMIT 1) AS used ON true
 WHERE (used.id IS NULL OR used.stopped_at IS NOT NULL)
   AND (%(organization)s::bigint IS NULL OR organization.id = %(organization)s)
 ORDER BY organization.id
"""
_OUTCOMES = """
SELECT organization.id, count(*), count(*) FILTER (WHERE last.state <> 'delivered')
  FROM organizations_organization AS organization
 CROSS JOIN LATERAL (
       SELECT message.state FROM notifications_message AS message
        WHERE message.organization_id = organization.id AND message.channel = 'sms'
          AND message.sending_at > %(since)s
          AND (message.state IN ('delivered', 'undelivered', 'failed')
               OR message.state = 'blocked' AND message.error_code <> '' AND message.reason <> 'opted_out')
        ORDER BY message.sending_at DESC LIMIT 50) AS last
 WHERE (%(organization)s::bigint IS NULL OR organization.id = %(organization)s)
 GROUP BY organization.id ORDER BY organization.id
"""


def list_inbox_items(address: str = "", limit: int = 100) -> list[InboxItem]:
    items = InboxItem.objects.filter(to=address) if address else InboxItem.objects.all()
    return list(items.order_by("-at", "-pk")[:limit])
