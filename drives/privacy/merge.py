"""Two volunteers that turn out to be one person."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from drives import refusals
from drives.capacity import locks, reserved_spots
from drives.models import ACTIVE_STATES, WAITLISTED_STATES, Booking, Drive, SelfReportedDonation, WaitlistEntry
from notifications import outbox
from organizations import audit
from organizations.models import AuditEntry, Organization
from volunteers import matching
from volunteers.models import Volunteer

MERGED = "merged"


@transaction.atomic
def merge_volunteers(
    *,
    organization: Organization,
    one_id: int,
    other_id: int,
    actor: str,
    now: datetime,
    name_from_id: int | None = None,
) -> Volunteer:
    """Make two volunteers of an organization one: the older row stays and gets everything that the other had.

    It keeps its name and language, or gets those of the younger one if that is whom `called` names.
    Bookings, places in line, what was stated, registrations and contacts move; waiting messages follow; the link of the
    younger one's calendar opens nothing any more. Consents stay where they are: with the address. A second call answers
    as the first. Refuses (`Refusal`) two active bookings or two places in line at one drive: they are resolved first.
    Raises Volunteer.DoesNotExist for anybody who is not of this organization.
    Locks: all identities of both, their drives (shared), their bookings, entries.
    """
    if already := find_merged_volunteer(organization, {one_id, other_id}):
        return already
    people = Volunteer.objects.of(organization).known().filter(pk__in={one_id, other_id})
    locks.lock_volunteers_then_drives([one_id, other_id])
    found = list(people.select_related("phone", "email").order_by("created_at", "pk"))
    if len(found) < 2:  # somebody else was quicker, or there are none
        return find_merged_volunteer(organization, {one_id, other_id}) or _raise_missing()
    survivor, gone = found
    left = f"volunteer:{gone.pk}"
    ids = (
        Booking.objects.filter(volunteer__in=found, state__in=ACTIVE_STATES).order_by("pk").values_list("pk", flat=True)
    )
    locks.lock_bookings(list(ids))
    locks.lock_waitlist_entries(WaitlistEntry.objects.filter(volunteer__in=found).values_list("pk", flat=True))
    if reasons := reasons_not_to_merge(survivor, gone):
        raise refusals.Refusal(reasons)
    if name_from_id == gone.pk:
        survivor.name, survivor.language = gone.name, gone.language
    _move_data(survivor, gone)
    outbox.rename_recipient(recipient=left, new_recipient=f"volunteer:{survivor.pk}")
    for booking in Booking.objects.filter(volunteer=survivor, state__in=ACTIVE_STATES):
        reserved_spots.close_entries_of_booked_donors([booking], now)
    kept = [f"volunteer:{survivor.pk}"]
    audit.add_audit_entry(organization=organization, actor=actor, verb=MERGED, about=left, fields=kept, now=now)
    return survivor


def _move_data(survivor: Volunteer, absorbed: Volunteer) -> None:
    """Everything of one person to the other; then the row without anything goes."""
    Booking.objects.filter(volunteer=absorbed).update(volunteer=survivor)
    WaitlistEntry.objects.filter(volunteer=absorbed).update(volunteer=survivor)
    newest = (
        SelfReportedDonation.objects.filter(volunteer__in=[survivor, absorbed])
        .order_by("-self_reported_at", "-pk")
        .first()
    )
    if newest:
        SelfReportedDonation.objects.filter(volunteer__in=[survivor, absorbed]).exclude(pk=newest.pk).delete()
        SelfReportedDonation.objects.filter(pk=newest.pk).update(volunteer=survivor)
    matching.merge_volunteer_rows(survivor=survivor, duplicate=absorbed)


def _raise_missing() -> Volunteer:
    raise Volunteer.DoesNotExist


def reasons_not_to_merge(one: Volunteer, other: Volunteer) -> list[refusals.Reason]:
    """What a coordinator has to resolve first: both booked, or both in line, at one drive. Two queries."""
    both = Count("pk")
    booked = Drive.objects.filter(bookings__volunteer__in=[one, other], bookings__state__in=ACTIVE_STATES)
    waiting = Drive.objects.filter(
        waitlist_entries__volunteer__in=[one, other], waitlist_entries__state__in=WAITLISTED_STATES
    )
    twice = _("Both have a booking at “%(drive)s”. Cancel one of them first.")
    waitlisted = _("Both are on the waiting list of “%(drive)s”. Take one of them off first.")
    return [
        refusals.Reason(code, text % {"drive": drive.title})
        for drives, code, text in ((booked, "both_booked", twice), (waiting, "both_waiting", waitlisted))
        for drive in drives.annotate(both=both).filter(both__gt=1).order_by("pk")
    ]


def find_merged_volunteer(organization: Organization, ids: Collection[int]) -> Volunteer | None:
    """Who is left of these two, if they have been made one before. Two queries at most."""
    abouts = [f"volunteer:{pk}" for pk in ids]
    lines = AuditEntry.objects.filter(organization=organization, verb=MERGED, about__in=abouts)
    kept = next((line.fields[0] for line in lines if line.fields and line.fields[0] in abouts), None)
    rows = Volunteer.objects.of(organization)
    return rows.filter(pk=int(kept.removeprefix("volunteer:"))).first() if kept else None
