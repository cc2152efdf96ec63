"""How somebody gets into a drive's line and out of it: joined and proved, entered by a coordinator, changed, left."""

from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from drives import refusals
from drives.booking import confirm_holds
from drives.booking import rules as booking_rules
from drives.booking.hold import Person
from drives.capacity import availability, locks, reserved_spots, visits
from drives.domain import matching
from drives.domain.matching import ANY_TIME, ArrivalWindow
from drives.eligibility import check, history, self_check
from drives.models import WAITLISTED_STATES, Drive, DriveState, Source, WaitlistEntry, WaitlistEntryState
from drives.waitlist import messages, queries, rules
from organizations import audit
from organizations.models import linked_model
from volunteers import registration, verification
from volunteers.codes import CodeResult
from volunteers.matching import BookingFor
from volunteers.models import Registration, Volunteer
from volunteers.verification import CodeWrong


@dataclass(frozen=True)
class WaitlistRequest:
    """For which kind of visit somebody waits, and which arrival times they can make."""

    visit: str
    window: ArrivalWindow = ANY_TIME


def join_waitlist_in_transaction(
    *,
    drive: Drive,
    waitlist_request: WaitlistRequest,
    person: Person,
    source: Source = Source.ONLINE,
    ip: str | None,
    now: datetime,
    bound_to: str = "",
    browser_token: str = "",
) -> WaitlistEntry:
    """Note somebody for fifteen minutes and send the code that proves the contact; inside the caller's transaction.

    Nothing is offered to them before they have proved it, and the answer does not depend on their history. Refuses
    (`Refusal`) a drive that takes no bookings, a window in which times are open or none is left, and a third unproved
    request of one contact; malformed details are a ValidationError by field. Locks: identity, drive (shared).
    """
    details = registration.build_registration(
        organization=drive.organization, **person.registration_fields(), source=source, ip=ip, now=now
    )
    registration.save_registrations([details])
    self_check.validate_self_check(
        details.self_check, drive.policy.self_check
    )  # refuses half a yes now, not once a place is offered
    locks.lock_identities_then_drive([details.identity], drive.pk)
    facts = queries.load_waitlist_facts(drive_id=drive.pk, identity=details.identity, now=now)
    if reasons := rules.reasons_not_to_join_waitlist(facts, now):
        raise refusals.Refusal(reasons)
    _refuse_request(drive, waitlist_request, now)
    held_until = now + booking_rules.HOLD_FOR
    entry = _create_entry(
        drive,
        waitlist_request,
        now,
        source=source,
        state=WaitlistEntryState.HELD,
        details=details,
        held_until=held_until,
    )
    verification.send_code(
        typed=details,
        bound_to=bound_to or linked_model.hash_token(entry.token),
        browser=browser_token,
        about=entry.about,
        ip=ip,
        now=now,
    )
    return entry


join_waitlist = transaction.atomic(join_waitlist_in_transaction)


def verify_entry(
    *, entry_id: int, code: str, bound_to: str, now: datetime, browser: str = "", booking_for: BookingFor = ""
) -> WaitlistEntry:
    """Verify the contact of a request, then put the donor on the waitlist if the rules allow; `whose` as for a booking.

    A donor on it already gets the entry they have, with the new wish unless a place is offered to them just now.
    A second call answers as the first. Raises CodeWrong, HoldLapsed, or Refusal while the request still stands.
    Locks: identities, drive (shared), entries.
    """
    held = WaitlistEntry.objects.select_related("registration").get(pk=entry_id)
    held.refuse_lapsed(now)
    if held.state != WaitlistEntryState.HELD:
        return _find_active_entry(held)
    typed = held.typed(now)
    verification.verify_registrations(registrations=[typed], code=code, bound_to=bound_to, browser=browser, now=now)
    return _confirm_verified_entry(entry_id=entry_id, identity=typed.identity, booking_for=booking_for, now=now)


@transaction.atomic
def resend_entry_code(*, entry_id: int, bound_to: str, ip: str | None, now: datetime, by_email: bool = False) -> None:
    """Send another code for a request. Raises HoldLapsed, also for what is no request any more, or RateLimitExceeded.

    Locks: entry.
    """
    held = locks.lock_waitlist_entry(entry_id)
    typed, about = held.typed(now), held.about
    verification.send_code_again(
        registrations=[typed], by_email=by_email, bound_to=bound_to, about=about, ip=ip, now=now
    )


@transaction.atomic
def add_entry(
    *,
    drive: Drive,
    waitlist_request: WaitlistRequest,
    person: Person,
    actor: str,
    now: datetime,
    source: Source = Source.COORDINATOR,
) -> WaitlistEntry:
    """Put somebody in line by phone or through an organization's key, judged on this organization's rows.

    Refuses as `join` and `prove` do. Locks: identities, drive (shared), entries.
    """
    country = drive.organization.country
    typed = registration.compute_typed_identities(phone=person.phone, email=person.email, country=country)
    locks.lock_contact_owners_then_drive(typed, drive)
    volunteer = registration.enter_volunteer(
        organization=drive.organization, **person.contact_fields(), actor=actor, now=now
    )
    waitlist_request = _judge_request(drive, waitlist_request, history.DonorScope(volunteer.pk), now)
    _refuse_request(drive, waitlist_request, now)
    audit.add_audit_entry(
        organization=drive.organization, actor=actor, verb="waiting.enter", about=f"drive:{drive.pk}", now=now
    )
    if known := _lock_existing_entry(drive, volunteer):
        return _update_request(known, waitlist_request, now)
    entry = _create_entry(
        drive, waitlist_request, now, source=source, state=WaitlistEntryState.WAITING, volunteer=volunteer
    )
    messages.queue_joined(locks.lock_waitlist_entry(entry.pk), now)
    return entry


@transaction.atomic
def change_entry(*, entry_id: int, waitlist_request: WaitlistRequest, now: datetime) -> WaitlistEntry:
    """Wait for other times or another visit, at the same place in line. Locks: drive (shared), entry.

    Refuses who is not in line, who has an offer to answer first, and a window with open times or none.
    """
    drive = Drive.objects.select_related("organization", "site", "policy").get(waitlist_entries=entry_id)
    locks.lock_drive_shared(drive.pk)
    entry = locks.lock_waitlist_entry(entry_id)
    if entry.state == WaitlistEntryState.OFFERED:
        raise refusals.Refusal([refusals.Reason("offer_pending", _("Answer the offer first: take the place or pass."))])
    if entry.state != WaitlistEntryState.WAITING:
        raise refusals.Refusal([rules.build_not_on_waitlist_reason(entry.state)])
    _refuse_request(drive, waitlist_request, now)
    return _update_request(entry, waitlist_request, now)


@transaction.atomic
def remove_entry(*, entry_id: int, actor: str, now: datetime) -> WaitlistEntry:
    """Out of the line; what was offered goes to the next. Twice changes nothing. Locks: drive (shared), entry."""
    drive_id = WaitlistEntry.objects.values_list("drive_id", flat=True).get(pk=entry_id)
    locks.lock_drive_shared(drive_id)
    entry = locks.lock_waitlist_entry(entry_id)
    if entry.state in (WaitlistEntryState.HELD, *WAITLISTED_STATES):
        reserved_spots.close_waitlist_entry(entry, WaitlistEntryState.LEFT, now)
        if actor != "donor":
            organization = entry.drive.organization
            audit.add_audit_entry(
                organization=organization, actor=actor, verb="waiting.remove", about=entry.about, now=now
            )
    return entry


@transaction.atomic
def _confirm_verified_entry(*, entry_id: int, identity: str, booking_for: BookingFor, now: datetime) -> WaitlistEntry:
    drive = Drive.objects.select_related("organization", "site", "policy").get(waitlist_entries=entry_id)
    locks.lock_contact_owners_then_drive([identity], drive)
    entry = locks.lock_waitlist_entry(entry_id)
    entry.refuse_lapsed(now)
    if entry.state != WaitlistEntryState.HELD:
        return _find_active_entry(entry)
    typed = entry.typed(now)
    if typed.identity != identity:  # the donor chose the mailbox meanwhile, which is not verified
        raise CodeWrong(CodeResult.EXPIRED)
    entry.volunteer = confirm_holds.match_volunteers([typed], booking_for, now)[0]
    giver = history.DonorScope(entry.volunteer.pk, everywhere=True)
    waitlist_request = _judge_request(drive, WaitlistRequest(entry.visit, queries.build_window(entry)), giver, now)
    entry.visit = waitlist_request.visit
    entry.verified_at, known = now, _lock_existing_entry(drive, entry.volunteer)
    entry.state = WaitlistEntryState.LEFT if known else WaitlistEntryState.WAITING
    entry.held_until, entry.joined_at, entry.changed_at = None, now, now
    entry.save()
    if known:
        return _update_request(known, waitlist_request, now)
    messages.queue_joined(entry, now)
    return entry


def _judge_request(
    drive: Drive, waitlist_request: WaitlistRequest, donor: history.DonorScope, now: datetime
) -> WaitlistRequest:
    """Raise what stands against this person's waiting here: also that the intervals allow no time of their window.

    Returns the wish for the kind of visit that was recorded of the person, else that they asked for.
    """
    facts = queries.load_waitlist_facts(drive_id=drive.pk, volunteer_id=donor.volunteer_id, now=now)
    if reasons := rules.reasons_not_to_join_waitlist(facts, now):
        raise refusals.Refusal(reasons)
    arrivals = _list_arrivals(availability.list_slots(drive.pk), drive, waitlist_request, now) or [drive.ends_at]
    judged = check.check_eligibility(donor, drive, arrivals[-1])
    visit = judged.visit or waitlist_request.visit
    if not any(judged.allows(drive, at) for at in arrivals):
        raise refusals.Refusal(judged.reasons, check.list_later_times([judged], drive, (visit,), now))
    return replace(waitlist_request, visit=visit)


def _refuse_request(drive: Drive, waitlist_request: WaitlistRequest, now: datetime) -> None:
    """Raise that there is nothing to wait for: no time is left in the window, or one can be booked online."""
    if not _list_arrivals(availability.list_slots(drive.pk), drive, waitlist_request, now):
        raise refusals.Refusal([rules.build_no_time_reason()])
    if drive.state == DriveState.CLOSED:
        return  # what is open there is offered to who waits
    openings, soonest = (
        availability.list_open_times(drive, (waitlist_request.visit,), now),
        matching.compute_earliest_offered_arrival(now),
    )
    if found := [
        time for time in openings if time.starts_at >= soonest and waitlist_request.window.contains(time.starts_at)
    ]:
        raise refusals.Refusal([rules.build_spots_open_reason()], found[: availability.NEAREST_COUNT])


def _list_arrivals(
    steps: matching.StepRows, drive: Drive, waitlist_request: WaitlistRequest, now: datetime
) -> list[datetime]:
    """When such a visit could begin within the window, late enough to be offered, whether it is taken or not."""
    last, soonest = (
        len(steps) - visits.compute_visit_shape(drive, waitlist_request.visit).steps,
        matching.compute_earliest_offered_arrival(now),
    )
    possible = (starts_at for _id, starts_at, is_open, _screening, _chairs in steps[: max(0, last + 1)] if is_open)
    return [at for at in possible if at >= soonest and waitlist_request.window.contains(at)]


def _lock_existing_entry(drive: Drive, volunteer: Volunteer) -> WaitlistEntry | None:
    mine = WaitlistEntry.objects.waitlisted().filter(drive=drive, volunteer=volunteer).values_list("pk", flat=True)
    return next(iter(locks.lock_waitlist_entries(mine)), None)


def _update_request(entry: WaitlistEntry, waitlist_request: WaitlistRequest, now: datetime) -> WaitlistEntry:
    if entry.state == WaitlistEntryState.WAITING:
        entry.visit, entry.window_from, entry.window_to = (
            waitlist_request.visit,
            waitlist_request.window.since,
            waitlist_request.window.until,
        )
        entry.changed_at = now
        entry.save(update_fields=["visit", "window_from", "window_to", "changed_at"])
    return entry


def _create_entry(
    drive: Drive,
    waitlist_request: WaitlistRequest,
    now: datetime,
    *,
    source: Source,
    state: WaitlistEntryState,
    details: Registration | None = None,
    volunteer: Volunteer | None = None,
    held_until: datetime | None = None,
) -> WaitlistEntry:
    return WaitlistEntry.objects.create(
        **WaitlistEntry.build_link_fields(),
        drive=drive,
        volunteer=volunteer,
        registration=details,
        visit=waitlist_request.visit,
        window_from=waitlist_request.window.since,
        window_to=waitlist_request.window.until,
        state=state,
        source=source,
        held_until=held_until,
        joined_at=now if volunteer else None,
        created_at=now,
        changed_at=now,
    )


def _find_active_entry(entry: WaitlistEntry) -> WaitlistEntry:
    """A second tap: the entry, or the one of the same person that it was joined with."""
    if entry.state != WaitlistEntryState.LEFT or entry.volunteer_id is None:
        return entry
    mine = WaitlistEntry.objects.waitlisted().filter(drive=entry.drive_id, volunteer=entry.volunteer_id)
    return mine.first() or entry
