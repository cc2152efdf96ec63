"""The people whom the verified contacts of this browser reach."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from drives.models import Booking, BookingState
from volunteers import queries as volunteer_queries
from volunteers.models import Volunteer

UNPROVED = (BookingState.HELD, BookingState.LAPSED)


@dataclass
class PersonHere:
    """One person, as each organization knows them."""

    name: str
    records: list[Volunteer]
    is_theirs: bool  # the verified contact is their own; else it only reaches them
    apart: str = ""  # tells people of one name apart: the organization that knows them, and their newest booking

    @property
    def title(self) -> str:
        return f"{self.name}, {self.apart}" if self.apart else self.name


def people_here(browser: str, now: datetime) -> list[PersonHere]:
    """Everybody whom this browser's proved contacts reach, one entry a person: by the name, across organizations.

    Two of one name in one organization are two people, and what another organization knows under that name belongs to
    neither of them for sure: each record stands for itself then. Two queries at most.
    """
    people = find_people(browser, now)
    if len(people) > len({_key(person.name) for person in people}):
        newest = _newest_references([record.pk for person in people for record in person.records])
        set_apart(people, newest)
    return people


def find_people(browser: str, now: datetime) -> list[PersonHere]:
    records = volunteer_queries.known_here(browser, now)
    named = Counter((record.organization_id, _key(record.name)) for record in records)
    doubled = {name for (_organization, name), count in named.items() if count > 1}
    found: dict[tuple[object, ...], PersonHere] = {}
    for record in records:
        is_theirs: bool = record.is_theirs  # type: ignore[attr-defined]
        name = _key(record.name)
        key = (is_theirs, name, record.pk if name in doubled else 0)
        found.setdefault(key, PersonHere(record.name, [], is_theirs)).records.append(record)
    return sorted(found.values(), key=lambda person: not person.is_theirs)


def _key(name: str) -> str:
    return name.casefold()


def set_apart(people: Sequence[PersonHere], references: Mapping[int, str]) -> None:
    named = Counter(_key(person.name) for person in people)
    for person in people:
        if named[_key(person.name)] > 1:
            booked = [references[record.pk] for record in person.records if record.pk in references]
            known_to = [record.organization.name for record in person.records]
            booking = [_("booking %(reference)s") % {"reference": booked[-1]}] if booked else []
            person.apart = ", ".join([*known_to, *booking])


def _newest_references(volunteers: Sequence[int]) -> dict[int, str]:
    rows = Booking.objects.filter(volunteer__in=volunteers).exclude(state__in=UNPROVED)
    newest = rows.order_by("volunteer", "-starts_at", "-pk").distinct("volunteer")
    return dict(newest.values_list("volunteer", "reference"))
