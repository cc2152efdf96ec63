"""Change a volunteer's name, language or contacts, for the volunteer or for a coordinator."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from notifications import mailboxes, outbox
from notifications.models import Channel
from organizations import audit
from volunteers import contacts, person_names, rules
from volunteers.models import Contact, ContactKind, VerifiedBrowser, Volunteer


class ContactTaken(ValidationError):
    """Another volunteer of the organization owns the contact."""

    def __init__(self, organization: str) -> None:
        super().__init__(
            _(
                "%(org)s has someone else under this phone number or e-mail address. If that’s also you, ask them to"
                " merge the two records."
            )
            % {"org": organization},
            code="contact_taken",
        )


@transaction.atomic(savepoint=False)
def update_name_and_language(*, volunteer_ids: Collection[int], name: str, language: str) -> None:
    errors = rules.FieldErrors()
    cleaned_name = errors.collect("name", lambda: rules.clean_name(name), "")
    language_code = errors.collect("language", lambda: rules.parse_language(language, ""), "")
    errors.raise_errors()
    people = Volunteer.objects.known().filter(pk__in=volunteer_ids)
    folded_name = person_names.fold_name(cleaned_name)
    people.update(name=cleaned_name, folded_name=folded_name, **({"language": language_code} if language_code else {}))


@transaction.atomic
def correct_name(*, volunteer: Volunteer, name: str, actor: str, now: datetime) -> None:
    """Set a volunteer's name at a coordinator's request. The audit log keeps neither the old nor the new name."""
    cleaned = rules.clean_name(name, is_own_name=False)
    others = Volunteer.objects.known().filter(pk=volunteer.pk).exclude(name=cleaned)
    if others.update(name=cleaned, folded_name=person_names.fold_name(cleaned)):
        audit.add_audit_entry(
            organization=volunteer.organization,
            actor=actor,
            verb="renamed",
            about=f"volunteer:{volunteer.pk}",
            fields=["name"],
            now=now,
        )


@transaction.atomic(savepoint=False)
def correct_email(*, volunteer: Volunteer, address: str, actor: str, now: datetime) -> None:
    """Replace a volunteer's e-mail address at a coordinator's request, without verifying the new one.

    E-mails that the old mailbox refused are sent to the new address. Raises ContactTaken. The caller takes the same
    locks as for `change_contact`.
    """
    organization, old = volunteer.organization, volunteer.email
    [contact] = contacts.lock_or_create_contacts(organization_id=organization.pk, phone="", email=address).all()
    if contact.owner_id not in {None, volunteer.pk}:
        raise ContactTaken(organization.name)
    for pk in _assign_contact(volunteer, ContactKind.EMAIL, contact, now):
        if old:
            mailboxes.requeue_blocked_mail(
                organization=organization,
                address=old.address,
                new_address=address,
                recipient=f"volunteer:{pk}",
                now=now,
            )
    about = f"volunteer:{volunteer.pk}"
    audit.add_audit_entry(
        organization=organization, actor=actor, verb="changed", about=about, fields=["email"], now=now
    )


@transaction.atomic(savepoint=False)
def change_contact(*, people: Sequence[Volunteer], address: str, now: datetime) -> None:
    """Replace a person's contact with the one that they just verified, at all their organizations.

    If another person owns the new contact at any of these organizations, raises ContactTaken and changes nothing.

    - unsent messages go to the new contact; consents stay with the old contact
    - the old contact loses its owner, so that a later holder of the number is treated as a new person
    - other people with the old contact get the new one, too, so that a later holder of the number sees nothing about
      them

    The caller locks the identities of the old contact, of the other people with it, and of the new contact. This
    function locks contact rows in the order of their organizations.
    """
    kind = ContactKind.EMAIL if "@" in address else ContactKind.PHONE
    own = {person.pk for person in people}
    for person in sorted(people, key=lambda one: (one.organization_id, one.pk)):
        contact = _lock_or_create_contact(person, kind, address, now)
        if contact.owner_id not in {None, *own}:
            raise ContactTaken(person.organization.name)
        _assign_contact(person, kind, contact, now)


def _lock_or_create_contact(person: Volunteer, kind: str, address: str, now: datetime) -> Contact:
    addresses = {"phone": "", "email": "", kind: address}
    pair = contacts.lock_or_create_contacts(
        organization_id=person.organization_id, **addresses, verified_identity=rules.compute_identity(address), now=now
    )
    return pair.all()[0]


def _assign_contact(person: Volunteer, kind: str, contact: Contact, now: datetime) -> list[int]:
    """Replace the old contact for the person and for all other people with it. Return the ids of these volunteers."""
    old = {ContactKind.PHONE: person.phone_id, ContactKind.EMAIL: person.email_id}[ContactKind(kind)]
    if contact.owner_id is None:
        Contact.objects.filter(pk=contact.pk).update(owner=person)
    moved = [person.pk]
    if old not in {None, contact.pk} and Contact.objects.filter(pk=old, owner=person).update(
        owner=None, verified_at=None
    ):
        moved += Volunteer.objects.filter(**{kind: old}).exclude(pk=person.pk).values_list("pk", flat=True)
        _delete_verified_browsers(Contact.objects.get(pk=old).identity)
    Volunteer.objects.filter(pk__in=moved).update(**{f"{kind}_id": contact.pk})
    channel = Channel.SMS if kind == ContactKind.PHONE else Channel.EMAIL
    for pk in moved:
        outbox.readdress_messages(recipient=f"volunteer:{pk}", channel=channel, address=contact.address, now=now)
    return moved


def _delete_verified_browsers(identity: str) -> None:
    # Otherwise the donor's browser would show the bookings of the number's next holder.
    if not Contact.objects.filter(identity=identity).exclude(owner=None).exists():
        VerifiedBrowser.objects.filter(identity=identity).delete()
