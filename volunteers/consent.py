"""Consent given and taken back after the booking: by a donor's link or button, or by a coordinator who was told."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import transaction

from notifications import consents
from notifications import queries as notifications_queries
from notifications.models import Purpose
from organizations import audit
from volunteers import contacts as volunteers_contacts
from volunteers import message_texts, queries, rules
from volunteers.models import Contact, ContactKind, Volunteer


@transaction.atomic(savepoint=False)
def opt_out_contact(
    *,
    contact: Contact,
    purposes: Collection[str] = tuple(Purpose.values),
    all_contacts: bool = False,
    wording: str,
    source: str,
    actor: str,
    ip: str | None = None,
    now: datetime,
) -> int:
    """No more of this to one phone or mailbox; `everywhere`: to any of its owner, for whatever purpose (revoke-all).

    A consent belongs to an address: whoever shares the phone gets no more texts there either. Another's addresses are
    left alone, and so is one that was erased meanwhile. Returns how many lines the ledger got. Locks: contacts.
    """
    told = Contact.objects.filter(pk=contact.pk)
    if all_contacts and contact.owner_id is not None:
        told |= queries.filter_volunteer_contacts(Volunteer.objects.get(pk=contact.owner_id))
    return consents.revoke_consents(
        organization=contact.organization,
        addresses={one.address for one in volunteers_contacts.lock_contacts(told)},
        purposes=Purpose.values if all_contacts else purposes,
        wording=wording,
        source=source,
        actor=actor,
        ip=ip,
        now=now,
    )


@transaction.atomic(savepoint=False)
def opt_out_volunteer(
    *, volunteer: Volunteer, contacts: Iterable[Contact | None], wording: str, actor: str, now: datetime
) -> int:
    """What a coordinator was told by the person: no more to these, none given is to all. Noted in the audit log too.

    Locks: contacts.
    """
    named = [contact.pk for contact in contacts if contact]
    told = Contact.objects.filter(pk__in=named) if named else queries.filter_volunteer_contacts(volunteer)
    written = consents.revoke_consents(
        organization=volunteer.organization,
        addresses={one.address for one in volunteers_contacts.lock_contacts(told)},
        wording=wording,
        source="coordinator",
        actor=actor,
        now=now,
    )
    if written:
        about = f"volunteer:{volunteer.pk}"
        audit.add_audit_entry(
            organization=volunteer.organization, actor=actor, verb="consent.withdrawn", about=about, now=now
        )
    return written


@transaction.atomic
def opt_in_contact(
    *, volunteer: Volunteer, contact: Contact, purpose: str, language: str, source: str, ip: str | None, now: datetime
) -> None:
    """A donor turns a purpose on for one of their contacts, under the words of today.

    Refuses what is not theirs to agree to (a contact that was not proved, but for reminders to a mailbox), and a phone
    that said STOP: only its START opens the carrier's way again. Locks: contact.
    """
    known = next(iter(volunteers_contacts.lock_contacts(Contact.objects.filter(pk=contact.pk))), None)
    stopped = contact.kind == ContactKind.PHONE and notifications_queries.is_suppressed(
        volunteer.organization, contact.address
    )
    rules.require_may_consent(known, volunteer.pk, purpose, stopped=stopped)
    version, wording = message_texts.render_consent_text(purpose, language, volunteer.organization)
    consents.record_consents(
        organization=volunteer.organization,
        address=contact.address,
        purposes=[purpose],
        given=True,
        wording_version=version,
        wording=wording,
        source=source,
        actor="donor",
        ip=ip,
        now=now,
    )


@transaction.atomic(savepoint=False)
def renew_feed_link(*, volunteer_id: int) -> Volunteer:
    """Give a volunteer's calendar a new address; the old one opens nothing any more. Locks the volunteer."""
    volunteer = Volunteer.objects.select_for_update(no_key=True).get(pk=volunteer_id)
    fields = volunteer.build_renewed_link_fields()
    Volunteer.objects.filter(pk=volunteer.pk).update(**fields)
    volunteer.epoch, volunteer.link_hash = fields["epoch"], fields["link_hash"]
    return volunteer
