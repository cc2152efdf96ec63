"""The share of bookings that lead to a donation, from the organization's last drives."""

from pathlib import Path

from django.db import connection
from django.db.models import QuerySet

from drives.booking import rules
from drives.domain import forecast
from drives.models import BookingState, Drive, DriveState
from organizations.models import Organization

_RATE_SQL = Path(__file__).with_name("donation_rate.sql").read_text()
NOT_VERIFIED_STATES = (BookingState.HELD, BookingState.LAPSED)


def filter_closed_out(organization: Organization) -> QuerySet[Drive]:
    return Drive.objects.of(organization).filter(closed_out_at__isnull=False).exclude(state=DriveState.CANCELLED)


def list_recent_drive_ids(drives: QuerySet[Drive]) -> list[int]:
    return list(drives.order_by("-ends_at", "-pk").values_list("pk", flat=True)[: rules.RECENT_DRIVE_COUNT])


def load_donation_rate(organization: Organization) -> forecast.DonationRate:
    """Compute the share of bookings that led to a donation at the organization's most recent drives. One query.

    Walk-ins, unverified holds, and bookings that were cancelled early do not count.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RATE_SQL, {"organization": organization.pk, "most": rules.RECENT_DRIVE_COUNT})
        donated, booked = cursor.fetchone()
    return forecast.compute_donation_rate(donated, booked)
