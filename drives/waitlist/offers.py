"""A freed place goes to the first in line who can have it: offered, taken, passed on."""

import logging
from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from drives import refusals
from drives.booking import create
from drives.booking import messages as booking_messages
from drives.capacity import counters, facts, locks, reserved_spots
from drives.capacity import rules as capacity_rules
from drives.domain import grid, matching
from drives.eligibility import check, history, self_check
from drives.eligibility import rules as eligibility_rules
from drives.messaging import schedule
from drives.models import Booking, BookingState, Hold, Offer, OfferState, Source, WaitingEntry, WaitingState
from drives.waitlist import close, messages, queries, rules
from volunteers import queries as volunteers_queries

AT_ONCE = 200  # offers of one drive in one sweep

log = logging.getLogger(__name__)


def sweep(*, now: datetime) -> dict[str, int]:
    """Close what is over, lapse what was not proved or answered in time, and offer every place somebody waits for."""
    counts = {
        "closed": _each(queries.closed_lists(now), lambda pk: close.close_over(drive_id=pk, now=now)),
        "lapsed": _lapse_unproved(now),
        "expired": _each(_unanswered(now), lambda pk: expire(offer_id=pk, now=now)),
    }
    return {**counts, "offered": _each(queries.drives_with_a_line(), lambda pk: _offer_all(pk, now))}


def _each(ids: list[int], act: Callable[[int], int]) -> int:
    """One row that fails in a way nobody foresaw must not hold up the others."""
    done = 0
    for pk in ids:
        try:
            done += act(pk)
        except Exception as error:
            log.error("waiting list, row %s: %s", pk, type(error).__name__)
    return done


def _offer_all(drive_id: int, now: datetime) -> int:
    made = 0
    while made < AT_ONCE and offer_next(drive_id=drive_id, now=now):
        made += 1
    return made


class _QuickerElseError(Exception):
    """Somebody took what was free while we looked: look again at the next sweep."""


@transaction.atomic
def offer_next(*, drive_id: int, now: datetime) -> bool:
    """Offer one place to the first in line who can have it; False if there is none to offer, or nobody to offer it to.

    Kept places that nobody in line can have are free for everybody again. One sweep at a time works off a line, so
    that the order holds. Locks: the line (try), identities of who is judged, drive (shared), entry, kept places, slots.
    """
    if not locks.line(drive_id):
        return False
    line = queries.line(drive_id)
    try:
        for entry in line.entries:
            # A quick look without locks; a slow one under them, undone with its locks if it comes to nothing.
            if line.fits(entry, now) and _offer_or_undo(entry, now):
                return True
    except _QuickerElseError:
        return False
    _give_back(drive_id, set(line.kept))
    return False


def _offer_or_undo(entry: WaitingEntry, now: datetime) -> bool:
    with transaction.atomic():
        offered = _offer(entry, now)
        transaction.set_rollback(not offered)
    return offered


def _offer(candidate: WaitingEntry, now: datetime) -> bool:
    locks.identities_then_drive(
        volunteers_queries.identities_of(volunteer_id=candidate.volunteer_id), candidate.drive_id
    )
    entry = locks.waiting_entry(candidate.pk)
    kept = locks.kept_places(entry.drive_id)
    if entry.state != WaitingState.WAITING:
        return False
    judged = check.of(_giver(entry), entry.drive, entry.drive.starts_at)
    entry.visit = judged.visit or entry.visit
    fit = _best(entry, judged, now)
    if fit is None:
        return False
    used = [place for place in kept if place.pk in fit.uses]
    _write(entry, fit, now)
    Hold.objects.filter(pk__in=fit.uses).delete()
    if not counters.change(
        drive_id=entry.drive_id,
        deltas=counters.combined([grid.net(None, fit.footprint), counters.released(used)]),
    ):
        raise _QuickerElseError
    return True


def _best(entry: WaitingEntry, judged: check.Spacing, now: datetime) -> matching.Fit | None:
    """The first of the ways to seat them that every rule of a booking allows."""
    for fit in queries.line(entry.drive_id, entry.pk).fits(entry, now):
        found = _place(entry, fit.slot_id, now)
        if not capacity_rules.reasons_not_to_take(found.facts, now) and judged.allows(entry.drive, fit.starts_at):
            return fit
    return None


def _place(entry: WaitingEntry, slot_id: int, now: datetime) -> facts.PlaceFound:
    return facts.place_facts(
        drive_id=entry.drive_id, slot_id=slot_id, volunteer_id=entry.volunteer_id, promised=True, now=now
    )


def _write(entry: WaitingEntry, fit: matching.Fit, now: datetime) -> None:
    kept = reserved_spots.hold(entry.drive_id, fit.footprint, now)
    kept.save(force_insert=True)
    offer = Offer.objects.create(
        **Offer.new_link(),
        entry=entry,
        hold=kept,
        arrival_id=fit.slot_id,
        starts_at=fit.starts_at,
        deadline=matching.deadline(now, fit.starts_at, schedule.quiet_hours(entry.drive)),
        made_at=now,
    )
    _enter_state(entry, WaitingState.OFFERED, now)
    messages.offered(offer, now)


def _give_back(drive_id: int, looked_at: set[int]) -> None:
    """Free the kept places that fit nobody; those that came since we looked are looked at next time."""
    if not looked_at:
        return
    locks.drive_shared(drive_id)
    unused = [place for place in locks.kept_places(drive_id) if place.pk in looked_at]
    Hold.objects.filter(pk__in=[place.pk for place in unused]).delete()
    counters.change(drive_id=drive_id, deltas=counters.released(unused))


@transaction.atomic
def accept(*, offer_id: int, actor: str, now: datetime) -> Booking:
    """Take the offered place: booked at once, for every rule is judged here as for any booking.

    A second tap answers with the same booking. Refuses an offer that is over, and what stands against a booking; the
    place stays theirs until the deadline then. Locks: identities, drive (shared), entry; slots if the kind of visit
    is another by now.
    """
    known = WaitingEntry.objects.get(offers=offer_id)
    locks.identities_then_drive(volunteers_queries.identities_of(volunteer_id=known.volunteer_id), known.drive_id)
    offer = _locked(known.pk, offer_id)
    if offer.state == OfferState.ACCEPTED and offer.booking:
        return locks.booking(offer.booking.pk)
    _refuse_over(offer, now)
    entry, drive = offer.entry, offer.entry.drive
    found = _place(entry, offer.arrival_id, now)
    visit = create.refuse_unless_possible(found.facts, drive, entry.visit, now, _giver(entry))
    booking = _book(offer, actor, now)
    if visit != booking.visit:  # what was recorded changed since the offer
        if not create.correct_visits([(booking, visit)], now, holds_are_over=found.holds_are_over):
            reasons = [eligibility_rules.visit_is_first()]
            create.refuse_with_times(reasons, drive, (visit,), booking.starts_at, now)
        booking.save(update_fields=["visit", *create.FOOTPRINT])
    booking_messages.booked([locks.booking(booking.pk)], now)
    return booking


def _book(offer: Offer, actor: str, now: datetime) -> Booking:
    """The kept place becomes a booking: the counters stay as they are."""
    entry, kept = offer.entry, offer.hold
    assert kept is not None  # an open offer keeps a place
    if entry.registration:  # the drive may have another policy by now
        entry.registration.confirms = self_check.still(entry.registration.confirms, entry.drive.policy.confirms)
    booking = create.new_booking(
        entry.drive,
        offer.arrival,
        counters.footprint(kept),
        entry.visit,
        now,
        state=BookingState.BOOKED,
        source=Source.WAITING_LIST,
        registration=entry.registration,
        volunteer=entry.volunteer,
    )
    create.insert_bookings([booking], actor=actor)
    booking.proved_at = entry.proved_at
    booking.save(update_fields=["proved_at"])
    offer.booking = booking
    reserved_spots.end_offer(offer, OfferState.ACCEPTED, now)
    kept.delete()
    _enter_state(entry, WaitingState.BOOKED, now)
    return booking


@transaction.atomic
def decline(*, offer_id: int, now: datetime, by_text: bool = False) -> Offer:
    """Pass the place on, and keep one's place in line; this time is not offered again. Twice changes nothing.

    Refuses an offer that is over. Locks: drive (shared), entry.
    """
    offer = _locked_shared(offer_id)
    if offer.state == OfferState.DECLINED:
        return offer
    _refuse_over(offer, now)
    reserved_spots.end_offer(offer, OfferState.DECLINED, now)
    _enter_state(offer.entry, WaitingState.WAITING, now)
    if by_text:
        messages.passed_on(offer, now)
    return offer


@transaction.atomic
def expire(*, offer_id: int, now: datetime) -> bool:
    """Nobody answered in time: the place goes to the next, and its person to the end of the line.

    Changes nothing about an offer that was answered meanwhile. Locks: drive (shared), entry.
    """
    offer = _locked_shared(offer_id)
    if offer.state != OfferState.OPEN or offer.deadline > now:
        return False
    reserved_spots.end_offer(offer, OfferState.EXPIRED, now)
    offer.entry.waits_since = now
    _enter_state(offer.entry, WaitingState.WAITING, now)
    return True


def _locked(entry_id: int, offer_id: int) -> Offer:
    """The offer as it is under the lock of its entry."""
    entry = locks.waiting_entry(entry_id)
    offer = Offer.objects.select_related("arrival", "booking", "hold").get(pk=offer_id)
    offer.entry = entry
    return offer


def _locked_shared(offer_id: int) -> Offer:
    entry_id, drive_id = WaitingEntry.objects.values_list("pk", "drive_id").get(offers=offer_id)
    locks.drive_shared(drive_id)
    return _locked(entry_id, offer_id)


def _refuse_over(offer: Offer, now: datetime) -> None:
    if offer.state != OfferState.OPEN:
        raise refusals.Refusal([rules.offer_is_over(offer.state)])
    if offer.deadline <= now:
        raise refusals.Refusal([rules.offer_is_over(OfferState.EXPIRED)])


def _giver(entry: WaitingEntry) -> history.Giver:
    """Over all organizations only for who proved a contact; a coordinator's entry is judged on their own rows."""
    assert entry.volunteer_id is not None  # who is in line is known
    return history.Giver(entry.volunteer_id, everywhere=entry.proved_at is not None)


def _enter_state(entry: WaitingEntry, state: WaitingState, now: datetime) -> None:
    entry.state, entry.changed_at = state, now
    entry.save(update_fields=["state", "changed_at", "waits_since", "visit"])


def _unanswered(now: datetime) -> list[int]:
    return list(Offer.objects.open().filter(deadline__lte=now).order_by("deadline", "pk").values_list("pk", flat=True))


def _lapse_unproved(now: datetime) -> int:
    return WaitingEntry.objects.overdue(now).update(state=WaitingState.LAPSED, changed_at=now)
