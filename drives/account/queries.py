"""Load the donor's own page. It shows everyone with a contact that this browser verified."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection

from drives.booking import known_people
from drives.booking import party as booking_party
from drives.booking import queries as booking_queries
from drives.booking.queries import BookingPage
from drives.domain import intervals
from drives.eligibility import history
from drives.eligibility import queries as eligibility_queries
from drives.eligibility.next_visit import Progress
from drives.models import ACTIVE_STATES, WITH_DRIVE, Booking, Drive, Policy
from drives.waitlist import queries as waitlist_queries
from drives.waitlist.queries import WaitlistPage
from volunteers.models import Contact

MAX_PAST_BOOKINGS = 20


@dataclass(frozen=True)
class NextDate:
    """The first time at which a donor may give again under a policy, and the first allowed drive.

    Upcoming bookings count as donations.
    """

    policy: Policy
    earliest_ok_at: datetime | None  # None means at any time
    zone: str
    drive: Drive | None


@dataclass
class DonorPerson(known_people.KnownPerson):
    """A person with their bookings, waitlist entries and next donation dates at all organizations."""

    waitlist_pages: list[WaitlistPage] = field(default_factory=list)
    upcoming: list[BookingPage] = field(default_factory=list)
    past: list[BookingPage] = field(default_factory=list)
    next_dates: list[NextDate] = field(default_factory=list)
    progress: list[tuple[str, Progress]] = field(default_factory=list)  # pairs of organization name and progress


def load_donor_page(browser: str, now: datetime) -> list[DonorPerson]:
    """Load the people, bookings and waitlist entries for the donor's own page. Always eight queries."""
    people = [
        DonorPerson(person.name, person.records, person.is_contact_owner)
        for person in known_people.group_records(browser, now)
    ]
    person_of = {record.pk: person for person in people for record in person.records}
    bookings = _list_bookings(list(person_of))
    parties = booking_party.load_parties(bookings)
    for booking in bookings:
        person = person_of[booking.volunteer_id or 0]
        page = booking_queries.build_booking_page(booking, booking.reference, now, parties[booking.pk])
        if booking.state in ACTIVE_STATES and not page.is_over:
            person.upcoming.append(page)
        elif person.is_contact_owner:
            person.past.insert(0, page)
    known_people.distinguish_namesakes(people, {booking.volunteer_id or 0: booking.reference for booking in bookings})
    for waitlist_page in waitlist_queries.list_waitlist_pages(list(person_of), now):
        person_of[waitlist_page.entry.volunteer_id or 0].waitlist_pages.append(waitlist_page)
    _add_next_dates([person for person in people if person.is_contact_owner], now)
    for person in people:
        del person.past[MAX_PAST_BOOKINGS:]
    return people


def _add_next_dates(people: Sequence[DonorPerson], now: datetime) -> None:
    records = [record for person in people for record in person.records]
    drives = _list_open_drives([record.organization_id for record in records], now)
    progress = eligibility_queries.load_progress([record.pk for record in records], now)
    drives_of = {person.records[0].pk: _filter_known_drives(person, drives) for person in people}
    zones = {pk: person_drives[0].site.zone for pk, person_drives in drives_of.items() if person_drives}
    donations = history.list_donations_by_volunteer(zones, now, all_organizations=True)
    for person in people:
        first = person.records[0].pk
        if first in donations:
            person.next_dates = _compute_next_dates(drives_of[first], donations[first], now)
        records_with_progress = [record for record in person.records if record.pk in progress]
        person.progress = [(record.organization.name, progress[record.pk]) for record in records_with_progress]


def _list_bookings(volunteers: Sequence[int]) -> list[Booking]:
    rows = Booking.objects.filter(volunteer__in=volunteers).exclude(state__in=known_people.UNVERIFIED_STATES)
    return list(rows.select_related(*WITH_DRIVE).order_by("starts_at", "pk"))


def _list_open_drives(organizations: Sequence[int], now: datetime) -> list[Drive]:
    rows = Drive.objects.open().filter(organization__in=organizations, ends_at__gt=now)
    return list(rows.select_related("policy", "site", "organization").order_by("starts_at", "pk"))


def _filter_known_drives(person: DonorPerson, drives: Sequence[Drive]) -> list[Drive]:
    known = {record.organization_id for record in person.records}
    return [drive for drive in drives if drive.organization_id in known]


def _compute_next_dates(
    drives: Sequence[Drive], donations: Sequence[intervals.Donation], now: datetime
) -> list[NextDate]:
    by_policy: dict[int, list[Drive]] = {}
    for drive in drives:
        by_policy.setdefault(drive.policy_id, []).append(drive)
    return [_compute_next_date(of_policy, donations, now) for of_policy in by_policy.values()]


def _compute_next_date(drives: Sequence[Drive], donations: Sequence[intervals.Donation], now: datetime) -> NextDate:
    policy, site = drives[0].policy, drives[0].site
    earliest = intervals.check_intervals(policy.rules, donations, now, site.zone).earliest_ok_at
    donation_times = {donation.donated_at for donation in donations}
    allowed = (
        drive
        for drive in drives
        if not any(drive.starts_at <= at < drive.ends_at for at in donation_times)
        and not intervals.check_intervals(drive.rules, donations, drive.starts_at, drive.site.zone).broken_rules
    )
    return NextDate(policy, earliest, site.timezone, next(allowed, None))


# Select one contact per identity. Prefer the contact of the volunteer with the latest booking, then the newest contact.
_NEWEST_CONTACTS_SQL = """
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


def load_newest_contacts(identities: Sequence[str]) -> dict[str, tuple[Contact, str]]:
    if not identities:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST_CONTACTS_SQL, [list(identities)])
        languages = dict(cursor.fetchall())
    contacts = Contact.objects.select_related("organization").filter(pk__in=languages)
    return {contact.identity: (contact, languages[contact.pk]) for contact in contacts}
