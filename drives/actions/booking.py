"""How somebody gets a place: held, then proved; or entered by a coordinator at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from drives.actions import settling, taking, telling
from drives.capacity import counters, facts, locks, reserved_spots, visits
from drives.domain.intervals import Stated
from drives.eligibility import history, self_check, self_reported
from drives.models import Booking, BookingState, Drive, Source
from organizations.models import Organization, linked
from volunteers import queries as volunteers_queries
from volunteers.actions import proving, registration
from volunteers.actions.recognizing import Whose
from volunteers.models import Registration


@dataclass(frozen=True)
class Person:
    """What somebody typed about themselves. Not yet normalized, not believed until the contact is proved."""

    name: str
    phone: str = ""
    email: str = ""
    language: str = "en"
    consents: Sequence[str] = field(default_factory=tuple)
    confirms: Sequence[str] = field(default_factory=tuple)
    stated: Stated | None = None  # a last donation elsewhere
    for_other: bool = False  # "I book for another person"

    def said(self) -> dict[str, Any]:
        """What the organization may keep of it, for `volunteers.actions.registration`."""
        names = ("name", "phone", "email", "language", "consents")
        return {name: getattr(self, name) for name in names}

    def typed(self) -> dict[str, Any]:
        """The same with what only they can say, for who is yet to prove the contact."""
        return {**self.said(), "confirms": self.confirms, "for_other": self.for_other}


class HoldLapsed(ValidationError):
    """The time was kept for fifteen minutes and is free again."""

    def __init__(self) -> None:
        super().__init__(
            _("The time was not confirmed in time and is free again. Choose a time once more."), "hold_lapsed"
        )


class CodeWrong(ValidationError):
    """The code does not match, is too old, or was tried too often; `code` of the error says which."""

    def __init__(self, result: proving.CodeResult) -> None:
        sentences = {
            proving.CodeResult.WRONG: _("That is not the code we sent. Check the six digits and try again."),
            proving.CodeResult.EXPIRED: _("This code is too old. Ask for a new one."),
            proving.CodeResult.NO_TRIES_LEFT: _("This code was tried too often. Ask for a new one."),
        }
        super().__init__(sentences[result], "code_wrong")


def hold_within(
    *,
    drive: Drive,
    slot_id: int,
    visit: str,
    person: Person,
    source: Source = Source.ONLINE,
    ip: str | None,
    now: datetime,
    bound_to: str = "",
    browser_token: str = "",
    beside: Callable[[Booking], None] | None = None,
) -> Booking:
    """Keep a place for fifteen minutes and send the code that proves the contact; inside a transaction of the caller's.

    The code counts for whoever holds `bound_to`; without it, for whoever holds the booking's own token. What `beside`
    writes about the booking is written before the counters, which stay locked until the transaction ends.
    A browser that proved this contact before gets no code. The answer does not depend on the person's history.
    Refuses (`Refusal`) a drive that takes no bookings, a time that is closed, past, of another drive, full or too close
    to what is stated, and a third live hold of one contact; malformed details are a ValidationError by field.
    Locks: identity, drive (shared), slots.
    """
    details = registration.cleaned(organization=drive.organization, **person.typed(), source=source, ip=ip, now=now)
    self_reported.refuse_impossible(person.stated, drive, now)
    locks.identities_then_drive([details.identity], drive.pk)
    found = facts.place_facts(
        drive_id=drive.pk, slot_id=slot_id, identity=details.identity, shape=visits.visit_shape(drive, visit), now=now
    )
    taking.refuse_unless_possible(found.facts, drive, visit, now)
    self_reported.refuse_too_close(person.stated, drive, visit, found.facts.slot_starts_at or drive.starts_at, now)
    registration.keep(details)
    self_reported.keep(person.stated, drive=drive, actor="donor", now=now, registration=details)
    taken = taking.write(drive, found, visit, now, state=BookingState.HELD, source=source, registration=details)
    send_first_code(taken.booking, details, bound_to, browser_token, ip, now)
    if beside:
        beside(taken.booking)
    return taking.count(taken, now)


hold = transaction.atomic(hold_within)


def prove(
    *, booking_id: int, code: str, bound_to: str, now: datetime, browser_token: str = "", whose: Whose = ""
) -> Booking:
    """Turn a hold, with all of its party, into bookings: the code proves the contact, then every rule is judged.

    The kind of visit follows what was recorded of the person, and the time kept follows the kind of visit. `whose` says
    for whom it is, once a name that is not the contact's owner's was asked about (`other_name`).
    A second call for the same booking answers as the first did. Raises CodeWrong, HoldLapsed, or Refusal while the hold
    still stands for another choice. Locks: identities, drive (shared), bookings; slots if the kind of visit is another.
    """
    held = Booking.objects.select_related("registration").get(pk=booking_id)
    if held.state != BookingState.HELD or held.registration is None:
        return _proved_before(held)
    if held.held_until is None or held.held_until <= now:
        raise HoldLapsed
    if not is_proved(held.registration, browser_token, now):
        try_code(held.registration, code, bound_to, browser_token, now, beside=settling.companions(held))
    return _settle(held=held, identity=held.registration.identity, whose=whose, now=now)


@transaction.atomic
def send_code_again(*, booking_id: int, bound_to: str, ip: str | None, now: datetime, by_email: bool = False) -> None:
    """Send a new code for a hold; the earlier one is worth nothing from now on. Raises HoldLapsed or TooMany.

    Locks: booking.
    """
    held = locks.booking(booking_id)
    if (
        held.state != BookingState.HELD
        or held.registration is None
        or held.held_until is None
        or held.held_until <= now
    ):
        raise HoldLapsed
    details = held.registration
    if by_email:
        registration.prove_by_email(registrations=[details, *settling.companions(held)])
    proving.send_code(registration=details, bound_to=bound_to, about=held.about, ip=ip, now=now)


@transaction.atomic
def enter(
    *,
    drive: Drive,
    slot_id: int,
    visit: str,
    person: Person,
    actor: str,
    now: datetime,
    source: Source = Source.ORGANIZER,
    override_reason: str = "",
) -> Booking:
    """Book for somebody by phone or through an organization's key: booked at once, judged on this organization's rows.

    May use closed times and closed drives. Refuses as `hold` does, a second active booking, and a time too close to
    another donation, unless there is a reason to override, which is kept. The kind of visit follows what this
    organization recorded. Locks: identities, drive (shared), slots.
    """
    country = drive.organization.country
    typed = registration.typed_identities(phone=person.phone, email=person.email, country=country)
    locks.typed_then_drive(typed, drive)
    volunteer = registration.enter(
        organization=drive.organization,
        **person.said(),
        actor=actor,
        now=now,
    )
    self_reported.keep(person.stated, drive=drive, actor=actor, now=now, volunteer=volunteer)
    found = facts.place_facts(drive_id=drive.pk, slot_id=slot_id, volunteer_id=volunteer.pk, now=now, by_staff=True)
    giver = None if override_reason else history.Giver(volunteer.pk)
    booking = taking.enter(drive, found, visit, now, volunteer=volunteer, giver=giver, source=source, actor=actor)
    _keep_said(booking, person, override_reason)
    telling.booked(locks.booking(booking.pk), now)
    return booking


def _keep_said(booking: Booking, person: Person, override_reason: str) -> None:
    """What was confirmed to whoever entered it, under which policy, and why a rule does not count."""
    said = self_check.outcome(person.confirms, booking.drive.policy.confirms) if person.confirms else []
    if said or override_reason:
        kept = Booking.objects.filter(pk=booking.pk)
        policy_id = booking.drive.policy_id if said else None
        kept.update(override_reason=override_reason, confirms=said, confirmed_policy_id=policy_id)


@transaction.atomic
def lapse_holds(*, now: datetime, limit: int = 500) -> int:
    """Free the places of holds whose fifteen minutes are over. Locks: bookings, slots, drive by drive.

    Returns at how many drives a place is open again: one that is kept for who waits is not.
    """
    drives = (
        Booking.objects.filter(state=BookingState.HELD, held_until__lte=now)
        .order_by("drive")
        .values("drive")
        .distinct()
    )
    lapsed = 0
    for drive_id in list(drives.values_list("drive", flat=True)[:limit]):
        locks.drive_shared(drive_id)
        counters.change(drive_id=drive_id, deltas=(freed := taking.lapse_in(drive_id, now)))
        lapsed += bool(freed)
    return lapsed


def send_first_code(
    booking: Booking, details: Registration, bound_to: str, browser_token: str, ip: str | None, now: datetime
) -> None:
    """Send the code of a new hold, unless the browser proved the contact before. Part of its caller."""
    if not volunteers_queries.browser_proved(browser_token, details.identity, now):
        proving.send_code(
            registration=details,
            bound_to=bound_to or linked.token_digest(booking.token),
            about=booking.about,
            ip=ip,
            now=now,
        )


def is_proved(details: Registration, browser_token: str, now: datetime) -> bool:
    """Whether what was typed needs no code: its contact was proved, now or in this browser before."""
    return details.proved_at is not None or volunteers_queries.browser_proved(browser_token, details.identity, now)


def is_live(booking: Booking, now: datetime) -> bool:
    """Whether its place is still kept for whoever has the code."""
    return booking.state == BookingState.HELD and booking.held_until is not None and booking.held_until > now


def _proved_before(booking: Booking) -> Booking:
    if booking.state in (BookingState.HELD, BookingState.LAPSED):
        raise HoldLapsed
    return booking


def try_code(
    details: Registration,
    code: str,
    bound_to: str,
    browser_token: str,
    now: datetime,
    beside: Sequence[Registration] = (),
) -> None:
    """Prove the contact by its code, for these details and those `beside` them, or raise CodeWrong."""
    # Its own transaction: a wrong try counts although it is refused, a right one proves even if a rule then refuses.
    with transaction.atomic():
        result = proving.try_code(identity=details.identity, bound_to=bound_to, code=code, now=now)
        if result == proving.CodeResult.OK:
            ids = [each.pk for each in (details, *beside)]
            Registration.objects.filter(pk__in=ids, identity=details.identity).update(proved_at=now)
            if browser_token:
                proving.remember_browser(token=browser_token, identity=details.identity, now=now)
    # The second of two taps finds the code used by the first, which may not have booked yet.
    if result != proving.CodeResult.OK and not volunteers_queries.proved_here(details.identity, bound_to, now):
        raise CodeWrong(result)


@transaction.atomic
def _settle(*, held: Booking, identity: str, whose: Whose, now: datetime) -> Booking:
    drive = Drive.objects.get(bookings=held.pk)
    locks.typed_then_drive([identity], drive)
    locked = locks.bookings(settling.party_ids(held))
    party = [booking for booking in locked if is_live(booking, now)]
    asked = next((booking for booking in party if booking.pk == held.pk), None)
    if asked is None:
        return _proved_before(next(booking for booking in locked if booking.pk == held.pk))
    if any(booking.registration and booking.registration.identity != identity for booking in party):
        raise CodeWrong(proving.CodeResult.EXPIRED)  # turned to the mailbox meanwhile, which nobody has proved
    settling.recognize(party, whose, now)
    settling.judge(party, now)
    settling.keep(party, now)
    reserved_spots.have_places(party, now)
    telling.booked_together(party, now)
    return asked


def drive_of(organization: Organization, drive_id: int) -> Drive:
    """The organization's drive with all that booking needs. Raises Drive.DoesNotExist."""
    return Drive.objects.of(organization).select_related("organization", "site", "policy").get(pk=drive_id)
