"""Notify donors after the name or address of their drive's site has changed."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from django.db.models import F

from drives.booking import messages as booking_messages
from drives.capacity import locks
from drives.messaging import schedule
from drives.models import EXPECTED_STATES, Booking, Drive, DriveState, Site

BATCH_SIZE = 500


def is_different_location(before: Site, after: Site) -> bool:
    """Return whether the name or address has changed, ignoring case, spaces and punctuation."""
    return _normalize_location(before) != _normalize_location(after)


def list_upcoming_drive_ids(site: Site, now: datetime) -> list[int]:
    upcoming = Drive.objects.filter(site=site, ends_at__gt=now, state__in=[DriveState.PUBLISHED, DriveState.CLOSED])
    return list(upcoming.order_by("pk").values_list("pk", flat=True))


def notify_relocation(*, drive_ids: Sequence[int], now: datetime) -> int:
    """Increase the revision of the bookings at these drives, and notify the donors. Return the number of bookings.

    The caller has locked the drives (exclusive) and saved the changed site. Locks: bookings by id.
    """
    # Calendar feeds use the drive's version as SEQUENCE.
    Drive.objects.filter(pk__in=drive_ids).update(version=F("version") + 1, changed_at=now)
    ids = schedule.list_booking_ids_to_remind(drive_ids, now)
    batches = (ids[start : start + BATCH_SIZE] for start in range(0, len(ids), BATCH_SIZE))
    return sum(_notify_batch(batch, now) for batch in batches)


def _notify_batch(ids: Sequence[int], now: datetime) -> int:
    bookings = [booking for booking in locks.lock_bookings(ids) if booking.state in EXPECTED_STATES]
    for booking in bookings:
        booking.revision, booking.changed_at = booking.revision + 1, now
    Booking.objects.bulk_update(bookings, ["revision", "changed_at"])
    # `queue_relocated` accepts the bookings of one drive at a time.
    by_drive = sorted(bookings, key=lambda booking: (booking.drive_id, booking.pk))
    for _drive_id, drive_bookings in groupby(by_drive, key=lambda booking: booking.drive_id):
        booking_messages.queue_relocated(list(drive_bookings), now)
    return len(bookings)


def _normalize_location(site: Site) -> str:
    return "".join(character for character in f"{site.name} {site.full_address}".casefold() if character.isalnum())
