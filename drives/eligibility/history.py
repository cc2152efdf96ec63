"""Load a donor's history for the interval rules, and list the later times that the rules allow."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from drives import refusals
from drives.capacity import availability, visit_length
from drives.capacity.availability import SlotRow
from drives.capacity.rules import NEAREST_COUNT
from drives.domain import intervals
from drives.eligibility import rules
from drives.models import Drive, DriveState
from organizations.models import linked_model


@dataclass(frozen=True)
class DonorScope:
    """The records of a donor to check.

    - `everywhere`: include the records of all organizations. Use this only for a donor with a verified contact, and
      only if the donor alone sees the result. Coordinators see only their organization's own records.
    - `excluded_booking_id`: leave out this booking, because it is about to change.
    """

    volunteer_id: int
    everywhere: bool = False
    excluded_booking_id: int | None = None


# A person in all organizations is the set of volunteers that own a verified contact with the same identity. The query
# uses volunteers_contact's indexes by owner and identity, and booking_of_a_volunteer. Old donations affect only the
# visit type, not the intervals. The length of a booked visit matters only after an override. Only members can override,
# so the length is 0 if `everywhere` is true.
_HISTORY_SQL = """
WITH people AS (
    SELECT id AS volunteer_id, id FROM unnest(%(volunteers)s::bigint[]) AS id
    UNION SELECT contact.owner_id, same.owner_id FROM volunteers_contact AS contact
        JOIN volunteers_contact AS same ON same.identity = contact.identity
        WHERE %(everywhere)s AND contact.owner_id = ANY(%(volunteers)s) AND contact.verified_at IS NOT NULL
            AND same.owner_id IS NOT NULL AND same.verified_at IS NOT NULL)
SELECT CASE WHEN booking.state IN ('donated', 'incomplete') THEN 'given' ELSE 'booked' END,
    COALESCE(booking.donated_at, booking.starts_at), NULL, site.timezone,
    policy.kind, GREATEST(policy.min_hours, drive.stricter_hours), GREATEST(policy.min_days, drive.stricter_days),
    policy.windows || CASE WHEN drive.stricter_count IS NULL THEN '[]'
        ELSE jsonb_build_array(jsonb_build_array(drive.stricter_count, drive.stricter_count_days)) END,
    policy.cross_days, CASE WHEN %(everywhere)s OR booking.state IN ('donated', 'incomplete') THEN 0
        ELSE (booking.chair_to - booking.first_step) * drive.step_minutes END, people.volunteer_id
FROM people JOIN drives_booking AS booking ON booking.volunteer_id = people.id
JOIN drives_drive AS drive ON drive.id = booking.drive_id
JOIN drives_site AS site ON site.id = drive.site_id
JOIN drives_policy AS policy ON policy.id = drive.policy_id
WHERE booking.state IN ('booked', 'confirmed', 'checked_in', 'donated', 'incomplete')
AND (booking.starts_at > %(since)s OR booking.state IN ('donated', 'incomplete'))
AND booking.id != ALL(%(excluded_booking_id)s::bigint[])
UNION ALL SELECT 'self_reported', NULL, reported.donated_on, NULL, reported.kind, NULL, NULL, NULL, NULL, 0,
    people.volunteer_id
FROM people JOIN drives_selfreporteddonation AS reported ON reported.volunteer_id = people.id
ORDER BY 2 NULLS LAST
"""


def list_donations(donor: DonorScope, wanted_at: datetime, zone: ZoneInfo) -> list[intervals.Donation]:
    """List the donor's past, booked and self-reported donations. One query.

    `zone` is the zone of the site where the donor wants to give. A self-reported donation is left out if a recorded one
    has the same date and kind. Callers that create or move a booking hold the donor's identity locks.
    """
    excluded_booking_id = [donor.excluded_booking_id] if donor.excluded_booking_id else []
    rows = _fetch_history_rows(
        [donor.volunteer_id], wanted_at, all_organizations=donor.everywhere, excluded_booking_id=excluded_booking_id
    )
    return _build_donations(rows, wanted_at, zone)


def list_donations_by_volunteer(
    zones: Mapping[int, ZoneInfo], now: datetime, *, all_organizations: bool, excluded_booking_id: Sequence[int] = ()
) -> dict[int, list[intervals.Donation]]:
    """List the donations of many donors, keyed by volunteer id. One query.

    `zones` maps the volunteer ids to the zone of the site where each donor wants to give.
    """
    rows: dict[int, list[tuple[Any, ...]]] = {pk: [] for pk in zones}
    for row in _fetch_history_rows(
        list(zones), now, all_organizations=all_organizations, excluded_booking_id=excluded_booking_id
    ):
        rows[row[-1]].append(row)
    return {pk: _build_donations(donor_rows, now, zones[pk]) for pk, donor_rows in rows.items()}


def _fetch_history_rows(
    volunteer_ids: list[int], wanted_at: datetime, *, all_organizations: bool, excluded_booking_id: Sequence[int]
) -> list[tuple[Any, ...]]:
    parameters: dict[str, Any] = {
        "volunteers": volunteer_ids,
        "everywhere": all_organizations,
        "excluded_booking_id": list(excluded_booking_id),
        "since": wanted_at - rules.HISTORY_WITHIN,
    }
    with connection.cursor() as cursor:
        cursor.execute(_HISTORY_SQL, parameters)
        return list(cursor.fetchall())


def _build_donations(rows: Sequence[tuple[Any, ...]], wanted_at: datetime, zone: ZoneInfo) -> list[intervals.Donation]:
    since = wanted_at - rules.HISTORY_WITHIN
    recorded = [_build_recorded_donation(row, since) for row in rows if row[0] != intervals.SELF_REPORTED]
    days = {(donation.kind, donation.donated_on) for donation in recorded}
    self_reported = [intervals.SelfReported(row[4], row[2]) for row in rows if row[0] == intervals.SELF_REPORTED]
    return recorded + [
        donation.to_donation(zone) for donation in self_reported if (donation.kind, donation.donated_on) not in days
    ]


def _build_recorded_donation(row: tuple[Any, ...], since: datetime) -> intervals.Donation:
    basis, at, _on, zone, kind, min_hours, min_days, windows, cross_days, minutes, _volunteer_id = row
    interval_rules = intervals.IntervalRules(kind, min_hours, min_days, json.loads(windows), json.loads(cross_days))
    return intervals.Donation(at, at.astimezone(ZoneInfo(zone)).date(), interval_rules, at > since, basis, minutes)


# Volunteers of any organization with a contact that this browser verified. Uses the indexes
# one_verified_browser_per_token_and_identity, contact_identity and booking_of_a_volunteer.
_EARLIER_VISIT_SQL = """
SELECT booking.state IN ('donated', 'incomplete'), booking.starts_at, site.timezone
FROM volunteers_verifiedbrowser AS browser
JOIN volunteers_contact AS contact ON contact.identity = browser.identity AND contact.verified_at IS NOT NULL
JOIN drives_booking AS booking ON booking.volunteer_id = contact.owner_id
JOIN drives_drive AS drive ON drive.id = booking.drive_id
JOIN drives_site AS site ON site.id = drive.site_id
WHERE browser.token_hash = %(token)s AND browser.expires_at > %(now)s AND booking.starts_at > %(since)s
    AND (booking.state IN ('donated', 'incomplete')
        OR booking.state IN ('booked', 'confirmed') AND booking.starts_at > %(now)s
            AND booking.starts_at < %(before)s)
ORDER BY 1 DESC, booking.starts_at LIMIT 1
"""


@dataclass(frozen=True)
class EarlierVisit:
    """An earlier donation or booked visit that makes the donor's next visit a return visit."""

    is_given: bool
    starts_at: datetime
    zone: str


def find_earlier_visit(browser_token: str, drive: Drive, now: datetime) -> EarlierVisit | None:
    """Find an earlier donation or booked visit of a donor that this browser knows. At most one query.

    The page uses the result to preselect a return visit. `verify_booking` determines the actual visit type.
    """
    if not browser_token:
        return None
    since = drive.starts_at - timedelta(days=drive.policy.lapse_after_days)
    parameters: dict[str, Any] = {
        "token": linked_model.hash_token(browser_token),
        "now": now,
        "since": since,
        "before": drive.starts_at,
    }
    with connection.cursor() as cursor:
        cursor.execute(_EARLIER_VISIT_SQL, parameters)
        row = cursor.fetchone()
    return EarlierVisit(*row) if row else None


IsAllowed = Callable[[Drive, Sequence[datetime]], bool]
"""Whether all donors may come to a drive, each at their own arrival time."""
ListTimes = Callable[[Drive, list[SlotRow]], Iterator[refusals.OpenTime]]


def list_allowed_times(
    drive: Drive,
    visit_types: visit_length.VisitTypes,
    since: datetime,
    now: datetime,
    allows: IsAllowed,
    freed: availability.FreedDeltas | None = None,
) -> list[refusals.OpenTime]:
    """List up to three times from `since` on that have room for all of these visits and that `allows` accepts.

    Searches this drive first, then the organization's other drives. `freed` is the capacity that the donors' current
    bookings would free. At most three queries.
    """

    def allowed(at: Drive, slots: list[SlotRow]) -> Iterator[refusals.OpenTime]:
        open_times = availability.select_open_times(
            slots, visit_length.compute_visit_shapes(at, visit_types), now, freed if at.pk == drive.pk else None
        )
        return (time for time in open_times if time.starts_at >= since and allows(at, time.arrivals))

    is_open = drive.state == DriveState.PUBLISHED
    times = list(islice(allowed(drive, availability.list_slots(drive.pk)), NEAREST_COUNT)) if is_open else []
    if len(times) == NEAREST_COUNT:
        return times
    return list(islice(chain(times, _times_at_other_drives(drive, max(since, now), allowed)), NEAREST_COUNT))


def _times_at_other_drives(drive: Drive, since: datetime, times_of: ListTimes) -> Iterator[refusals.OpenTime]:
    others = Drive.objects.of(drive.organization).open().filter(ends_at__gt=since).exclude(pk=drive.pk)
    nearest = list(others.select_related("site", "policy").order_by("starts_at", "pk")[: rules.MAX_OTHER_DRIVES])
    slots = availability.list_slots_by_drive([other.pk for other in nearest])
    for other in nearest:
        other_drive = refusals.OtherDrive(other.pk, other.slug, str(other.title), other.site.timezone)
        for time in times_of(other, slots[other.pk]):
            yield replace(time, other_drive=other_drive)
