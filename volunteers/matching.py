"""Who is meant by a name typed with a contact: its owner, somebody else who is reached through it, or a new person.

Callers hold the lock of the contact's row (`contacts.reach`), so that two at once make one person of one name.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _

from volunteers import names
from volunteers.contacts import Reached
from volunteers.models import Contact, Registration, Volunteer

MOST_PEOPLE = 8  # reached through one contact
Whose = Literal["", "me", "other"]
"""The answer to "Is this for somebody else?": not asked yet, the owner under a new name, somebody else."""


class OtherName(ValidationError):
    """The contact is known under another name: its holder has to say for whom the booking is."""

    def __init__(self) -> None:
        super().__init__(
            _("This phone or e-mail is known here under another name. Say whether you book for somebody else."),
            code="other_name",
        )


class TooManyPeople(ValidationError):
    """So many people are reached through one contact that a person has to look at it."""

    def __init__(self) -> None:
        super().__init__(
            _("Too many people already book with this phone or e-mail. Call us, and we book for you."),
            code="too_many_people",
        )


@dataclass
class Circle:
    """The people reached through one proved contact. Those who do not own it are looked up when a name asks for it."""

    proved: Contact
    reached: Reached
    _others: list[Volunteer] | None = field(default=None, init=False)

    @property
    def owner_name(self) -> str:
        """The owner's name; it comes with the upsert unless another transaction has just made the owner."""
        known: str | None = getattr(self.proved, "owner_name", None)
        if known is None and self.proved.owner_id is not None:
            known = Volunteer.objects.values_list("name", flat=True).get(pk=self.proved.owner_id)
        return known or ""

    @property
    def others(self) -> list[Volunteer]:
        if self._others is None:
            through = Q(phone=self.proved) | Q(email=self.proved)
            found = Volunteer.objects.filter(through, organization=self.proved.organization_id)
            self._others = [one for one in found.order_by("pk") if one.pk != self.proved.owner_id]
        return self._others

    def named(self, name: str) -> Volunteer | None:
        """Who of the others has this name."""
        return next((one for one in self.others if names.same(one.name, name)), None)


def is_owner(circle: Circle, registration: Registration, whose: Whose) -> bool:
    """Whether this registration is the owner's own.

    With the box "for another person" only a short form of the owner's name still means the owner: nobody gets a second
    history under their own name. Without it a slip of the finger is forgiven too. Raises OtherName if the name is
    neither the owner's nor known here, and nothing was said about it.
    """
    if circle.proved.owner_id is None:
        return not registration.for_other
    if registration.for_other:
        return names.short_form(registration.name, circle.owner_name)
    if whose == "me" or names.alike(registration.name, circle.owner_name):
        return True
    if whose == "other" or circle.named(registration.name):
        return False
    raise OtherName


def others(circle: Circle, registrations: Sequence[Registration], now: datetime) -> list[Volunteer]:
    """The people these registrations mean who do not own the contact: met again by their names, or new.

    They are reached through the proved contact, and through the other one that was typed unless somebody else owns it.
    Raises TooManyPeople. Two statements however many they are.
    """
    met = {each.pk: circle.named(each.name) for each in registrations}
    unknown = [each for each in registrations if met[each.pk] is None]
    if len(circle.others) + len(unknown) > MOST_PEOPLE:
        raise TooManyPeople
    through, reached = circle.proved.owner_id, circle.reached
    made = iter(
        Volunteer.objects.bulk_create(
            fresh(each.organization_id, each.name, each.language, reached, now, through) for each in unknown
        )
    )
    return [met[each.pk] or next(made) for each in registrations]


def entered(volunteer_id: int | None, name: str, language: str, reached: Reached) -> Volunteer | None:
    """Whom a coordinator means who types a name with somebody's contact; None for somebody new.

    The one who is known by the contact gets the name typed last; of the others who are reached through it, each has
    their own.
    """
    if volunteer_id is None:
        return None
    known = Volunteer.objects.get(pk=volunteer_id)
    if names.alike(known.name, name):
        return known_as(volunteer_id, name, language, reached)
    through = Q(phone__in=reached.all()) | Q(email__in=reached.all())
    others = Volunteer.objects.filter(through, organization=known.organization_id).select_related("phone", "email")
    return next((one for one in others.order_by("pk") if names.same(one.name, name)), None)


def known_as(volunteer_id: int | None, name: str, language: str, reached: Reached) -> Volunteer | None:
    """The volunteer, with what was said last: name, language (if any), and the contacts nobody else owns."""
    if volunteer_id is None:
        return None
    phone, email = _linkable(reached, volunteer_id)
    found = Volunteer.objects.raw(
        "UPDATE volunteers_volunteer SET name = %s, language = COALESCE(NULLIF(%s, ''), language),"
        " phone_id = COALESCE(%s, phone_id), email_id = COALESCE(%s, email_id) WHERE id = %s"
        " RETURNING id, uuid, epoch, link_hash, organization_id, name, language, phone_id, email_id, created_at",
        [name, language, phone and phone.pk, email and email.pk, volunteer_id],
    )
    volunteer = next(iter(found), None)
    return volunteer and _with_contacts(volunteer, reached)


def fresh(
    organization_id: int, name: str, language: str, reached: Reached, now: datetime, through: int | None = None
) -> Volunteer:
    """A volunteer who is not saved yet, reached under the contacts that nobody owns, or that `through` owns."""
    phone, email = _linkable(reached, through)
    return Volunteer(
        organization_id=organization_id,
        name=name,
        language=language,
        phone=phone,
        email=email,
        created_at=now,
        **Volunteer.new_link(),
    )


def _linkable(reached: Reached, volunteer_id: int | None) -> tuple[Contact | None, Contact | None]:
    """The contacts that this volunteer may be reached under: not those that somebody else owns."""

    def free(contact: Contact | None) -> Contact | None:
        return contact if contact and contact.owner_id in {None, volunteer_id} else None

    return free(reached.phone), free(reached.email)


def _with_contacts(volunteer: Volunteer, reached: Reached) -> Volunteer:
    """Fill in the contacts just read, so that no reader fetches them again."""
    for contact in reached.all():
        if volunteer.phone_id == contact.pk:
            volunteer.phone = contact
        if volunteer.email_id == contact.pk:
            volunteer.email = contact
    return volunteer


def take_over(*, survivor: Volunteer, gone: Volunteer) -> None:
    """Contacts and registrations of one person to the other, whose row then goes; the survivor's name is kept as set.

    Part of a merge, under its locks.
    """
    Contact.objects.filter(owner=gone).update(owner=survivor)
    Registration.objects.filter(volunteer=gone).update(volunteer=survivor)
    survivor.phone, survivor.email = survivor.phone or gone.phone, survivor.email or gone.email
    survivor.save(update_fields=["name", "language", "phone", "email"])
    gone.delete()
