"""Match a typed name and contact to a volunteer: the owner, another person with this contact, or a new one.

Callers lock the contact's row (`contacts.lock_or_create_contacts`), so that two calls at the same time do not create
the same volunteer twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _

from notifications import contact_address
from volunteers import person_names, rules
from volunteers.contacts import ContactPair
from volunteers.models import Contact, ContactKind, Registration, Volunteer

BookingFor = Literal["", "me", "other"]
"""Who the booking is for: "" (not asked yet), the owner under a new name, or another person."""


class NameMismatch(ValidationError):
    """The contact's owner has another name. The donor must say whether the booking is for another person."""

    def __init__(self) -> None:
        super().__init__(
            _("We have this phone or e-mail under another name. Tell us if you’re booking for someone else."),
            code="other_name",
        )


class OtherContactKnown(NameMismatch):
    """A person with this name once typed this contact, but verified another. The donor must say if that is them."""

    def __init__(self, other: Contact) -> None:
        sentence = (
            _("We know a donor with your name, this contact and a phone number that ends in %(shown)s. Is that you?")
            if other.kind == ContactKind.PHONE
            else _("We know a donor with your name, this contact and the e-mail address %(shown)s. Is that you?")
        )
        shown = contact_address.mask_contact(other.address).removeprefix("…")
        ValidationError.__init__(self, sentence % {"shown": shown}, code="other_name")


class TooManyPeople(ValidationError):
    """Too many people share the contact. A coordinator must look at it."""

    def __init__(self) -> None:
        super().__init__(
            _("Too many people are already booked with this phone or e-mail. Call us, and we’ll book for you."),
            code="too_many_people",
        )


@dataclass
class ContactPeople:
    """The people with a verified contact. Only the owner is loaded at first, the others on demand."""

    verified: Contact
    contacts: ContactPair
    _others: list[Volunteer] | None = field(default=None, init=False)

    @property
    def owner_name(self) -> str:
        # The upsert returns the name, unless another transaction set the owner at the same time.
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

    def find_by_name(self, name: str) -> Volunteer | None:
        return next((one for one in self.others if person_names.is_same_name(one.name, name)), None)

    def find_next_owner(self, name: str) -> Volunteer | None:
        """Return the person other than the owner who has this name.

        If there is none, return the only one with a short form of the name. Return None if several have a short form.
        """
        shortened = [one for one in self.others if person_names.is_short_form(one.name, name)]
        return self.find_by_name(name) or (shortened[0] if len(shortened) == 1 else None)


def is_contact_owner(people: ContactPeople, registration: Registration, booking_for: BookingFor) -> bool:
    """Return whether the registration is for the contact's owner.

    - for another person: only if the name is a short form of the owner's name, so that the owner gets no second history
    - for the donor: if the name is similar to the owner's name, or `booking_for` is "me"
    - a contact without an owner: if the donor books for themselves

    If `booking_for` is empty, raises

    - OtherContactKnown: the contact has no owner, and a person with this name and contact verified another contact
    - NameMismatch: neither the owner nor another person with the contact has this name
    """
    if people.verified.owner_id is None:
        if not registration.is_for_other and not booking_for and (known := people.find_next_owner(registration.name)):
            _refuse_other_contact(known)
        return not registration.is_for_other
    if registration.is_for_other:
        return person_names.is_short_form(registration.name, people.owner_name)
    if booking_for == "me" or person_names.is_similar_name(registration.name, people.owner_name):
        return True
    if booking_for == "other" or people.find_by_name(registration.name):
        return False
    raise NameMismatch


def _refuse_other_contact(known: Volunteer) -> None:
    # A donor may type another person's address. That person must not be merged with the donor without knowing it.
    if other := Contact.objects.filter(owner=known).exclude(verified_at=None).order_by("-kind", "pk").first():
        raise OtherContactKnown(other)


def find_or_create_others(
    people: ContactPeople, registrations: Sequence[Registration], now: datetime
) -> list[Volunteer]:
    """Return a volunteer for each registration that is not for the contact's owner. Two statements.

    Volunteers are matched by name, or created. A new volunteer gets the verified contact, and also the other typed
    contact unless it has another owner. Raises TooManyPeople.
    """
    matches = {each.pk: people.find_by_name(each.name) for each in registrations}
    unknown = [each for each in registrations if matches[each.pk] is None]
    if len(people.others) + len(unknown) > rules.MAX_PEOPLE_PER_CONTACT:
        raise TooManyPeople
    owner_id, contacts = people.verified.owner_id, people.contacts
    created = iter(
        Volunteer.objects.bulk_create(
            build_volunteer(each.organization_id, each.name, each.language, contacts, now, owner_id) for each in unknown
        )
    )
    return [matches[each.pk] or next(created) for each in registrations]


def find_entered_volunteer(
    volunteer_id: int | None, name: str, language: str, contacts: ContactPair
) -> Volunteer | None:
    """Return the volunteer for a name and contact that a coordinator typed, or None if the person is new.

    If the name is similar to the name of `volunteer_id`, this volunteer is returned and gets the typed name. For other
    people with the contact, the name must match exactly.
    """
    if volunteer_id is None:
        return None
    known = Volunteer.objects.get(pk=volunteer_id)
    if person_names.is_similar_name(known.name, name):
        return update_known_volunteer(volunteer_id, name, language, contacts)
    through = Q(phone__in=contacts.all()) | Q(email__in=contacts.all())
    others = Volunteer.objects.filter(through, organization=known.organization_id).select_related("phone", "email")
    return next((one for one in others.order_by("pk") if person_names.is_same_name(one.name, name)), None)


def update_known_volunteer(
    volunteer_id: int | None, name: str, language: str, contacts: ContactPair
) -> Volunteer | None:
    if volunteer_id is None:
        return None
    phone, email = _find_linkable_contacts(contacts, volunteer_id)
    found = Volunteer.objects.raw(
        "UPDATE volunteers_volunteer SET name = %s, folded_name = %s, language = COALESCE(NULLIF(%s, ''), language),"
        " phone_id = COALESCE(%s, phone_id), email_id = COALESCE(%s, email_id) WHERE id = %s"
        " RETURNING id, uuid, epoch, link_hash, link_seal, organization_id, name, folded_name, language, phone_id,"
        " email_id,"
        " created_at",
        [name, person_names.fold_name(name), language, phone and phone.pk, email and email.pk, volunteer_id],
    )
    volunteer = next(iter(found), None)
    return volunteer and _attach_contacts(volunteer, contacts)


def build_volunteer(
    organization_id: int, name: str, language: str, contacts: ContactPair, now: datetime, owner_id: int | None = None
) -> Volunteer:
    phone, email = _find_linkable_contacts(contacts, owner_id)
    return Volunteer(
        organization_id=organization_id,
        name=name,
        language=language,
        phone=phone,
        email=email,
        created_at=now,
        **Volunteer.build_link_fields(),
    )


def _find_linkable_contacts(contacts: ContactPair, volunteer_id: int | None) -> tuple[Contact | None, Contact | None]:
    def free(contact: Contact | None) -> Contact | None:
        return contact if contact and contact.owner_id in {None, volunteer_id} else None

    return free(contacts.phone), free(contacts.email)


def _attach_contacts(volunteer: Volunteer, contacts: ContactPair) -> Volunteer:
    for contact in contacts.all():
        if volunteer.phone_id == contact.pk:
            volunteer.phone = contact
        if volunteer.email_id == contact.pk:
            volunteer.email = contact
    return volunteer


def merge_volunteer_rows(*, survivor: Volunteer, duplicate: Volunteer) -> None:
    Contact.objects.filter(owner=duplicate).update(owner=survivor)
    Registration.objects.filter(volunteer=duplicate).update(volunteer=survivor)
    survivor.phone, survivor.email = survivor.phone or duplicate.phone, survivor.email or duplicate.email
    survivor.save(update_fields=["name", "folded_name", "language", "phone", "email"])
    duplicate.delete()
