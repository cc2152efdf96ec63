"""The lock order, written once. Everything that changes places takes its locks through here, in this order:

1. the idempotency key (`organizations.idempotency`, try-lock); a text that came in, while it is answered
2. identities, sorted: the keyed hashes of all contacts of the person who takes a place, or who leaves
3. drives by id: shared for bookings, exclusive for plan edits and cancellation
4. bookings by id, FOR NO KEY UPDATE
5. entries of the waiting list by id, then kept places by id; an entry's lock is that of its offers too
   (contacts' rows, phones first, come after these: `volunteers.contacts`)
6. slots by (starts_at, id), last (`drives.capacity.counters`)

Only taking a place locks identities; freeing one does not. Whoever offers freed places of a drive first tries for its
line, and goes away if somebody has it: that lock never waits, so it may stand before all others.
"""

from collections.abc import Iterable, Sequence
from itertools import chain

from django.db import connection

from drives.models import Booking, Drive, ReservedSpot, WaitlistEntry
from volunteers import queries as volunteers_queries

# The first halves of the two-part advisory keys; identities use the one-part keys.
_DRIVES, _WAITLISTS, _INVITATIONS = 2, 3, 4


def lock_identities(identity_hashes: Iterable[str]) -> None:
    """Step 2 alone, for a change of how people are known: each identity, sorted."""
    if keys := sorted({_identity_key(identity) for identity in identity_hashes}):
        _execute("SELECT " + ", ".join(["pg_advisory_xact_lock(%s)"] * len(keys)), keys)


def lock_identities_then_drive(identities: Iterable[str], drive_id: int) -> None:
    """Steps 2 and 3 for a booking: each identity, sorted, then the drive, shared. Held until the transaction ends."""
    keys = sorted({_identity_key(identity) for identity in identities})
    calls = [*["pg_advisory_xact_lock(%s)"] * len(keys), "pg_advisory_xact_lock_shared(%s, %s)"]
    _execute("SELECT " + ", ".join(calls), [*keys, _DRIVES, drive_id])


def lock_contact_owners_then_drive(identities: Sequence[str], drive: Drive) -> None:
    """Steps 2 and 3 for somebody typed: all contacts of whoever the drive's organization knows by one of these."""
    lock_identities_then_drive(
        volunteers_queries.list_person_identities(organization_id=drive.organization_id, identities=identities),
        drive.pk,
    )


def lock_donors_then_drive(bookings: Sequence[Booking]) -> None:
    """Steps 2 and 3 for a change of bookings at one drive, and of holds, which belong to no volunteer yet."""
    people = {one.volunteer_id for one in bookings}
    found = [volunteers_queries.list_person_identities(volunteer_id=pk) for pk in people if pk]
    # Of a booking, what was typed may be another volunteer's contact by now.
    if typed := {one.registration.identity for one in bookings if one.registration and not one.volunteer_id}:
        found.append(volunteers_queries.list_person_identities(identities=sorted(typed)))
    lock_identities_then_drive(chain.from_iterable(found), bookings[0].drive_id)


def lock_volunteers_then_drives(volunteer_ids: Iterable[int]) -> None:
    """Steps 2 and 3 for two people who become one: each identity of both, sorted; then their drives to come, shared."""
    ids = sorted(set(volunteer_ids))
    lock_identities(
        identity
        for volunteer_id in ids
        for identity in volunteers_queries.list_person_identities(volunteer_id=volunteer_id)
    )
    active = Booking.objects.filter(volunteer__in=ids).active().order_by("drive").values_list("drive", flat=True)
    for drive_id in list(active.distinct()):
        lock_drive_shared(drive_id)


def lock_drive_shared(drive_id: int) -> None:
    """Step 3 for a change that frees a place."""
    _execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [_DRIVES, drive_id])


def lock_drives_shared(drive_ids: Iterable[int]) -> None:
    """Step 3 for who leaves, in the order of the ids. No message to many of these drives is being made meanwhile.

    Their rows are locked besides, as `messaging.broadcasts` locks them.
    """
    for drive_id in (ordered := sorted(set(drive_ids))):
        lock_drive_shared(drive_id)
    list(Drive.objects.filter(pk__in=ordered).order_by("pk").select_for_update(no_key=True).values_list("pk"))


def lock_drive_exclusive(drive_id: int) -> None:
    """Step 3 for an edit of the plan: waits for bookings under way, and they wait for it."""
    _execute("SELECT pg_advisory_xact_lock(%s, %s)", [_DRIVES, drive_id])


def lock_drives_exclusive(drive_ids: Iterable[int]) -> None:
    """Step 3 for a change that touches several drives, in the order of their ids."""
    ordered = sorted(drive_ids)
    if ordered:
        calls = ", ".join(["pg_advisory_xact_lock(%s, %s)"] * len(ordered))
        _execute(f"SELECT {calls}", [key for drive_id in ordered for key in (_DRIVES, drive_id)])


def lock_bookings(booking_ids: Sequence[int]) -> list[Booking]:
    """Step 4: the bookings as they are now, locked by id."""
    rows = Booking.objects.filter(pk__in=booking_ids).order_by("pk").select_for_update(no_key=True, of=("self",))
    related = (
        "drive__site",
        "drive__organization",
        "drive__policy",
        "volunteer__phone",
        "volunteer__email",
        "registration",
    )
    return list(rows.select_related(*related))


def lock_booking(booking_id: int) -> Booking:
    """Step 4 for one booking. Raises Booking.DoesNotExist."""
    rows = lock_bookings([booking_id])
    if not rows:
        raise Booking.DoesNotExist
    return rows[0]


def lock_waitlist(drive_id: int) -> bool:
    """Take a drive's waiting list for this transaction, to offer places in order; False if somebody else has it."""
    return _try_lock(_WAITLISTS, drive_id)


def lock_invitations(organization_id: int) -> bool:
    """Take an organization's appeals for this transaction, which locks nothing else; False if somebody has them."""
    return _try_lock(_INVITATIONS, organization_id)


def block_invitations(organization_id: int) -> None:
    """Wait until nobody is appealing to an organization's donors, and keep it so: for who leaves, before drives."""
    _execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [_INVITATIONS, organization_id])


def lock_waitlist_entries(entry_ids: Iterable[int]) -> list[WaitlistEntry]:
    """Step 5: the entries as they are now, locked by id."""
    rows = WaitlistEntry.objects.filter(pk__in=list(entry_ids)).order_by("pk")
    rows = rows.select_for_update(no_key=True, of=("self",))
    related = ("drive__site", "drive__organization", "drive__policy", "volunteer__phone", "volunteer__email")
    return list(rows.select_related(*related, "registration"))


def lock_waitlist_entry(entry_id: int) -> WaitlistEntry:
    """Step 5 for one entry. Raises WaitlistEntry.DoesNotExist."""
    rows = lock_waitlist_entries([entry_id])
    if not rows:
        raise WaitlistEntry.DoesNotExist
    return rows[0]


def lock_reserved_spots(drive_id: int) -> list[ReservedSpot]:
    """Step 5: a drive's kept places that are offered to nobody, locked by id."""
    rows = ReservedSpot.objects.filter(drive=drive_id, offer=None).order_by("pk")
    return list(rows.select_for_update(of=("self",)))


def _identity_key(identity: str) -> int:
    return int.from_bytes(bytes.fromhex(identity)[:8], signed=True)


def _try_lock(first: int, second: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [first, second])
        return bool(cursor.fetchone()[0])


def _execute(sql: str, parameters: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
