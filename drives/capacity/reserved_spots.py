"""Reserve freed spots for the waitlist, and close the entries of booked donors."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from drives.capacity import counters, locks
from drives.domain import grid
from drives.domain.grid import Footprint
from drives.models import (
    WAITLISTED_STATES,
    Booking,
    Drive,
    Offer,
    OfferState,
    ReservedSpot,
    WaitlistEntry,
    WaitlistEntryState,
)
from notifications import outbox
from notifications.kinds import Withdrawal


def reserve_freed_spots(drive_id: int, footprints: Iterable[Footprint], now: datetime) -> counters.Deltas:
    """Reserve these footprints if donors are on the drive's waitlist. Return the counter changes.

    `drives.waitlist.offers` offers the spots later, because choosing a donor needs identity locks. If a donor joins the
    waitlist at the same moment, the spot may stay unreserved. The sweep can still offer it to that donor.
    """
    freed = list(footprints)
    if not freed or not WaitlistEntry.objects.filter(drive=drive_id, state=WaitlistEntryState.WAITING).exists():
        return {}
    ReservedSpot.objects.bulk_create(build_reserved_spot(drive_id, footprint, now) for footprint in freed)
    return counters.combine_deltas(grid.compute_net_deltas(None, footprint) for footprint in freed)


def build_reserved_spot(drive_id: int, footprint: Footprint, now: datetime) -> ReservedSpot:
    return ReservedSpot(
        drive_id=drive_id,
        first_step=footprint.screening.start,
        screening_steps=len(footprint.screening),
        chair_from=footprint.chairs.start,
        chair_to=footprint.chairs.stop,
        created_at=now,
    )


def close_entries_of_booked_donors(bookings: Sequence[Booking], now: datetime) -> None:
    """Close the waitlist entries of donors with a new booking at this drive. Locks: the entries.

    Call this in the transaction that books the donors, after it has locked their identities. If a donor has an open
    offer, the offered spot stays reserved for the next donor. One query if none of the donors is on the waitlist.
    """
    volunteer_ids = [booking.volunteer_id for booking in bookings]
    entries = WaitlistEntry.objects.filter(
        drive=bookings[0].drive_id, volunteer__in=volunteer_ids, state__in=WAITLISTED_STATES
    )
    for entry in locks.lock_waitlist_entries(entries.values_list("pk", flat=True)):
        close_waitlist_entry(entry, WaitlistEntryState.BOOKED, now)


def close_waitlist_entry(entry: WaitlistEntry, state: WaitlistEntryState, now: datetime) -> None:
    """Close a locked entry, and withdraw its open offer. The offered spot stays reserved for the next donor."""
    if entry.state == WaitlistEntryState.OFFERED:
        offer = Offer.objects.open().get(entry=entry)
        end_offer(offer, OfferState.WITHDRAWN, now)
    outbox.withdraw_messages(abouts=[entry.about], cause=Withdrawal.LEFT, now=now)
    entry.state, entry.held_until, entry.changed_at = state, None, now
    entry.save(update_fields=["state", "held_until", "changed_at"])


def end_offer(offer: Offer, state: OfferState, now: datetime) -> None:
    """End an open offer, and withdraw its messages. Its spot stays reserved. The caller has locked the entry."""
    offer.state, offer.reserved_spot, offer.ended_at = state, None, now
    offer.save(update_fields=["state", "reserved_spot", "ended_at", "booking"])
    outbox.withdraw_messages(abouts=[offer.about], cause=Withdrawal.ANSWERED, now=now)


def release_reserved_spots(drive: Drive, now: datetime) -> list[ReservedSpot]:
    """Delete a drive's reserved spots, withdraw their offers, and return the spots.

    The caller holds the drive's exclusive lock and changes the counters. The waitlist entries stay open.
    """
    for offer in Offer.objects.open().filter(entry__drive=drive).order_by("pk"):
        end_offer(offer, OfferState.WITHDRAWN, now)
    WaitlistEntry.objects.filter(drive=drive, state=WaitlistEntryState.OFFERED).update(state=WaitlistEntryState.WAITING)
    released = list(ReservedSpot.objects.filter(drive=drive))
    ReservedSpot.objects.filter(drive=drive).delete()
    return released
