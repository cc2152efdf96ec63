"""Make, accept, decline and expire offers of freed spots to donors on the waitlist."""

from datetime import datetime

from django.db import transaction

from drives import refusals
from drives.booking import create
from drives.booking import messages as booking_messages
from drives.capacity import booking_facts, counters, locks, reserved_spots
from drives.capacity import rules as capacity_rules
from drives.domain import grid, waitlist_matching
from drives.eligibility import check, history, self_check
from drives.eligibility import rules as eligibility_rules
from drives.messaging import schedule
from drives.models import (
    Booking,
    BookingState,
    Offer,
    OfferCheck,
    OfferState,
    ReservedSpot,
    Source,
    WaitlistEntry,
    WaitlistEntryState,
)
from drives.waitlist import close, entries, messages, queries, rules
from organizations import audit, sweeps
from volunteers import queries as volunteers_queries


def sweep_waitlists(*, now: datetime) -> dict[str, int]:
    counts = {
        "closed": sweeps.run_each(
            "close_waitlists",
            queries.list_waitlists_to_close(now),
            lambda pk: close.close_ended_waitlist(drive_id=pk, now=now),
            now=now,
        ),
        "lapsed": _lapse_unverified(now),
        "expired": sweeps.run_each(
            "expire_offers", _list_expired_offer_ids(now), lambda pk: expire_offer(offer_id=pk, now=now), now=now
        ),
    }
    offered = sweeps.run_each(
        "offer_spots", queries.list_drives_to_offer(now), lambda pk: _offer_all_spots(pk, now), now=now
    )
    return {**counts, "offered": offered}


def _offer_all_spots(drive_id: int, now: datetime) -> int:
    made = 0
    while made < rules.MAX_OFFERS_PER_SWEEP and offer_next_spot(drive_id=drive_id, now=now):
        made += 1
    return made


class _SpotTakenError(Exception):
    """A booking took the spot at the same moment. The next sweep tries again."""


@transaction.atomic
def offer_next_spot(*, drive_id: int, now: datetime) -> bool:
    """Offer one spot to the first eligible entry. Return False if this call made no offer.

    That happens if no entry matches, if another worker holds the waitlist's lock, or if a booking takes the spot.
    Releases reserved spots that fit no entry. Only one worker at a time handles a waitlist, so that the order of
    entries is kept. Locks: waitlist (try-lock), identities of the donor, drive (shared), entry, reserved spots, slots.
    """
    if not locks.lock_waitlist(drive_id):
        return False
    fingerprint = queries.compute_offer_fingerprint(drive_id, now)
    waitlist = queries.load_waitlist(drive_id)
    try:
        for entry in waitlist.entries:
            # Check without locks first. `_try_offer` checks again with locks, and releases them if nothing matches.
            if waitlist.list_fits(entry, now) and _try_offer(entry, now):
                return True
    except _SpotTakenError:
        return False
    _release_unused_spots(drive_id, set(waitlist.reserved_spots))
    if fingerprint:
        OfferCheck.objects.update_or_create(drive_id=drive_id, defaults={"fingerprint": fingerprint, "checked_at": now})
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
    reserved = locks.lock_reserved_spots(entry.drive_id)
    if entry.state != WaitlistEntryState.WAITING:
        return False
    eligibility = check.check_eligibility(_get_donor_scope(entry), entry.drive, entry.drive.starts_at)
    entry.visit = eligibility.visit or entry.visit
    fit = _find_best_fit(entry, eligibility, now)
    if fit is None:
        return False
    used = [spot for spot in reserved if spot.pk in fit.reserved_spot_ids]
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


def _find_best_fit(
    entry: WaitlistEntry, eligibility: check.EligibilityCheck, now: datetime
) -> waitlist_matching.SpotMatch | None:
    for fit in queries.load_waitlist(entry.drive_id, entry.pk).list_fits(entry, now):
        slot = _load_booking_facts(entry, fit.slot_id, now)
        if not capacity_rules.reasons_not_to_book(slot.facts, now) and eligibility.allows(entry.drive, fit.starts_at):
            return fit
    return None


def _load_booking_facts(entry: WaitlistEntry, slot_id: int, now: datetime) -> booking_facts.RequestedSlot:
    return booking_facts.load_booking_facts(
        drive_id=entry.drive_id, slot_id=slot_id, volunteer_id=entry.volunteer_id, has_reserved_spot=True, now=now
    )


def _create_offer(entry: WaitlistEntry, fit: waitlist_matching.SpotMatch, now: datetime) -> None:
    reserved = reserved_spots.build_reserved_spot(entry.drive_id, fit.footprint, now)
    reserved.save(force_insert=True)
    offer = Offer.objects.create(
        **Offer.build_link_fields(),
        entry=entry,
        reserved_spot=reserved,
        arrival_id=fit.slot_id,
        starts_at=fit.starts_at,
        deadline=rules.compute_offer_deadline(now, fit.starts_at, schedule.build_quiet_hours(entry.drive)),
        created_at=now,
    )
    _set_entry_state(entry, WaitlistEntryState.OFFERED, now)
    messages.queue_offer(offer, now)


def _release_unused_spots(drive_id: int, seen_spot_ids: set[int]) -> None:
    """Release the reserved spots in `seen_spot_ids` that have no offer.

    Spots that were reserved later stay reserved, because the search for a donor did not include them.
    """
    if not seen_spot_ids:
        return
    locks.lock_drive_shared(drive_id)
    unused = [spot for spot in locks.lock_reserved_spots(drive_id) if spot.pk in seen_spot_ids]
    ReservedSpot.objects.filter(pk__in=[spot.pk for spot in unused]).delete()
    counters.change_counters(drive_id=drive_id, deltas=counters.compute_released_deltas(unused))


@transaction.atomic
def accept_offer(*, offer_id: int, actor: str, now: datetime) -> Booking:
    """Book the offered spot. All rules for bookings are checked again.

    A second call returns the same booking. Refuses an offer that has ended. If a rule refuses the donor, the offer
    stays open until its deadline. Raises limits.TooManyChanges after too many changes by the donor. Locks: identities,
    drive (shared), entry; slots if the visit type has changed.
    """
    entry_before = WaitlistEntry.objects.get(offers=offer_id)
    locks.lock_identities_then_drive(
        volunteers_queries.list_person_identities(volunteer_id=entry_before.volunteer_id), entry_before.drive_id
    )
    offer = _lock_offer(entry_before.pk, offer_id)
    if offer.state == OfferState.ACCEPTED and offer.booking:
        return locks.lock_booking(offer.booking.pk)
    _refuse_ended_offer(offer, now)
    entry, drive = offer.entry, offer.entry.drive
    slot = _load_booking_facts(entry, offer.arrival_id, now)
    visit = create.refuse_unless_bookable(slot.facts, drive, entry.visit, now, _get_donor_scope(entry, actor))
    if actor == booking_messages.DONOR:
        entries.spend_change(entry, now)
    booking = _book_offer(offer, actor, now)
    if visit != booking.visit:  # since the offer, a donation was recorded or removed
        if not create.correct_visit_types([(booking, visit)], now, has_overdue_holds=slot.has_overdue_holds):
            reasons = [eligibility_rules.build_first_visit_reason()]
            create.refuse_with_times(reasons, drive, (visit,), booking.starts_at, now)
        booking.save(update_fields=["visit", *create.FOOTPRINT_FIELDS])
    booking_messages.queue_confirmations(
        [locks.lock_booking(booking.pk)], now, is_own_action=actor == booking_messages.DONOR
    )
    return booking


def _book_offer(offer: Offer, actor: str, now: datetime) -> Booking:
    """Turn the reserved spot into a booking. The counters do not change."""
    entry, reserved = offer.entry, offer.reserved_spot
    assert reserved is not None  # an open offer has a reserved spot
    if entry.registration:  # check again, because the drive's policy may have changed
        entry.registration.self_check = self_check.revalidate_self_check(
            entry.registration.self_check, entry.drive.policy.self_check
        )
    booking = create.build_booking(
        entry.drive,
        offer.arrival,
        counters.build_footprint(reserved),
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
    reserved.delete()
    _set_entry_state(entry, WaitlistEntryState.BOOKED, now)
    return booking


@transaction.atomic
def decline_offer(*, offer_id: int, now: datetime, actor: str = booking_messages.DONOR, by_text: bool = False) -> Offer:
    """Decline an offer. The entry keeps its position, but is not offered this slot again.

    A second call changes nothing. Refuses an offer that has ended. Raises limits.TooManyChanges after too many changes
    by the donor. Locks: drive (shared), entry.
    """
    offer = _lock_drive_and_offer(offer_id)
    if offer.state == OfferState.DECLINED:
        return offer
    _refuse_ended_offer(offer, now)
    if actor == booking_messages.DONOR:
        entries.spend_change(offer.entry, now)
    else:
        audit.add_audit_entry(
            organization=offer.entry.drive.organization,
            actor=actor,
            verb="waitlist.decline",
            about=offer.entry.about,
            now=now,
        )
    reserved_spots.end_offer(offer, OfferState.DECLINED, now)
    _set_entry_state(offer.entry, WaitlistEntryState.WAITING, now)
    if by_text:
        messages.queue_offer_declined(offer, now)
    return offer


@transaction.atomic
def expire_offer(*, offer_id: int, now: datetime) -> bool:
    """Expire an unanswered offer, and move its entry to the end of the waitlist.

    Does nothing if the donor has answered in the meantime. Locks: drive (shared), entry.
    """
    offer = _lock_drive_and_offer(offer_id)
    if offer.state != OfferState.OPEN or offer.deadline > now:
        return False
    reserved_spots.end_offer(offer, OfferState.EXPIRED, now)
    offer.entry.joined_at = now
    _set_entry_state(offer.entry, WaitlistEntryState.WAITING, now)
    return True


def _lock_offer(entry_id: int, offer_id: int) -> Offer:
    entry = locks.lock_waitlist_entry(entry_id)
    offer = Offer.objects.select_related("arrival", "booking", "reserved_spot").get(pk=offer_id)
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


def _get_donor_scope(entry: WaitlistEntry, actor: str = booking_messages.DONOR) -> history.DonorScope:
    """Return which part of the donor's history to check.

    For a verified donor, the records of all organizations are checked. If a coordinator accepts the offer for the
    donor, only this organization's records are checked, because the coordinator sees the dates in a refusal.
    """
    assert entry.volunteer_id is not None  # only held entries have no volunteer
    everywhere = entry.verified_at is not None and actor == booking_messages.DONOR
    return history.DonorScope(entry.volunteer_id, everywhere=everywhere)


def _set_entry_state(entry: WaitlistEntry, state: WaitlistEntryState, now: datetime) -> None:
    entry.state, entry.changed_at = state, now
    entry.save(update_fields=["state", "changed_at", "joined_at", "visit"])


def _list_expired_offer_ids(now: datetime) -> list[int]:
    return list(Offer.objects.open().filter(deadline__lte=now).order_by("deadline", "pk").values_list("pk", flat=True))


def _lapse_unverified(now: datetime) -> int:
    return WaitlistEntry.objects.overdue(now).update(state=WaitlistEntryState.LAPSED, changed_at=now)
