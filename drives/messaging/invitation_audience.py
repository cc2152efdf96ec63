"""Load the donors to invite, with their consents and the news that they have received."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, Subquery

from drives.models import ACTIVE_STATES, Booking, BookingState, Drive
from notifications import kinds, reach
from notifications.models import UNSENT_STATES, ConsentEntry, Message, Purpose
from notifications.reach import ContactFacts
from organizations.models import Organization
from volunteers import addressees
from volunteers.models import Registration, Volunteer
from volunteers.rules import NEWS_SOURCE


def list_organizations_with_drives(since: datetime, until: datetime) -> list[Organization]:
    coming = Drive.objects.open().filter(organization=OuterRef("pk"), starts_at__gt=since, starts_at__lte=until)
    return list(Organization.objects.filter(Exists(coming)).order_by("pk"))


def list_donors_to_invite(organization: Organization, now: datetime, after_id: int, limit: int) -> list[Volunteer]:
    """List donors to invite, by id, at most `limit` with an id above `after_id`.

    They have agreed to news, have no upcoming booking at this organization, and have either given plasma or used the
    sign-up page for news.
    """
    bookings = Booking.objects.filter(volunteer=OuterRef("pk"))
    donations = bookings.filter(state__in=[BookingState.DONATED, BookingState.INCOMPLETE])
    upcoming = bookings.filter(state__in=ACTIVE_STATES, starts_at__gt=now)
    # Most donors never agreed to news, so leave them out before anything else is read about them. LIMIT makes
    # PostgreSQL look up the newest entry of each contact, instead of reading the organization's whole ledger.
    entries = ConsentEntry.objects.filter(organization=organization, purpose=Purpose.NEWS).order_by("-at", "-pk")
    consents = {
        name: Subquery(entries.filter(address=OuterRef(f"{contact}__address")).values("given")[:1])
        for name, contact in (("phone_consent", "phone"), ("email_consent", "email"))
    }
    people = Volunteer.objects.of(organization).known().alias(**consents)
    # People who signed up for news may never have given plasma.
    signups = Registration.objects.filter(volunteer=OuterRef("pk"), source=NEWS_SOURCE, verified_at__isnull=False)
    people = people.filter(
        Q(phone_consent=True) | Q(email_consent=True), Exists(donations) | Exists(signups), ~Exists(upcoming)
    )
    people = people.filter(pk__gt=after_id)
    return list(people.select_related("phone", "email").order_by("pk")[:limit])


@dataclass(frozen=True)
class ContactHistory:
    facts: ContactFacts
    sent: Sequence[Message]

    def list_sent_to(self, person: Volunteer) -> list[Message]:
        addresses = collect_addresses([person])
        return [message for message in self.sent if message.address in addresses]


def load_contact_history(organization: Organization, people: Sequence[Volunteer], since: datetime) -> ContactHistory:
    """Load the consents of these volunteers' contacts, and the news that is queued or was sent after `since`.

    News includes broadcasts. Five queries.
    """
    addresses = collect_addresses(people)
    news = Message.objects.of(organization).filter(address__in=addresses, purpose=Purpose.NEWS)
    # A union lets each part use its own index; an OR would scan the table.
    sent, unsent = news.filter(sending_at__gt=since), news.filter(state__in=UNSENT_STATES)
    donors = [(addressees.build_addressee(person), "") for person in people]
    return ContactHistory(reach.load_contact_facts(organization, donors), list(sent.union(unsent)))


def collect_addresses(people: Iterable[Volunteer]) -> set[str]:
    return {contact.address for person in people for contact in (person.phone, person.email) if contact}


def list_invitations(volunteer_id: int) -> list[Message]:
    return list(
        Message.objects.filter(key__startswith=f"{kinds.INVITATION.name}:{volunteer_id}/").order_by("due_at", "pk")
    )
