from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import QuerySet

from drives import refusals
from drives.capacity import availability, visit_length
from drives.domain import grid
from drives.models import Booking, Drive, DriveState, Visit
from organizations.models import Cause, Organization
from volunteers import queries as volunteers_queries

LONG_CAUSE_TEXTS: Final = ("cause__story", "cause__condition", "cause__need")


@dataclass(frozen=True)
class DriveSummary:
    drive: Drive
    spots_left: int


@dataclass(frozen=True)
class DrivePage:
    drive: Drive
    first_times: list[refusals.OpenTime]
    return_times: list[refusals.OpenTime]
    now: datetime

    def list_times(self, visit: str) -> list[refusals.OpenTime]:
        return self.first_times if visit == "first" else self.return_times

    @property
    def is_full(self) -> bool:
        return not self.first_times and not self.return_times

    def list_other_drives(self) -> list[DriveSummary]:
        """List the organization's next five other drives. Two queries, so they are not loaded with the page."""
        rows = filter_next_drives(self.now).filter(organization=self.drive.organization_id)
        return load_drive_summaries(rows.exclude(pk=self.drive.pk)[:5], self.now)


def list_public_drives(
    now: datetime, organization: Organization | None = None, city: str = "", limit: int = 50
) -> list[DriveSummary]:
    rows = filter_next_drives(now)
    if organization:
        rows = rows.filter(organization=organization)
    if city:
        rows = rows.filter(site__city__iexact=city)
    return load_drive_summaries(rows[:limit], now)


def filter_next_drives(now: datetime) -> "QuerySet[Drive]":
    rows = Drive.objects.filter(state=DriveState.PUBLISHED, ends_at__gt=now)
    return rows.select_related("organization", "site", "cause").defer(*LONG_CAUSE_TEXTS).order_by("starts_at", "pk")


def list_causes(summaries: Sequence[DriveSummary]) -> list[Cause]:
    """List the causes of these drives in the order of the drives, each only once."""
    return list({summary.drive.cause.pk: summary.drive.cause for summary in summaries if summary.drive.cause}.values())


def load_drive_page(slug: str, now: datetime, *, with_cause: bool = False) -> DrivePage | None:
    """Load a drive's public page. Return None for a draft or an unknown slug. Two queries.

    `with_cause` also loads the cause's long texts and facts, with one more query. It does not load the description of
    the disease, which only the cause's own page shows.
    """
    rows = Drive.objects.public().select_related("organization", "site", "policy", "cause", "center")
    if with_cause:
        rows = rows.defer("cause__condition").prefetch_related("cause__facts")
    else:
        rows = rows.defer(*LONG_CAUSE_TEXTS)
    drive = rows.filter(slug=slug).first()
    if drive is None:
        return None
    slots = availability.list_slots(drive.pk) if drive.state == DriveState.PUBLISHED else []
    first, again = (
        list(availability.select_open_times(slots, visit_length.compute_visit_shapes(drive, (visit,)), now))
        for visit in (Visit.FIRST, Visit.RETURN)
    )
    return DrivePage(drive, first, again, now)


def list_own_bookings(browser: str, drive: Drive, now: datetime) -> list[Booking]:
    """List the drive's active bookings of donors with a contact that this browser has verified.

    One query, or none for an unknown browser.
    """
    if not browser:
        return []
    people = volunteers_queries.filter_volunteers_of_browser(browser, now)
    rows = Booking.objects.active().filter(drive=drive, volunteer__in=people)
    return list(rows.select_related("volunteer").order_by("starts_at", "pk"))


def load_drive_summaries(rows: "QuerySet[Drive] | Sequence[Drive]", now: datetime) -> list[DriveSummary]:
    drives = list(rows)
    slots = availability.list_slots_by_drive([drive.pk for drive in drives])
    return [DriveSummary(drive, _count_spots_left(drive, slots[drive.pk], now)) for drive in drives]


def _count_spots_left(drive: Drive, slots: list[tuple[int, datetime, bool, int, int]], now: datetime) -> int:
    ahead = [row for row in slots if row[1] > now]
    shape = visit_length.compute_visit_shape(drive, "return")
    return grid.count_fitting_visits([row[3] for row in ahead], [row[4] for row in ahead], shape)
