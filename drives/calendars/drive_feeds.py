"""The drives of an organization for the calendars that subscribe to them."""

from datetime import datetime, timedelta

from django.db.models import Q

from drives.models import Drive, DriveState
from organizations.models import Organization

CANCELLED_SHOWN_FOR = timedelta(days=30)
MAX_DRIVES = 100


def list_feed_drives(organization: Organization, now: datetime) -> list[Drive]:
    """The coming drives of an organization that anybody may see, and for 30 days those that were cancelled: a reader
    that finds an event gone may keep it. One query.
    """
    coming = Q(state__in=[DriveState.PUBLISHED, DriveState.CLOSED], ends_at__gt=now)
    gone = Q(state=DriveState.CANCELLED, published_at__isnull=False, cancelled_at__gt=now - CANCELLED_SHOWN_FOR)
    rows = Drive.objects.of(organization).filter(coming | gone).select_related("organization", "site")
    return list(rows.order_by("starts_at", "pk")[:MAX_DRIVES])
