"""A person becomes nobody: the row stays for what is counted by it, without a name and without a way to them."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import override

from volunteers import queries
from volunteers.models import Contact, Registration, VerificationCode, VerifiedBrowser, Volunteer
from volunteers.queries import ContactOwnership


@transaction.atomic(savepoint=False)
def erase_personal_data(
    *, volunteer: Volunteer, contacts: ContactOwnership, unknown_elsewhere: Collection[str], now: datetime
) -> None:
    """Forget who a volunteer is. Part of `drives.privacy.erase.erase_volunteer`, which holds the locks.

    Contacts of theirs alone go; one that a family shares stays with the others, unproved, for who proved it is gone.
    Browsers that proved an address forget it unless another organization knows it (`unknown_elsewhere`: it does not).
    """
    queries.filter_volunteer_registrations(volunteer, contacts).delete()
    _erase_typed_addresses(volunteer, contacts.addresses)
    lost = [contact.identity for contact in contacts.alone if contact.address in unknown_elsewhere]
    VerificationCode.objects.filter(organization=volunteer.organization_id, identity__in=contacts.identities).delete()
    VerificationCode.objects.filter(organization=None, identity__in=lost).delete()
    VerifiedBrowser.objects.filter(identity__in=lost).delete()
    _anonymize_volunteer(volunteer, now)
    for contact in contacts.shared:
        _transfer_ownership(contact, volunteer)
    Contact.objects.filter(pk__in=[contact.pk for contact in contacts.alone]).delete()


def _erase_typed_addresses(volunteer: Volunteer, addresses: Collection[str]) -> None:
    """Somebody else may have typed this number or mailbox beside their own."""
    others = Registration.objects.filter(organization=volunteer.organization_id)
    others.filter(phone__in=addresses).exclude(email="").update(phone="", phone_as_typed="")
    others.filter(email__in=addresses).exclude(phone="").update(email="")
    others.filter(Q(phone__in=addresses) | Q(email__in=addresses)).delete()


def _anonymize_volunteer(volunteer: Volunteer, now: datetime) -> None:
    language = volunteer.organization.language
    with override(language):
        name = _("Erased")
    Volunteer.objects.filter(pk=volunteer.pk).update(
        name=name, language=language, phone=None, email=None, erased_at=now, **Volunteer.build_link_fields()
    )
    volunteer.refresh_from_db()


def _transfer_ownership(contact: Contact, leaver: Volunteer) -> None:
    """Who is left behind a shared contact owns it if it is one person; nobody has proved it any more."""
    if contact.owner_id != leaver.pk:
        return
    left = list(Volunteer.objects.filter(Q(phone=contact) | Q(email=contact)).values_list("pk", flat=True)[:2])
    owner = left[0] if len(left) == 1 else None
    Contact.objects.filter(pk=contact.pk).update(owner=owner, verified_at=None)
