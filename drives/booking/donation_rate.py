"""The share of bookings that lead to a donation, from the organization's last drives."""

from django.db.models import Count, Q, QuerySet

from drives.booking import rules
from drives.domain import forecast
from drives.models import Booking, BookingState, Drive, DriveState, Source
from organizations.models import Organization

NOT_VERIFIED_STATES = (BookingState.HELD, BookingState.LAPSED)


def filter_closed_out(organization: Organization) -> QuerySet[Drive]:
    return Drive.objects.of(organization).filter(closed_out_at__isnull=False).exclude(state=DriveState.CANCELLED)


def list_recent_drive_ids(drives: QuerySet[Drive]) -> list[int]:
    return list(_filter_recent(drives))


def load_donation_rate(organization: Organization) -> forecast.DonationRate:
    """Compute the share of bookings that led to a donation at the organization's most recent drives. One query.

    Walk-ins, unverified holds, and bookings that were cancelled early do not count.
    """
    bookings = Booking.objects.filter(drive__in=_filter_recent(filter_closed_out(organization)))
    verified = bookings.exclude(state__in=NOT_VERIFIED_STATES).exclude(source=Source.WALK_IN)
    counts = verified.exclude(state=BookingState.CANCELLED, cancelled_late=False).aggregate(
        booked=Count("pk"), donated=Count("pk", filter=Q(state=BookingState.DONATED))
    )
    return forecast.compute_donation_rate(counts["donated"], counts["booked"])


def _filter_recent(drives: QuerySet[Drive]) -> QuerySet[Drive, int]:
    return drives.order_by("-ends_at", "-pk").values_list("pk", flat=True)[: rules.RECENT_DRIVE_COUNT]
