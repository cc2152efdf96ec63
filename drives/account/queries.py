"""What somebody sees who proved a phone or mailbox: everybody it reaches, with their bookings in all organizations."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection

from drives.booking import party as booking_party
from drives.booking import queries as booking_queries
from drives.booking import reached_people
from drives.booking.queries import BookingPage
from drives.domain import intervals
from drives.eligibility import history
from drives.eligibility import queries as eligibility_queries
from drives.eligibility.next_visit import Progress
from drives.models import ACTIVE, WITH_DRIVE, Booking, Drive, Policy
from drives.waitlist import queries as waitlist_queries
from drives.waitlist.queries import WaitingPage
from volunteers.models import Contact

PAST_SHOWN = 20


@dataclass(frozen=True)
class NextDate:
    """From when on a programme allows one more donation, besides what is booked; and the next drive that keeps it."""

    policy: Policy
    earliest_ok_at: datetime | None  # None: at any time
    zone: str
    drive: Drive | None


@dataclass
class DonorPerson(reached_people.PersonHere):
    """A person with their bookings and next dates over all organizations."""

    waiting: list[WaitingPage] = field(default_factory=list)
    coming: list[BookingPage] = field(default_factory=list)
    past: list[BookingPage] = field(default_factory=list)
    next_dates: list[NextDate] = field(default_factory=list)
    progress: list[tuple[str, Progress]] = field(default_factory=list)  # by the name of the organization


def donor_page(browser: str, now: datetime) -> list[DonorPerson]:
    """The donor's own page: people, bookings, places in line, next dates. Eight queries, however many they are."""
    people = [
        DonorPerson(person.name, person.records, person.is_theirs)
        for person in reached_people.find_people(browser, now)
    ]
    person_of = {record.pk: person for person in people for record in person.records}
    bookings = _bookings(list(person_of))
    parties = booking_party.parties_of(bookings)
    for booking in bookings:
        person = person_of[booking.volunteer_id or 0]
        page = booking_queries.page_of(booking, booking.reference, now, parties[booking.pk])
        if booking.state in ACTIVE and not page.is_over:
            person.coming.append(page)
        elif person.is_theirs:
            person.past.insert(0, page)
    reached_people.set_apart(people, {booking.volunteer_id or 0: booking.reference for booking in bookings})
    for place in waitlist_queries.waiting_of(list(person_of), now):
        person_of[place.entry.volunteer_id or 0].waiting.append(place)
    _look_ahead([person for person in people if person.is_theirs], now)
    for person in people:
        del person.past[PAST_SHOWN:]
    return people


def _look_ahead(people: Sequence[DonorPerson], now: datetime) -> None:
    """How far each is, and from when on they may give again. Three queries."""
    records = [record for person in people for record in person.records]
    drives = _open_drives([record.organization_id for record in records], now)
    progress = eligibility_queries.progress_of([record.pk for record in records], now)
    theirs = {person.records[0].pk: _drives_of(person, drives) for person in people}
    zones = {pk: ahead[0].site.zone for pk, ahead in theirs.items() if ahead}
    donations = history.donations_of_many(zones, now, everywhere=True)
    for person in people:
        first = person.records[0].pk
        if first in donations:
            person.next_dates = _next_dates(theirs[first], donations[first], now)
        mine = [record for record in person.records if record.pk in progress]
        person.progress = [(record.organization.name, progress[record.pk]) for record in mine]


def _bookings(volunteers: Sequence[int]) -> list[Booking]:
    rows = Booking.objects.filter(volunteer__in=volunteers).exclude(state__in=reached_people.UNPROVED)
    return list(rows.select_related(*WITH_DRIVE).order_by("starts_at", "pk"))


def _open_drives(organizations: Sequence[int], now: datetime) -> list[Drive]:
    rows = Drive.objects.open().filter(organization__in=organizations, ends_at__gt=now)
    return list(rows.select_related("policy", "site", "organization").order_by("starts_at", "pk"))


def _drives_of(person: DonorPerson, drives: Sequence[Drive]) -> list[Drive]:
    """Those of the organizations that know them."""
    known = {record.organization_id for record in person.records}
    return [drive for drive in drives if drive.organization_id in known]


def _next_dates(drives: Sequence[Drive], donations: Sequence[intervals.Donation], now: datetime) -> list[NextDate]:
    """One for each programme of these drives, the soonest drive first."""
    by_policy: dict[int, list[Drive]] = {}
    for drive in drives:
        by_policy.setdefault(drive.policy_id, []).append(drive)
    return [_next_date(of_policy, donations, now) for of_policy in by_policy.values()]


def _next_date(drives: Sequence[Drive], donations: Sequence[intervals.Donation], now: datetime) -> NextDate:
    policy, site = drives[0].policy, drives[0].site
    earliest = intervals.judge(policy.rules, donations, now, site.zone).earliest_ok_at
    booked = {donation.at for donation in donations}
    fitting = (
        drive
        for drive in drives
        if not any(drive.starts_at <= at < drive.ends_at for at in booked)
        and not intervals.judge(drive.rules, donations, drive.starts_at, drive.site.zone).broken
    )
    return NextDate(policy, earliest, site.timezone, next(fitting, None))


# One contact for each identity: where its person has the latest booking, else the one that came last.
_NEWEST = """
SELECT DISTINCT ON (contact.identity) contact.id, person.language
FROM volunteers_contact AS contact
JOIN volunteers_volunteer AS person
    ON person.id = contact.owner_id OR person.phone_id = contact.id OR person.email_id = contact.id
LEFT JOIN LATERAL (
    SELECT max(booking.starts_at) AS at FROM drives_booking AS booking
    WHERE booking.volunteer_id = person.id AND booking.state NOT IN ('held', 'lapsed')) AS latest ON true
WHERE contact.identity = ANY(%s)
ORDER BY contact.identity, latest.at DESC NULLS LAST, contact.id DESC
"""


def newest_contacts(identities: Sequence[str]) -> dict[str, tuple[Contact, str]]:
    """Which organization's contact stands for each identity that is known, and its person's language. Two queries."""
    if not identities:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, [list(identities)])
        languages = dict(cursor.fetchall())
    contacts = Contact.objects.select_related("organization").filter(pk__in=languages)
    return {contact.identity: (contact, languages[contact.pk]) for contact in contacts}
