from datetime import datetime

from django.db.models import Q

from drives.calendars import rules
from drives.models import Drive, DriveState
from organizations.models import Organization


def list_feed_drives(organization: Organization, now: datetime) -> list[Drive]:
    """List upcoming public drives, and cancelled drives for 30 days. One query.

    Calendar apps may keep an event that disappears from the feed, so the feed must show that the drive is cancelled.
    """
    upcoming = Q(state__in=[DriveState.PUBLISHED, DriveState.CLOSED], ends_at__gt=now)
    cancelled = Q(
        state=DriveState.CANCELLED, published_at__isnull=False, cancelled_at__gt=now - rules.CANCELLED_SHOWN_FOR
    )
    rows = Drive.objects.of(organization).filter(upcoming | cancelled).select_related("organization", "site")
    return list(rows.order_by("starts_at", "pk")[: rules.MAX_FEED_DRIVES])
