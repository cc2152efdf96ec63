"""A freed place goes to the first in line who can have it: offered, taken, passed on."""

import logging
from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from drives import refusals
from drives.booking import create
from drives.booking import messages as booking_messages
from drives.capacity import booking_facts, counters, locks, reserved_spots
from drives.capacity import rules as capacity_rules
from drives.domain import grid, matching
from drives.eligibility import check, history, self_check
from drives.eligibility import rules as eligibility_rules
from drives.messaging import schedule
from drives.models import (
    Booking,
    BookingState,
    Offer,
    OfferState,
    ReservedSpot,
    Source,
    WaitlistEntry,
    WaitlistEntryState,
)
from drives.waitlist import close, messages, queries, rules
from volunteers import queries as volunteers_queries

MAX_OFFERS_PER_SWEEP = 200  # offers of one drive in one sweep

log = logging.getLogger(__name__)


def sweep_waitlists(*, now: datetime) -> dict[str, int]:
    """Close what is over, lapse what was not proved or answered in time, and offer every place somebody waits for."""
    counts = {
        "closed": _run_each(
            queries.list_waitlists_to_close(now), lambda pk: close.close_ended_waitlist(drive_id=pk, now=now)
        ),
        "lapsed": _lapse_unverified(now),
        "expired": _run_each(_list_expired_offer_ids(now), lambda pk: expire_offer(offer_id=pk, now=now)),
    }
    return {**counts, "offered": _run_each(queries.list_drives_to_offer(), lambda pk: _offer_all_spots(pk, now))}


def _run_each(ids: list[int], action: Callable[[int], int]) -> int:
    """One row that fails in a way nobody foresaw must not hold up the others."""
    done = 0
    for pk in ids:
        try:
            done += action(pk)
        except Exception as error:
            log.error("waitlist entry %s cannot be offered a spot: %s", pk, type(error).__name__)
    return done


def _offer_all_spots(drive_id: int, now: datetime) -> int:
    made = 0
    while made < MAX_OFFERS_PER_SWEEP and offer_next_spot(drive_id=drive_id, now=now):
        made += 1
    return made


class _SpotTakenError(Exception):
    """Somebody took what was free while we looked: look again at the next sweep."""


@transaction.atomic
def offer_next_spot(*, drive_id: int, now: datetime) -> bool:
    """Offer one place to the first in line who can have it; False if there is none to offer, or nobody to offer it to.

    Kept places that nobody in line can have are free for everybody again. One sweep at a time works off a line, so
    that the order holds. Locks: the line (try), identities of who is judged, drive (shared), entry, kept places, slots.
    """
    if not locks.lock_waitlist(drive_id):
        return False
    line = queries.load_waitlist(drive_id)
    try:
        for entry in line.entries:
            # A quick look without locks; a slow one under them, undone with its locks if it comes to nothing.
            if line.fits(entry, now) and _try_offer(entry, now):
                return True
    except _SpotTakenError:
        return False
    _release_unused_spots(drive_id, set(line.kept))
    return False


def _try_offer(entry: WaitlistEntry, now: datetime) -> bool:
    with transaction.atomic():
        offered = _offer_spot(entry, now)
        transaction.set_rollback(not offered)
    return offered


def _offer_spot(candidate: WaitlistEntry, now: datetime) -> bool:
    locks.lock_identities_then_drive(
        volunteers_queries.list_person_identities(volunteer_id=candidate.volunteer_id), candidate.drive_id
    )
    entry = locks.lock_waitlist_entry(candidate.pk)
    kept = locks.lock_reserved_spots(entry.drive_id)
    if entry.state != WaitlistEntryState.WAITING:
        return False
    judged = check.check_eligibility(_build_donor(entry), entry.drive, entry.drive.starts_at)
    entry.visit = judged.visit or entry.visit
    fit = _find_best_fit(entry, judged, now)
    if fit is None:
        return False
    used = [place for place in kept if place.pk in fit.reserved_spot_ids]
    _create_offer(entry, fit, now)
    ReservedSpot.objects.filter(pk__in=fit.reserved_spot_ids).delete()
    if not counters.change_counters(
        drive_id=entry.drive_id,
        deltas=counters.combine_deltas(
            [grid.compute_net_deltas(None, fit.footprint), counters.compute_released_deltas(used)]
        ),
    ):
        raise _SpotTakenError
    return True


def _find_best_fit(entry: WaitlistEntry, judged: check.EligibilityCheck, now: datetime) -> matching.SpotMatch | None:
    """The first of the ways to seat them that every rule of a booking allows."""
    for fit in queries.load_waitlist(entry.drive_id, entry.pk).fits(entry, now):
        found = _load_booking_facts(entry, fit.slot_id, now)
        if not capacity_rules.reasons_not_to_book(found.facts, now) and judged.allows(entry.drive, fit.starts_at):
            return fit
    return None


def _load_booking_facts(entry: WaitlistEntry, slot_id: int, now: datetime) -> booking_facts.RequestedSlot:
    return booking_facts.load_booking_facts(
        drive_id=entry.drive_id, slot_id=slot_id, volunteer_id=entry.volunteer_id, has_reserved_spot=True, now=now
    )


def _create_offer(entry: WaitlistEntry, fit: matching.SpotMatch, now: datetime) -> None:
    kept = reserved_spots.build_reserved_spot(entry.drive_id, fit.footprint, now)
    kept.save(force_insert=True)
    offer = Offer.objects.create(
        **Offer.build_link_fields(),
        entry=entry,
        hold=kept,
        arrival_id=fit.slot_id,
        starts_at=fit.starts_at,
        deadline=matching.compute_offer_deadline(now, fit.starts_at, schedule.build_quiet_hours(entry.drive)),
        made_at=now,
    )
    _set_entry_state(entry, WaitlistEntryState.OFFERED, now)
    messages.queue_offer(offer, now)


def _release_unused_spots(drive_id: int, seen_spot_ids: set[int]) -> None:
    """Free the kept places that fit nobody; those that came since we looked are looked at next time."""
    if not seen_spot_ids:
        return
    locks.lock_drive_shared(drive_id)
    unused = [place for place in locks.lock_reserved_spots(drive_id) if place.pk in seen_spot_ids]
    ReservedSpot.objects.filter(pk__in=[place.pk for place in unused]).delete()
    counters.change_counters(drive_id=drive_id, deltas=counters.compute_released_deltas(unused))


@transaction.atomic
def accept_offer(*, offer_id: int, actor: str, now: datetime) -> Booking:
    """Take the offered place: booked at once, for every rule is judged here as for any booking.

    A second tap answers with the same booking. Refuses an offer that is over, and what stands against a booking; the
    place stays theirs until the deadline then. Locks: identities, drive (shared), entry; slots if the kind of visit
    is another by now.
    """
    known = WaitlistEntry.objects.get(offers=offer_id)
    locks.lock_identities_then_drive(
        volunteers_queries.list_person_identities(volunteer_id=known.volunteer_id), known.drive_id
    )
    offer = _lock_offer(known.pk, offer_id)
    if offer.state == OfferState.ACCEPTED and offer.booking:
        return locks.lock_booking(offer.booking.pk)
    _refuse_ended_offer(offer, now)
    entry, drive = offer.entry, offer.entry.drive
    found = _load_booking_facts(entry, offer.arrival_id, now)
    visit = create.refuse_unless_bookable(found.facts, drive, entry.visit, now, _build_donor(entry))
    booking = _book_offer(offer, actor, now)
    if visit != booking.visit:  # what was recorded changed since the offer
        if not create.correct_visit_types([(booking, visit)], now, has_overdue_holds=found.has_overdue_holds):
            reasons = [eligibility_rules.build_first_visit_reason()]
            create.refuse_with_times(reasons, drive, (visit,), booking.starts_at, now)
        booking.save(update_fields=["visit", *create.FOOTPRINT_FIELDS])
    booking_messages.queue_confirmations([locks.lock_booking(booking.pk)], now)
    return booking


def _book_offer(offer: Offer, actor: str, now: datetime) -> Booking:
    """The kept place becomes a booking: the counters stay as they are."""
    entry, kept = offer.entry, offer.hold
    assert kept is not None  # an open offer keeps a place
    if entry.registration:  # the drive may have another policy by now
        entry.registration.self_check = self_check.revalidate_self_check(
            entry.registration.self_check, entry.drive.policy.self_check
        )
    booking = create.build_booking(
        entry.drive,
        offer.arrival,
        counters.build_footprint(kept),
        entry.visit,
        now,
        state=BookingState.BOOKED,
        source=Source.WAITLIST,
        registration=entry.registration,
        volunteer=entry.volunteer,
    )
    create.insert_bookings([booking], actor=actor)
    booking.verified_at = entry.verified_at
    booking.save(update_fields=["verified_at"])
    offer.booking = booking
    reserved_spots.end_offer(offer, OfferState.ACCEPTED, now)
    kept.delete()
    _set_entry_state(entry, WaitlistEntryState.BOOKED, now)
    return booking


@transaction.atomic
def decline_offer(*, offer_id: int, now: datetime, by_text: bool = False) -> Offer:
    """Pass the place on, and keep one's place in line; this time is not offered again. Twice changes nothing.

    Refuses an offer that is over. Locks: drive (shared), entry.
    """
    offer = _lock_drive_and_offer(offer_id)
    if offer.state == OfferState.DECLINED:
        return offer
    _refuse_ended_offer(offer, now)
    reserved_spots.end_offer(offer, OfferState.DECLINED, now)
    _set_entry_state(offer.entry, WaitlistEntryState.WAITING, now)
    if by_text:
        messages.queue_passed_on(offer, now)
    return offer


@transaction.atomic
def expire_offer(*, offer_id: int, now: datetime) -> bool:
    """Nobody answered in time: the place goes to the next, and its person to the end of the line.

    Changes nothing about an offer that was answered meanwhile. Locks: drive (shared), entry.
    """
    offer = _lock_drive_and_offer(offer_id)
    if offer.state != OfferState.OPEN or offer.deadline > now:
        return False
    reserved_spots.end_offer(offer, OfferState.EXPIRED, now)
    offer.entry.joined_at = now
    _set_entry_state(offer.entry, WaitlistEntryState.WAITING, now)
    return True


def _lock_offer(entry_id: int, offer_id: int) -> Offer:
    """The offer as it is under the lock of its entry."""
    entry = locks.lock_waitlist_entry(entry_id)
    offer = Offer.objects.select_related("arrival", "booking", "hold").get(pk=offer_id)
    offer.entry = entry
    return offer


def _lock_drive_and_offer(offer_id: int) -> Offer:
    entry_id, drive_id = WaitlistEntry.objects.values_list("pk", "drive_id").get(offers=offer_id)
    locks.lock_drive_shared(drive_id)
    return _lock_offer(entry_id, offer_id)


def _refuse_ended_offer(offer: Offer, now: datetime) -> None:
    if offer.state != OfferState.OPEN:
        raise refusals.Refusal([rules.build_offer_ended_reason(offer.state)])
    if offer.deadline <= now:
        raise refusals.Refusal([rules.build_offer_ended_reason(OfferState.EXPIRED)])


def _build_donor(entry: WaitlistEntry) -> history.DonorScope:
    """Over all organizations only for who proved a contact; a coordinator's entry is judged on their own rows."""
    assert entry.volunteer_id is not None  # who is in line is known
    return history.DonorScope(entry.volunteer_id, everywhere=entry.verified_at is not None)


def _set_entry_state(entry: WaitlistEntry, state: WaitlistEntryState, now: datetime) -> None:
    entry.state, entry.changed_at = state, now
    entry.save(update_fields=["state", "changed_at", "joined_at", "visit"])


def _list_expired_offer_ids(now: datetime) -> list[int]:
    return list(Offer.objects.open().filter(deadline__lte=now).order_by("deadline", "pk").values_list("pk", flat=True))


def _lapse_unverified(now: datetime) -> int:
    return WaitlistEntry.objects.overdue(now).update(state=WaitlistEntryState.LAPSED, changed_at=now)
