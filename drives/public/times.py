"""Group open times by part of the day, and parse the number of people to book for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from drives.capacity import availability
from drives.domain import rules as domain_rules
from drives.models import Drive, Visit
from drives.public.queries import DrivePage
from drives.refusals import OpenTime

NOON, EVENING = 12, 17


@dataclass
class DayPart:
    name: str
    times: list[OpenTime] = field(default_factory=list)


def group_by_day_part(times: Iterable[OpenTime], drive: Drive) -> list[DayPart]:
    parts: dict[str, DayPart] = {}
    for time in times:
        name = _name_day_part(time.starts_at.astimezone(drive.site.zone))
        parts.setdefault(name, DayPart(name)).times.append(time)
    return list(parts.values())


def _name_day_part(local: datetime) -> str:
    if local.hour < NOON:
        return _("Morning")
    return _("Afternoon") if local.hour < EVENING else _("Evening")


def parse_visit_type(value: str) -> Visit:
    """Return the visit type.

    Returns FIRST if the value is missing or unknown, because a first visit takes longer.
    """
    return Visit.RETURN if value == Visit.RETURN else Visit.FIRST


def parse_slot_id(value: str) -> int | None:
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 18 else None


@dataclass(frozen=True)
class PartyRequest:
    """The number of people to book for, the number of first visits among them, and the donor's own visit type."""

    visit: Visit
    people: int = 1
    first: int = 0

    @property
    def visits(self) -> tuple[Visit, ...]:
        if self.people == 1:
            return (self.visit,)
        returning, new = (Visit.RETURN,) * (self.people - self.first), (Visit.FIRST,) * self.first
        return new + returning if self.visit == Visit.FIRST else returning + new

    @classmethod
    def from_visits(cls, visits: Sequence[str]) -> "PartyRequest":
        return cls(Visit(visits[0]), len(visits), visits.count(Visit.FIRST))

    @property
    def query(self) -> str:
        several = {"people": self.people, "first": self.first} if self.people > 1 else {}
        return urlencode({"visit": self.visit, **several})

    @property
    def party_sizes(self) -> list["PartyRequest"]:
        first = self.first if self.people > 1 else int(self.visit == Visit.FIRST)
        return [PartyRequest(self.visit, number, min(first, number)) for number in domain_rules.PARTY_SIZES]


def parse_party_request(query: QueryDict) -> PartyRequest:
    number, first = query.get("people", ""), query.get("first", "")
    people = int(number) if number in map(str, domain_rules.PARTY_SIZES) else 1
    new = int(first) if first in map(str, range(people + 1)) else 0
    return PartyRequest(parse_visit_type(query.get("visit", "")), people, new)


def list_party_times(page: DrivePage, party_request: PartyRequest, now: datetime) -> Sequence[OpenTime]:
    if party_request.people == 1 or page.is_full:
        return page.list_times(party_request.visit)
    return availability.list_open_times(page.drive, party_request.visits, now)


def find_chosen_time(times: Iterable[OpenTime], slot_id: int | None) -> OpenTime | None:
    return next((time for time in times if time.slot_id == slot_id), None)


def format_choose_time() -> str:
    return _("Choose a time first, then continue.")


def describe_open_times(party_request: PartyRequest, count: int) -> str:
    """Return the sentence that screen readers announce when the list of times has changed."""
    people, first = party_request.people, party_request.first
    if people == 1:
        chosen = _("First visit") if party_request.visit == Visit.FIRST else _("Return visit")
    else:
        chosen = _("%(people)d people, %(first)d of them for the first time") % {"people": people, "first": first}
    if not count:
        return f"{chosen}: {_('there are no open times.')}"
    return f"{chosen}: {ngettext('%(count)d open time.', '%(count)d open times.', count) % {'count': count}}"
