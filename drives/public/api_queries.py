"""Queries of the public API: drives, open times and slots."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from typing import cast

from django.db import connection
from django.db.models import DateTimeField, JSONField, Model, QuerySet, TextField

from drives import refusals
from drives.capacity import availability
from drives.domain import grid
from drives.models import Drive, DriveState, Policy, Site, Visit
from drives.public import queries
from drives.public.queries import DriveSummary
from organizations.models import Organization

_SHOWN_RELATIONS = ("organization", "site", "cause", "policy")


def list_published_drives(
    now: datetime,
    *,
    organization: str = "",
    city: str = "",
    first_day: date | None = None,
    last_day: date | None = None,
) -> QuerySet[Drive]:
    """Return published drives that are not over. `first_day` and `last_day` are local dates at the site."""
    rows = Drive.objects.filter(state=DriveState.PUBLISHED, ends_at__gt=now).select_related(*_SHOWN_RELATIONS)
    if organization:
        rows = rows.filter(organization__slug=organization)
    return _filter_drives(rows, city, first_day, last_day)


def list_organization_drives(
    organization: Organization,
    *,
    states: Sequence[str] = (),
    city: str = "",
    first_day: date | None = None,
    last_day: date | None = None,
) -> QuerySet[Drive]:
    rows = Drive.objects.of(organization).select_related(*_SHOWN_RELATIONS)
    if states:
        rows = rows.filter(state__in=states)
    return _filter_drives(rows, city, first_day, last_day)


def load_summaries_with_spots(drives: Sequence[Drive], now: datetime) -> list[DriveSummary]:
    return [
        DriveSummary(summary.drive, summary.spots_left if summary.drive.state == DriveState.PUBLISHED else 0)
        for summary in queries.load_drive_summaries(drives, now)
    ]


def find_visible_drive(drive_id: int, organization: Organization | None = None) -> Drive | None:
    """Find a drive that is public or belongs to `organization`. One query.

    Also loads the related rows for the drive's page.
    """
    drive = Drive.objects.select_related(*_SHOWN_RELATIONS).filter(pk=drive_id).first()
    is_public = drive is not None and drive.state != DriveState.DRAFT
    return drive if drive and (is_public or drive.organization == organization) else None


def count_visible_spots(drive: Drive, now: datetime) -> int:
    return availability.count_drive_spots_left(drive, now) if drive.state == DriveState.PUBLISHED else 0


# The two most frequent public reads are plain SQL, because building them with the ORM takes longer than running them.
_OPEN_TIMES_SQL = Path(__file__).with_name("open_times.sql").read_text()


@dataclass(frozen=True)
class DriveOpenTimes:
    """A drive's open times for one visit type. `zone` is the zone of the site."""

    zone: str
    times: list[refusals.OpenTime]


def find_public_times(drive_id: int, visit: str, now: datetime) -> DriveOpenTimes | None:
    """Load the open times of a public drive. One query.

    The list is empty if the drive takes no bookings. Returns None if there is no such public drive.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OPEN_TIMES_SQL, {"drive": drive_id})
        rows = cursor.fetchall()
    if not rows:
        return None
    state, zone, *steps = rows[0][:6]
    if state != DriveState.PUBLISHED or rows[0][6] is None:
        return DriveOpenTimes(zone, [])
    shape = grid.VisitShape(*(steps[:2] if visit == Visit.FIRST else steps[2:]))
    left = grid.count_spots_by_arrival([row[9] for row in rows], [row[10] for row in rows], shape)
    now_seconds = now.timestamp()
    return DriveOpenTimes(
        zone,
        [
            refusals.OpenTime(row[6], (datetime.fromtimestamp(row[7], UTC),), spots)
            for row, spots in zip(rows, left, strict=True)
            if spots and row[8] and row[7] > now_seconds
        ],
    )


def _list_columns(model: type[Model]) -> dict[str, None]:
    """List a model's columns, except long texts, JSON and timestamps. Django loads those on first use."""
    deferred = (TextField, JSONField, DateTimeField)
    fields = model._meta.concrete_fields
    loaded = [field for field in fields if not isinstance(field, deferred) or field.name in {"starts_at", "ends_at"}]
    return dict.fromkeys(field.attname for field in loaded)  # a dict, because Django looks up each field in it


_MODELS_READ: tuple[tuple[type[Model], str, dict[str, None]], ...] = (
    (Drive, "drive", _list_columns(Drive)),
    (Organization, "organization", _list_columns(Organization)),
    (Site, "site", _list_columns(Site)),
)
_DRIVE_BY_SLOT_SQL = f"""
SELECT {", ".join(f'{alias}."{column}"' for _model, alias, columns in _MODELS_READ for column in columns)},
    policy.self_check
FROM drives_slot AS slot
    JOIN drives_drive AS drive ON drive.id = slot.drive_id
    JOIN organizations_organization AS organization ON organization.id = drive.organization_id
    JOIN drives_site AS site ON site.id = drive.site_id
    JOIN drives_policy AS policy ON policy.id = drive.policy_id
WHERE slot.id = %(slot)s
"""  # noqa: S608  names of our own columns


def find_drive_by_slot(slot_id: int) -> Drive | None:
    with connection.cursor() as cursor:
        cursor.execute(_DRIVE_BY_SLOT_SQL, {"slot": slot_id})
        row = cursor.fetchone()
    if row is None:
        return None
    values = iter(row)
    instances = [
        model.from_db(connection.alias, columns, [*islice(values, len(columns))]) for model, _, columns in _MODELS_READ
    ]
    drive = cast("Drive", instances[0])
    drive.organization, drive.site = cast("Organization", instances[1]), cast("Site", instances[2])
    drive.policy = Policy.from_db(connection.alias, ["id", "self_check"], [drive.policy_id, json.loads(next(values))])
    return drive


def _filter_drives(rows: QuerySet[Drive], city: str, first_day: date | None, last_day: date | None) -> QuerySet[Drive]:
    if city:
        rows = rows.filter(site__city__iexact=city)
    if first_day:
        rows = rows.filter(day__gte=first_day)
    if last_day:
        rows = rows.filter(day__lte=last_day)
    return rows
