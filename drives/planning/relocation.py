"""A place where people have booked has another name or address: they are told, as of another time."""

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
    """Whether somebody would look for the two in different places; case, spaces and commas are no difference."""
    return _normalize_location(before) != _normalize_location(after)


def list_upcoming_drive_ids(site: Site, now: datetime) -> list[int]:
    """The drives at a place to which people still come. One query."""
    coming = Drive.objects.filter(site=site, ends_at__gt=now, state__in=[DriveState.PUBLISHED, DriveState.CLOSED])
    return list(coming.order_by("pk").values_list("pk", flat=True))


def notify_relocation(*, drive_ids: Sequence[int], now: datetime) -> int:
    """Give the bookings of these drives a new revision and tell their people where to come; returns how many there are.

    Part of a change of the place, which holds the drives exclusively. Locks bookings by id.
    """
    Drive.objects.filter(pk__in=drive_ids).update(version=F("version") + 1, changed_at=now)
    ids = schedule.list_booking_ids_to_remind(drive_ids, now)
    batches = (ids[start : start + BATCH_SIZE] for start in range(0, len(ids), BATCH_SIZE))
    return sum(_notify_batch(batch, now) for batch in batches)


def _notify_batch(ids: Sequence[int], now: datetime) -> int:
    bookings = [booking for booking in locks.lock_bookings(ids) if booking.state in EXPECTED_STATES]
    for booking in bookings:
        booking.revision, booking.changed_at = booking.revision + 1, now
    Booking.objects.bulk_update(bookings, ["revision", "changed_at"])
    by_drive = sorted(bookings, key=lambda booking: (booking.drive_id, booking.pk))
    for _drive_id, theirs in groupby(by_drive, key=lambda booking: booking.drive_id):
        booking_messages.queue_relocated(list(theirs), now)
    return len(bookings)


def _normalize_location(site: Site) -> str:
    return "".join(letter for letter in f"{site.name} {site.full_address}".casefold() if letter.isalnum())
