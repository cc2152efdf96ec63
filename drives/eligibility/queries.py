"""Load donors' progress and the next times at which they can give."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from drives import refusals
from drives.capacity import availability, visit_length
from drives.capacity.availability import SlotRow
from drives.capacity.rules import NEAREST_COUNT
from drives.domain import intervals
from drives.eligibility import history, next_visit, rules
from drives.eligibility.history import DonorScope
from drives.eligibility.next_visit import FollowUp, NextVisit, Progress
from drives.models import ACTIVE_STATES, Booking, BookingState, Drive, Visit
from notifications import kinds, reach
from organizations.models import Organization
from volunteers import addressees


@dataclass(frozen=True)
class UpcomingTimes:
    """The open times at upcoming drives. They are loaded once for any number of donors."""

    drives: Sequence[Drive]
    slots: dict[int, list[SlotRow]]
    since: datetime
    _times_by_visit: dict[tuple[int, str], list[refusals.OpenTime]] = field(default_factory=dict)

    def find_allowed_visits(self, donations: Sequence[intervals.Donation]) -> Iterator[NextVisit]:
        booked = [one.donated_at for one in donations if one.basis == intervals.BOOKED]
        for drive in self.drives:
            if not any(drive.starts_at <= at < drive.ends_at for at in booked):
                yield from self._find_allowed_at(drive, donations)

    def _find_allowed_at(self, drive: Drive, donations: Sequence[intervals.Donation]) -> Iterator[NextVisit]:
        # Without a history, plan for the longer visit.
        visit = rules.compute_visit_type(donations, drive.policy, drive.day) or Visit.FIRST
        since = self.since
        for time in self._list_times(drive, visit):
            if time.starts_at < since:
                continue
            verdict = intervals.check_intervals(drive.rules, donations, time.starts_at, drive.site.zone)
            if not verdict.broken_rules:
                yield NextVisit(drive, time.slot_id, time.starts_at, visit)
            elif verdict.earliest_ok_at is None:
                return
            else:
                since = verdict.earliest_ok_at  # no earlier slot is allowed

    def _list_times(self, drive: Drive, visit: str) -> list[refusals.OpenTime]:
        if (drive.pk, visit) not in self._times_by_visit:
            shapes = visit_length.compute_visit_shapes(drive, (visit,))
            self._times_by_visit[drive.pk, visit] = list(
                availability.select_open_times(self.slots[drive.pk], shapes, self.since)
            )
        return self._times_by_visit[drive.pk, visit]


def load_upcoming_times(organization: Organization, since: datetime, until: datetime | None = None) -> UpcomingTimes:
    """Load the open times of the published drives that start by `until` and end after `since`. Two queries."""
    rows = Drive.objects.of(organization).open().filter(ends_at__gt=since)
    if until:
        rows = rows.filter(starts_at__lte=until)
    drives = list(rows.select_related("organization", "site", "policy").order_by("starts_at", "pk"))
    return UpcomingTimes(drives, availability.list_slots_by_drive([drive.pk for drive in drives]), since)


def load_progress(volunteer_ids: Collection[int], now: datetime) -> dict[int, Progress]:
    """Load progress toward qualifying from the organization's own records, keyed by volunteer id. One query.

    Only donations of the same kind as the volunteer's newest donation count. Volunteers without progress are left out.
    """
    whole = Booking.objects.filter(volunteer__in=volunteer_ids, state=BookingState.DONATED, donated_at__lte=now)
    columns = ("volunteer", "visit", "donated_at", "drive__site__timezone", "drive__policy__kind")
    donations: dict[int, list[tuple[str, str, datetime, str, int]]] = {}
    for pk, visit, at, zone, kind, lapse in whole.order_by("donated_at", "pk").values_list(
        *columns, "drive__policy__lapse_after_days"
    ):
        donations.setdefault(pk, []).append((kind, visit, at, zone, lapse))
    progress_by_volunteer = {
        pk: _compute_progress(volunteer_donations, now) for pk, volunteer_donations in donations.items()
    }
    return {pk: progress for pk, progress in progress_by_volunteer.items() if progress}


def _compute_progress(donations: Sequence[tuple[str, str, datetime, str, int]], now: datetime) -> Progress | None:
    kind, _visit, _at, zone, lapse = donations[-1]
    days = [
        (at.astimezone(ZoneInfo(zone)).date(), visit)
        for kind_then, visit, at, zone, _lapse in donations
        if kind_then == kind
    ]
    return next_visit.compute_progress(days, now.astimezone(ZoneInfo(zone)).date(), lapse)


def load_follow_ups(bookings: Sequence[Booking], now: datetime) -> dict[int, FollowUp]:
    """Load the progress and next possible times of the donors who gave at one drive, keyed by volunteer id.

    Reads only the organization's own records, because the result goes into messages that coordinators can read. The
    number of queries does not depend on the number of donors.
    """
    gave = {booking.volunteer_id: booking for booking in bookings if booking.state == BookingState.DONATED}
    ids = [pk for pk in gave if pk]
    if not ids:
        return {}
    drive = bookings[0].drive
    open_now, progress = load_upcoming_times(drive.organization, now), load_progress(ids, now)
    donations = history.list_donations_by_volunteer(dict.fromkeys(ids, drive.site.zone), now, all_organizations=False)
    invitable = _volunteers_that_get_news(drive.organization, list(gave.values()))
    return {
        pk: FollowUp(
            progress.get(pk),
            list(islice(open_now.find_allowed_visits(donations[pk]), NEAREST_COUNT)),
            gets_news=pk in invitable,
        )
        for pk in ids
    }


def load_follow_up(booking: Booking, now: datetime, *, all_organizations: bool) -> FollowUp:
    """Load the progress and next possible times of one booking's donor. A booking without a donation has neither.

    Pass `all_organizations=True` only if the donor alone sees the result.
    """
    if booking.state != BookingState.DONATED or booking.volunteer_id is None:
        return next_visit.NO_FOLLOW_UP
    drive, pk = booking.drive, booking.volunteer_id
    donations = history.list_donations(DonorScope(pk, everywhere=all_organizations), now, drive.site.zone)
    times = list(islice(load_upcoming_times(drive.organization, now).find_allowed_visits(donations), NEAREST_COUNT))
    invitable = _volunteers_that_get_news(drive.organization, [booking])
    return FollowUp(load_progress([pk], now).get(pk), times, gets_news=pk in invitable)


def list_upcoming_bookings(booking: Booking, now: datetime) -> list[Booking]:
    ahead = Booking.objects.filter(volunteer=booking.volunteer_id, state__in=ACTIVE_STATES, starts_at__gt=now)
    return list(ahead.exclude(pk=booking.pk).select_related("drive__site").order_by("starts_at", "pk"))


def _volunteers_that_get_news(organization: Organization, bookings: Sequence[Booking]) -> set[int | None]:
    donors = {booking.volunteer_id: addressees.build_addressee(booking.volunteer) for booking in bookings}
    facts = reach.load_contact_facts(organization, [(donor, "") for donor in donors.values()])
    return {pk for pk, donor in donors.items() if facts.list_contacts(kinds.INVITATION, donor)}
