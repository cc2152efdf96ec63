"""Open times as donors choose among them: by part of the day at the site."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext as _

from drives.domain import party_fit
from drives.models import Drive, Visit
from drives.refusals import OpenTime

NOON, EVENING = 12, 17
FEW = 2


@dataclass
class Part:
    """The times of one part of the day."""

    name: str
    times: list[OpenTime] = field(default_factory=list)


def parts_of_day(times: Iterable[OpenTime], drive: Drive) -> list[Part]:
    """Morning, afternoon, evening: those that have times, in order."""
    parts: dict[str, Part] = {}
    for time in times:
        name = _part(time.starts_at.astimezone(drive.site.zone))
        parts.setdefault(name, Part(name)).times.append(time)
    return list(parts.values())


def _part(local: datetime) -> str:
    if local.hour < NOON:
        return _("Morning")
    return _("Afternoon") if local.hour < EVENING else _("Evening")


def visit_asked(value: str) -> Visit:
    """The kind of visit in an address; a stranger's is a first one until they say otherwise."""
    return Visit.RETURN if value == Visit.RETURN else Visit.FIRST


def slot_asked(value: str) -> int | None:
    """The slot's number in an address, if it is one."""
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 18 else None


def people_asked(value: str) -> int:
    """How many people in an address; one until somebody says otherwise."""
    return int(value) if value in map(str, party_fit.SIZES) else 1


def first_asked(value: str, people: int) -> int:
    """How many of them come for the first time."""
    return int(value) if value in map(str, range(people + 1)) else 0


def sizes(people: int, first: int, visit: Visit) -> list[tuple[int, int]]:
    """How many people there may be, each with how many of them give for the first time, as far as it was said."""
    said = first if people > 1 else int(visit == Visit.FIRST)
    return [(number, min(said, number)) for number in party_fit.SIZES]


def visits_of(people: int, first: int, visit: str = Visit.RETURN) -> tuple[Visit, ...]:
    """The visits of a party of which so many come for the first time; `visit` is that of whoever books."""
    returning, new = (Visit.RETURN,) * (people - first), (Visit.FIRST,) * first
    return new + returning if visit == Visit.FIRST else returning + new


def chosen(times: Iterable[OpenTime], slot_id: int | None) -> OpenTime | None:
    """The open time with this slot, if it still is open."""
    return next((time for time in times if time.slot_id == slot_id), None)


def choose_one() -> str:
    return _("Choose a time.")
