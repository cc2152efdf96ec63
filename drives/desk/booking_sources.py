"""Count a drive's bookings by source: each recruiter's link, and the ways to book without a link."""

from dataclasses import dataclass

from django.db.models import Count

from drives.booking.donation_rate import NOT_VERIFIED_STATES
from drives.models import Booking, Drive, Source


@dataclass(frozen=True)
class SourceShare:
    """The bookings from one source. `link` is the name of the recruiter's link, or empty."""

    source: Source
    link: str
    count: int
    percent: int
    width: str  # of the bar, in percent of the longest bar


def load_sources(drive: Drive) -> list[SourceShare]:
    """List the sources, starting with the most bookings. One query.

    Cancelled bookings count, as on the page of recruiters' links.
    """
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
