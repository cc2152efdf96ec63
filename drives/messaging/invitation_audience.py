"""Find the donors to invite, and load their consents and the news messages that they received."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Concat

from drives.messaging import rules
from drives.models import ACTIVE_STATES, Booking, BookingState, Drive
from notifications import kinds, reach
from notifications.models import UNSENT_STATES, ConsentEntry, Message, Purpose
from notifications.reach import ContactFacts
from organizations.models import Organization
from volunteers import addressees
from volunteers.models import Registration, Volunteer
from volunteers.rules import NEWS_SOURCE

ABOUT_DRIVE = "drive:"  # prefix of the drive's id in an invitation's `about`


def list_organizations_to_invite(now: datetime) -> list[Organization]:
    """List organizations that may have a donor to invite. One query.

    Such a donor got no news message in the last seven days and was not yet invited to every drive. The organization's
    run checks everything else.
    """
    since, until = now + rules.EARLIEST_INVITED_AHEAD, now + rules.LATEST_INVITED_AHEAD
    coming = Drive.objects.open().filter(starts_at__lte=until)
    drives = coming.filter(organization=OuterRef("organization"), ends_at__gt=since)
    drives = drives.alias(about=Concat(Value(ABOUT_DRIVE), Cast("pk", CharField())))
    donors = _filter_donors_to_invite(Volunteer.objects.known().filter(organization=OuterRef("pk")), now)
    month_ago, week_ago = now - rules.INVITATION_MONTH, now - rules.MIN_INVITATION_GAP
    for news in _list_news(OuterRef("phone__address"), OuterRef("email__address"), month_ago):
        donors = donors.exclude(Exists(news.filter(organization=OuterRef("organization"), created_at__gt=week_ago)))
    phone, email = OuterRef(OuterRef("phone__address")), OuterRef(OuterRef("email__address"))
    for news in _list_news(phone, email, month_ago):
        drives = drives.exclude(Exists(news.filter(organization=OuterRef("organization"), about=OuterRef("about"))))
    organizations = Organization.objects.filter(
        Exists(coming.filter(organization=OuterRef("pk"), starts_at__gt=since)), Exists(donors.filter(Exists(drives)))
    )
    return list(organizations.order_by("pk"))


def list_donors_to_invite(organization: Organization, now: datetime, after_id: int, limit: int) -> list[Volunteer]:
    people = _filter_donors_to_invite(Volunteer.objects.of(organization).known(), now).filter(pk__gt=after_id)
    return list(people.select_related("phone", "email").order_by("pk")[:limit])


def _filter_donors_to_invite(people: QuerySet[Volunteer], now: datetime) -> QuerySet[Volunteer]:
    """Keep the donors who consented to news and have no upcoming booking.

    They must have given plasma or signed up for news.
    """
    bookings = Booking.objects.filter(volunteer=OuterRef("pk"))
    donations = bookings.filter(state__in=[BookingState.DONATED, BookingState.INCOMPLETE])
    upcoming = bookings.filter(state__in=ACTIVE_STATES, starts_at__gt=now)
    # Check the consent first, because most donors never consented to news. LIMIT makes PostgreSQL look up the newest
    # entry of each contact, instead of reading the organization's whole ledger.
    entries = ConsentEntry.objects.filter(organization=OuterRef("organization"), purpose=Purpose.NEWS)
    entries = entries.order_by("-at", "-pk")
    consents = {
        name: Subquery(entries.filter(address=OuterRef(f"{contact}__address")).values("given")[:1])
        for name, contact in (("phone_consent", "phone"), ("email_consent", "email"))
    }
    # People who signed up for news may never have donated.
    signups = Registration.objects.filter(volunteer=OuterRef("pk"), source=NEWS_SOURCE, verified_at__isnull=False)
    return people.alias(**consents).filter(
        Q(phone_consent=True) | Q(email_consent=True), Exists(donations) | Exists(signups), ~Exists(upcoming)
    )


def _list_news(phone: OuterRef, email: OuterRef, since: datetime) -> list[QuerySet[Message]]:
    """Find the unsent news messages to a donor, and those sent after `since`.

    Returns two querysets, so that each uses its own index.
    """
    news = Message.objects.filter(address__in=[phone, email], purpose=Purpose.NEWS)
    return [news.filter(sending_at__gt=since), news.filter(state__in=UNSENT_STATES)]


@dataclass(frozen=True)
class ContactHistory:
    facts: ContactFacts
    sent: Sequence[Message]

    def list_sent_to(self, person: Volunteer) -> list[Message]:
        addresses = collect_addresses([person])
        return [message for message in self.sent if message.address in addresses]


def load_contact_history(organization: Organization, people: Sequence[Volunteer], since: datetime) -> ContactHistory:
    """Load the consents of these volunteers' contacts, their unsent news messages, and those sent after `since`.

    News messages include broadcasts. Five queries.
    """
    addresses = collect_addresses(people)
    news = Message.objects.of(organization).filter(address__in=addresses, purpose=Purpose.NEWS)
    # Each part of the union uses its own index. An OR would scan the table.
    sent, unsent = news.filter(sending_at__gt=since), news.filter(state__in=UNSENT_STATES)
    donors = [(addressees.build_addressee(person), "") for person in people]
    return ContactHistory(reach.load_contact_facts(organization, donors), list(sent.union(unsent)))


def collect_addresses(people: Iterable[Volunteer]) -> set[str]:
    return {contact.address for person in people for contact in (person.phone, person.email) if contact}


def list_invitations(volunteer_id: int) -> list[Message]:
    return list(
        Message.objects.filter(key__startswith=f"{kinds.INVITATION.name}:{volunteer_id}/").order_by("due_at", "pk")
    )
