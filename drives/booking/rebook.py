"""Book again without a form or a code, in a browser that has verified the donor's contact."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from drives.booking import hold, verify
from drives.booking.hold import Person
from drives.capacity import locks
from drives.models import WAITLISTED_STATES, Booking, Drive, WaitlistEntry
from drives.refusals import Refusal
from volunteers import queries as volunteers_queries
from volunteers import rules as volunteers_rules
from volunteers.models import ContactKind, Volunteer


def rebook_donor(
    *,
    drive: Drive,
    slot_id: int,
    visit: str,
    volunteer: Volunteer,
    browser: str,
    language: str,
    consents: Sequence[str] = (),
    self_check: Sequence[str] = (),
    share_code: str = "",
    ip: str | None,
    now: datetime,
) -> Booking:
    """Book a slot at any organization for a donor with a contact that this browser has verified.

    If the donor already has this slot, return that booking, so that a second tap changes nothing. Refuses everything
    that `hold.hold_bookings` and `verify.verify_booking` refuse. Raises ValidationError by field if the browser's
    verification has expired.
    """
    verified = volunteers_queries.load_verified_addresses(volunteer, browser, now)
    person = Person(
        name=volunteer.name,
        phone=verified.get(ContactKind.PHONE, ""),
        email=verified.get(ContactKind.EMAIL, ""),
        language=language,
        consents=consents,
        self_check=self_check,
    )
    identities = [volunteers_rules.compute_identity(address) for address in verified.values()]
    try:
        return _book(drive, slot_id, visit, person, identities, browser, share_code, ip, now)
    except Refusal as refusal:
        own = volunteers_rules.compute_identity(person.phone or person.email)  # the contact that the registration uses
        bookings_of_slot = Booking.objects.active().filter(
            drive=drive, arrival=slot_id, volunteer__owned_contacts__identity=own
        )
        if "already_booked" in refusal.codes and (existing := bookings_of_slot.first()):
            return existing
        raise


@transaction.atomic
def _book(
    drive: Drive,
    slot_id: int,
    visit: str,
    person: Person,
    identities: Sequence[str],
    browser: str,
    share_code: str,
    ip: str | None,
    now: datetime,
) -> Booking:
    # Verification locks waitlist entries. In the lock order they come before slots, so lock them before the hold.
    locks.lock_contact_owners_then_drive(identities, drive)
    waiting = WaitlistEntry.objects.filter(
        drive=drive, state__in=WAITLISTED_STATES, volunteer__owned_contacts__identity__in=identities
    )
    locks.lock_waitlist_entries(waiting.values_list("pk", flat=True))
    [held] = hold.hold_bookings(
        drive=drive,
        slot_id=slot_id,
        visit=visit,
        person=person,
        ip=ip,
        browser_token=browser,
        share_code=share_code,
        now=now,
    )
    return verify.verify_booking(booking_id=held.pk, code="", bound_to="", browser=browser, now=now)
