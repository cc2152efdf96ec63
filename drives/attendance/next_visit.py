from datetime import datetime

from django.db import transaction

from drives import refusals
from drives.attendance import rules
from drives.booking import create
from drives.booking import messages as booking_messages
from drives.booking import rules as booking_rules
from drives.capacity import booking_facts, locks
from drives.capacity import rules as capacity_rules
from drives.eligibility import history
from drives.models import Booking, Drive, Source, Visit
from volunteers import queries as volunteers_queries


@transaction.atomic
def book_next_visit(*, booking_id: int, slot_id: int, actor: str, now: datetime) -> Booking:
    """Book the next visit after a donation, at any drive of the same organization.

    Checks eligibility on this organization's records, with no overrides. A second call for the same slot returns the
    same booking.

    Refuses:
    - a booking without a donation
    - a slot that is closed, past, full or unknown
    - a second booking at that drive
    - a time too close to another donation (the refusal lists later times)

    Locks: identities, drive (shared), booking, slots.
    """
    visited = Booking.objects.select_related("drive", "volunteer").get(pk=booking_id, volunteer__isnull=False)
    drives = Drive.objects.filter(organization=visited.drive.organization_id, slots=slot_id)
    drive = drives.select_related("organization", "site", "policy").first()
    if drive is None:
        raise refusals.Refusal([capacity_rules.build_slot_unknown_reason()])
    return _book_slot(visited, drive, slot_id, actor, now)


def _book_slot(visited: Booking, drive: Drive, slot_id: int, actor: str, now: datetime) -> Booking:
    volunteer = visited.volunteer
    assert volunteer is not None  # the query of `book_next_visit` requires one
    locks.lock_identities_then_drive(volunteers_queries.list_person_identities(volunteer_id=volunteer.pk), drive.pk)
    if reasons := booking_rules.reasons_not_to_change(locks.lock_booking(visited.pk).state, rules.HAS_DONATED):
        raise refusals.Refusal(reasons)
    existing = Booking.objects.active().filter(drive=drive, arrival=slot_id, volunteer=volunteer).first()
    if existing:
        return existing
    slot = booking_facts.load_booking_facts(drive_id=drive.pk, slot_id=slot_id, volunteer_id=volunteer.pk, now=now)
    donor = history.DonorScope(volunteer.pk)
    booking = create.book_volunteer(
        drive, slot, Visit.RETURN, now, volunteer=volunteer, donor=donor, source=Source.COORDINATOR, actor=actor
    )
    booked = locks.lock_booking(booking.pk)
    booking_messages.queue_confirmations([booked], now)
    return booked
