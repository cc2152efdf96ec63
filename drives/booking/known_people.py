from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from drives.models import Booking, BookingState
from volunteers import queries as volunteer_queries
from volunteers.models import Volunteer

UNVERIFIED_STATES = (BookingState.HELD, BookingState.LAPSED)


@dataclass
class KnownPerson:
    name: str
    records: list[Volunteer]
    is_contact_owner: bool  # False for a family member who shares the contact
    apart: str = ""  # for people with the same name: their organizations and newest booking

    @property
    def title(self) -> str:
        return f"{self.name}, {self.apart}" if self.apart else self.name


def list_known_people(browser: str, now: datetime) -> list[KnownPerson]:
    """List the people with a contact that this browser has verified. At most two queries.

    Records of several organizations with the same name usually count as one person. But if one organization has two
    records with that name, they are two people. A third record, in another organization, could be either of the two, so
    it is listed separately.
    """
    people = group_records(browser, now)
    if len(people) > len({_normalize_name(person.name) for person in people}):
        newest = _find_newest_references([record.pk for person in people for record in person.records])
        distinguish_namesakes(people, newest)
    return people


def group_records(browser: str, now: datetime) -> list[KnownPerson]:
    records = volunteer_queries.list_volunteers_of_browser(browser, now)
    named = Counter((record.organization_id, _normalize_name(record.name)) for record in records)
    doubled = {name for (_organization, name), count in named.items() if count > 1}
    people: dict[tuple[object, ...], KnownPerson] = {}
    for record in records:
        is_contact_owner: bool = record.is_contact_owner  # type: ignore[attr-defined]
        name = _normalize_name(record.name)
        key = (is_contact_owner, name, record.pk if name in doubled else 0)
        people.setdefault(key, KnownPerson(record.name, [], is_contact_owner)).records.append(record)
    return sorted(people.values(), key=lambda person: not person.is_contact_owner)


def _normalize_name(name: str) -> str:
    return name.casefold()


def distinguish_namesakes(people: Sequence[KnownPerson], references: Mapping[int, str]) -> None:
    named = Counter(_normalize_name(person.name) for person in people)
    for person in people:
        if named[_normalize_name(person.name)] > 1:
            booked = [references[record.pk] for record in person.records if record.pk in references]
            known_to = [record.organization.name for record in person.records]
            booking = [_("booking %(reference)s") % {"reference": booked[-1]}] if booked else []
            person.apart = ", ".join([*known_to, *booking])


def _find_newest_references(volunteers: Sequence[int]) -> dict[int, str]:
    rows = Booking.objects.filter(volunteer__in=volunteers).exclude(state__in=UNVERIFIED_STATES)
    newest = rows.order_by("volunteer", "-starts_at", "-pk").distinct("volunteer")
    return dict(newest.values_list("volunteer", "reference"))
