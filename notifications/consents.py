"""Who agreed to be written to, and who said stop."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from notifications import contact_address, queries
from notifications.models import Channel, ConsentEntry, Message, MessageState, Purpose, Sender, Suppression
from notifications.models.message import MessageQuerySet
from organizations.models import Organization


@transaction.atomic(savepoint=False)
def record_consents(
    *,
    organization: Organization,
    address: str,
    purposes: Sequence[str],
    given: bool,
    wording_version: str,
    wording: str,
    source: str,
    actor: str,
    ip: str | None,
    now: datetime,
) -> None:
    """Write lines in the ledger of consents. Taking one back also withdraws what waits for that address and purpose.

    Scheduled messages stay: rendering looks at the ledger, and may find another channel to the same person.
    """
    ConsentEntry.objects.bulk_create(
        ConsentEntry(
            organization=organization,
            address=address,
            purpose=purpose,
            given=given,
            wording_version=wording_version,
            wording=wording,
            source=source,
            actor=actor,
            ip=ip,
            at=now,
        )
        for purpose in purposes
    )
    if not given:
        waiting = Message.objects.of(organization).waiting().filter(address=address, purpose__in=purposes)
        _withdraw_messages(waiting, "consent_withdrawn", now)


@transaction.atomic(savepoint=False)
def revoke_consents(
    *,
    organization: Organization,
    addresses: Collection[str],
    purposes: Collection[str] = tuple(Purpose.values),
    wording: str,
    source: str,
    actor: str,
    ip: str | None = None,
    now: datetime,
) -> int:
    """Take back what these addresses agreed to, and note it for those that never agreed: mail needs no yes to a
    reminder, but heeds a no. Withdraws what waits.

    A line keeps the version that had been agreed to and says in `wording` how it was taken back. What is withdrawn
    already is left alone, so that a second click writes nothing. Returns how many lines were written.
    """
    newest = queries.load_newest_consent_entries(organization, addresses)
    wanted = [(address, purpose) for address in sorted(set(addresses)) for purpose in sorted(purposes)]
    lines = [
        ConsentEntry(
            organization=organization,
            address=address,
            purpose=purpose,
            given=False,
            wording_version=before.wording_version if before else "",
            wording=wording,
            source=source,
            actor=actor,
            ip=ip,
            at=now,
        )
        for address, purpose in wanted
        if (before := newest.get((address, purpose))) is None or before.given
    ]
    ConsentEntry.objects.bulk_create(lines)
    waiting = Message.objects.of(organization).waiting().filter(address__in=addresses, purpose__in=purposes)
    _withdraw_messages(waiting, "consent_withdrawn", now)
    return len(lines)


@transaction.atomic(savepoint=False)
def suppress_address(*, sender: Sender, address: str, now: datetime, source: str = "text", actor: str = "donor") -> int:
    """Nothing more leaves for the address through this sender: STOP covers every organization that shares it.

    Withdraws what has its text, and writes the withdrawal in each ledger. Returns how many messages were withdrawn.
    """
    Suppression.objects.bulk_create([Suppression(sender=sender, address=address, since=now)], ignore_conflicts=True)
    _flip_consents(sender, address, given=False, source=source, actor=actor, wording="STOP", now=now)
    waiting = Message.objects.waiting().filter(_match_messages_of_sender(sender), channel=Channel.SMS, address=address)
    return _withdraw_messages(waiting, "opted_out", now)


@transaction.atomic(savepoint=False)
def lift_suppression(
    *, sender: Sender, address: str, now: datetime, source: str = "text", actor: str = "donor"
) -> bool:
    """START: the address may be written to again, for what it had agreed to before its STOP. False if it had none.

    Also the STOP of somebody who was erased since is lifted; what they had agreed to then went with them.
    """
    lifted, _ = Suppression.objects.filter(
        sender=sender, address__in=[address, contact_address.compute_identity(address)]
    ).delete()
    if lifted:
        _flip_consents(sender, address, given=True, source=source, actor=actor, wording="START", now=now)
    return bool(lifted)


def _flip_consents(
    sender: Sender, address: str, *, given: bool, source: str, actor: str, wording: str, now: datetime
) -> None:
    """Turn the newest lines of the sender's organizations: at a STOP the given ones, at a START those a STOP took."""
    newest = ConsentEntry.objects.filter(
        _match_organizations_of_sender(sender), address=address, purpose__in=Purpose.values
    )
    newest = newest.order_by("organization", "purpose", "-at", "-pk").distinct("organization", "purpose")
    turned = [line for line in newest if line.given != given and (not given or line.wording == "STOP")]
    ConsentEntry.objects.bulk_create(
        ConsentEntry(
            organization_id=line.organization_id,
            address=address,
            purpose=line.purpose,
            given=given,
            wording_version=line.wording_version,
            wording=wording,
            source=source,
            actor=actor,
            at=now,
        )
        for line in turned
    )


def _withdraw_messages(waiting: MessageQuerySet, reason: str, now: datetime) -> int:
    """Waits for no row that somebody else holds: the gate judges those once more, by ledger and suppressions."""
    waiting = waiting.exclude(state=MessageState.SCHEDULED)
    ids = list(waiting.select_for_update(skip_locked=True, no_key=True, of=("self",)).values_list("pk", flat=True))
    return Message.objects.filter(pk__in=ids).update(
        state=MessageState.WITHDRAWN, reason=reason, settled_at=now, lease_until=None
    )


def _match_messages_of_sender(sender: Sender) -> Q:
    """Messages of this sender, and those that will be given it when they are claimed."""
    return Q(sender=sender) | Q(sender=None, organization__in=queries.filter_organizations_of_sender(sender))


def _match_organizations_of_sender(sender: Sender) -> Q:
    return Q(organization__in=queries.filter_organizations_of_sender(sender))
