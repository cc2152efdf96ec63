"""Whom to tell that they may give again: who gave and has nothing booked, what they agreed to, what they were told."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef

from drives.models import ACTIVE_STATES, Booking, BookingState, Drive
from notifications import kinds
from notifications import queries as notifications_queries
from notifications.models import UNSENT_STATES, Message, Purpose
from organizations.models import Organization
from volunteers.models import Volunteer


def list_organizations_with_drives(since: datetime, until: datetime) -> list[Organization]:
    """The organizations with a published drive that begins between these moments. One query."""
    coming = Drive.objects.open().filter(organization=OuterRef("pk"), starts_at__gt=since, starts_at__lte=until)
    return list(Organization.objects.filter(Exists(coming)).order_by("pk"))


def list_donors_to_invite(organization: Organization, now: datetime, after_id: int, limit: int) -> list[Volunteer]:
    """Volunteers above an id who gave at this organization and have nothing booked there, by id. One query."""
    theirs = Booking.objects.filter(volunteer=OuterRef("pk"))
    gave = theirs.filter(state__in=[BookingState.DONATED, BookingState.INCOMPLETE])
    ahead = theirs.filter(state__in=ACTIVE_STATES, starts_at__gt=now)
    people = Volunteer.objects.of(organization).known().filter(~Exists(ahead), Exists(gave), pk__gt=after_id)
    return list(people.select_related("phone", "email").order_by("pk")[:limit])


@dataclass(frozen=True)
class ContactHistory:
    """What some addresses agreed to, and what news they were sent since a moment."""

    agreed: Collection[str]
    told: Sequence[Message]

    def by(self, person: Volunteer) -> list[Message]:
        """The news that reached this person, or anybody through the same phone or mailbox."""
        mine = collect_addresses([person])
        return [message for message in self.told if message.address in mine]


def load_contact_history(organization: Organization, people: Sequence[Volunteer], since: datetime) -> ContactHistory:
    """Consent and news of these people's contacts; news that coordinators sent by hand counts too. Five queries."""
    addresses = collect_addresses(people)
    consents = notifications_queries.load_consents(organization, addresses)
    agreed = {address for (address, purpose), given in consents.items() if purpose == Purpose.NEWS and given}
    news = Message.objects.of(organization).filter(address__in=addresses, purpose=Purpose.NEWS)
    # The union keeps each part on its index; an OR would read the table.
    left, waiting = news.filter(sending_at__gt=since), news.filter(state__in=UNSENT_STATES)
    return ContactHistory(
        agreed - notifications_queries.list_suppressed_addresses(organization, addresses), list(left.union(waiting))
    )


def collect_addresses(people: Iterable[Volunteer]) -> set[str]:
    return {contact.address for person in people for contact in (person.phone, person.email) if contact}


def list_invitations(volunteer_id: int) -> list[Message]:
    """What somebody was told by this sweep, in order of time. One query, by the index of keys."""
    return list(
        Message.objects.filter(key__startswith=f"{kinds.INVITATION.name}:{volunteer_id}/").order_by("due_at", "pk")
    )
