"""Freed places are kept for who waits; who has a place waits no longer. Parts of the actions that free and take."""

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
    """Keep these places if somebody waits for one at this drive: what the slots do not get back.

    Nobody is looked for here, for that takes the lock of an identity: `drives.waitlist.offers` does it next. Whoever
    begins to wait at this moment finds the place free.
    """
    left = list(footprints)
    if not left or not WaitlistEntry.objects.filter(drive=drive_id, state=WaitlistEntryState.WAITING).exists():
        return {}
    ReservedSpot.objects.bulk_create(build_reserved_spot(drive_id, place, now) for place in left)
    return counters.combine_deltas(grid.compute_net_deltas(None, place) for place in left)


def build_reserved_spot(drive_id: int, footprint: Footprint, now: datetime) -> ReservedSpot:
    """A kept place that is not written yet."""
    return ReservedSpot(
        drive_id=drive_id,
        first_step=footprint.screening.start,
        screening_steps=len(footprint.screening),
        chair_from=footprint.chairs.start,
        chair_to=footprint.chairs.stop,
        created_at=now,
    )


def close_entries_of_booked_donors(bookings: Sequence[Booking], now: datetime) -> None:
    """Close the waiting-list entries of people with a place at one drive that they got in another way.

    What was offered to them goes to the next person. Part of the action that books them, under the lock of their
    identities. One query if none of them waits. Locks: their entries.
    """
    people = [booking.volunteer_id for booking in bookings]
    theirs = WaitlistEntry.objects.filter(drive=bookings[0].drive_id, volunteer__in=people, state__in=WAITLISTED_STATES)
    for entry in locks.lock_waitlist_entries(theirs.values_list("pk", flat=True)):
        close_waitlist_entry(entry, WaitlistEntryState.BOOKED, now)


def close_waitlist_entry(entry: WaitlistEntry, state: WaitlistEntryState, now: datetime) -> None:
    """End a locked entry; an open offer is withdrawn, and its place is kept for the next in line."""
    if entry.state == WaitlistEntryState.OFFERED:
        offer = Offer.objects.open().get(entry=entry)
        end_offer(offer, OfferState.WITHDRAWN, now)
    outbox.withdraw_messages(abouts=[entry.about], cause=Withdrawal.LEFT, now=now)
    entry.state, entry.held_until, entry.changed_at = state, None, now
    entry.save(update_fields=["state", "held_until", "changed_at"])


def end_offer(offer: Offer, state: OfferState, now: datetime) -> None:
    """End an open offer under its entry's lock; its place is then kept for nobody, and nothing more is said of it."""
    offer.state, offer.hold, offer.ended_at = state, None, now
    offer.save(update_fields=["state", "hold", "ended_at", "booking"])
    outbox.withdraw_messages(abouts=[offer.about], cause=Withdrawal.ANSWERED, now=now)


def release_reserved_spots(drive: Drive, now: datetime) -> list[ReservedSpot]:
    """Give up every place that a drive keeps; offers are withdrawn. The caller counts, and has the drive exclusively.

    The entries stay in line until `drives.waitlist.offers` closes the list and tells them.
    """
    for offer in Offer.objects.open().filter(entry__drive=drive).order_by("pk"):
        end_offer(offer, OfferState.WITHDRAWN, now)
    WaitlistEntry.objects.filter(drive=drive, state=WaitlistEntryState.OFFERED).update(state=WaitlistEntryState.WAITING)
    given_up = list(ReservedSpot.objects.filter(drive=drive))
    ReservedSpot.objects.filter(drive=drive).delete()
    return given_up
