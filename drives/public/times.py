"""Open times as donors choose among them: by part of the day at the site."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.translation import gettext as _

from drives.capacity import availability
from drives.domain import party_fit
from drives.models import Drive, Visit
from drives.public.queries import DrivePage
from drives.refusals import OpenTime

NOON, EVENING = 12, 17


@dataclass
class DayPart:
    """The times of one part of the day."""

    name: str
    times: list[OpenTime] = field(default_factory=list)


def group_by_day_part(times: Iterable[OpenTime], drive: Drive) -> list[DayPart]:
    """Morning, afternoon, evening: those that have times, in order."""
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
    """The kind of visit in an address; a stranger's is a first one until they say otherwise."""
    return Visit.RETURN if value == Visit.RETURN else Visit.FIRST


def parse_slot_id(value: str) -> int | None:
    """The slot's number in an address, if it is one."""
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 18 else None


@dataclass(frozen=True)
class PartyRequest:
    """How many people want to come, how many of them for the first time, and the visit of the donor at the keyboard."""

    visit: Visit
    people: int = 1
    first: int = 0

    @property
    def visits(self) -> tuple[Visit, ...]:
        """The visit of each person; the donor's own comes first."""
        if self.people == 1:
            return (self.visit,)
        returning, new = (Visit.RETURN,) * (self.people - self.first), (Visit.FIRST,) * self.first
        return new + returning if self.visit == Visit.FIRST else returning + new

    @property
    def query(self) -> str:
        """The same as the query of an address."""
        several = {"people": self.people, "first": self.first} if self.people > 1 else {}
        return urlencode({"visit": self.visit, **several})

    @property
    def sizes(self) -> list["PartyRequest"]:
        """The same for each number of people, as far as the kinds of their visits were said."""
        first = self.first if self.people > 1 else int(self.visit == Visit.FIRST)
        return [PartyRequest(self.visit, number, min(first, number)) for number in party_fit.PARTY_SIZES]


def parse_party_request(query: QueryDict) -> PartyRequest:
    """What an address or a form asks for; one person unless it says otherwise."""
    number, first = query.get("people", ""), query.get("first", "")
    people = int(number) if number in map(str, party_fit.PARTY_SIZES) else 1
    new = int(first) if first in map(str, range(people + 1)) else 0
    return PartyRequest(parse_visit_type(query.get("visit", "")), people, new)


def list_party_times(page: DrivePage, party_request: PartyRequest, now: datetime) -> Sequence[OpenTime]:
    """The times of a drive at which all these people can come."""
    if party_request.people == 1 or page.is_full:
        return page.times(party_request.visit)
    return availability.list_open_times(page.drive, party_request.visits, now)


def find_chosen_time(times: Iterable[OpenTime], slot_id: int | None) -> OpenTime | None:
    """The open time with this slot, if it still is open."""
    return next((time for time in times if time.slot_id == slot_id), None)


def format_choose_time() -> str:
    return _("Choose a time.")
