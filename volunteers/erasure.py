"""Erase a volunteer. The row stays so that counts remain right, but its name and contacts are removed."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import override

from volunteers import contacts as volunteers_contacts
from volunteers import person_names, queries
from volunteers.models import Contact, Registration, VerificationCode, VerifiedBrowser, Volunteer
from volunteers.queries import ContactOwnership


@transaction.atomic(savepoint=False)
def erase_personal_data(
    *, volunteer: Volunteer, contacts: ContactOwnership, unknown_elsewhere: Collection[str], now: datetime
) -> None:
    """Remove a volunteer's personal data. The caller holds the locks.

    - contacts that only this volunteer has are deleted; shared contacts stay, but those that the volunteer owned become
      unverified
    - if no other organization has a deleted contact (`unknown_elsewhere`), its search codes and verified browsers are
      deleted, too
    """
    queries.filter_volunteer_registrations(volunteer, contacts).delete()
    _erase_typed_addresses(volunteer, contacts.addresses)
    unknown_identities = [contact.identity for contact in contacts.alone if contact.address in unknown_elsewhere]
    VerificationCode.objects.filter(organization=volunteer.organization_id, identity__in=contacts.identities).delete()
    VerificationCode.objects.filter(organization=None, identity__in=unknown_identities).delete()
    VerifiedBrowser.objects.filter(identity__in=unknown_identities).delete()
    _anonymize_volunteer(volunteer, now)
    for contact in contacts.shared:
        _transfer_ownership(contact, volunteer)
    volunteers_contacts.delete_contacts(contacts.alone)


def _erase_typed_addresses(volunteer: Volunteer, addresses: Collection[str]) -> None:
    others = Registration.objects.filter(organization=volunteer.organization_id)
    others.filter(phone__in=addresses).exclude(email="").update(phone="", phone_as_typed="")
    others.filter(email__in=addresses).exclude(phone="").update(email="")
    others.filter(Q(phone__in=addresses) | Q(email__in=addresses)).delete()


def _anonymize_volunteer(volunteer: Volunteer, now: datetime) -> None:
    language = volunteer.organization.language
    with override(language):
        name = _("Erased")
    Volunteer.objects.filter(pk=volunteer.pk).update(
        name=name,
        folded_name=person_names.fold_name(name),
        language=language,
        phone=None,
        email=None,
        erased_at=now,
        **Volunteer.build_link_fields(),
    )
    volunteer.refresh_from_db()


def _transfer_ownership(contact: Contact, erased: Volunteer) -> None:
    # If exactly one other person has the contact, that person becomes its owner. The contact becomes unverified.
    if contact.owner_id != erased.pk:
        return
    remaining = list(Volunteer.objects.filter(Q(phone=contact) | Q(email=contact)).values_list("pk", flat=True)[:2])
    owner = remaining[0] if len(remaining) == 1 else None
    Contact.objects.filter(pk=contact.pk).update(owner=owner, verified_at=None)
