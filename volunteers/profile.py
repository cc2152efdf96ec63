"""What a person changes about how an organization knows them: the name, the language, a proved phone or mailbox."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from notifications import outbox
from notifications.models import Channel
from volunteers import contacts, rules
from volunteers.models import Contact, ContactKind, VerifiedBrowser, Volunteer


class ContactTaken(ValidationError):
    """The phone or mailbox is another person's in that organization."""

    def __init__(self, organization: str) -> None:
        super().__init__(
            _("%(org)s knows somebody else by this number or address. If that is you too, ask them to join the two.")
            % {"org": organization},
            code="contact_taken",
        )


@transaction.atomic(savepoint=False)
def update_name_and_language(*, volunteer_ids: Collection[int], name: str, language: str) -> None:
    """Give a person another name or language, everywhere they are known; refuses by field. The erased stay nobody."""
    problems = rules.FieldErrors()
    clean = problems.judge("name", lambda: rules.clean_name(name), "")
    spoken = problems.judge("language", lambda: rules.parse_language(language, ""), "")
    problems.refuse()
    people = Volunteer.objects.known().filter(pk__in=volunteer_ids)
    people.update(name=clean, **({"language": spoken} if spoken else {}))


@transaction.atomic(savepoint=False)
def change_contact(*, people: Sequence[Volunteer], address: str, now: datetime) -> None:
    """Reach a person at a phone or mailbox they have just proved, in every organization that knows them, or in none.

    What waits for them goes there; the old contact is theirs no more, so that whoever gets the number next is somebody
    else. Who is reached through it follows, for that next holder is to see and to hear nothing of them. Consents stay
    with the old address. Raises ContactTaken. The caller holds the locks of the old identities, of those who follow and
    of the new one; the contacts' rows are locked in the order of the organizations.
    """
    kind = ContactKind.EMAIL if "@" in address else ContactKind.PHONE
    own = {person.pk for person in people}
    for person in sorted(people, key=lambda one: (one.organization_id, one.pk)):
        contact = _lock_or_create_contact(person, kind, address, now)
        if contact.owner_id not in {None, *own}:
            raise ContactTaken(person.organization.name)
        _assign_contact(person, kind, contact, now)


def _lock_or_create_contact(person: Volunteer, kind: str, address: str, now: datetime) -> Contact:
    typed = {"phone": "", "email": "", kind: address}
    reached = contacts.lock_or_create_contacts(
        organization_id=person.organization_id, **typed, verified_identity=rules.compute_identity(address), now=now
    )
    return reached.all()[0]


def _assign_contact(person: Volunteer, kind: str, contact: Contact, now: datetime) -> None:
    old = {ContactKind.PHONE: person.phone_id, ContactKind.EMAIL: person.email_id}[ContactKind(kind)]
    if contact.owner_id is None:
        Contact.objects.filter(pk=contact.pk).update(owner=person)
    follow = [person.pk]
    if old not in {None, contact.pk} and Contact.objects.filter(pk=old, owner=person).update(
        owner=None, verified_at=None
    ):
        follow += Volunteer.objects.filter(**{kind: old}).exclude(pk=person.pk).values_list("pk", flat=True)
        _delete_verified_browsers(Contact.objects.get(pk=old).identity)
    Volunteer.objects.filter(pk__in=follow).update(**{f"{kind}_id": contact.pk})
    channel = Channel.SMS if kind == ContactKind.PHONE else Channel.EMAIL
    for pk in follow:
        outbox.readdress_messages(recipient=f"volunteer:{pk}", channel=channel, address=contact.address, now=now)


def _delete_verified_browsers(identity: str) -> None:
    """The person's browsers are not to show what the next holder of the number books; unless it is still somebody's."""
    if not Contact.objects.filter(identity=identity).exclude(owner=None).exists():
        VerifiedBrowser.objects.filter(identity=identity).delete()
