"""Delete expired rows, and hash contacts that no organization has anymore."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from notifications import erasure
from notifications.models import ConsentEntry, Suppression
from organizations.models import Organization
from volunteers import contacts, limits, rules
from volunteers.models import Contact, Registration, VerificationCode, VerifiedBrowser, Volunteer

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
    orphans = _filter_orphan_contacts().order_by("pk").select_for_update(skip_locked=True, of=("self",))
    locked = list(orphans.values_list("pk", flat=True)[:_BATCH])
    # Check again under the locks, because a volunteer may have been linked since the first query.
    return contacts.delete_contacts(_filter_orphan_contacts().filter(pk__in=locked)) if locked else 0


def hash_unknown_addresses(*, before: datetime) -> int:
    """Hash contacts in consent entries and opt-outs if no organization has the contact anymore. Return the number.

    Skips rows newer than `before`, because the transaction that creates their contact may not have committed yet. Looks
    at each row once, and again after `contacts.delete_contacts` has deleted the contact.
    """
    return _repeat(_check_consents, before) + _repeat(_check_suppressions, before)


def _repeat(check_batch: Callable[[datetime], tuple[int, int]], before: datetime) -> int:
    hashed, checked = check_batch(before)
    while checked == _BATCH:
        more, checked = check_batch(before)
        hashed += more
    return hashed


@transaction.atomic
def _check_consents(before: datetime) -> tuple[int, int]:
    """Check a batch of consent entries. Return the number of hashed contacts, and the number of checked entries."""
    unchecked = ConsentEntry.objects.filter(is_checked=False, at__lt=before).order_by("at", "pk")
    rows = list(unchecked.values_list("pk", "organization", "address")[:_BATCH])
    if not rows:
        return 0, 0
    known, kept = _find_contacts({address for _pk, _organization, address in rows})
    found = [pk for pk, organization, address in rows if (organization, address) in kept]
    ConsentEntry.objects.filter(pk__in=found).update(is_checked=True)
    unknown = {(organization, address) for _pk, organization, address in rows} - known
    for organization_id, address in sorted(unknown):
        erasure.hash_consents(organization=Organization(pk=organization_id), addresses=[address])
    hashed_rows = [pk for pk, organization, address in rows if (organization, address) in unknown]
    return len(unknown), len(found) + len(hashed_rows)


@transaction.atomic
def _check_suppressions(before: datetime) -> tuple[int, int]:
    """Check a batch of opt-outs. Return the number of hashed contacts, and the number of checked opt-outs."""
    unchecked = Suppression.objects.filter(is_checked=False, since__lt=before).order_by("since", "pk")
    rows = list(unchecked.values_list("pk", "address")[:_BATCH])
    if not rows:
        return 0, 0
    known, kept = ({address for _organization, address in found} for found in _find_contacts({row[1] for row in rows}))
    found = [pk for pk, address in rows if address in kept]
    Suppression.objects.filter(pk__in=found).update(is_checked=True)
    unknown = {address for _pk, address in rows} - known
    for address in sorted(unknown):
        erasure.hash_suppressions(Suppression.objects.filter(address=address), address)
    return len(unknown), len(found) + sum(address in unknown for _pk, address in rows)


def _find_contacts(addresses: Collection[str]) -> tuple[set[tuple[int, str]], set[tuple[int, str]]]:
    """Return the organization and address of all contacts with these addresses, and of those that this call locks.

    A locked contact is not deleted before the caller has saved that it exists.
    """
    rows = Contact.objects.filter(identity__in=[rules.compute_identity(address) for address in addresses])
    known = set(rows.values_list("organization", "address"))
    unlocked = rows.select_for_update(no_key=True, skip_locked=True, of=("self",))
    return known, set(unlocked.values_list("organization", "address"))


def _filter_orphan_contacts() -> QuerySet[Contact]:
    users = [Volunteer.objects.filter(phone=OuterRef("pk")), Volunteer.objects.filter(email=OuterRef("pk"))]
    return Contact.objects.filter(*(~Exists(rows) for rows in users), owner=None)
