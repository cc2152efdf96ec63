"""Join a waitlist, and verify, change or remove an entry. Coordinators can add donors, too."""

from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from drives import refusals
from drives.booking import confirm_holds
from drives.booking import rules as booking_rules
from drives.booking.hold import Person
from drives.capacity import availability, locks, reserved_spots, visit_length
from drives.capacity import rules as capacity_rules
from drives.domain import waitlist_matching
from drives.domain.waitlist_matching import ANY_TIME, ArrivalWindow
from drives.eligibility import check, history, self_check
from drives.models import WAITLISTED_STATES, Drive, DriveState, Source, WaitlistEntry, WaitlistEntryState
from drives.waitlist import messages, queries, rules
from organizations import audit
from organizations.models import linked_model
from volunteers import limits, registration, verification
from volunteers.codes import CodeResult
from volunteers.matching import BookingFor
from volunteers.models import Registration, Volunteer
from volunteers.verification import CodeWrong


@dataclass(frozen=True)
class WaitlistRequest:
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
    """Create an entry that is held for 15 minutes, and send the verification code.

    Runs inside the caller's transaction. The result does not depend on the donor's history. No spot is offered before
    the contact is verified.

    Refuses:
    - a drive that takes no bookings
    - an arrival window in which the donor can still book (`slots_open`), or with no slots (`window_empty`)
    - a third unverified entry for one contact (`too_many_holds`)

    Malformed details raise ValidationError by field. Locks: identity, drive (shared).
    """
    details = registration.build_registration(
        organization=drive.organization, **person.registration_fields(), source=source, ip=ip, now=now
    )
    registration.save_registrations([details])
    self_check.validate_self_check(
        # Refuse an incomplete self-check now, not when a spot is offered.
        details.self_check,
        drive.policy.self_check,
    )
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
    """Verify a held entry's contact, then put the donor on the waitlist if the rules allow it.

    If the donor is already on the waitlist, the existing entry gets the new visit type and arrival window, unless it
    has an open offer. A second call returns the same result. Raises CodeWrong, HoldLapsed, limits.TooManyChanges, or
    Refusal. After a Refusal, the new entry is still held. Locks: identities, drive (shared), entries.
    """
    held = WaitlistEntry.objects.select_related("registration").get(pk=entry_id)
    held.refuse_lapsed(now)
    if held.state != WaitlistEntryState.HELD:
        return _find_active_entry(held)
    typed = held.get_registration(now)
    took_code = verification.verify_registrations(
        registrations=[typed], code=code, bound_to=bound_to, browser=browser, now=now
    )
    return _confirm_verified_entry(
        entry_id=entry_id,
        identity=typed.identity,
        booking_for=booking_for,
        is_change_counted=not took_code,
        now=now,
    )


@transaction.atomic
def resend_entry_code(*, entry_id: int, bound_to: str, ip: str | None, now: datetime, by_email: bool = False) -> None:
    """Send another code for a held entry. Raises RateLimitExceeded, or HoldLapsed if the hold ended. Locks: entry."""
    held = locks.lock_waitlist_entry(entry_id)
    typed, about = held.get_registration(now), held.about
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
    """Add a donor to the waitlist for a coordinator or an API key.

    Checks the drive, the donor and the arrival window as `join_waitlist` and `verify_entry` do, but only with this
    organization's records of the donor. Locks: identities, drive (shared), entries.
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
        organization=drive.organization, actor=actor, verb="waitlist.enter", about=f"drive:{drive.pk}", now=now
    )
    if existing := _lock_existing_entry(drive, volunteer):
        return _update_request(existing, waitlist_request, now)
    entry = _create_entry(
        drive, waitlist_request, now, source=source, state=WaitlistEntryState.WAITING, volunteer=volunteer
    )
    messages.queue_joined(locks.lock_waitlist_entry(entry.pk), now)
    return entry


@transaction.atomic
def change_entry(*, entry_id: int, waitlist_request: WaitlistRequest, now: datetime) -> WaitlistEntry:
    """Change an entry's visit type and arrival window, for its donor. The entry keeps its position.

    Refuses:
    - an entry that is not on the waitlist
    - an entry with an open offer (`offer_pending`)
    - an arrival window in which the donor can still book (`slots_open`), or with no slots (`window_empty`)

    Raises limits.TooManyChanges after too many changes by the donor. Locks: drive (shared), entry.
    """
    drive = Drive.objects.select_related("organization", "site", "policy").get(waitlist_entries=entry_id)
    locks.lock_drive_shared(drive.pk)
    entry = locks.lock_waitlist_entry(entry_id)
    if entry.state == WaitlistEntryState.OFFERED:
        raise refusals.Refusal([refusals.Reason("offer_pending", _("Answer the offer first. Take the spot or pass."))])
    if entry.state != WaitlistEntryState.WAITING:
        raise refusals.Refusal([rules.build_not_on_waitlist_reason(entry.state)])
    _refuse_request(drive, waitlist_request, now)
    spend_change(entry, now)
    return _update_request(entry, waitlist_request, now)


@transaction.atomic
def remove_entry(*, entry_id: int, actor: str, now: datetime) -> WaitlistEntry:
    """Take a donor off the waitlist, and withdraw an open offer. A second call changes nothing.

    No limit applies, because joining the waitlist again has a limit. Locks: drive (shared), entry.
    """
    drive_id = WaitlistEntry.objects.values_list("drive_id", flat=True).get(pk=entry_id)
    locks.lock_drive_shared(drive_id)
    entry = locks.lock_waitlist_entry(entry_id)
    if entry.state in (WaitlistEntryState.HELD, *WAITLISTED_STATES):
        reserved_spots.close_waitlist_entry(entry, WaitlistEntryState.LEFT, now)
        if actor != "donor":
            organization = entry.drive.organization
            audit.add_audit_entry(
                organization=organization, actor=actor, verb="waitlist.remove", about=entry.about, now=now
            )
    return entry


def spend_change(entry: WaitlistEntry, now: datetime) -> None:
    """Count a donor's change of an entry toward the donor's limit. Raises limits.TooManyChanges."""
    limits.spend_change(
        organization=entry.drive.organization,
        record="entry",
        pk=entry.pk,
        identity=limits.find_limited_identity(entry.volunteer),
        phone=entry.drive.phone,
        now=now,
    )


@transaction.atomic
def extend_entry(*, entry_id: int, now: datetime) -> WaitlistEntry:
    """Extend a held entry by 15 minutes, once. Later calls change nothing.

    No limit applies, because a held entry takes no spot. Raises HoldLapsed. Locks: the entry.
    """
    entry = locks.lock_waitlist_entry(entry_id)
    entry.refuse_lapsed(now)
    if entry.is_held(now) and not entry.is_extended and entry.held_until:
        entry.extend(entry.held_until + booking_rules.HOLD_FOR)
        entry.save(update_fields=["held_until", "is_extended"])
    return entry


@transaction.atomic
def _confirm_verified_entry(
    *, entry_id: int, identity: str, booking_for: BookingFor, is_change_counted: bool, now: datetime
) -> WaitlistEntry:
    drive = Drive.objects.select_related("organization", "site", "policy").get(waitlist_entries=entry_id)
    locks.lock_contact_owners_then_drive([identity], drive)
    entry = locks.lock_waitlist_entry(entry_id)
    entry.refuse_lapsed(now)
    if entry.state != WaitlistEntryState.HELD:
        return _find_active_entry(entry)
    typed = entry.get_registration(now)
    if typed.identity != identity:  # the code now goes to the e-mail address, which is not verified
        raise CodeWrong(CodeResult.EXPIRED)
    entry.volunteer = confirm_holds.match_volunteers([typed], booking_for, now)[0]
    donor = history.DonorScope(entry.volunteer.pk, everywhere=True)
    waitlist_request = _judge_request(drive, WaitlistRequest(entry.visit, queries.build_window(entry)), donor, now)
    if is_change_counted:
        limits.spend_change(organization=drive.organization, identity=identity, phone=drive.phone, now=now)
    entry.visit = waitlist_request.visit
    entry.verified_at, existing = now, _lock_existing_entry(drive, entry.volunteer)
    entry.state = WaitlistEntryState.LEFT if existing else WaitlistEntryState.WAITING
    entry.held_until, entry.joined_at, entry.changed_at = None, now, now
    entry.save()
    if existing:
        return _update_request(existing, waitlist_request, now)
    messages.queue_joined(entry, now)
    return entry


def _judge_request(
    drive: Drive, waitlist_request: WaitlistRequest, donor: history.DonorScope, now: datetime
) -> WaitlistRequest:
    """Return the request, with the visit type according to the donor's history.

    Refuses a drive that takes no bookings, a donor with a booking at the drive, and an arrival window without a time
    that the interval rules allow.
    """
    facts = queries.load_waitlist_facts(drive_id=drive.pk, volunteer_id=donor.volunteer_id, now=now)
    if reasons := rules.reasons_not_to_join_waitlist(facts, now):
        raise refusals.Refusal(reasons)
    arrivals = _list_arrivals(availability.list_slots(drive.pk), drive, waitlist_request, now) or [drive.ends_at]
    eligibility = check.check_eligibility(donor, drive, arrivals[-1])
    visit = eligibility.visit or waitlist_request.visit
    if not any(eligibility.allows(drive, at) for at in arrivals):
        raise refusals.Refusal(eligibility.reasons, check.list_later_times([eligibility], drive, (visit,), now))
    return replace(waitlist_request, visit=visit)


def _refuse_request(drive: Drive, waitlist_request: WaitlistRequest, now: datetime) -> None:
    if not _list_arrivals(availability.list_slots(drive.pk), drive, waitlist_request, now):
        raise refusals.Refusal([rules.build_no_time_reason()])
    if drive.state == DriveState.CLOSED:
        return  # a closed drive offers its open times to the waitlist
    openings, soonest = (
        availability.list_open_times(drive, (waitlist_request.visit,), now),
        rules.compute_earliest_offered_arrival(now),
    )
    if open_times := [
        time for time in openings if time.starts_at >= soonest and waitlist_request.window.contains(time.starts_at)
    ]:
        raise refusals.Refusal([rules.build_spots_open_reason()], open_times[: capacity_rules.NEAREST_COUNT])


def _list_arrivals(
    steps: waitlist_matching.StepRows, drive: Drive, waitlist_request: WaitlistRequest, now: datetime
) -> list[datetime]:
    last, soonest = (
        len(steps) - visit_length.compute_visit_shape(drive, waitlist_request.visit).steps,
        rules.compute_earliest_offered_arrival(now),
    )
    possible = (starts_at for _id, starts_at, is_open, _screening, _chairs in steps[: max(0, last + 1)] if is_open)
    return [at for at in possible if at >= soonest and waitlist_request.window.contains(at)]


def _lock_existing_entry(drive: Drive, volunteer: Volunteer) -> WaitlistEntry | None:
    donor_entries = (
        WaitlistEntry.objects.waitlisted().filter(drive=drive, volunteer=volunteer).values_list("pk", flat=True)
    )
    return next(iter(locks.lock_waitlist_entries(donor_entries)), None)


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
    """Return the entry, or the donor's older entry if this one was merged into it."""
    if entry.state != WaitlistEntryState.LEFT or entry.volunteer_id is None:
        return entry
    donor_entries = WaitlistEntry.objects.waitlisted().filter(drive=entry.drive_id, volunteer=entry.volunteer_id)
    return donor_entries.first() or entry
