"""A person as coordinators see them, and what making two of them one would do."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from drives import refusals
from drives.models import Booking, BookingState
from drives.privacy import merge
from organizations.models import Organization
from volunteers.models import Contact, Volunteer


@dataclass(frozen=True)
class PersonPage:
    """Who somebody is to one organization."""

    person: Volunteer
    contacts: Sequence[Contact]  # owned, or reached through
    bookings: Sequence[Booking]  # the newest first
    beside: Sequence[Volunteer]  # others who are reached through one of the contacts


@dataclass(frozen=True)
class MergePage:
    """What becomes of two people who are made one: the older row stays."""

    survivor: PersonPage
    gone: PersonPage
    reasons: Sequence[refusals.Reason]

    @property
    def both(self) -> tuple[PersonPage, PersonPage]:
        return self.survivor, self.gone


def load_person_page(organization: Organization, volunteer_id: int) -> PersonPage | None:
    """A person of this organization; None for a stranger's and an unknown one alike. Four queries."""
    rows = Volunteer.objects.of(organization).known().select_related("phone", "email", "organization")
    person = rows.filter(pk=volunteer_id).first()
    if person is None:
        return None
    named = Q(owner=person) | Q(pk__in=[pk for pk in (person.phone_id, person.email_id) if pk])
    contacts = list(Contact.objects.of(organization).filter(named).select_related("owner").order_by("kind", "pk"))
    through = Q(phone__in=contacts) | Q(email__in=contacts) | Q(owned_contacts__in=contacts)
    beside = Volunteer.objects.of(organization).filter(through).exclude(pk=person.pk).distinct()
    bookings = Booking.objects.of(organization).filter(volunteer=person).exclude(state=BookingState.LAPSED)
    return PersonPage(
        person=person,
        contacts=contacts,
        bookings=list(bookings.select_related("drive__site").order_by("-starts_at", "-pk")[:50]),
        beside=list(beside.order_by("name", "pk")),
    )


def load_merge_page(organization: Organization, one_id: int, other_id: int) -> MergePage | None:
    """The preview; None unless both are two different people of this organization. Ten queries."""
    one, other = load_person_page(organization, one_id), load_person_page(organization, other_id)
    if one is None or other is None or one_id == other_id:
        return None
    survivor, gone = sorted((one, other), key=lambda page: (page.person.created_at, page.person.pk))
    return MergePage(survivor, gone, merge.reasons_not_to_merge(survivor.person, gone.person))
