"""Book for a donor by phone or through an API key."""

from datetime import datetime

from django.db import transaction

from drives.booking import create, messages
from drives.booking.hold import Person
from drives.capacity import booking_facts, locks
from drives.eligibility import history, self_check, self_reported
from drives.models import Booking, Drive, Source
from volunteers import registration


@transaction.atomic
def create_booking_for_donor(
    *,
    drive: Drive,
    slot_id: int,
    visit: str,
    person: Person,
    actor: str,
    now: datetime,
    source: Source = Source.COORDINATOR,
    override_reason: str = "",
) -> Booking:
    """Book for a donor by phone or through an organization's key: booked at once, by this organization's rows.

    May use closed times and closed drives. Refuses as `hold_bookings` does, a second active booking, and a time too
    close to another donation, unless there is a reason to override, which is kept. The kind of visit follows what this
    organization recorded. Locks: identities, drive (shared), slots.
    """
    country = drive.organization.country
    typed = registration.compute_typed_identities(phone=person.phone, email=person.email, country=country)
    locks.lock_contact_owners_then_drive(typed, drive)
    volunteer = registration.enter_volunteer(
        organization=drive.organization,
        **person.said(),
        actor=actor,
        now=now,
    )
    if person.self_reported:
        self_reported.save_self_reported(person.self_reported, drive=drive, actor=actor, now=now, volunteer=volunteer)
    found = booking_facts.load_booking_facts(
        drive_id=drive.pk, slot_id=slot_id, volunteer_id=volunteer.pk, now=now, by_member=True
    )
    giver = None if override_reason else history.DonorScope(volunteer.pk)
    booking = create.book_volunteer(
        drive, found, visit, now, volunteer=volunteer, donor=giver, source=source, actor=actor
    )
    _save_self_check(booking, person, override_reason)
    messages.queue_confirmations([locks.lock_booking(booking.pk)], now, is_own_action=False)
    return booking


def _save_self_check(booking: Booking, person: Person, override_reason: str) -> None:
    """Keep the self-check that the coordinator heard, its policy, and the reason for an override."""
    said = (
        self_check.validate_self_check(person.self_check, booking.drive.policy.self_check) if person.self_check else []
    )
    if said or override_reason:
        kept = Booking.objects.filter(pk=booking.pk)
        policy_id = booking.drive.policy_id if said else None
        kept.update(override_reason=override_reason, self_check=said, self_check_policy_id=policy_id)
