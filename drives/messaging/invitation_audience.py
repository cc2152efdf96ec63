"""Find the donors to invite, and load their consents and the news messages that they received."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from drives.messaging import rules
from drives.models import ACTIVE_STATES, Booking, BookingState, Drive, InvitationCheck, Slot
from notifications import kinds, quiet_hours, reach
from notifications.models import UNSENT_STATES, ConsentEntry, Message, Purpose
from notifications.reach import ContactFacts
from organizations.models import Organization
from volunteers import addressees
from volunteers.models import Registration, Volunteer
from volunteers.rules import NEWS_SOURCE

ABOUT_DRIVE = "drive:"  # prefix of the drive's id in an invitation's `about`


def list_organizations_to_invite(now: datetime, *, in_quiet_hours: bool = False) -> list[int]:
    """List the ids of organizations with donors to look at. One query.

    These are organizations with a drive that is new, changed or no longer full since the last check. On each new day,
    every organization with a drive is checked again, because donors may have become eligible. Drives at sites where
    quiet hours apply are left out, unless `in_quiet_hours` is true.
    """
    drives = _list_drives_with_spots(_filter_coming_drives(now), now, in_quiet_hours=in_quiet_hours)
    return sorted({pk for pk, drive, checked in drives if drive not in checked})


def list_drives_to_check(organization: Organization, now: datetime, *, in_quiet_hours: bool) -> list[str]:
    """Return what `save_check` saves after a check of all donors. One query."""
    coming = _filter_coming_drives(now).filter(organization=organization)
    return [drive for _pk, drive, _checked in _list_drives_with_spots(coming, now, in_quiet_hours=in_quiet_hours)]


@transaction.atomic(savepoint=False)
def save_check(organization: Organization, drives: Sequence[str], now: datetime) -> None:
    InvitationCheck.objects.update_or_create(
        organization=organization, defaults={"drives": list(drives), "checked_at": now}
    )


def _filter_coming_drives(now: datetime) -> QuerySet[Drive]:
    since, until = now + rules.EARLIEST_INVITED_AHEAD, now + rules.LATEST_INVITED_AHEAD
    return Drive.objects.open().filter(starts_at__gt=now, starts_at__lte=until, ends_at__gt=since)


def _list_drives_with_spots(
    drives: QuerySet[Drive], now: datetime, *, in_quiet_hours: bool
) -> list[tuple[int, str, list[str]]]:
    """For each drive with spots, list the organization, the drive with its version and day, and the checked drives."""
    free = Slot.objects.filter(drive=OuterRef("pk"), open=True, chairs_taken__lt=F("chairs_limit"))
    hours = ("site__timezone", "organization__quiet_until_hour", "organization__quiet_from_hour")
    columns = ("organization", "pk", "version", "organization__invitation_check__drives", *hours)
    local: dict[Sequence[Any], tuple[bool, date]] = {}
    found = []
    for organization, pk, version, checked, *quiet in drives.filter(Exists(free)).order_by("pk").values_list(*columns):
        if (key := tuple(quiet)) not in local:
            zone = quiet_hours.parse_zone(key[0])
            local[key] = quiet_hours.QuietHours(zone, *key[1:]).is_quiet(now), now.astimezone(zone).date()
        is_quiet, day = local[key]
        if in_quiet_hours or not is_quiet:
            found.append((organization, f"{pk}/{version}/{day}", checked or []))
    return found


def list_donors_to_invite(organization: Organization, now: datetime, after_id: int, limit: int) -> list[Volunteer]:
    """List donors who may be invited, in order of their ids. Leaves out donors who got a news message this week."""
    people = _filter_donors_to_invite(Volunteer.objects.of(organization).known(), now).filter(pk__gt=after_id)
    for news in _list_news(OuterRef("phone__address"), OuterRef("email__address"), now - rules.INVITATION_MONTH):
        week = news.filter(organization=organization, created_at__gt=now - rules.MIN_INVITATION_GAP)
        people = people.exclude(Exists(week))
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
