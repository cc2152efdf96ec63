"""What is left of messages, replies and consents when their person is erased, or when they are old."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Case, Max, Min, Q, QuerySet, Value, When

from notifications import contact_address
from notifications.models import (
    UNSENT_STATES,
    ConsentEntry,
    InboundMessage,
    InboxItem,
    Message,
    MessageState,
    Report,
    Suppression,
)
from notifications.models.message import MessageQuerySet
from notifications.reconciliation import BLANKED_TEXT
from organizations.models import Organization

TEXTS_KEPT_FOR = timedelta(days=90)
ERASED = "erased"
STEP = 2_000

# What was never worded stays without a text: a row that left must have one.
_NO_TEXT: dict[str, Any] = {
    "text": Case(When(text="", then=Value("")), default=Value(BLANKED_TEXT)),
    "subject": "",
    "html": "",
    "calendar": "",
    "unsubscribe_url": "",
}
_NO_ADDRESS: dict[str, Any] = {"address": "", "provider_id": "", "check_at": None}


def lock_replies(*, addresses: Collection[str]) -> None:
    """Wait until nobody is answering a text from these numbers, and keep it so until the transaction ends.

    The first of all locks, for whoever answers a text holds it before anything else.
    """
    texts = InboundMessage.objects.filter(address__in=addresses).order_by("pk")
    list(texts.select_for_update(no_key=True, of=("self",)).values_list("pk", flat=True))


@transaction.atomic(savepoint=False)
def erase_messages(
    *, organization: Organization, addresses: Collection[str], abouts: Collection[str], recipient: str, now: datetime
) -> int:
    """Leave of a person's messages what was sent how and when and what became of it; returns how many there were.

    What waits is withdrawn and never leaves; what is past the gate is in flight, and its outcome is still noted. A
    person's are those about their bookings, those that wait for them, and all to an address that is theirs alone.
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
    """Delete texts that came in: these, and all from numbers that no organization knows any more."""
    InboxItem.objects.filter(to__in=addresses).delete()
    return InboundMessage.objects.filter(Q(pk__in=ids) | Q(address__in=addresses)).delete()[0]


@transaction.atomic(savepoint=False)
def hash_consents(*, organization: Organization, addresses: Collection[str]) -> None:
    """Keep of the ledger and of every STOP what the law wants: a keyed hash, the words, the time; no address, no IP."""
    senders = Q(sender__organizations=organization) | Q(sender__is_default=True)
    for address in addresses:
        lines = ConsentEntry.objects.filter(organization=organization, address=address)
        lines.update(address=contact_address.compute_identity(address), ip=None)
        hash_suppressions(Suppression.objects.filter(senders, address=address), address)


@transaction.atomic(savepoint=False)
def hash_suppressions(suppressions: QuerySet[Suppression], address: str) -> None:
    """Put the keyed hash in place of the address. Who said STOP, was erased and said it again needs only one."""
    ids, hashed = list(suppressions.values_list("pk", flat=True)), contact_address.compute_identity(address)
    again = Suppression.objects.filter(address=hashed).values("sender")
    Suppression.objects.filter(pk__in=ids, sender__in=again).delete()
    Suppression.objects.filter(pk__in=ids).update(address=hashed)


def purge_old_texts(*, now: datetime) -> int:
    """Blank text and address of messages and replies older than 90 days; what, when and how it ended stay.

    Walks the primary key, each step a transaction of its own: safe to run twice and to be killed in the middle.
    Returns how many there were.
    """
    before, blanked = now - TEXTS_KEPT_FOR, 0
    span = Message.objects.aggregate(first=Min("pk"), last=Max("pk"))
    for start in range(span["first"] or 0, (span["last"] or -1) + 1, STEP):
        step = Message.objects.filter(pk__gte=start, pk__lt=start + STEP, created_at__lt=before)
        if not step.exists():
            break  # ids grow with time: the rest is younger
        old = step.exclude(state__in=[*UNSENT_STATES, MessageState.SENDING, MessageState.IN_DOUBT])
        blanked += old.exclude(address="").update(**_NO_TEXT, address="")
    replies = InboundMessage.objects.filter(received_at__lt=before, handled_at__isnull=False).exclude(address="")
    return blanked + replies.update(text="", address="")


def _lock_messages(
    organization: Organization, addresses: Collection[str], abouts: Collection[str], recipient: str
) -> list[int]:
    """Their messages, locked. Each part on an index of its own; an OR over them would read the table."""
    ours = Message.objects.of(organization)
    to_them = ours.filter(address__in=addresses)
    never_sent = to_them.filter(sending_at__isnull=True)
    parts: list[MessageQuerySet] = [
        Message.objects.filter(about__in=abouts),
        to_them.filter(sending_at__isnull=False),
        never_sent.filter(state__in=UNSENT_STATES),
        never_sent.exclude(state__in=UNSENT_STATES),
        ours.waiting().filter(recipient=recipient).exclude(recipient=""),
    ]
    found = {pk for part in parts for pk in part.values_list("pk", flat=True)}
    rows = Message.objects.filter(pk__in=found).order_by("pk").select_for_update(no_key=True, of=("self",))
    return list(rows.values_list("pk", flat=True))
