"""Booking again: whoever proved a contact in this browser types nothing and needs no code."""

from collections.abc import Sequence
from datetime import datetime

from drives.booking import changes, hold, verify
from drives.booking.hold import Person
from drives.models import Booking, CancelledBy, Drive
from drives.refusals import Refusal
from volunteers import queries as volunteers_queries
from volunteers.models import ContactKind, Volunteer


def book_again(
    *,
    drive: Drive,
    slot_id: int,
    visit: str,
    volunteer: Volunteer,
    browser: str,
    language: str,
    consents: Sequence[str] = (),
    confirms: Sequence[str] = (),
    ip: str | None,
    now: datetime,
) -> Booking:
    """Book a time for a person after this browser verified their contact, in this organization or another.

    A hold and its proof, one after the other, for they lock in the same order each; a refusal of the second gives the
    hold up. A donor with this very time already gets that booking, so a second tap answers as the first. Refuses as
    `hold.hold_bookings` and `verify.prove`; a proof that is over meanwhile is a ValidationError by field.
    """
    proved = volunteers_queries.proved_addresses(volunteer, browser, now)
    person = Person(
        name=volunteer.name,
        phone=proved.get(ContactKind.PHONE, ""),
        email=proved.get(ContactKind.EMAIL, ""),
        language=language,
        consents=consents,
        confirms=confirms,
    )
    [held] = hold.hold_bookings(
        drive=drive, slot_id=slot_id, visit=visit, person=person, ip=ip, browser_token=browser, now=now
    )
    try:
        return verify.prove(booking_id=held.pk, code="", bound_to="", browser=browser, now=now)
    except Refusal as refusal:
        changes.cancel_bookings(booking_id=held.pk, actor="donor", by=CancelledBy.DONOR, now=now)
        same = Booking.objects.active().filter(
            drive=drive, arrival=slot_id, volunteer__owned_contacts__identity=_of(held)
        )
        if "already_booked" in refusal.codes and (known := same.first()):
            return known
        raise


def _of(held: Booking) -> str:
    return held.registration.identity if held.registration else ""
