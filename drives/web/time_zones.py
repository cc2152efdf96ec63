"""The time zone of an organization's pages, and the time zones that forms offer.

Forms offer the zones of the organization's country first, and no aliases.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from drives.domain import localtime
from drives.models import Site
from organizations.models import Organization

# Two zones with the same offsets on all these days follow the same rules. 2037 is after all announced changes.
_COMPARED_DAYS = [datetime(2037, month, day, 12, tzinfo=UTC) for month in range(1, 13) for day in (1, 15)]
Offsets = tuple[timedelta | None, ...]


def find_zone(organization: Organization) -> str:
    """Return the organization's own zone. If it has none, return the zone of its first site, or UTC without a site.

    At most one query.
    """
    if organization.timezone:
        return organization.timezone
    zones = Site.objects.filter(organization=organization).order_by("pk").values_list("timezone", flat=True)
    return zones.first() or "UTC"


def list_zone_choices(country: str, chosen: str = "") -> list[Any]:
    """List the choices of a select, in groups. `chosen` is offered even if another zone has the same rules."""
    names = _get_country_names()
    first = [country] if country in names else []
    codes = [*first, *(code for code in names if code != country)]
    groups = [(names[code], _list_country_zones(code)) for code in codes]
    groups.append((_("Other time zones"), _list_other_zones()))
    if chosen and not any(chosen in zones for _name, zones in groups):
        groups.insert(0, (_("Chosen now"), (chosen,)))
    return [
        ("", _("Choose a time zone")),
        *((name, [(zone, _label(zone)) for zone in zones]) for name, zones in groups),
    ]


def _get_country_names() -> dict[str, Any]:
    return dict(Organization._meta.get_field("country").flatchoices)


def _label(zone: str) -> str:
    city = zone.rpartition("/")[2].replace("_", " ")
    return f"{localtime.format_zone(zone)} ({city})" if localtime.has_everyday_name(zone) else city


@cache
def _list_country_zones(code: str) -> tuple[str, ...]:
    # The table lists the most populous zones of a country first.
    return _drop_repeated(zone for codes, zone in _read_table("zone.tab") if code in codes)


@cache
def _list_other_zones() -> tuple[str, ...]:
    """List the zones that belong to no country's list, one for each group of zones with the same time from now on."""
    listed = {zone for code in _get_country_names() for zone in _list_country_zones(code)}
    return tuple(sorted({zone for _codes, zone in _read_table("zonenow.tab")} - listed))


def _drop_repeated(zones: Iterable[str]) -> tuple[str, ...]:
    by_rules: dict[Offsets, str] = {}
    for zone in zones:
        by_rules.setdefault(_load_offsets(zone), zone)
    return tuple(by_rules.values())


@cache
def _load_offsets(zone: str) -> Offsets:
    return tuple(day.astimezone(ZoneInfo(zone)).utcoffset() for day in _COMPARED_DAYS)


def _read_table(name: str) -> Iterable[tuple[list[str], str]]:
    """Read the country codes and the zone from each row of a table of the time zone database."""
    for line in resources.files("tzdata").joinpath("zoneinfo", name).read_text().splitlines():
        if not line.startswith("#"):
            codes, _coordinates, zone, *_comment = line.split("\t")
            yield codes.split(","), zone
