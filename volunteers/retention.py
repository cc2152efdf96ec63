"""Delete expired rows, and hash contacts that no organization has anymore."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from notifications import erasure
from notifications.models import ConsentEntry, Suppression
from organizations.models import Organization
from volunteers import limits, rules
from volunteers.models import Contact, Registration, VerificationCode, VerifiedBrowser, Volunteer

HASH_PATTERN = r"^[0-9a-f]{64}$"  # no phone number or mailbox looks like this
_BATCH = 1_000


@transaction.atomic
def purge_expired_rows(*, now: datetime) -> dict[str, int]:
    return {
        # Keep used codes after they expire, because `queries.is_recently_verified` reads them.
        "codes": VerificationCode.objects.filter(expires_at__lte=now - timedelta(hours=1)).delete()[0],
        "browsers": VerifiedBrowser.objects.filter(expires_at__lte=now).delete()[0],
        "counters": limits.purge_counters(now=now),
        "registrations": _purge_unassigned_registrations(now),
    }


def _purge_unassigned_registrations(now: datetime) -> int:
    """Delete old registrations that no volunteer got, because the code was not entered or the booking was refused."""
    old = Registration.objects.filter(volunteer=None, created_at__lt=now - rules.UNASSIGNED_LIFETIME)
    batch = old.exclude(bookings__state="held").order_by("created_at", "id").values_list("pk", flat=True)[:_BATCH]
    return Registration.objects.filter(pk__in=list(batch)).delete()[1].get("volunteers.Registration", 0)


@transaction.atomic
def purge_orphan_contacts() -> int:
    # Check again under the locks, because a volunteer may have been linked since the first query.
    orphans = _filter_orphan_contacts().order_by("pk").select_for_update(skip_locked=True, of=("self",))
    locked = list(orphans.values_list("pk", flat=True)[:_BATCH])
    return _filter_orphan_contacts().filter(pk__in=locked).delete()[1].get("volunteers.Contact", 0)


@transaction.atomic
def hash_unknown_addresses(*, before: datetime) -> int:
    """Hash contacts in consent entries and opt-outs if no organization has the contact anymore. Return the number.

    Skips rows newer than `before`, because the transaction that creates their contact may not have committed yet.
    """
    known_here = Contact.objects.filter(organization=OuterRef("organization"), address=OuterRef("address"))
    entries = ConsentEntry.objects.filter(~Exists(known_here), at__lt=before).exclude(address__regex=HASH_PATTERN)
    unknown = list(entries.values_list("organization", "address").distinct()[:_BATCH])
    for organization_id, address in unknown:
        erasure.hash_consents(organization=Organization(pk=organization_id), addresses=[address])
    known_anywhere = Contact.objects.filter(address=OuterRef("address"))
    suppressions = Suppression.objects.filter(~Exists(known_anywhere), since__lt=before).exclude(
        address__regex=HASH_PATTERN
    )
    stopped = list(suppressions.values_list("address", flat=True).distinct()[:_BATCH])
    for address in stopped:
        erasure.hash_suppressions(Suppression.objects.filter(address=address), address)
    return len(unknown) + len(stopped)


def _filter_orphan_contacts() -> QuerySet[Contact]:
    users = [Volunteer.objects.filter(phone=OuterRef("pk")), Volunteer.objects.filter(email=OuterRef("pk"))]
    return Contact.objects.filter(*(~Exists(rows) for rows in users), owner=None)
