"""A person becomes nobody: the row stays for what is counted by it, without a name and without a way to them."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import override

from volunteers import queries
from volunteers.models import Contact, ProofCode, ProvedBrowser, Registration, Volunteer
from volunteers.queries import Reached


@transaction.atomic(savepoint=False)
def forget(*, volunteer: Volunteer, contacts: Reached, nowhere_else: Collection[str], now: datetime) -> None:
    """Forget who a volunteer is. Part of `drives.privacy.erase.erase`, which holds the locks.

    Contacts of theirs alone go; one that a family shares stays with the others, unproved, for who proved it is gone.
    Browsers that proved an address forget it unless another organization knows it (`nowhere_else`: it does not).
    """
    queries.registrations_of(volunteer, contacts).delete()
    _forget_typed(volunteer, contacts.addresses)
    lost = [contact.identity for contact in contacts.alone if contact.address in nowhere_else]
    ProofCode.objects.filter(organization=volunteer.organization_id, identity__in=contacts.identities).delete()
    ProofCode.objects.filter(organization=None, identity__in=lost).delete()
    ProvedBrowser.objects.filter(identity__in=lost).delete()
    _become_nobody(volunteer, now)
    for contact in contacts.shared:
        _hand_over(contact, volunteer)
    Contact.objects.filter(pk__in=[contact.pk for contact in contacts.alone]).delete()


def _forget_typed(volunteer: Volunteer, addresses: Collection[str]) -> None:
    """Somebody else may have typed this number or mailbox beside their own."""
    others = Registration.objects.filter(organization=volunteer.organization_id)
    others.filter(phone__in=addresses).exclude(email="").update(phone="", phone_as_typed="")
    others.filter(email__in=addresses).exclude(phone="").update(email="")
    others.filter(Q(phone__in=addresses) | Q(email__in=addresses)).delete()


def _become_nobody(volunteer: Volunteer, now: datetime) -> None:
    language = volunteer.organization.language
    with override(language):
        name = _("Erased")
    Volunteer.objects.filter(pk=volunteer.pk).update(
        name=name, language=language, phone=None, email=None, erased_at=now, **Volunteer.new_link()
    )
    volunteer.refresh_from_db()


def _hand_over(contact: Contact, leaver: Volunteer) -> None:
    """Who is left behind a shared contact owns it if it is one person; nobody has proved it any more."""
    if contact.owner_id != leaver.pk:
        return
    left = list(Volunteer.objects.filter(Q(phone=contact) | Q(email=contact)).values_list("pk", flat=True)[:2])
    owner = left[0] if len(left) == 1 else None
    Contact.objects.filter(pk=contact.pk).update(owner=owner, proved_at=None)
