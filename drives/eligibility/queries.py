"""Where people can give next, and how far they are: reads for one person, or for all of a drive."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from drives import refusals
from drives.capacity import availability, visits
from drives.capacity.availability import NEAREST_COUNT, SlotRow
from drives.domain import intervals
from drives.eligibility import history, next_visit, rules
from drives.eligibility.history import DonorScope
from drives.eligibility.next_visit import FollowUp, NextVisit, Progress
from drives.models import ACTIVE_STATES, Booking, BookingState, Drive, Visit
from notifications import queries as notifications_queries
from notifications.models import Purpose
from organizations.models import Organization


@dataclass(frozen=True)
class UpcomingTimes:
    """Coming drives with their open times from a moment on, read once for however many people."""

    drives: Sequence[Drive]
    slots: dict[int, list[SlotRow]]
    since: datetime
    _known: dict[tuple[int, str], list[refusals.OpenTime]] = field(default_factory=dict)

    def allowed(self, donations: Sequence[intervals.Donation]) -> Iterator[NextVisit]:
        """The open times that keep every rule for somebody with these donations and bookings, in order of time."""
        booked = [one.at for one in donations if one.known == intervals.BOOKED]
        for drive in self.drives:
            if not any(drive.starts_at <= at < drive.ends_at for at in booked):
                yield from self._find_allowed_at(drive, donations)

    def _find_allowed_at(self, drive: Drive, donations: Sequence[intervals.Donation]) -> Iterator[NextVisit]:
        visit = rules.compute_visit_type(donations, drive.policy, drive.on) or Visit.FIRST
        since = self.since
        for time in self._times(drive, visit):
            if time.starts_at < since:
                continue
            verdict = intervals.check_intervals(drive.rules, donations, time.starts_at, drive.site.zone)
            if not verdict.broken:
                yield NextVisit(drive, time.slot_id, time.starts_at, visit)
            elif verdict.earliest_ok_at is None:
                return
            else:
                since = verdict.earliest_ok_at  # exact: nothing before it is allowed

    def _times(self, drive: Drive, visit: str) -> list[refusals.OpenTime]:
        if (drive.pk, visit) not in self._known:
            shapes = visits.compute_visit_shapes(drive, (visit,))
            self._known[drive.pk, visit] = list(
                availability.select_open_times(self.slots[drive.pk], shapes, self.since)
            )
        return self._known[drive.pk, visit]


def load_upcoming_times(organization: Organization, since: datetime, until: datetime | None = None) -> UpcomingTimes:
    """What an organization's published drives have open from `since` on, those that begin by `until`. Two queries."""
    rows = Drive.objects.of(organization).open().filter(ends_at__gt=since)
    if until:
        rows = rows.filter(starts_at__lte=until)
    drives = list(rows.select_related("organization", "site", "policy").order_by("starts_at", "pk"))
    return UpcomingTimes(drives, availability.list_slots_by_drive([drive.pk for drive in drives]), since)


def load_progress(volunteer_ids: Collection[int], now: datetime) -> dict[int, Progress]:
    """How far these volunteers are by what their organization recorded; who has given nothing that counts is not in it.

    Of several kinds of donation that of the newest counts. One query.
    """
    whole = Booking.objects.filter(volunteer__in=volunteer_ids, state=BookingState.DONATED, donated_at__lte=now)
    columns = ("volunteer", "donated_at", "drive__site__timezone", "drive__policy__kind")
    found: dict[int, list[tuple[str, datetime, str, int]]] = {}
    for pk, at, zone, kind, lapse in whole.order_by("donated_at", "pk").values_list(
        *columns, "drive__policy__lapse_after_days"
    ):
        found.setdefault(pk, []).append((kind, at, zone, lapse))
    all_of_them = {pk: _compute_progress(given, now) for pk, given in found.items()}
    return {pk: progress for pk, progress in all_of_them.items() if progress}


def _compute_progress(given: Sequence[tuple[str, datetime, str, int]], now: datetime) -> Progress | None:
    kind, _at, zone, lapse = given[-1]
    days = [at.astimezone(ZoneInfo(zone)).date() for kind_then, at, zone, _lapse in given if kind_then == kind]
    return next_visit.compute_progress(days, now.astimezone(ZoneInfo(zone)).date(), lapse)


def load_follow_ups(bookings: Sequence[Booking], now: datetime) -> dict[int, FollowUp]:
    """What the thanks of one drive say to those who gave, by volunteer. Five queries, however many they are.

    Judged on the organization's own rows, for its coordinators can read what was sent.
    """
    gave = {booking.volunteer_id: booking for booking in bookings if booking.state == BookingState.DONATED}
    ids = [pk for pk in gave if pk]
    if not ids:
        return {}
    drive = bookings[0].drive
    open_now, progress = load_upcoming_times(drive.organization, now), load_progress(ids, now)
    donations = history.list_donations_by_volunteer(dict.fromkeys(ids, drive.site.zone), now, all_organizations=False)
    wanting = _volunteers_with_news_consent(drive.organization, list(gave.values()))
    return {
        pk: FollowUp(
            progress.get(pk),
            list(islice(open_now.allowed(donations[pk]), NEAREST_COUNT)),
            has_news_consent=pk in wanting,
        )
        for pk in ids
    }


def load_follow_up(booking: Booking, now: datetime, *, all_organizations: bool) -> FollowUp:
    """The same for one person: `everywhere` for themselves, the organization's own rows for its helpers. Five queries.

    Nothing for a visit that did not end with a donation.
    """
    if booking.state != BookingState.DONATED or booking.volunteer_id is None:
        return next_visit.NO_FOLLOW_UP
    drive, pk = booking.drive, booking.volunteer_id
    donations = history.list_donations(DonorScope(pk, everywhere=all_organizations), now, drive.site.zone)
    times = list(islice(load_upcoming_times(drive.organization, now).allowed(donations), NEAREST_COUNT))
    wanting = _volunteers_with_news_consent(drive.organization, [booking])
    return FollowUp(load_progress([pk], now).get(pk), times, has_news_consent=pk in wanting)


def list_upcoming_bookings(booking: Booking, now: datetime) -> list[Booking]:
    """What the same volunteer has booked from now on, in order of time. One query."""
    ahead = Booking.objects.filter(volunteer=booking.volunteer_id, state__in=ACTIVE_STATES, starts_at__gt=now)
    return list(ahead.exclude(pk=booking.pk).select_related("drive__site").order_by("starts_at", "pk"))


def _volunteers_with_news_consent(organization: Organization, bookings: Sequence[Booking]) -> set[int | None]:
    """Who agreed to appeals for a phone or mailbox of theirs. One query."""
    addresses = {
        (booking.volunteer_id, contact.address)
        for booking in bookings
        if booking.volunteer
        for contact in (booking.volunteer.phone, booking.volunteer.email)
        if contact
    }
    agreed = notifications_queries.load_consents(organization, {address for _pk, address in addresses})
    return {pk for pk, address in addresses if agreed.get((address, Purpose.NEWS))}
