"""Whom to tell that they may give again: who gave and has nothing booked, what they agreed to, what they were told."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef

from drives.models import ACTIVE, Booking, BookingState, Drive
from notifications import kinds
from notifications import queries as notifications_queries
from notifications.models import WAITING, Message, Purpose
from organizations.models import Organization
from volunteers.models import Volunteer


def with_drives(since: datetime, until: datetime) -> list[Organization]:
    """The organizations with a published drive that begins between these moments. One query."""
    coming = Drive.objects.open().filter(organization=OuterRef("pk"), starts_at__gt=since, starts_at__lte=until)
    return list(Organization.objects.filter(Exists(coming)).order_by("pk"))


def who_gave(organization: Organization, now: datetime, after: int, limit: int) -> list[Volunteer]:
    """Volunteers above an id who gave at this organization and have nothing booked there, by id. One query."""
    theirs = Booking.objects.filter(volunteer=OuterRef("pk"))
    gave = theirs.filter(state__in=[BookingState.DONATED, BookingState.INCOMPLETE])
    ahead = theirs.filter(state__in=ACTIVE, starts_at__gt=now)
    people = Volunteer.objects.of(organization).known().filter(~Exists(ahead), Exists(gave), pk__gt=after)
    return list(people.select_related("phone", "email").order_by("pk")[:limit])


@dataclass(frozen=True)
class Heard:
    """What some addresses agreed to, and what news they were sent since a moment."""

    agreed: Collection[str]
    told: Sequence[Message]

    def by(self, person: Volunteer) -> list[Message]:
        """The news that reached this person, or anybody through the same phone or mailbox."""
        mine = addresses_of([person])
        return [message for message in self.told if message.address in mine]


def heard(organization: Organization, people: Sequence[Volunteer], since: datetime) -> Heard:
    """Consent and news of these people's contacts; news that coordinators sent by hand counts too. Five queries."""
    addresses = addresses_of(people)
    consents = notifications_queries.consents_of(organization, addresses)
    agreed = {address for (address, purpose), given in consents.items() if purpose == Purpose.APPEALS and given}
    news = Message.objects.of(organization).filter(address__in=addresses, purpose=Purpose.APPEALS)
    # The union keeps each part on its index; an OR would read the table.
    left, waiting = news.filter(sending_at__gt=since), news.filter(state__in=WAITING)
    return Heard(agreed - notifications_queries.suppressed_of(organization, addresses), list(left.union(waiting)))


def addresses_of(people: Iterable[Volunteer]) -> set[str]:
    return {contact.address for person in people for contact in (person.phone, person.email) if contact}


def appeals_to(volunteer_id: int) -> list[Message]:
    """What somebody was told by this sweep, in order of time. One query, by the index of keys."""
    return list(
        Message.objects.filter(key__startswith=f"{kinds.INVITATION.name}:{volunteer_id}/").order_by("due_at", "pk")
    )
