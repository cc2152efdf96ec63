"""Queue digests for coordinators, with the bookings cancelled or restored less than three days before the visit.

A drive gets at most one digest in 15 minutes.
"""

from collections.abc import Collection
from datetime import UTC, datetime

from django.db import transaction
from django.db.models import F, Max, Q, QuerySet

from drives.booking import messages, rules
from drives.models import Booking, BookingChange, BookingState, Drive, DriveState
from notifications import kinds
from notifications.models import Message
from organizations import sweeps


def queue_due_digests(*, now: datetime) -> int:
    """Queue a digest for each drive with unreported changes. Return the number of e-mails.

    A digest covers the changes since the drive's previous digest, up to the last full quarter of an hour. It leaves out
    bookings that were both cancelled and restored in that period. A drive that is over or cancelled gets no digest.
    """
    until = _compute_window_end(now)
    newest = (
        _find_changes(until, now).values_list("booking__drive").annotate(newest=Max("at")).order_by("booking__drive")
    )
    changed = dict(newest)
    reported = _load_reported_until(changed)
    drive_ids = [pk for pk, at in changed.items() if pk not in reported or at >= reported[pk]]
    return sweeps.run_each("cancellation_digests", drive_ids, lambda pk: _queue_digest(pk, until, now), now=now)


@transaction.atomic
def _queue_digest(drive_id: int, until: datetime, now: datetime) -> int:
    """Queue the digest of one drive. Locks: the drive's row, so that two sweeps do not report the same change."""
    drive = _lock_drive(drive_id)
    changes = _find_changes(until, now).filter(booking__drive=drive)
    if since := _load_reported_until([drive_id]).get(drive_id):
        changes = changes.filter(at__gte=since)
    cancelled, restored = _list_net_changes(changes)
    if not cancelled and not restored:
        return 0
    return messages.queue_cancellation_digest(drive, _format_key(drive_id, until), cancelled, restored, now)


def _lock_drive(drive_id: int) -> Drive:
    drives = Drive.objects.select_for_update(no_key=True, of=("self",)).select_related("organization", "site")
    return drives.get(pk=drive_id)


def _list_net_changes(changes: QuerySet[BookingChange]) -> tuple[list[datetime], list[datetime]]:
    """Return two lists of arrival times: of the cancelled bookings, and of the restored bookings.

    A booking that has the same state before and after all of these changes is left out.
    """
    was_cancelled: dict[Booking, bool] = {}
    is_cancelled: dict[Booking, bool] = {}
    for change in changes.select_related("booking").order_by("pk"):
        was_cancelled.setdefault(change.booking, change.from_state == BookingState.CANCELLED)
        is_cancelled[change.booking] = change.to_state == BookingState.CANCELLED
    changed = [booking for booking in is_cancelled if is_cancelled[booking] != was_cancelled[booking]]
    return (
        [booking.starts_at for booking in changed if is_cancelled[booking]],
        [booking.starts_at for booking in changed if was_cancelled[booking]],
    )


def _find_changes(until: datetime, now: datetime) -> QuerySet[BookingChange]:
    """Find the changes that a digest may still report: bookings cancelled or restored shortly before the visit."""
    changes = BookingChange.objects.filter(
        Q(to_state=BookingState.CANCELLED) | Q(from_state=BookingState.CANCELLED),
        at__gte=until - rules.CANCELLATION_DIGEST_WITHIN,
        at__lt=until,
        booking__starts_at__lt=F("at") + rules.CANCELLATION_ALERT_WITHIN,
        booking__drive__ends_at__gt=now,
    )
    return changes.exclude(booking__drive__state=DriveState.CANCELLED)


def _compute_window_end(now: datetime) -> datetime:
    seconds = int(rules.CANCELLATION_DIGEST_EVERY.total_seconds())
    elapsed = int((now - rules.CANCELLATION_DIGEST_DELAY).timestamp())
    return datetime.fromtimestamp(elapsed // seconds * seconds, UTC)


def _format_key(drive_id: int, until: datetime) -> str:
    return f"drive:{drive_id}/{kinds.ALERT_CANCELLATION.name}/{int(until.timestamp())}"


def _load_reported_until(drive_ids: Collection[int]) -> dict[int, datetime]:
    """Return the end of the period that each drive's last digest covers, keyed by drive id.

    The keys of the digests' messages contain this time. Drives without a digest are left out.
    """
    abouts = [f"drive:{pk}" for pk in drive_ids]
    keys = Message.objects.filter(about__in=abouts, kind=kinds.ALERT_CANCELLATION.name).values_list("key", flat=True)
    reported: dict[int, datetime] = {}
    for key in keys:
        about, _kind, until, *_rest = key.split("/")
        pk, at = int(about.removeprefix("drive:")), datetime.fromtimestamp(int(until), UTC)
        reported[pk] = max(at, reported.get(pk, at))
    return reported
