"""Load the page of a volunteer for coordinators, and the preview of a merge."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from drives import refusals
from drives.desk import rules
from drives.models import Booking, BookingState, Conversation
from drives.privacy import merge
from notifications import queries as notifications_queries
from notifications.models import MailboxRefusals, Suppression
from organizations.models import Organization
from volunteers.models import Contact, Volunteer

MAX_NAMESAKES = 5


@dataclass(frozen=True)
class PersonPage:
    person: Volunteer
    contacts: Sequence[Contact]  # contacts that the person owns, or uses as phone or e-mail
    bookings: Sequence[Booking]  # the newest first
    namesakes: Sequence[Volunteer]  # others with the same name, possibly the same person
    sharing_contact: Sequence[Volunteer]  # other volunteers with one of the contacts
    opt_out: Suppression | None  # for the person's phone
    refusals: MailboxRefusals | None  # if the mailbox gets no more mail
    conversation_id: int | None  # where a coordinator undoes an inferred opt-out


@dataclass(frozen=True)
class MergePage:
    """The preview of a merge. `survivor` is the older volunteer, which is kept."""

    survivor: PersonPage
    absorbed: PersonPage
    reasons: Sequence[refusals.Reason]

    @property
    def both(self) -> tuple[PersonPage, PersonPage]:
        return self.survivor, self.absorbed


def load_person_page(organization: Organization, volunteer_id: int) -> PersonPage | None:
    rows = Volunteer.objects.of(organization).known().select_related("phone", "email", "organization")
    person = rows.filter(pk=volunteer_id).first()
    if person is None:
        return None
    is_used = Q(owner=person) | Q(pk__in=[pk for pk in (person.phone_id, person.email_id) if pk])
    contacts = list(Contact.objects.of(organization).filter(is_used).select_related("owner").order_by("kind", "pk"))
    others = Volunteer.objects.of(organization).exclude(pk=person.pk)
    # Each part of the union uses its own index. A single OR would read all volunteers.
    sharing = others.filter(phone__in=contacts).union(
        others.filter(email__in=contacts), others.filter(owned_contacts__in=contacts)
    )
    bookings = Booking.objects.of(organization).filter(volunteer=person).exclude(state=BookingState.LAPSED)
    opt_out = notifications_queries.find_suppression(organization, person.phone.address) if person.phone else None
    talks = Conversation.objects.of(organization).filter(address=person.phone.address) if person.phone else None
    return PersonPage(
        person=person,
        contacts=contacts,
        bookings=list(
            bookings.select_related("drive__site").order_by("-starts_at", "-pk")[: rules.PERSON_BOOKINGS_SHOWN]
        ),
        namesakes=list(list_namesakes(person)),
        sharing_contact=list(sharing.order_by("name", "pk")),
        opt_out=opt_out,
        refusals=notifications_queries.find_mailbox_refusals(organization, person.email.address)
        if person.email
        else None,
        conversation_id=talks.values_list("pk", flat=True).first() if opt_out and talks is not None else None,
    )


def list_namesakes(person: Volunteer) -> QuerySet[Volunteer]:
    known = Volunteer.objects.of(person.organization).known().filter(folded_name=person.folded_name)
    return known.exclude(pk=person.pk).select_related("phone", "email").order_by("created_at", "pk")[:MAX_NAMESAKES]


def load_merge_page(organization: Organization, one_id: int, other_id: int) -> MergePage | None:
    one, other = load_person_page(organization, one_id), load_person_page(organization, other_id)
    if one is None or other is None or one_id == other_id:
        return None
    survivor, absorbed = sorted((one, other), key=lambda page: (page.person.created_at, page.person.pk))
    return MergePage(survivor, absorbed, merge.reasons_not_to_merge(survivor.person, absorbed.person))
