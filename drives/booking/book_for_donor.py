"""Book for a donor by phone or through an API key."""

from datetime import datetime

from django.db import transaction

from drives.booking import create, messages
from drives.booking.hold import Person
from drives.capacity import facts, locks
from drives.eligibility import history, self_check, self_reported
from drives.models import Booking, Drive, Source
from volunteers import registration


@transaction.atomic
def book_for_donor(
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
    """Book for a donor by phone or through an organization's key: booked at once, by this organization's rows.

    May use closed times and closed drives. Refuses as `hold_bookings` does, a second active booking, and a time too
    close to another donation, unless there is a reason to override, which is kept. The kind of visit follows what this
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
    if person.stated:
        self_reported.keep(person.stated, drive=drive, actor=actor, now=now, volunteer=volunteer)
    found = facts.place_facts(drive_id=drive.pk, slot_id=slot_id, volunteer_id=volunteer.pk, now=now, by_staff=True)
    giver = None if override_reason else history.Giver(volunteer.pk)
    booking = create.book_volunteer(
        drive, found, visit, now, volunteer=volunteer, giver=giver, source=source, actor=actor
    )
    _keep_said(booking, person, override_reason)
    messages.booked([locks.booking(booking.pk)], now, own_act=False)
    return booking


def _keep_said(booking: Booking, person: Person, override_reason: str) -> None:
    """Keep the self-check that the coordinator heard, its policy, and the reason for an override."""
    said = self_check.outcome(person.confirms, booking.drive.policy.confirms) if person.confirms else []
    if said or override_reason:
        kept = Booking.objects.filter(pk=booking.pk)
        policy_id = booking.drive.policy_id if said else None
        kept.update(override_reason=override_reason, confirms=said, confirmed_policy_id=policy_id)
