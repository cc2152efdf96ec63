"""What somebody sees who proved a phone or mailbox: everybody it reaches, with their bookings in all organizations."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection

from drives import intervals
from drives.models import ACTIVE, Booking, BookingState, Drive, Policy
from drives.next_visit import Progress
from drives.queries.bookings import WITH_DRIVE, BookingPage, page_of
from drives.queries.history import Giver, donations_of
from drives.queries.next_visits import progress_of
from volunteers.models import Contact, Volunteer
from volunteers.queries import known_here

PAST_SHOWN = 20


@dataclass(frozen=True)
class NextDate:
    """From when on a programme allows one more donation, besides what is booked; and the next drive that keeps it."""

    policy: Policy
    earliest_ok_at: datetime | None  # None: at any time
    zone: str
    drive: Drive | None


@dataclass
class PersonHere:
    """One person: how each organization knows them, and their bookings over all of these."""

    name: str
    records: list[Volunteer]
    is_theirs: bool  # the proved contact is their own; else it only reaches them, and shows what is to come
    coming: list[BookingPage] = field(default_factory=list)
    past: list[BookingPage] = field(default_factory=list)
    next_dates: list[NextDate] = field(default_factory=list)
    progress: list[tuple[str, Progress]] = field(default_factory=list)  # by the name of the organization


def people_here(browser: str, now: datetime) -> list[PersonHere]:
    """Everybody whom this browser's proved contacts reach, one entry a person; a person is told apart by the name."""
    found: dict[tuple[bool, str], PersonHere] = {}
    for record in known_here(browser, now):
        is_theirs: bool = record.is_theirs  # type: ignore[attr-defined]
        person = found.setdefault((is_theirs, record.name.casefold()), PersonHere(record.name, [], is_theirs))
        person.records.append(record)
    return sorted(found.values(), key=lambda person: not person.is_theirs)


def donor_page(browser: str, now: datetime) -> list[PersonHere]:
    """The donor's own page: people, bookings, next dates. Four queries, and one more for each person."""
    people = people_here(browser, now)
    person_of = {record.pk: person for person in people for record in person.records}
    for booking in _bookings(list(person_of)):
        person, page = person_of[booking.volunteer_id or 0], page_of(booking, booking.reference, now)
        if booking.state in ACTIVE and not page.is_over:
            person.coming.append(page)
        elif person.is_theirs:
            person.past.insert(0, page)
    drives = _open_drives([record.organization_id for person in people for record in person.records], now)
    progress = progress_of(list(person_of), now)
    for person in people:
        del person.past[PAST_SHOWN:]
        if person.is_theirs:
            person.next_dates = _next_dates(person, drives, now)
            mine = [record for record in person.records if record.pk in progress]
            person.progress = [(record.organization.name, progress[record.pk]) for record in mine]
    return people


def _bookings(volunteers: Sequence[int]) -> list[Booking]:
    rows = Booking.objects.filter(volunteer__in=volunteers).exclude(state__in=[BookingState.HELD, BookingState.LAPSED])
    return list(rows.select_related(*WITH_DRIVE).order_by("starts_at", "pk"))


def _open_drives(organizations: Sequence[int], now: datetime) -> list[Drive]:
    rows = Drive.objects.open().filter(organization__in=organizations, ends_at__gt=now)
    return list(rows.select_related("policy", "site", "organization").order_by("starts_at", "pk"))


def _next_dates(person: PersonHere, drives: Sequence[Drive], now: datetime) -> list[NextDate]:
    """One for each programme of the coming drives of the organizations that know them, the soonest drive first."""
    known = {record.organization_id for record in person.records}
    theirs = [drive for drive in drives if drive.organization_id in known]
    if not theirs:
        return []
    donations = donations_of(Giver(person.records[0].pk, everywhere=True), now, theirs[0].site.zone)
    by_policy: dict[int, list[Drive]] = {}
    for drive in theirs:
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
