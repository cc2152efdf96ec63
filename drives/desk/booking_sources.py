"""Where a drive's bookings came from: recruiters' links, and the ways to book without one."""

from dataclasses import dataclass

from django.db.models import Count

from drives.attendance.turnout import NOT_VERIFIED_STATES
from drives.models import Booking, Drive, Source


@dataclass(frozen=True)
class SourceShare:
    """The bookings from one source. `link` is the name of a recruiter's link, and empty without one."""

    source: Source
    link: str
    count: int
    percent: int
    width: str  # of its bar. The longest bar fills the width.


def load_sources(drive: Drive) -> list[SourceShare]:
    """List the sources, the most bookings first. Cancelled bookings count, as on the page of links. One query."""
    verified = Booking.objects.filter(drive=drive).exclude(state__in=NOT_VERIFIED_STATES)
    counted = verified.values_list("source", "share_link__name").annotate(Count("pk"))
    rows = [
        (Source(source), link or "", count) for source, link, count in counted.order_by("source", "share_link__name")
    ]
    total, most = sum(count for *_names, count in rows), max((count for *_names, count in rows), default=0)
    return [
        SourceShare(source, link, count, round(100 * count / total), f"{100 * count / most:.1f}%")
        for source, link, count in sorted(rows, key=lambda row: -row[2])
    ]
