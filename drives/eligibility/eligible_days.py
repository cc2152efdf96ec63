"""Find an organization's volunteers who may not give on a date under the interval rules."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_

from django.db.models import Count, Q

from drives.domain import intervals
from drives.domain.intervals import IntervalRules
from drives.eligibility import history
from drives.models import ACTIVE_STATES, Booking, BookingState, DonationKind, Drive, DriveState, SelfReportedDonation
from organizations.models import Organization

_COUNTED_STATES = (*ACTIVE_STATES, BookingState.DONATED, BookingState.INCOMPLETE)
_MARGIN = timedelta(days=2)  # for differences between local dates, arrival times and donation times


def find_drive_for_day(organization: Organization, day: date) -> Drive | None:
    """Find the drive with the rules for this date: the first drive from this date on, or else the last one before."""
    drives = Drive.objects.of(organization).exclude(state=DriveState.CANCELLED)
    drives = drives.select_related("organization", "site", "policy")
    later = drives.filter(day__gte=day).order_by("starts_at", "pk").first()
    return later or drives.order_by("-starts_at", "-pk").first()


def list_ineligible_volunteers(drive: Drive, day: date) -> list[int]:
    """List the ids of the organization's volunteers who may not give on this date under the drive's rules.

    On the drive's own date, only its hours count. Only the organization's own records are used, because coordinators
    see the result. The full check runs only for volunteers who have enough visits near the date to break a rule. Four
    queries.
    """
    starts_at, ends_at = _find_hours(drive, day)
    zone = drive.site.zone
    ids = _list_volunteers_to_check(drive, starts_at, ends_at)
    donations = history.list_donations_by_volunteer(dict.fromkeys(ids, zone), starts_at, all_organizations=False)
    return [pk for pk in ids if not _may_give_between(drive, donations[pk], starts_at, ends_at)]


def _find_hours(drive: Drive, day: date) -> tuple[datetime, datetime]:
    if day == drive.day:
        return drive.starts_at, drive.ends_at
    zone = drive.site.zone
    return intervals.compute_day_start(day, zone), intervals.compute_day_start(day + timedelta(days=1), zone)


def _may_give_between(
    drive: Drive, donations: Sequence[intervals.Donation], starts_at: datetime, ends_at: datetime
) -> bool:
    verdict = intervals.check_intervals(drive.rules, donations, starts_at, drive.site.zone)
    earliest = verdict.earliest_ok_at
    return not verdict.broken_rules or (earliest is not None and earliest < ends_at)


def _list_volunteers_to_check(drive: Drive, starts_at: datetime, ends_at: datetime) -> list[int]:
    # Load the rules of all drives, because a later visit must keep the rules of its own drive.
    distinct = ("policy", "stricter_hours", "stricter_days", "stricter_count", "stricter_count_days")
    drives = Drive.objects.of(drive.organization).select_related("policy").order_by(*distinct).distinct(*distinct)
    rules = [drive.rules, *(one.rules for one in drives)]
    thresholds = compute_check_thresholds(rules, {one.kind for one in rules})
    near = {days: (starts_at - _MARGIN - timedelta(days), ends_at + _MARGIN + timedelta(days)) for days in thresholds}
    counts = {f"within_{days}": Count("pk", filter=Q(starts_at__range=near[days])) for days in thresholds}
    enough = reduce(or_, (Q((f"within_{days}__gte", least)) for days, least in thresholds.items()))
    visits = Booking.objects.of(drive.organization).filter(
        volunteer__isnull=False, state__in=_COUNTED_STATES, drive__starts_at__range=near[max(thresholds)]
    )
    found = visits.order_by().values("volunteer").annotate(**counts).filter(enough).values_list("volunteer", flat=True)
    single = max(days for days, least in compute_check_thresholds(rules, DonationKind.values).items() if least == 1)
    first = starts_at - _MARGIN - timedelta(single)
    reported = SelfReportedDonation.objects.filter(
        volunteer__organization=drive.organization, donated_on__gte=first.date()
    )
    return sorted({*found, *reported.values_list("volunteer", flat=True)})


def compute_check_thresholds(rules: Sequence[IntervalRules], kinds: Collection[str]) -> dict[int, int]:
    """Return, for each number of days, how many visits within that many days of the date require a full check.

    `kinds` are the kinds of donation that these visits can have. For a window, one visit less than its limit is enough,
    because each volunteer may also have one self-reported donation. At least one visit is always needed.
    """
    singles = [1]  # two visits on one day may overlap
    thresholds: dict[int, int] = {}
    for one in rules:
        singles += [-(-(one.min_hours or 0) // 24), one.min_days or 0]
        singles += [days for kind, days in one.cross_days.items() if kind in kinds]
        for count, days in one.windows:
            thresholds[days] = min(thresholds.get(days, count), max(1, count - 1))
    return {**thresholds, max(singles): 1}
