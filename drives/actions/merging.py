"""Two volunteers that turn out to be one person."""

from datetime import datetime

from django.db import transaction

from drives import refusals
from drives.capacity import locks, reserved_spots
from drives.models import ACTIVE, Booking, StatedDonation, WaitingEntry
from drives.queries import people as person_queries
from notifications.actions import outbox
from organizations.actions import audit
from organizations.models import Organization
from volunteers.actions import recognizing
from volunteers.models import Volunteer


@transaction.atomic
def merge(
    *, organization: Organization, one_id: int, other_id: int, actor: str, now: datetime, called: int | None = None
) -> Volunteer:
    """Make two volunteers of an organization one: the older row stays and gets everything that the other had.

    It keeps its name and language, or gets those of the younger one if that is whom `called` names.
    Bookings, places in line, what was stated, registrations and contacts move; waiting messages follow; the link of the
    younger one's calendar opens nothing any more. Consents stay where they are: with the address. A second call answers
    as the first. Refuses (`Refusal`) two active bookings or two places in line at one drive: they are resolved first.
    Raises Volunteer.DoesNotExist for anybody who is not of this organization.
    Locks: all identities of both, their drives (shared), their bookings, entries.
    """
    if already := person_queries.merged_into(organization, {one_id, other_id}):
        return already
    people = Volunteer.objects.of(organization).known().filter(pk__in={one_id, other_id})
    locks.people_then_drives([one_id, other_id])
    found = list(people.select_related("phone", "email").order_by("created_at", "pk"))
    if len(found) < 2:  # somebody else was quicker, or there are none
        return person_queries.merged_into(organization, {one_id, other_id}) or _missing()
    survivor, gone = found
    left = f"volunteer:{gone.pk}"
    ids = Booking.objects.filter(volunteer__in=found, state__in=ACTIVE).order_by("pk").values_list("pk", flat=True)
    locks.bookings(list(ids))
    locks.waiting_entries(WaitingEntry.objects.filter(volunteer__in=found).values_list("pk", flat=True))
    if reasons := person_queries.reasons_not_to_merge(survivor, gone):
        raise refusals.Refusal(reasons)
    if called == gone.pk:
        survivor.name, survivor.language = gone.name, gone.language
    _move(survivor, gone)
    outbox.rename_recipient(recipient=left, to=f"volunteer:{survivor.pk}")
    for booking in Booking.objects.filter(volunteer=survivor, state__in=ACTIVE):
        reserved_spots.has_place(booking, now)
    kept = [f"volunteer:{survivor.pk}"]
    audit.note(organization=organization, actor=actor, verb=person_queries.MERGED, about=left, fields=kept, now=now)
    return survivor


def _move(survivor: Volunteer, gone: Volunteer) -> None:
    """Everything of one person to the other; then the row without anything goes."""
    Booking.objects.filter(volunteer=gone).update(volunteer=survivor)
    WaitingEntry.objects.filter(volunteer=gone).update(volunteer=survivor)
    newest = StatedDonation.objects.filter(volunteer__in=[survivor, gone]).order_by("-stated_at", "-pk").first()
    if newest:
        StatedDonation.objects.filter(volunteer__in=[survivor, gone]).exclude(pk=newest.pk).delete()
        StatedDonation.objects.filter(pk=newest.pk).update(volunteer=survivor)
    recognizing.take_over(survivor=survivor, gone=gone)


def _missing() -> Volunteer:
    raise Volunteer.DoesNotExist
