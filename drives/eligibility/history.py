"""What somebody has given and has booked, as the interval rules want it; and the later times that would be allowed."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from drives import refusals
from drives.capacity import availability, visits
from drives.capacity.availability import NEAREST_COUNT, SlotRow
from drives.domain import intervals
from drives.models import Drive, DriveState
from organizations.models import linked_model

HISTORY_WITHIN = timedelta(days=800)  # twice the longest window of a known programme, and some days
MAX_OTHER_DRIVES = 5  # are looked at for another time


@dataclass(frozen=True)
class DonorScope:
    """Whose history is judged.

    `everywhere`: over all organizations, for who has proved a contact and is the only one to be told; a coordinator
    is answered from the organization's own rows. `besides`: the booking that is about to change, which is not counted.
    """

    volunteer_id: int
    everywhere: bool = False
    excluded_booking_id: int | None = None


# One person over all organizations: whoever owns and has proved a contact that an asked volunteer owns and has proved.
# Uses volunteers_contact's indexes by owner and identity, and booking_of_a_volunteer.
# Donations of long ago are read for the visit they make a return visit, not for the intervals.
_HISTORY_SQL = """
WITH people AS (
    SELECT id AS asked, id FROM unnest(%(volunteers)s::bigint[]) AS id
    UNION SELECT mine.owner_id, theirs.owner_id FROM volunteers_contact AS mine
        JOIN volunteers_contact AS theirs ON theirs.identity = mine.identity
        WHERE %(everywhere)s AND mine.owner_id = ANY(%(volunteers)s) AND mine.verified_at IS NOT NULL
            AND theirs.owner_id IS NOT NULL AND theirs.verified_at IS NOT NULL)
SELECT CASE WHEN booking.state IN ('donated', 'incomplete') THEN 'given' ELSE 'booked' END,
    COALESCE(booking.donated_at, booking.starts_at), NULL, site.timezone,
    policy.kind, GREATEST(policy.min_hours, drive.stricter_hours), GREATEST(policy.min_days, drive.stricter_days),
    policy.windows || CASE WHEN drive.stricter_count IS NULL THEN '[]'
        ELSE jsonb_build_array(jsonb_build_array(drive.stricter_count, drive.stricter_count_days)) END,
    policy.cross_days, people.asked
FROM people JOIN drives_booking AS booking ON booking.volunteer_id = people.id
JOIN drives_drive AS drive ON drive.id = booking.drive_id
JOIN drives_site AS site ON site.id = drive.site_id
JOIN drives_policy AS policy ON policy.id = drive.policy_id
WHERE booking.state IN ('booked', 'confirmed', 'checked_in', 'donated', 'incomplete')
AND (booking.starts_at > %(since)s OR booking.state IN ('donated', 'incomplete'))
AND booking.id != ALL(%(excluded_booking_id)s::bigint[])
UNION ALL SELECT 'self_reported', NULL, stated.on, NULL, stated.kind, NULL, NULL, NULL, NULL, people.asked
FROM people JOIN drives_selfreporteddonation AS stated ON stated.volunteer_id = people.id
ORDER BY 2 NULLS LAST
"""


def list_donations(donor: DonorScope, wanted_at: datetime, zone: ZoneInfo) -> list[intervals.Donation]:
    """All that counts for the person: what was given, from when it was, what is booked, what is stated. One query.

    `zone` is that of the site of the wanted time. What is stated of a day on which the same was given here is that
    very donation. Call it after locking the person's identities
    (`volunteers.queries.list_person_identities`).
    """
    excluded_booking_id = [donor.excluded_booking_id] if donor.excluded_booking_id else []
    rows = _fetch_history_rows(
        [donor.volunteer_id], wanted_at, all_organizations=donor.everywhere, excluded_booking_id=excluded_booking_id
    )
    return _build_donations(rows, wanted_at, zone)


def list_donations_by_volunteer(
    zones: Mapping[int, ZoneInfo], now: datetime, *, all_organizations: bool, excluded_booking_id: Sequence[int] = ()
) -> dict[int, list[intervals.Donation]]:
    """The same for many people at once, by volunteer. One query.

    `zones` are those of the site that each is judged for. The bookings `besides` are not counted.
    """
    rows: dict[int, list[tuple[Any, ...]]] = {pk: [] for pk in zones}
    for row in _fetch_history_rows(
        list(zones), now, all_organizations=all_organizations, excluded_booking_id=excluded_booking_id
    ):
        rows[row[-1]].append(row)
    return {pk: _build_donations(theirs, now, zones[pk]) for pk, theirs in rows.items()}


def _fetch_history_rows(
    volunteer_ids: list[int], wanted: datetime, *, all_organizations: bool, excluded_booking_id: Sequence[int]
) -> list[tuple[Any, ...]]:
    asked: dict[str, Any] = {
        "volunteers": volunteer_ids,
        "everywhere": all_organizations,
        "excluded_booking_id": list(excluded_booking_id),
        "since": wanted - HISTORY_WITHIN,
    }
    with connection.cursor() as cursor:
        cursor.execute(_HISTORY_SQL, asked)
        return list(cursor.fetchall())


def _build_donations(rows: Sequence[tuple[Any, ...]], wanted: datetime, zone: ZoneInfo) -> list[intervals.Donation]:
    since = wanted - HISTORY_WITHIN
    recorded = [_build_recorded_donation(row, since) for row in rows if row[0] != intervals.SELF_REPORTED]
    days = {(one.kind, one.on) for one in recorded}
    self_reported = [intervals.SelfReported(row[4], row[2]) for row in rows if row[0] == intervals.SELF_REPORTED]
    return recorded + [one.donation(zone) for one in self_reported if (one.kind, one.on) not in days]


def _build_recorded_donation(row: tuple[Any, ...], since: datetime) -> intervals.Donation:
    known, at, _on, zone, kind, min_hours, min_days, windows, cross_days, _asked = row
    asks = intervals.IntervalRules(kind, min_hours, min_days, json.loads(windows), json.loads(cross_days))
    return intervals.Donation(at, at.astimezone(ZoneInfo(zone)).date(), asks, counts=at > since, known=known)


# Whoever proved a contact in this browser, in any organization. Uses one_proof_per_browser_and_contact,
# contact_identity and booking_of_a_volunteer.
_EARLIER_VISIT_SQL = """
SELECT booking.state IN ('donated', 'incomplete'), booking.starts_at, site.timezone
FROM volunteers_verifiedbrowser AS proof
JOIN volunteers_contact AS contact ON contact.identity = proof.identity AND contact.verified_at IS NOT NULL
JOIN drives_booking AS booking ON booking.volunteer_id = contact.owner_id
JOIN drives_drive AS drive ON drive.id = booking.drive_id
JOIN drives_site AS site ON site.id = drive.site_id
WHERE proof.token_hash = %(token)s AND proof.expires_at > %(now)s AND booking.starts_at > %(since)s
    AND (booking.state IN ('donated', 'incomplete')
        OR booking.state IN ('booked', 'confirmed') AND booking.starts_at > %(now)s
            AND booking.starts_at < %(before)s)
ORDER BY 1 DESC, booking.starts_at LIMIT 1
"""


@dataclass(frozen=True)
class EarlierVisit:
    """What makes a drive a return visit: somebody gave lately, or will have, for a visit before it is booked."""

    is_given: bool
    starts_at: datetime
    zone: str


def find_earlier_visit(browser_token: str, drive: Drive, now: datetime) -> EarlierVisit | None:
    """Why the drive would be a return visit for whoever proved a contact in this browser, if so. At most one query.

    Only what stands ready to be chosen depends on it; the proof of the booking judges.
    """
    if not browser_token:
        return None
    since = drive.starts_at - timedelta(days=drive.policy.lapse_after_days)
    asked: dict[str, Any] = {
        "token": linked_model.hash_token(browser_token),
        "now": now,
        "since": since,
        "before": drive.starts_at,
    }
    with connection.cursor() as cursor:
        cursor.execute(_EARLIER_VISIT_SQL, asked)
        row = cursor.fetchone()
    return EarlierVisit(*row) if row else None


IsAllowed = Callable[[Drive, Sequence[datetime]], bool]
"""Whether each of several people may come to a drive at their time."""
ListTimes = Callable[[Drive, list[SlotRow]], Iterator[refusals.OpenTime]]


def list_allowed_times(
    drive: Drive,
    visit_types: visits.VisitTypes,
    since: datetime,
    now: datetime,
    allows: IsAllowed,
    freed: availability.FreedDeltas | None = None,
) -> list[refusals.OpenTime]:
    """The next three times from `since` on at which all of these visits fit and are allowed.

    At this drive first, then at the organization's others. `freed` is what the people have at this drive by now. At
    most three queries.
    """

    def allowed(at: Drive, slots: list[SlotRow]) -> Iterator[refusals.OpenTime]:
        found = availability.select_open_times(
            slots, visits.compute_visit_shapes(at, visit_types), now, freed if at.pk == drive.pk else None
        )
        return (time for time in found if time.starts_at >= since and allows(at, time.arrivals))

    is_open = drive.state == DriveState.PUBLISHED
    here = list(islice(allowed(drive, availability.list_slots(drive.pk)), NEAREST_COUNT)) if is_open else []
    if len(here) == NEAREST_COUNT:
        return here
    return list(islice(chain(here, _times_at_other_drives(drive, max(since, now), allowed)), NEAREST_COUNT))


def _times_at_other_drives(drive: Drive, since: datetime, times_of: ListTimes) -> Iterator[refusals.OpenTime]:
    others = Drive.objects.of(drive.organization).open().filter(ends_at__gt=since).exclude(pk=drive.pk)
    nearest = list(others.select_related("site", "policy").order_by("starts_at", "pk")[:MAX_OTHER_DRIVES])
    slots = availability.list_slots_by_drive([other.pk for other in nearest])
    for other in nearest:
        place = refusals.OtherDrive(other.pk, other.slug, str(other.title), other.site.timezone)
        for time in times_of(other, slots[other.pk]):
            yield replace(time, elsewhere=place)
