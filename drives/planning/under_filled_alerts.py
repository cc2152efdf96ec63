from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Count

from drives.booking import messages as booking_messages
from drives.capacity import availability, locks
from drives.models import ACTIVE_STATES, Booking, Drive, DriveState
from drives.planning import rules
from organizations import sweeps


def alert_under_filled_drives(*, now: datetime) -> int:
    """Alert coordinators to each drive within a week that is less than 60 % full. Return the number of alerts.

    Each drive gets only one alert.
    """
    drives = Drive.objects.filter(
        state=DriveState.PUBLISHED,
        under_filled_alert_at__isnull=True,
        starts_at__gt=now,
        starts_at__lte=now + rules.UNDER_FILLED_WITHIN,
    )
    found = list(drives.order_by("starts_at", "pk"))
    under_filled = _list_under_filled(found, now) if found else []
    return sweeps.run_each("under_filled", under_filled, lambda pk: _alert_if_under_filled(pk, now), now=now)


def _list_under_filled(drives: Sequence[Drive], now: datetime) -> list[int]:
    """Check all drives without locks first, because most have enough bookings. Two queries."""
    ids = [drive.pk for drive in drives]
    rows = Booking.objects.filter(drive__in=ids, state__in=ACTIVE_STATES).order_by("drive").values_list("drive")
    booked = Counter(dict(rows.annotate(Count("pk"))))
    slots = availability.list_slots_by_drive(ids)
    return [
        drive.pk
        for drive in drives
        if rules.is_under_filled(booked[drive.pk], availability.count_spots_left(drive, slots[drive.pk], now))
    ]


@transaction.atomic
def _alert_if_under_filled(drive_id: int, now: datetime) -> bool:
    locks.lock_drive_shared(drive_id)
    drive = Drive.objects.select_related("organization", "site").get(pk=drive_id)
    booked = Booking.objects.filter(drive=drive, state__in=ACTIVE_STATES).count()
    left = availability.count_drive_spots_left(drive, now)
    if not rules.is_under_filled(booked, left):
        return False
    # The conditional UPDATE succeeds for only one worker, which sends the alert.
    is_first = Drive.objects.filter(pk=drive_id, under_filled_alert_at__isnull=True).update(under_filled_alert_at=now)
    if is_first:
        booking_messages.queue_under_filled_alert(drive, booked, left, now)
    return bool(is_first)
