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
from drives.capacity.availability import NEAREST, SlotRow
from drives.domain import intervals
from drives.models import Drive, DriveState
from organizations.models import linked

REACHES_BACK = timedelta(days=800)  # twice the longest window of a known programme, and some days
OTHER_DRIVES = 5  # are looked at for another time


@dataclass(frozen=True)
class Giver:
    """Whose history is judged.

    `everywhere`: over all organizations, for who has proved a contact and is the only one to be told; a coordinator
    is answered from the organization's own rows. `besides`: the booking that is about to change, which is not counted.
    """

    volunteer_id: int
    everywhere: bool = False
    besides: int | None = None


# One person over all organizations: whoever owns and has proved a contact that an asked volunteer owns and has proved.
# Uses volunteers_contact's indexes by owner and identity, and booking_of_a_volunteer.
# Donations of long ago are read for the visit they make a return visit, not for the intervals.
_HISTORY = """
WITH people AS (
    SELECT id AS asked, id FROM unnest(%(volunteers)s::bigint[]) AS id
    UNION SELECT mine.owner_id, theirs.owner_id FROM volunteers_contact AS mine
        JOIN volunteers_contact AS theirs ON theirs.identity = mine.identity
        WHERE %(everywhere)s AND mine.owner_id = ANY(%(volunteers)s) AND mine.proved_at IS NOT NULL
            AND theirs.owner_id IS NOT NULL AND theirs.proved_at IS NOT NULL)
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
AND booking.id != ALL(%(besides)s::bigint[])
UNION ALL SELECT 'stated', NULL, stated.on, NULL, stated.kind, NULL, NULL, NULL, NULL, people.asked
FROM people JOIN drives_stateddonation AS stated ON stated.volunteer_id = people.id
ORDER BY 2 NULLS LAST
"""


def donations_of(giver: Giver, wanted: datetime, zone: ZoneInfo) -> list[intervals.Donation]:
    """All that counts for the person: what was given, from when it was, what is booked, what is stated. One query.

    `zone` is that of the site of the wanted time. What is stated of a day on which the same was given here is that
    very donation. Call it after taking the locks of the person's identities (`volunteers.queries.identities_of`).
    """
    besides = [giver.besides] if giver.besides else []
    rows = _history([giver.volunteer_id], wanted, everywhere=giver.everywhere, besides=besides)
    return _donations(rows, wanted, zone)


def donations_of_many(
    zones: Mapping[int, ZoneInfo], now: datetime, *, everywhere: bool, besides: Sequence[int] = ()
) -> dict[int, list[intervals.Donation]]:
    """The same for many people at once, by volunteer. One query.

    `zones` are those of the site that each is judged for. The bookings `besides` are not counted.
    """
    rows: dict[int, list[tuple[Any, ...]]] = {pk: [] for pk in zones}
    for row in _history(list(zones), now, everywhere=everywhere, besides=besides):
        rows[row[-1]].append(row)
    return {pk: _donations(theirs, now, zones[pk]) for pk, theirs in rows.items()}


def _history(
    volunteer_ids: list[int], wanted: datetime, *, everywhere: bool, besides: Sequence[int]
) -> list[tuple[Any, ...]]:
    asked: dict[str, Any] = {
        "volunteers": volunteer_ids,
        "everywhere": everywhere,
        "besides": list(besides),
        "since": wanted - REACHES_BACK,
    }
    with connection.cursor() as cursor:
        cursor.execute(_HISTORY, asked)
        return list(cursor.fetchall())


def _donations(rows: Sequence[tuple[Any, ...]], wanted: datetime, zone: ZoneInfo) -> list[intervals.Donation]:
    since = wanted - REACHES_BACK
    recorded = [_recorded(row, since) for row in rows if row[0] != intervals.STATED]
    days = {(one.kind, one.on) for one in recorded}
    stated = [intervals.Stated(row[4], row[2]) for row in rows if row[0] == intervals.STATED]
    return recorded + [one.donation(zone) for one in stated if (one.kind, one.on) not in days]


def _recorded(row: tuple[Any, ...], since: datetime) -> intervals.Donation:
    known, at, _on, zone, kind, min_hours, min_days, windows, cross_days, _asked = row
    asks = intervals.Rules(kind, min_hours, min_days, json.loads(windows), json.loads(cross_days))
    return intervals.Donation(at, at.astimezone(ZoneInfo(zone)).date(), asks, counts=at > since, known=known)


# Whoever proved a contact in this browser, in any organization. Uses one_proof_per_browser_and_contact,
# contact_identity and booking_of_a_volunteer.
_EARLIER = """
SELECT booking.state IN ('donated', 'incomplete'), booking.starts_at, site.timezone
FROM volunteers_provedbrowser AS proof
JOIN volunteers_contact AS contact ON contact.identity = proof.identity AND contact.proved_at IS NOT NULL
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


def earlier_visit(browser_token: str, drive: Drive, now: datetime) -> EarlierVisit | None:
    """Why the drive would be a return visit for whoever proved a contact in this browser, if so. At most one query.

    Only what stands ready to be chosen depends on it; the proof of the booking judges.
    """
    if not browser_token:
        return None
    since = drive.starts_at - timedelta(days=drive.policy.lapse_after_days)
    asked: dict[str, Any] = {
        "token": linked.token_digest(browser_token),
        "now": now,
        "since": since,
        "before": drive.starts_at,
    }
    with connection.cursor() as cursor:
        cursor.execute(_EARLIER, asked)
        row = cursor.fetchone()
    return EarlierVisit(*row) if row else None


Allows = Callable[[Drive, Sequence[datetime]], bool]
"""Whether each of several people may come to a drive at their time."""
TimesOf = Callable[[Drive, list[SlotRow]], Iterator[refusals.OpenTime]]


def later_times(
    drive: Drive,
    wanted: visits.Visits,
    since: datetime,
    now: datetime,
    allows: Allows,
    freed: availability.Freed | None = None,
) -> list[refusals.OpenTime]:
    """The next three times from `since` on at which all of these visits fit and are allowed.

    At this drive first, then at the organization's others. `freed` is what the people have at this drive by now. At
    most three queries.
    """

    def allowed(at: Drive, slots: list[SlotRow]) -> Iterator[refusals.OpenTime]:
        found = availability.times_in(slots, visits.shapes(at, wanted), now, freed if at.pk == drive.pk else None)
        return (time for time in found if time.starts_at >= since and allows(at, time.arrivals))

    is_open = drive.state == DriveState.PUBLISHED
    here = list(islice(allowed(drive, availability.steps_of(drive.pk)), NEAREST)) if is_open else []
    if len(here) == NEAREST:
        return here
    return list(islice(chain(here, _times_of_others(drive, max(since, now), allowed)), NEAREST))


def _times_of_others(drive: Drive, since: datetime, times_of: TimesOf) -> Iterator[refusals.OpenTime]:
    others = Drive.objects.of(drive.organization).open().filter(ends_at__gt=since).exclude(pk=drive.pk)
    nearest = list(others.select_related("site", "policy").order_by("starts_at", "pk")[:OTHER_DRIVES])
    slots = availability.slots_of([other.pk for other in nearest])
    for other in nearest:
        place = refusals.Elsewhere(other.pk, other.slug, str(other.title), other.site.timezone)
        for time in times_of(other, slots[other.pk]):
            yield replace(time, elsewhere=place)
