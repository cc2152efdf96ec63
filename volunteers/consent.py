"""Record that a donor gives or withdraws consent after the booking, directly or through a coordinator."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import transaction

from notifications import consents
from notifications import queries as notifications_queries
from notifications.models import Purpose
from organizations import audit
from volunteers import consent_texts, queries, rules
from volunteers import contacts as volunteers_contacts
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
    """Withdraw consents of a contact. With `all_contacts`, withdraw all consents of all contacts of its owner.

    A consent belongs to a phone number or e-mail address, so other people with this contact get no more messages there.
    Nothing changes for their other contacts. Return the number of new ledger entries. Locks: contacts.
    """
    rows = Contact.objects.filter(pk=contact.pk)
    if all_contacts and contact.owner_id is not None:
        rows |= queries.filter_volunteer_contacts(Volunteer.objects.get(pk=contact.owner_id))
    return consents.revoke_consents(
        organization=contact.organization,
        addresses={one.address for one in volunteers_contacts.lock_contacts(rows)},
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
    """Withdraw a volunteer's consents for a coordinator, at the volunteer's request.

    Without `contacts`, withdraw the consents of all the volunteer's contacts. Return the number of new ledger entries.
    Adds an audit entry. Locks: contacts.
    """
    ids = [contact.pk for contact in contacts if contact]
    rows = Contact.objects.filter(pk__in=ids) if ids else queries.filter_volunteer_contacts(volunteer)
    count = consents.revoke_consents(
        organization=volunteer.organization,
        addresses={one.address for one in volunteers_contacts.lock_contacts(rows)},
        wording=wording,
        source="coordinator",
        actor=actor,
        now=now,
    )
    if count:
        about = f"volunteer:{volunteer.pk}"
        audit.add_audit_entry(
            organization=volunteer.organization, actor=actor, verb="consent.withdrawn", about=about, now=now
        )
    return count


@transaction.atomic
def opt_in_contact(
    *, volunteer: Volunteer, contact: Contact, purpose: str, language: str, source: str, ip: str | None, now: datetime
) -> None:
    """Record a consent for a donor's contact, with the current wording. Locks the contact.

    Refuses a contact that the donor has not verified, unless the consent is for reminders to an e-mail address.
    Refuses a phone after STOP, because only a START lifts the carrier's block.
    """
    current = next(iter(volunteers_contacts.lock_contacts(Contact.objects.filter(pk=contact.pk))), None)
    stopped = contact.kind == ContactKind.PHONE and notifications_queries.is_suppressed(
        volunteer.organization, contact.address
    )
    rules.require_may_consent(current, volunteer.pk, purpose, stopped=stopped)
    version, wording = consent_texts.render_consent_text(purpose, language, volunteer.organization)
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
    volunteer = Volunteer.objects.select_for_update(no_key=True).get(pk=volunteer_id)
    fields = volunteer.build_renewed_link_fields()
    Volunteer.objects.filter(pk=volunteer.pk).update(**fields)
    for name, value in fields.items():
        setattr(volunteer, name, value)
    return volunteer
