"""Merge two volunteer records of the same person."""

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
    """Merge two volunteers of an organization. The older row is kept and gets the data of the newer row.

    - The older row keeps its name and language, unless `name_from_id` is the id of the newer row.
    - Bookings, waitlist entries, the newest self-reported donation, registrations, contacts and unsent messages move.
    - The calendar link of the newer row stops working.
    - Consents stay with their contact.

    A second call returns the same volunteer. Refuses two active bookings (`both_booked`) or two waitlist entries
    (`both_waiting`) at one drive. Raises Volunteer.DoesNotExist for an id of another organization. Locks: all
    identities of both volunteers, their drives (shared), bookings and entries.
    """
    if merged := find_merged_volunteer(organization, {one_id, other_id}):
        return merged
    people = Volunteer.objects.of(organization).known().filter(pk__in={one_id, other_id})
    locks.lock_volunteers_then_drives([one_id, other_id])
    volunteers = list(people.select_related("phone", "email").order_by("created_at", "pk"))
    if len(volunteers) < 2:  # another request has already merged them, or an id is unknown
        return find_merged_volunteer(organization, {one_id, other_id}) or _raise_missing()
    survivor, absorbed = volunteers
    absorbed_subject = f"volunteer:{absorbed.pk}"
    ids = (
        Booking.objects.filter(volunteer__in=volunteers, state__in=ACTIVE_STATES)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    locks.lock_bookings(list(ids))
    locks.lock_waitlist_entries(WaitlistEntry.objects.filter(volunteer__in=volunteers).values_list("pk", flat=True))
    if reasons := reasons_not_to_merge(survivor, absorbed):
        raise refusals.Refusal(reasons)
    if name_from_id == absorbed.pk:
        survivor.name, survivor.language = absorbed.name, absorbed.language
    _move_data(survivor, absorbed)
    outbox.rename_recipient(recipient=absorbed_subject, new_recipient=f"volunteer:{survivor.pk}")
    for booking in Booking.objects.filter(volunteer=survivor, state__in=ACTIVE_STATES):
        reserved_spots.close_entries_of_booked_donors([booking], now)
    audit.add_audit_entry(
        organization=organization,
        actor=actor,
        verb=MERGED,
        about=f"volunteer:{survivor.pk}",  # the page of the kept person shows the entry
        fields=[absorbed_subject],
        now=now,
    )
    return survivor


def _move_data(survivor: Volunteer, absorbed: Volunteer) -> None:
    Booking.objects.filter(volunteer=absorbed).update(volunteer=survivor)
    WaitlistEntry.objects.filter(volunteer=absorbed).update(volunteer=survivor)
    # Keep only the newest self-reported donation.
    newest = (
        SelfReportedDonation.objects.filter(volunteer__in=[survivor, absorbed]).order_by("-reported_at", "-pk").first()
    )
    if newest:
        SelfReportedDonation.objects.filter(volunteer__in=[survivor, absorbed]).exclude(pk=newest.pk).delete()
        SelfReportedDonation.objects.filter(pk=newest.pk).update(volunteer=survivor)
    matching.merge_volunteer_rows(survivor=survivor, duplicate=absorbed)


def _raise_missing() -> Volunteer:
    raise Volunteer.DoesNotExist


def reasons_not_to_merge(one: Volunteer, other: Volunteer) -> list[refusals.Reason]:
    both = Count("pk")
    booked = Drive.objects.filter(bookings__volunteer__in=[one, other], bookings__state__in=ACTIVE_STATES)
    waitlisted_at = Drive.objects.filter(
        waitlist_entries__volunteer__in=[one, other], waitlist_entries__state__in=WAITLISTED_STATES
    )
    both_booked = _("Both have a booking at “%(drive)s”. Cancel one of them first.")
    both_waitlisted = _("Both are on the waiting list for “%(drive)s”. Take one of them off first.")
    return [
        refusals.Reason(code, text % {"drive": drive.title})
        for drives, code, text in (
            (booked, "both_booked", both_booked),
            (waitlisted_at, "both_waiting", both_waitlisted),
        )
        for drive in drives.annotate(both=both).filter(both__gt=1).order_by("pk")
    ]


def find_merged_volunteer(organization: Organization, ids: Collection[int]) -> Volunteer | None:
    abouts = [f"volunteer:{pk}" for pk in ids]
    merges = AuditEntry.objects.filter(organization=organization, verb=MERGED, about__in=abouts)
    survivor = next((merge.about for merge in merges if merge.fields and merge.fields[0] in abouts), None)
    rows = Volunteer.objects.of(organization)
    return rows.filter(pk=int(survivor.removeprefix("volunteer:"))).first() if survivor else None
