"""Who is meant by a name typed with a contact: its owner, somebody else who is reached through it, or a new person.

Callers hold the lock of the contact's row (`contacts.lock_or_create_contacts`), so that two at once make one person
of one name.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _

from volunteers import person_names
from volunteers.contacts import ContactPair
from volunteers.models import Contact, Registration, Volunteer

MOST_PEOPLE = 8  # reached through one contact
BookingFor = Literal["", "me", "other"]
"""The answer to "Is this for somebody else?": not asked yet, the owner under a new name, somebody else."""


class NameMismatch(ValidationError):
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
class ContactPeople:
    """The people reached through one proved contact. Those who do not own it are looked up when a name asks for it."""

    verified: Contact
    reached: ContactPair
    _others: list[Volunteer] | None = field(default=None, init=False)

    @property
    def owner_name(self) -> str:
        """The owner's name; it comes with the upsert unless another transaction has just made the owner."""
        known: str | None = getattr(self.verified, "owner_name", None)
        if known is None and self.verified.owner_id is not None:
            known = Volunteer.objects.values_list("name", flat=True).get(pk=self.verified.owner_id)
        return known or ""

    @property
    def others(self) -> list[Volunteer]:
        if self._others is None:
            through = Q(phone=self.verified) | Q(email=self.verified)
            found = Volunteer.objects.filter(through, organization=self.verified.organization_id)
            self._others = [one for one in found.order_by("pk") if one.pk != self.verified.owner_id]
        return self._others

    def named(self, name: str) -> Volunteer | None:
        """Who of the others has this name."""
        return next((one for one in self.others if person_names.is_same_name(one.name, name)), None)


def is_contact_owner(circle: ContactPeople, registration: Registration, booking_for: BookingFor) -> bool:
    """Whether this registration is the owner's own.

    With the box "for another person" only a short form of the owner's name still means the owner: nobody gets a second
    history under their own name. Without it a slip of the finger is forgiven too. Raises NameMismatch if the name is
    neither the owner's nor known here, and nothing was said about it.
    """
    if circle.verified.owner_id is None:
        return not registration.is_for_other
    if registration.is_for_other:
        return person_names.is_short_form(registration.name, circle.owner_name)
    if booking_for == "me" or person_names.is_similar_name(registration.name, circle.owner_name):
        return True
    if booking_for == "other" or circle.named(registration.name):
        return False
    raise NameMismatch


def find_or_create_others(
    circle: ContactPeople, registrations: Sequence[Registration], now: datetime
) -> list[Volunteer]:
    """The people these registrations mean who do not own the contact: met again by their names, or new.

    They are reached through the proved contact, and through the other one that was typed unless somebody else owns it.
    Raises TooManyPeople. Two statements however many they are.
    """
    met = {each.pk: circle.named(each.name) for each in registrations}
    unknown = [each for each in registrations if met[each.pk] is None]
    if len(circle.others) + len(unknown) > MOST_PEOPLE:
        raise TooManyPeople
    through, reached = circle.verified.owner_id, circle.reached
    made = iter(
        Volunteer.objects.bulk_create(
            build_volunteer(each.organization_id, each.name, each.language, reached, now, through) for each in unknown
        )
    )
    return [met[each.pk] or next(made) for each in registrations]


def find_entered_volunteer(
    volunteer_id: int | None, name: str, language: str, reached: ContactPair
) -> Volunteer | None:
    """Whom a coordinator means who types a name with somebody's contact; None for somebody new.

    The one who is known by the contact gets the name typed last; of the others who are reached through it, each has
    their own.
    """
    if volunteer_id is None:
        return None
    known = Volunteer.objects.get(pk=volunteer_id)
    if person_names.is_similar_name(known.name, name):
        return update_known_volunteer(volunteer_id, name, language, reached)
    through = Q(phone__in=reached.all()) | Q(email__in=reached.all())
    others = Volunteer.objects.filter(through, organization=known.organization_id).select_related("phone", "email")
    return next((one for one in others.order_by("pk") if person_names.is_same_name(one.name, name)), None)


def update_known_volunteer(
    volunteer_id: int | None, name: str, language: str, reached: ContactPair
) -> Volunteer | None:
    """The volunteer, with what was said last: name, language (if any), and the contacts nobody else owns."""
    if volunteer_id is None:
        return None
    phone, email = _find_linkable_contacts(reached, volunteer_id)
    found = Volunteer.objects.raw(
        "UPDATE volunteers_volunteer SET name = %s, language = COALESCE(NULLIF(%s, ''), language),"
        " phone_id = COALESCE(%s, phone_id), email_id = COALESCE(%s, email_id) WHERE id = %s"
        " RETURNING id, uuid, epoch, link_hash, organization_id, name, language, phone_id, email_id, created_at",
        [name, language, phone and phone.pk, email and email.pk, volunteer_id],
    )
    volunteer = next(iter(found), None)
    return volunteer and _attach_contacts(volunteer, reached)


def build_volunteer(
    organization_id: int, name: str, language: str, reached: ContactPair, now: datetime, owner_id: int | None = None
) -> Volunteer:
    """A volunteer who is not saved yet, reached under the contacts that nobody owns, or that `through` owns."""
    phone, email = _find_linkable_contacts(reached, owner_id)
    return Volunteer(
        organization_id=organization_id,
        name=name,
        language=language,
        phone=phone,
        email=email,
        created_at=now,
        **Volunteer.build_link_fields(),
    )


def _find_linkable_contacts(reached: ContactPair, volunteer_id: int | None) -> tuple[Contact | None, Contact | None]:
    """The contacts that this volunteer may be reached under: not those that somebody else owns."""

    def free(contact: Contact | None) -> Contact | None:
        return contact if contact and contact.owner_id in {None, volunteer_id} else None

    return free(reached.phone), free(reached.email)


def _attach_contacts(volunteer: Volunteer, reached: ContactPair) -> Volunteer:
    """Fill in the contacts just read, so that no reader fetches them again."""
    for contact in reached.all():
        if volunteer.phone_id == contact.pk:
            volunteer.phone = contact
        if volunteer.email_id == contact.pk:
            volunteer.email = contact
    return volunteer


def merge_volunteer_rows(*, survivor: Volunteer, duplicate: Volunteer) -> None:
    """Contacts and registrations of one person to the other, whose row then goes; the survivor's name is kept as set.

    Part of a merge, under its locks.
    """
    Contact.objects.filter(owner=duplicate).update(owner=survivor)
    Registration.objects.filter(volunteer=duplicate).update(volunteer=survivor)
    survivor.phone, survivor.email = survivor.phone or duplicate.phone, survivor.email or duplicate.email
    survivor.save(update_fields=["name", "language", "phone", "email"])
    duplicate.delete()
