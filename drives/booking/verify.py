"""Verify a held booking by its code, and turn it into a booking."""

from collections.abc import Sequence
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from drives.booking import confirm_holds, hold, messages
from drives.booking.hold import HoldLapsed
from drives.capacity import locks, reserved_spots
from drives.models import Booking, BookingState, Drive
from volunteers import queries as volunteers_queries
from volunteers import registration, verification
from volunteers.matching import Whose
from volunteers.models import Registration


class CodeWrong(ValidationError):
    """The code does not match, is too old, or was tried too often; `code` of the error says which."""

    def __init__(self, result: verification.CodeResult) -> None:
        sentences = {
            verification.CodeResult.WRONG: _("That is not the code we sent. Check the six digits and try again."),
            verification.CodeResult.EXPIRED: _("This code is too old. Ask for a new one."),
            verification.CodeResult.NO_TRIES_LEFT: _("This code was tried too often. Ask for a new one."),
        }
        super().__init__(sentences[result], "code_wrong")


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
        try_code(held.registration, code, bound_to, browser_token, now, beside=confirm_holds.companions(held))
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
        registration.prove_by_email(registrations=[details, *confirm_holds.companions(held)])
    verification.send_code(registration=details, bound_to=bound_to, about=held.about, ip=ip, now=now)


def is_proved(details: Registration, browser_token: str, now: datetime) -> bool:
    """Whether what was typed needs no code: its contact was proved, now or in this browser before."""
    return details.proved_at is not None or volunteers_queries.browser_proved(browser_token, details.identity, now)


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
        result = verification.try_code(identity=details.identity, bound_to=bound_to, code=code, now=now)
        if result == verification.CodeResult.OK:
            ids = [each.pk for each in (details, *beside)]
            Registration.objects.filter(pk__in=ids, identity=details.identity).update(proved_at=now)
            if browser_token:
                verification.remember_browser(token=browser_token, identity=details.identity, now=now)
    # The second of two taps finds the code used by the first, which may not have booked yet.
    if result != verification.CodeResult.OK and not volunteers_queries.proved_here(details.identity, bound_to, now):
        raise CodeWrong(result)


@transaction.atomic
def _settle(*, held: Booking, identity: str, whose: Whose, now: datetime) -> Booking:
    drive = Drive.objects.get(bookings=held.pk)
    locks.typed_then_drive([identity], drive)
    locked = locks.bookings(confirm_holds.party_ids(held))
    party = [booking for booking in locked if hold.is_live(booking, now)]
    asked = next((booking for booking in party if booking.pk == held.pk), None)
    if asked is None:
        return _proved_before(next(booking for booking in locked if booking.pk == held.pk))
    if any(booking.registration and booking.registration.identity != identity for booking in party):
        raise CodeWrong(verification.CodeResult.EXPIRED)  # turned to the mailbox meanwhile, which nobody has proved
    confirm_holds.recognize(party, whose, now)
    confirm_holds.judge(party, now)
    confirm_holds.keep(party, now)
    reserved_spots.have_places(party, now)
    messages.booked_together(party, now)
    return asked
