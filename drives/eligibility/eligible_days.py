"""Find the volunteers that may not give on a date by the interval rules, for a whole organization at once."""

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
_MARGIN = timedelta(days=2)  # between local dates, the time of the arrival and the time of the donation


def find_drive_for_day(organization: Organization, day: date) -> Drive | None:
    """Return the first drive on this date or after it, or else the last one before. Its rules apply on the date."""
    drives = Drive.objects.of(organization).exclude(state=DriveState.CANCELLED)
    drives = drives.select_related("organization", "site", "policy")
    later = drives.filter(day__gte=day).order_by("starts_at", "pk").first()
    return later or drives.order_by("-starts_at", "-pk").first()


def list_ineligible_volunteers(drive: Drive, day: date) -> list[int]:
    """List the ids of the organization's volunteers that may not give on this date by the rules of the drive.

    On the drive's own day, only its hours count. Four queries. Uses only the organization's own records, because its
    coordinators see the result. The same check as for a booking decides. It runs only for volunteers with so many
    visits near the date that a rule could apply.
    """
    starts_at, ends_at = _find_hours(drive, day)
    zone = drive.site.zone
    ids = _list_volunteers_to_check(drive, starts_at, ends_at)
    donations = history.list_donations_by_volunteer(dict.fromkeys(ids, zone), starts_at, all_organizations=False)
    return [pk for pk in ids if not _may_give_within(drive, donations[pk], starts_at, ends_at)]


def _find_hours(drive: Drive, day: date) -> tuple[datetime, datetime]:
    if day == drive.day:
        return drive.starts_at, drive.ends_at
    zone = drive.site.zone
    return intervals.start_of_day(day, zone), intervals.start_of_day(day + timedelta(days=1), zone)


def _may_give_within(
    drive: Drive, donations: Sequence[intervals.Donation], starts_at: datetime, ends_at: datetime
) -> bool:
    verdict = intervals.check_intervals(drive.rules, donations, starts_at, drive.site.zone)
    earliest = verdict.earliest_ok_at
    return not verdict.broken_rules or (earliest is not None and earliest < ends_at)


def _list_volunteers_to_check(drive: Drive, starts_at: datetime, ends_at: datetime) -> list[int]:
    # A later visit must keep the rules of its own drive, so the rules of all drives can apply.
    distinct = ("policy", "stricter_hours", "stricter_days", "stricter_count", "stricter_count_days")
    drives = Drive.objects.of(drive.organization).select_related("policy").order_by(*distinct).distinct(*distinct)
    rules = [drive.rules, *(one.rules for one in drives)]
    reaches = list_reaches(rules, {one.kind for one in rules})
    near = {days: (starts_at - _MARGIN - timedelta(days), ends_at + _MARGIN + timedelta(days)) for days in reaches}
    counts = {f"within_{days}": Count("pk", filter=Q(starts_at__range=near[days])) for days in reaches}
    enough = reduce(or_, (Q((f"within_{days}__gte", least)) for days, least in reaches.items()))
    visits = Booking.objects.of(drive.organization).filter(
        volunteer__isnull=False, state__in=_COUNTED_STATES, drive__starts_at__range=near[max(reaches)]
    )
    found = visits.order_by().values("volunteer").annotate(**counts).filter(enough).values_list("volunteer", flat=True)
    single = max(days for days, least in list_reaches(rules, DonationKind.values).items() if least == 1)
    first = starts_at - _MARGIN - timedelta(single)
    reported = SelfReportedDonation.objects.filter(
        volunteer__organization=drive.organization, donated_on__gte=first.date()
    )
    return sorted({*found, *reported.values_list("volunteer", flat=True)})


def list_reaches(rules: Sequence[IntervalRules], kinds: Collection[str]) -> dict[int, int]:
    """Return, for each number of days that some rule looks at, how many visits within them are worth a check.

    `kinds` are the kinds of donation that these visits can have. One more visit may be a self-reported donation, of
    which each volunteer has at most one.
    """
    singles = [1]  # two visits on one day may overlap
    reaches: dict[int, int] = {}
    for one in rules:
        singles += [-(-(one.min_hours or 0) // 24), one.min_days or 0]
        singles += [days for kind, days in one.cross_days.items() if kind in kinds]
        for count, days in one.windows:
            reaches[days] = min(reaches.get(days, count), max(1, count - 1))
    return {**reaches, max(singles): 1}
