"""Two volunteers that turn out to be one person."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from drives import refusals
from drives.capacity import locks, reserved_spots
from drives.models import ACTIVE, IN_LINE, Booking, Drive, StatedDonation, WaitingEntry
from notifications import outbox
from organizations import audit
from organizations.models import AuditEntry, Organization
from volunteers import matching
from volunteers.models import Volunteer

MERGED = "merged"


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
    if already := merged_into(organization, {one_id, other_id}):
        return already
    people = Volunteer.objects.of(organization).known().filter(pk__in={one_id, other_id})
    locks.people_then_drives([one_id, other_id])
    found = list(people.select_related("phone", "email").order_by("created_at", "pk"))
    if len(found) < 2:  # somebody else was quicker, or there are none
        return merged_into(organization, {one_id, other_id}) or _missing()
    survivor, gone = found
    left = f"volunteer:{gone.pk}"
    ids = Booking.objects.filter(volunteer__in=found, state__in=ACTIVE).order_by("pk").values_list("pk", flat=True)
    locks.bookings(list(ids))
    locks.waiting_entries(WaitingEntry.objects.filter(volunteer__in=found).values_list("pk", flat=True))
    if reasons := reasons_not_to_merge(survivor, gone):
        raise refusals.Refusal(reasons)
    if called == gone.pk:
        survivor.name, survivor.language = gone.name, gone.language
    _move(survivor, gone)
    outbox.rename_recipient(recipient=left, to=f"volunteer:{survivor.pk}")
    for booking in Booking.objects.filter(volunteer=survivor, state__in=ACTIVE):
        reserved_spots.end_waiting([booking], now)
    kept = [f"volunteer:{survivor.pk}"]
    audit.note(organization=organization, actor=actor, verb=MERGED, about=left, fields=kept, now=now)
    return survivor


def _move(survivor: Volunteer, gone: Volunteer) -> None:
    """Everything of one person to the other; then the row without anything goes."""
    Booking.objects.filter(volunteer=gone).update(volunteer=survivor)
    WaitingEntry.objects.filter(volunteer=gone).update(volunteer=survivor)
    newest = StatedDonation.objects.filter(volunteer__in=[survivor, gone]).order_by("-stated_at", "-pk").first()
    if newest:
        StatedDonation.objects.filter(volunteer__in=[survivor, gone]).exclude(pk=newest.pk).delete()
        StatedDonation.objects.filter(pk=newest.pk).update(volunteer=survivor)
    matching.take_over(survivor=survivor, gone=gone)


def _missing() -> Volunteer:
    raise Volunteer.DoesNotExist


def reasons_not_to_merge(one: Volunteer, other: Volunteer) -> list[refusals.Reason]:
    """What a coordinator has to resolve first: both booked, or both in line, at one drive. Two queries."""
    both = Count("pk")
    booked = Drive.objects.filter(bookings__volunteer__in=[one, other], bookings__state__in=ACTIVE)
    waiting = Drive.objects.filter(waiting__volunteer__in=[one, other], waiting__state__in=IN_LINE)
    twice = _("Both have a booking at “%(drive)s”. Cancel one of them first.")
    in_line = _("Both are on the waiting list of “%(drive)s”. Take one of them off first.")
    return [
        refusals.Reason(code, text % {"drive": drive.title})
        for drives, code, text in ((booked, "both_booked", twice), (waiting, "both_waiting", in_line))
        for drive in drives.annotate(both=both).filter(both__gt=1).order_by("pk")
    ]


def merged_into(organization: Organization, ids: Collection[int]) -> Volunteer | None:
    """Who is left of these two, if they have been made one before. Two queries at most."""
    abouts = [f"volunteer:{pk}" for pk in ids]
    lines = AuditEntry.objects.filter(organization=organization, verb=MERGED, about__in=abouts)
    kept = next((line.fields[0] for line in lines if line.fields and line.fields[0] in abouts), None)
    rows = Volunteer.objects.of(organization)
    return rows.filter(pk=int(kept.removeprefix("volunteer:"))).first() if kept else None
