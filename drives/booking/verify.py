from datetime import datetime

from django.db import transaction

from drives.booking import changes, confirm_holds, messages, rules
from drives.booking.rules import Act
from drives.capacity import locks, reserved_spots
from drives.models import Booking, BookingState, Drive
from volunteers import limits, verification
from volunteers.codes import CodeResult
from volunteers.matching import BookingFor
from volunteers.verification import CodeWrong


def verify_booking(
    *, booking_id: int, code: str, bound_to: str, now: datetime, browser: str = "", booking_for: BookingFor = ""
) -> Booking:
    """Verify a hold's contact, then book the hold and the rest of its party if the rules allow it.

    1. Verify the code in its own transaction, so that the attempt counts even if the booking is refused.
    2. Match the volunteers and check every rule, under the locks.
    3. Book, close the donors' waitlist entries, and queue the confirmations.

    The donor's history determines the visit type, which determines the footprint. After the refusal `other_name`, the
    caller asks whether the booking is for the contact's owner or for another person, and calls again with
    `booking_for`. If the hold is already booked, return the booking.

    Raises CodeWrong, HoldLapsed, limits.TooManyChanges, or Refusal. After a Refusal, the slot is still held. Locks:
    identities, drive (shared), bookings, waitlist entries; slots if the visit type changes.
    """
    held = Booking.objects.select_related("registration").get(pk=booking_id)
    held.refuse_lapsed(now)
    if held.state != BookingState.HELD:
        return held
    party = [details := held.get_registration(now), *confirm_holds.list_companion_registrations(held)]
    took_code = verification.verify_registrations(
        registrations=party, code=code, bound_to=bound_to, browser=browser, now=now
    )
    return _confirm_party(
        held=held, identity=details.identity, booking_for=booking_for, is_change_counted=not took_code, now=now
    )


@transaction.atomic
def resend_hold_code(*, booking_id: int, bound_to: str, ip: str | None, now: datetime, by_email: bool = False) -> None:
    """Send another code for a hold. Raises RateLimitExceeded, or HoldLapsed if the hold has ended. Locks: booking."""
    held = locks.lock_booking(booking_id)
    party, about = [held.get_registration(now), *confirm_holds.list_companion_registrations(held)], held.about
    verification.send_code_again(registrations=party, by_email=by_email, bound_to=bound_to, about=about, ip=ip, now=now)


@transaction.atomic
def _confirm_party(
    *, held: Booking, identity: str, booking_for: BookingFor, is_change_counted: bool, now: datetime
) -> Booking:
    drive = Drive.objects.select_related("organization").get(bookings=held.pk)
    locks.lock_contact_owners_then_drive([identity], drive)
    locked = locks.lock_party(held)
    requested = next(booking for booking in locked if booking.pk == held.pk)
    requested.refuse_lapsed(now)
    if requested.state != BookingState.HELD:
        return requested
    changes.refuse_step(Act.VERIFY, requested, "donor", now)
    party = [row for row in locked if not rules.reasons_not_to_take_step(Act.VERIFY, row, "donor", now)]
    if any(booking.registration and booking.registration.identity != identity for booking in party):
        raise CodeWrong(CodeResult.EXPIRED)  # the code now goes to the e-mail address, which is not verified
    confirm_holds.assign_volunteers(party, booking_for, now)
    confirm_holds.check_holds(party, now)
    if is_change_counted:
        limits.spend_change(organization=drive.organization, identity=identity, phone=drive.phone, now=now)
    confirm_holds.confirm_held_bookings(party, now)
    reserved_spots.close_entries_of_booked_donors(party, now)
    messages.queue_confirmations(party, now)
    return requested
