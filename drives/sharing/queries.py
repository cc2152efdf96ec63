from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from drives.models import Drive, ShareLink


@dataclass(frozen=True)
class LinkCounts:
    link: ShareLink
    visits: int
    holds: int
    bookings: int


def list_link_counts(drive: Drive) -> list[LinkCounts]:
    """List the drive's links, starting with the most bookings. One query."""
    booked = Count("bookings", filter=Q(bookings__verified_at__isnull=False))
    rows: Any = ShareLink.objects.filter(drive=drive).annotate(held=Count("bookings"), booked=booked)
    return [LinkCounts(row, row.visits, row.held, row.booked) for row in rows.order_by("-booked", "-held", "name")]


def find_link(drive: Drive, link_id: str) -> ShareLink | None:
    return ShareLink.objects.filter(drive=drive, pk=link_id).first() if link_id.isdecimal() else None
