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
from drives.domain.matching import ANY_TIME, Window
from drives.eligibility import check, history, self_check
from drives.models import IN_LINE, Drive, DriveState, Source, WaitingEntry, WaitingState
from drives.waitlist import messages, queries, rules
from organizations import audit
from organizations.models import linked
from volunteers import registration, verification
from volunteers.codes import CodeResult
from volunteers.matching import Whose
from volunteers.models import Registration, Volunteer
from volunteers.verification import CodeWrong


@dataclass(frozen=True)
class Wish:
    """For which kind of visit somebody waits, and which arrival times they can make."""

    visit: str
    window: Window = ANY_TIME


def join_within(
    *,
    drive: Drive,
    wish: Wish,
    person: Person,
    source: Source = Source.ONLINE,
    ip: str | None,
    now: datetime,
    bound_to: str = "",
    browser_token: str = "",
) -> WaitingEntry:
    """Note somebody for fifteen minutes and send the code that proves the contact; inside the caller's transaction.

    Nothing is offered to them before they have proved it, and the answer does not depend on their history. Refuses
    (`Refusal`) a drive that takes no bookings, a window in which times are open or none is left, and a third unproved
    request of one contact; malformed details are a ValidationError by field. Locks: identity, drive (shared).
    """
    details = registration.cleaned(organization=drive.organization, **person.typed(), source=source, ip=ip, now=now)
    registration.keep([details])
    self_check.outcome(details.confirms, drive.policy.confirms)  # refuses half a yes now, not once a place is offered
    locks.identities_then_drive([details.identity], drive.pk)
    facts = queries.waiting_facts(drive_id=drive.pk, identity=details.identity, now=now)
    if reasons := rules.reasons_not_to_wait(facts, now):
        raise refusals.Refusal(reasons)
    _refuse_wish(drive, wish, now)
    held_until = now + booking_rules.HOLD_FOR
    entry = _write(drive, wish, now, source=source, state=WaitingState.HELD, details=details, held_until=held_until)
    verification.send_code(
        typed=details,
        bound_to=bound_to or linked.token_digest(entry.token),
        browser=browser_token,
        about=entry.about,
        ip=ip,
        now=now,
    )
    return entry


join = transaction.atomic(join_within)


def prove(
    *, entry_id: int, code: str, bound_to: str, now: datetime, browser: str = "", whose: Whose = ""
) -> WaitingEntry:
    """Verify the contact of a request, then put the donor on the waitlist if the rules allow; `whose` as for a booking.

    A donor on it already gets the entry they have, with the new wish unless a place is offered to them just now.
    A second call answers as the first. Raises CodeWrong, HoldLapsed, or Refusal while the request still stands.
    Locks: identities, drive (shared), entries.
    """
    held = WaitingEntry.objects.select_related("registration").get(pk=entry_id)
    held.refuse_lapsed(now)
    if held.state != WaitingState.HELD:
        return _verified_before(held)
    typed = held.typed(now)
    verification.verify_typed(registrations=[typed], code=code, bound_to=bound_to, browser=browser, now=now)
    return _settle(entry_id=entry_id, identity=typed.identity, whose=whose, now=now)


@transaction.atomic
def send_code_again(*, entry_id: int, bound_to: str, ip: str | None, now: datetime, by_email: bool = False) -> None:
    """Send another code for a request. Raises HoldLapsed, also for what is no request any more, or TooMany.

    Locks: entry.
    """
    held = locks.waiting_entry(entry_id)
    typed, about = held.typed(now), held.about
    verification.send_code_again(
        registrations=[typed], by_email=by_email, bound_to=bound_to, about=about, ip=ip, now=now
    )


@transaction.atomic
def enter(
    *, drive: Drive, wish: Wish, person: Person, actor: str, now: datetime, source: Source = Source.ORGANIZER
) -> WaitingEntry:
    """Put somebody in line by phone or through an organization's key, judged on this organization's rows.

    Refuses as `join` and `prove` do. Locks: identities, drive (shared), entries.
    """
    country = drive.organization.country
    typed = registration.typed_identities(phone=person.phone, email=person.email, country=country)
    locks.typed_then_drive(typed, drive)
    volunteer = registration.enter(organization=drive.organization, **person.said(), actor=actor, now=now)
    wish = _judged(drive, wish, history.Giver(volunteer.pk), now)
    _refuse_wish(drive, wish, now)
    audit.note(organization=drive.organization, actor=actor, verb="waiting.enter", about=f"drive:{drive.pk}", now=now)
    if known := _in_line(drive, volunteer):
        return _wishes(known, wish, now)
    entry = _write(drive, wish, now, source=source, state=WaitingState.WAITING, volunteer=volunteer)
    messages.joined(locks.waiting_entry(entry.pk), now)
    return entry


@transaction.atomic
def change(*, entry_id: int, wish: Wish, now: datetime) -> WaitingEntry:
    """Wait for other times or another visit, at the same place in line. Locks: drive (shared), entry.

    Refuses who is not in line, who has an offer to answer first, and a window with open times or none.
    """
    drive = Drive.objects.select_related("organization", "site", "policy").get(waiting=entry_id)
    locks.drive_shared(drive.pk)
    entry = locks.waiting_entry(entry_id)
    if entry.state == WaitingState.OFFERED:
        raise refusals.Refusal(
            [refusals.Reason("waiting_offered", _("Answer the offer first: take the place or pass."))]
        )
    if entry.state != WaitingState.WAITING:
        raise refusals.Refusal([rules.not_in_line(entry.state)])
    _refuse_wish(drive, wish, now)
    return _wishes(entry, wish, now)


@transaction.atomic
def leave(*, entry_id: int, actor: str, now: datetime) -> WaitingEntry:
    """Out of the line; what was offered goes to the next. Twice changes nothing. Locks: drive (shared), entry."""
    drive_id = WaitingEntry.objects.values_list("drive_id", flat=True).get(pk=entry_id)
    locks.drive_shared(drive_id)
    entry = locks.waiting_entry(entry_id)
    if entry.state in (WaitingState.HELD, *IN_LINE):
        reserved_spots.close(entry, WaitingState.LEFT, now)
        if actor != "donor":
            organization = entry.drive.organization
            audit.note(organization=organization, actor=actor, verb="waiting.remove", about=entry.about, now=now)
    return entry


@transaction.atomic
def _settle(*, entry_id: int, identity: str, whose: Whose, now: datetime) -> WaitingEntry:
    drive = Drive.objects.select_related("organization", "site", "policy").get(waiting=entry_id)
    locks.typed_then_drive([identity], drive)
    entry = locks.waiting_entry(entry_id)
    entry.refuse_lapsed(now)
    if entry.state != WaitingState.HELD:
        return _verified_before(entry)
    typed = entry.typed(now)
    if typed.identity != identity:  # the donor chose the mailbox meanwhile, which is not verified
        raise CodeWrong(CodeResult.EXPIRED)
    entry.volunteer = confirm_holds.people([typed], whose, now)[0]
    giver = history.Giver(entry.volunteer.pk, everywhere=True)
    wish = _judged(drive, Wish(entry.visit, queries.window_of(entry)), giver, now)
    entry.visit = wish.visit
    entry.proved_at, known = now, _in_line(drive, entry.volunteer)
    entry.state = WaitingState.LEFT if known else WaitingState.WAITING
    entry.held_until, entry.waits_since, entry.changed_at = None, now, now
    entry.save()
    if known:
        return _wishes(known, wish, now)
    messages.joined(entry, now)
    return entry


def _judged(drive: Drive, wish: Wish, giver: history.Giver, now: datetime) -> Wish:
    """Raise what stands against this person's waiting here: also that the intervals allow no time of their window.

    Returns the wish for the kind of visit that was recorded of the person, else that they asked for.
    """
    facts = queries.waiting_facts(drive_id=drive.pk, volunteer_id=giver.volunteer_id, now=now)
    if reasons := rules.reasons_not_to_wait(facts, now):
        raise refusals.Refusal(reasons)
    arrivals = _arrivals(availability.steps_of(drive.pk), drive, wish, now) or [drive.ends_at]
    judged = check.of(giver, drive, arrivals[-1])
    visit = judged.visit or wish.visit
    if not any(judged.allows(drive, at) for at in arrivals):
        raise refusals.Refusal(judged.reasons, check.later_times([judged], drive, (visit,), now))
    return replace(wish, visit=visit)


def _refuse_wish(drive: Drive, wish: Wish, now: datetime) -> None:
    """Raise that there is nothing to wait for: no time is left in the window, or one can be booked online."""
    if not _arrivals(availability.steps_of(drive.pk), drive, wish, now):
        raise refusals.Refusal([rules.no_time_to_wait_for()])
    if drive.state == DriveState.CLOSED:
        return  # what is open there is offered to who waits
    openings, soonest = availability.open_times(drive, (wish.visit,), now), matching.earliest_offered(now)
    if found := [time for time in openings if time.starts_at >= soonest and wish.window.holds(time.starts_at)]:
        raise refusals.Refusal([rules.places_are_open()], found[: availability.NEAREST])


def _arrivals(steps: matching.Steps, drive: Drive, wish: Wish, now: datetime) -> list[datetime]:
    """When such a visit could begin within the window, late enough to be offered, whether it is taken or not."""
    last, soonest = len(steps) - visits.visit_shape(drive, wish.visit).steps, matching.earliest_offered(now)
    possible = (starts_at for _id, starts_at, is_open, _screening, _chairs in steps[: max(0, last + 1)] if is_open)
    return [at for at in possible if at >= soonest and wish.window.holds(at)]


def _in_line(drive: Drive, volunteer: Volunteer) -> WaitingEntry | None:
    mine = WaitingEntry.objects.in_line().filter(drive=drive, volunteer=volunteer).values_list("pk", flat=True)
    return next(iter(locks.waiting_entries(mine)), None)


def _wishes(entry: WaitingEntry, wish: Wish, now: datetime) -> WaitingEntry:
    if entry.state == WaitingState.WAITING:
        entry.visit, entry.window_from, entry.window_to = wish.visit, wish.window.since, wish.window.until
        entry.changed_at = now
        entry.save(update_fields=["visit", "window_from", "window_to", "changed_at"])
    return entry


def _write(
    drive: Drive,
    wish: Wish,
    now: datetime,
    *,
    source: Source,
    state: WaitingState,
    details: Registration | None = None,
    volunteer: Volunteer | None = None,
    held_until: datetime | None = None,
) -> WaitingEntry:
    return WaitingEntry.objects.create(
        **WaitingEntry.new_link(),
        drive=drive,
        volunteer=volunteer,
        registration=details,
        visit=wish.visit,
        window_from=wish.window.since,
        window_to=wish.window.until,
        state=state,
        source=source,
        held_until=held_until,
        waits_since=now if volunteer else None,
        created_at=now,
        changed_at=now,
    )


def _verified_before(entry: WaitingEntry) -> WaitingEntry:
    """A second tap: the entry, or the one of the same person that it was joined with."""
    if entry.state != WaitingState.LEFT or entry.volunteer_id is None:
        return entry
    mine = WaitingEntry.objects.in_line().filter(drive=entry.drive_id, volunteer=entry.volunteer_id)
    return mine.first() or entry
