"""Book for a donor without a verification code: by phone, through an API key, or from an imported file."""

from datetime import datetime

from django.db import transaction

from drives.booking import create, messages
from drives.booking.hold import Person
from drives.capacity import booking_facts, locks
from drives.eligibility import check, history, self_check, self_reported
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
    """Book a slot for a donor. Checks only this organization's records of the donor.

    The slot or the drive may be closed to online bookings, and the slot may have started. The donor's history
    determines the visit type, unless `override_reason` is given.

    Refuses:
    - everything else that `hold.hold_bookings` refuses about a drive or slot
    - a second active booking of the donor at the drive
    - a time too close to another donation, unless `override_reason` is given
    - a time at which the donor is booked at another drive, even with `override_reason`

    `override_reason` is saved. An imported booking gets reminders, but no confirmation. Locks: identities, drive
    (shared), slots.
    """
    country = drive.organization.country
    identities = registration.compute_typed_identities(phone=person.phone, email=person.email, country=country)
    locks.lock_contact_owners_then_drive(identities, drive)
    volunteer = registration.enter_volunteer(
        organization=drive.organization,
        **person.contact_fields(),
        actor=actor,
        now=now,
    )
    if person.self_reported:
        self_reported.save_self_reported(person.self_reported, drive=drive, actor=actor, now=now, volunteer=volunteer)
    requested = booking_facts.load_booking_facts(
        drive_id=drive.pk, slot_id=slot_id, volunteer_id=volunteer.pk, now=now, by_member=True
    )
    donor = history.DonorScope(volunteer.pk)
    booking = create.book_volunteer(
        drive,
        requested,
        visit,
        now,
        volunteer=volunteer,
        donor=donor,
        source=source,
        actor=actor,
        is_overridden=bool(override_reason),
    )
    _save_self_check(booking, person)
    if override_reason:
        _save_override(booking, override_reason)
    booked = [locks.lock_booking(booking.pk)]  # this also loads the related rows that messages need
    if source == Source.IMPORT:
        messages.schedule_reminders_only(booked, now)
    else:
        messages.queue_confirmations(booked, now, is_own_action=False)
    return booking


def _save_self_check(booking: Booking, person: Person) -> None:
    if person.self_check:
        answers = self_check.validate_self_check(person.self_check, booking.drive.policy.self_check)
        policy_id = booking.drive.policy_id if answers else None
        Booking.objects.filter(pk=booking.pk).update(self_check=answers, self_check_policy_id=policy_id)


def _save_override(booking: Booking, override_reason: str) -> None:
    """Save the reason for the override and the rules that it covers. At check-in, only those rules are waived."""
    assert booking.volunteer_id is not None
    donor = history.DonorScope(booking.volunteer_id, excluded_booking_id=booking.pk)
    reasons = check.check_eligibility(donor, booking.drive, booking.starts_at).reasons
    Booking.objects.filter(pk=booking.pk).update(
        override_reason=override_reason, overridden_rules=check.format_rules(reasons)
    )
