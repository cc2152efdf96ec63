"""Find the people of an organization, for the list of people and its CSV file."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy

from drives.desk import rules
from drives.eligibility import eligible_days
from drives.models import OUTCOMES, Booking, BookingState, Drive
from notifications import queries as notifications_queries
from notifications.models import Purpose
from organizations.models import Organization
from volunteers import queries as volunteers_queries
from volunteers.models import Volunteer

CAME_STATES = (BookingState.CHECKED_IN, *sorted(OUTCOMES))
CONSENT_LABELS = {Purpose.REMINDERS: gettext_lazy("Reminders"), Purpose.NEWS: gettext_lazy("News")}


class History(StrEnum):
    NEVER_CAME = "never_came"
    FIRST_TIME = "first_time"  # has not donated yet
    RETURN = "return"  # has donated


class Sort(StrEnum):
    NAME = "name"
    NEWEST_VISIT = "newest_visit"
    OLDEST_VISIT = "oldest_visit"
    DONATIONS = "donations"


@dataclass(frozen=True)
class PeopleFilter:
    search: str = ""
    history: str = ""
    visited_from: date | None = None  # first allowed date of the last visit
    visited_until: date | None = None
    consent: str = ""
    language: str = ""
    eligible_on: date | None = None
    sort: str = Sort.NAME


@dataclass(frozen=True)
class PersonRow:
    person: Volunteer
    visited_on: date | None  # the local date of the last visit
    donation_count: int
    consents: frozenset[str]  # the purposes that the person agreed to, with any contact

    @property
    def agreed_to(self) -> list[str]:
        return [str(label) for purpose, label in CONSENT_LABELS.items() if purpose in self.consents]


def filter_people(
    organization: Organization, chosen: PeopleFilter, *, rules_drive: Drive | None, by_contact: bool
) -> QuerySet[Volunteer]:
    """Return the matching people. The interval rules of `rules_drive` apply to the filter `eligible_on`.

    Phone numbers and e-mail addresses are searched only if `by_contact` is true.
    """
    people = volunteers_queries.filter_volunteers(organization, chosen.search, by_contact=by_contact)
    people = _filter_by_visits(people, chosen)
    if chosen.language:
        people = people.filter(language=chosen.language)
    if chosen.consent:
        people = people.filter(_build_consent_condition(organization, chosen.consent))
    if chosen.eligible_on and rules_drive:
        ids = eligible_days.list_ineligible_volunteers(rules_drive, chosen.eligible_on)
        # One array, because a statement takes at most 65,535 parameters.
        people = people.exclude(pk__in=RawSQL("SELECT unnest(%s::bigint[])", [ids]))
    return _sort_people(people, chosen.sort)


def _filter_by_visits(people: QuerySet[Volunteer], chosen: PeopleFilter) -> QuerySet[Volunteer]:
    visits, donations = _build_visits(), _build_donations()
    conditions = {
        History.NEVER_CAME: ~Exists(visits),
        History.FIRST_TIME: ~Exists(donations),
        History.RETURN: Exists(donations),
    }
    if chosen.history:
        people = people.filter(conditions[History(chosen.history)])
    if chosen.visited_from:
        people = people.filter(Exists(visits.filter(drive__day__gte=chosen.visited_from)))
    if chosen.visited_until:
        people = people.filter(Exists(visits), ~Exists(visits.filter(drive__day__gt=chosen.visited_until)))
    return people


def _build_visits() -> QuerySet[Booking]:
    return Booking.objects.filter(volunteer=OuterRef("pk"), state__in=CAME_STATES)


def _build_donations() -> QuerySet[Booking]:
    return Booking.objects.filter(volunteer=OuterRef("pk"), state=BookingState.DONATED)


def _build_consent_condition(organization: Organization, purpose: str) -> Q:
    consenting = notifications_queries.filter_consenting_addresses(organization, purpose)
    stopped = notifications_queries.filter_suppressed_addresses(organization)
    by_phone = Q(phone__address__in=consenting) & ~Q(phone__address__in=stopped) & ~Q(phone__identity__in=stopped)
    return by_phone | Q(email__address__in=consenting)


def _sort_people(people: QuerySet[Volunteer], sort: str) -> QuerySet[Volunteer]:
    if sort == Sort.DONATIONS:
        counts = _build_donations().order_by().values("volunteer").annotate(count=Count("pk")).values("count")
        return people.order_by(Coalesce(Subquery(counts), 0).desc(), "folded_name", "pk")
    if sort == Sort.NAME:
        return people
    last_visit_at = F("last_visit_at")
    people = people.alias(last_visit_at=Subquery(_build_visits().order_by("-starts_at").values("starts_at")[:1]))
    is_newest_first = sort == Sort.NEWEST_VISIT
    order = last_visit_at.desc(nulls_last=True) if is_newest_first else last_visit_at.asc(nulls_last=True)
    return people.order_by(order, "folded_name", "pk")


def load_rows(organization: Organization, ids: Sequence[int]) -> list[PersonRow]:
    """Load the rows of these people, in this order. Six queries for any number of people."""
    shown = ("name", "language", "phone__address", "email__address")
    known = Volunteer.objects.of(organization).known().select_related("phone", "email").only(*shown)
    people = known.in_bulk(ids)
    visits = Booking.objects.filter(volunteer__in=ids, state__in=CAME_STATES).order_by("volunteer", "-starts_at")
    visited_on = dict(visits.distinct("volunteer").values_list("volunteer", "drive__day"))
    donations = Booking.objects.filter(volunteer__in=ids, state=BookingState.DONATED).order_by().values("volunteer")
    counts = dict(donations.annotate(count=Count("pk")).values_list("volunteer", "count"))
    consents = _load_consents(organization, people.values())
    return [PersonRow(people[pk], visited_on.get(pk), counts.get(pk, 0), consents[pk]) for pk in ids if pk in people]


def _load_consents(organization: Organization, people: Iterable[Volunteer]) -> dict[int, frozenset[str]]:
    contacts = {person.pk: [one.address for one in (person.phone, person.email) if one] for person in people}
    addresses = [address for own in contacts.values() for address in own]
    given = notifications_queries.load_consents(organization, addresses)
    stopped = notifications_queries.list_suppressed_addresses(
        notifications_queries.find_sender(organization), addresses
    )
    return {
        pk: frozenset(
            purpose
            for purpose in Purpose.values
            if any(given.get((address, purpose)) and address not in stopped for address in own)
        )
        for pk, own in contacts.items()
    }


def iterate_rows(organization: Organization, people: QuerySet[Volunteer]) -> Iterator[PersonRow]:
    """Yield all rows, in batches. Six queries for each batch."""
    ids = list(people.values_list("pk", flat=True))
    for start in range(0, len(ids), rules.PEOPLE_PER_BATCH):
        yield from load_rows(organization, ids[start : start + rules.PEOPLE_PER_BATCH])
