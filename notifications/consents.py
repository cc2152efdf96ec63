"""Write the consent ledger, withdraw messages, and handle STOP and START."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from django.db import transaction
from django.db.models import Q

from notifications import contact_address, kinds, queries
from notifications.models import (
    Channel,
    ConsentEntry,
    Message,
    MessageState,
    OptOutBasis,
    Purpose,
    Sender,
    Suppression,
)
from notifications.models.message import MessageQuerySet
from organizations.models import Organization

PAUSED = "opt_out_undecided"  # why a text waits; see `claim.ADMIT`
_REPLACED_BASES: Mapping[OptOutBasis, Sequence[OptOutBasis]] = MappingProxyType(
    {
        OptOutBasis.KEYWORD: (OptOutBasis.SENTENCE, OptOutBasis.UNDECIDED),
        OptOutBasis.SENTENCE: (OptOutBasis.UNDECIDED,),
    }
)


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
    """Add entries to the consent ledger. With `given=False`, also withdraw queued messages that need the consent.

    Scheduled messages stay. They are checked against the ledger when they are rendered, and may then go to another of
    the donor's contacts.
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
        unsent = Message.objects.of(organization).unsent().filter(address=address, purpose__in=purposes)
        _withdraw_messages(unsent, "consent_withdrawn", now)


@dataclass(frozen=True)
class ConsentOnFile:
    """A consent from a file: the contact gave it elsewhere, before the organization entered it here."""

    address: str
    purpose: str
    wording: str  # with the place and the day


@transaction.atomic(savepoint=False)
def record_consents_on_file(
    *,
    organization: Organization,
    consents: Sequence[ConsentOnFile],
    wording_version: str,
    source: str,
    actor: str,
    now: datetime,
) -> tuple[int, int]:
    """Add consents from a file to the ledger. Return the number of new entries, and of consents that were refused.

    An earlier opt-out refuses a consent, whatever its date. A consent that the ledger already has gets no second entry.
    Takes three queries.
    """
    unique = {(one.address, one.purpose): one for one in consents}
    addresses = {one.address for one in unique.values()}
    newest = queries.load_newest_consent_entries(organization, addresses)
    stopped = queries.list_suppressed_addresses(queries.find_sender(organization), addresses)
    refused = {key for key in unique if key[0] in stopped or (key in newest and not newest[key].given)}
    entries = [
        ConsentEntry(
            organization=organization,
            address=one.address,
            purpose=one.purpose,
            given=True,
            wording_version=wording_version,
            wording=one.wording,
            source=source,
            actor=actor,
            at=now,
        )
        for key, one in unique.items()
        if key not in newest and key not in refused
    ]
    ConsentEntry.objects.bulk_create(entries)
    return len(entries), len(refused)


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
    """Withdraw the consents of these contacts, and their unsent messages. Return the number of new entries.

    A contact that never consented gets an entry too, because e-mail reminders need no consent but respect a refusal.
    Consents that are already withdrawn get no second entry. Each entry keeps the wording version that the donor agreed
    to. `wording` says how the consent was withdrawn.
    """
    newest = queries.load_newest_consent_entries(organization, addresses)
    pairs = [(address, purpose) for address in sorted(set(addresses)) for purpose in sorted(purposes)]
    entries = [
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
        for address, purpose in pairs
        if (before := newest.get((address, purpose))) is None or before.given
    ]
    ConsentEntry.objects.bulk_create(entries)
    unsent = Message.objects.of(organization).unsent().filter(address__in=addresses, purpose__in=purposes)
    _withdraw_messages(unsent, "consent_withdrawn", now)
    return len(entries)


@transaction.atomic(savepoint=False)
def suppress_address(
    *,
    sender: Sender,
    address: str,
    now: datetime,
    basis: OptOutBasis = OptOutBasis.KEYWORD,
    source: str = "text",
    actor: str = "donor",
) -> int:
    """Handle STOP: send nothing more to the contact through this sender. Return the number of withdrawn messages.

    A STOP covers every organization that shares the sender, and withdraws the contact's consents in all their ledgers.
    """
    fresh = Suppression(sender=sender, address=address, since=now, basis=basis)
    Suppression.objects.bulk_create([fresh], ignore_conflicts=True)
    rows = Suppression.objects.filter(sender=sender, address=address, basis__in=_REPLACED_BASES[basis])
    rows.update(basis=basis, decide_by=None)
    _flip_consents(sender, address, given=False, source=source, actor=actor, wording="STOP", now=now)
    unsent = Message.objects.unsent().filter(_match_messages_of_sender(sender), channel=Channel.SMS, address=address)
    return _withdraw_messages(unsent.exclude(kind=kinds.OPT_OUT.name), "opted_out", now)


@transaction.atomic(savepoint=False)
def lift_suppression(
    *,
    sender: Sender,
    address: str,
    now: datetime,
    bases: Collection[OptOutBasis] = tuple(OptOutBasis),
    source: str = "text",
    actor: str = "donor",
) -> bool:
    """Handle START: lift the opt-out, and restore the consents that a STOP withdrew.

    Only an opt-out with one of the `bases` is lifted. Return False if there is none. Texts that waited for a decision
    on a possible opt-out become due now. Consents of erased volunteers are not restored.
    """
    forms = [address, contact_address.compute_identity(address)]
    lifted, _ = Suppression.objects.filter(sender=sender, address__in=forms, basis__in=bases).delete()
    if lifted:
        paused = Message.objects.filter(_match_messages_of_sender(sender), channel=Channel.SMS, address=address)
        paused.filter(state=MessageState.QUEUED, reason=PAUSED).update(due_at=now)
        _flip_consents(sender, address, given=True, source=source, actor=actor, wording="START", now=now)
    return bool(lifted)


def _flip_consents(
    sender: Sender, address: str, *, given: bool, source: str, actor: str, wording: str, now: datetime
) -> None:
    newest = ConsentEntry.objects.filter(
        _match_organizations_of_sender(sender), address=address, purpose__in=Purpose.values
    )
    newest = newest.order_by("organization", "purpose", "-at", "-pk").distinct("organization", "purpose")
    # A START restores only what a STOP withdrew.
    changed = [entry for entry in newest if entry.given != given and (not given or entry.wording == "STOP")]
    ConsentEntry.objects.bulk_create(
        ConsentEntry(
            organization_id=entry.organization_id,
            address=address,
            purpose=entry.purpose,
            given=given,
            wording_version=entry.wording_version,
            wording=wording,
            source=source,
            actor=actor,
            at=now,
        )
        for entry in changed
    )


def _withdraw_messages(unsent: MessageQuerySet, reason: str, now: datetime) -> int:
    # Locked rows are skipped, because `claim.admit_messages` checks their consent again.
    unsent = unsent.exclude(state=MessageState.SCHEDULED)
    ids = list(unsent.select_for_update(skip_locked=True, no_key=True, of=("self",)).values_list("pk", flat=True))
    return Message.objects.filter(pk__in=ids).update(
        state=MessageState.WITHDRAWN, reason=reason, settled_at=now, lease_until=None
    )


def _match_messages_of_sender(sender: Sender) -> Q:
    return Q(sender=sender) | Q(sender=None, organization__in=queries.filter_organizations_of_sender(sender))


def _match_organizations_of_sender(sender: Sender) -> Q:
    return Q(organization__in=queries.filter_organizations_of_sender(sender))
