"""Freed places are kept for who waits; who has a place waits no longer. Parts of the actions that free and take."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from drives.capacity import counters, locks
from drives.domain import grid
from drives.domain.grid import Footprint
from drives.models import IN_LINE, Booking, Drive, Hold, Offer, OfferState, WaitingEntry, WaitingState
from notifications import outbox
from notifications.kinds import Withdrawal


def keep(drive_id: int, given_up: Iterable[Footprint], now: datetime) -> counters.Deltas:
    """Keep these places if somebody waits for one at this drive: what the slots do not get back.

    Nobody is looked for here, for that takes the lock of an identity: `drives.waitlist.offers` does it next. Whoever
    begins to wait at this moment finds the place free.
    """
    left = list(given_up)
    if not left or not WaitingEntry.objects.filter(drive=drive_id, state=WaitingState.WAITING).exists():
        return {}
    Hold.objects.bulk_create(hold(drive_id, place, now) for place in left)
    return counters.combined(grid.net(None, place) for place in left)


def hold(drive_id: int, place: Footprint, now: datetime) -> Hold:
    """A kept place that is not written yet."""
    return Hold(
        drive_id=drive_id,
        first_step=place.screening.start,
        screening_steps=len(place.screening),
        chair_from=place.chairs.start,
        chair_to=place.chairs.stop,
        created_at=now,
    )


def end_waiting(bookings: Sequence[Booking], now: datetime) -> None:
    """Close the waiting-list entries of people with a place at one drive that they got in another way.

    What was offered to them goes to the next person. Part of the action that books them, under the lock of their
    identities. One query if none of them waits. Locks: their entries.
    """
    people = [booking.volunteer_id for booking in bookings]
    theirs = WaitingEntry.objects.filter(drive=bookings[0].drive_id, volunteer__in=people, state__in=IN_LINE)
    for entry in locks.waiting_entries(theirs.values_list("pk", flat=True)):
        close(entry, WaitingState.BOOKED, now)


def close(entry: WaitingEntry, state: WaitingState, now: datetime) -> None:
    """End a locked entry; an open offer is withdrawn, and its place is kept for the next in line."""
    if entry.state == WaitingState.OFFERED:
        offer = Offer.objects.open().get(entry=entry)
        end_offer(offer, OfferState.WITHDRAWN, now)
    outbox.withdraw(abouts=[entry.about], cause=Withdrawal.LEFT, now=now)
    entry.state, entry.held_until, entry.changed_at = state, None, now
    entry.save(update_fields=["state", "held_until", "changed_at"])


def end_offer(offer: Offer, state: OfferState, now: datetime) -> None:
    """End an open offer under its entry's lock; its place is then kept for nobody, and nothing more is said of it."""
    offer.state, offer.hold, offer.ended_at = state, None, now
    offer.save(update_fields=["state", "hold", "ended_at", "booking"])
    outbox.withdraw(abouts=[offer.about], cause=Withdrawal.ANSWERED, now=now)


def drop_all(drive: Drive, now: datetime) -> list[Hold]:
    """Give up every place that a drive keeps; offers are withdrawn. The caller counts, and has the drive exclusively.

    The entries stay in line until `drives.waitlist.offers` closes the list and tells them.
    """
    for offer in Offer.objects.open().filter(entry__drive=drive).order_by("pk"):
        end_offer(offer, OfferState.WITHDRAWN, now)
    WaitingEntry.objects.filter(drive=drive, state=WaitingState.OFFERED).update(state=WaitingState.WAITING)
    given_up = list(Hold.objects.filter(drive=drive))
    Hold.objects.filter(drive=drive).delete()
    return given_up
