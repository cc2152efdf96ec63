"""The lock order. Code that changes capacity takes its locks with these functions, in this order:

1. the idempotency key (`organizations.idempotency`, try-lock), or the inbound text being answered
2. identities, sorted: the keyed hashes of all contacts of the donor to be booked or erased
3. drives by id: shared to change single bookings, exclusive to change the drive or all of its bookings
4. bookings by id, FOR NO KEY UPDATE
5. waitlist entries by id, then reserved spots by id. The lock of an entry covers its offers. Contact rows come next,
phones first (`volunteers.contacts`).
6. slots by (starts_at, id) (`drives.capacity.counters`)

Freeing a spot locks no identities. A new booking locks its donors' waitlist entries after the slots. This is safe,
because code that locks slots after an entry also holds the identities of the entry's donor or the drive (exclusive).

Before lock 2, the offer sweep tries to lock the drive's waitlist. If another worker holds that lock, the sweep skips
the drive. This order is safe, because a lock that never waits cannot cause a deadlock.
"""

from collections.abc import Collection, Iterable, Sequence
from itertools import chain

from django.db import connection

from drives.models import Booking, Drive, ReservedSpot, WaitlistEntry
from volunteers import queries as volunteers_queries

# The first of an advisory lock's two numbers. Identities use a single number, so they never collide with these.
_DRIVES, _WAITLISTS, _INVITATIONS = 2, 3, 4


def lock_identities(identity_hashes: Iterable[str]) -> None:
    if keys := sorted({_identity_key(identity) for identity in identity_hashes}):
        _execute("SELECT " + ", ".join(["pg_advisory_xact_lock(%s)"] * len(keys)), keys)


def lock_contact_change(volunteer_ids: Collection[int], new_identity: str) -> None:
    """Lock the identities of these volunteers and of the new contact.

    Also locks the identities of all other people with a contact of these volunteers.
    """
    sharer_ids = volunteers_queries.filter_contact_sharers(volunteer_ids).values_list("pk", flat=True)
    identities = (volunteers_queries.list_person_identities(volunteer_id=pk) for pk in (*volunteer_ids, *sharer_ids))
    lock_identities({new_identity}.union(*identities))


def lock_identities_then_drive(identities: Iterable[str], drive_id: int) -> None:
    """Take locks 2 and 3 of the lock order (see the module's docstring). The drive lock is shared."""
    keys = sorted({_identity_key(identity) for identity in identities})
    calls = [*["pg_advisory_xact_lock(%s)"] * len(keys), "pg_advisory_xact_lock_shared(%s, %s)"]
    _execute("SELECT " + ", ".join(calls), [*keys, _DRIVES, drive_id])


def lock_contact_owners_then_drive(identities: Sequence[str], drive: Drive) -> None:
    """Take locks 2 and 3 for the people with these identities. The drive lock is shared.

    If a volunteer of the drive's organization owns one of the contacts, all contacts of that volunteer are locked.
    """
    lock_identities_then_drive(
        volunteers_queries.list_person_identities(organization_id=drive.organization_id, identities=identities),
        drive.pk,
    )


def lock_donors_then_drive(bookings: Sequence[Booking]) -> None:
    volunteer_ids = {booking.volunteer_id for booking in bookings}
    identities = [volunteers_queries.list_person_identities(volunteer_id=pk) for pk in volunteer_ids if pk]
    # Holds have no volunteer yet, so lock their typed contacts. A booking's typed contact may belong to another
    # volunteer by now, so lock the contacts of its volunteer.
    if typed_identities := {
        booking.registration.identity for booking in bookings if booking.registration and not booking.volunteer_id
    }:
        identities.append(volunteers_queries.list_person_identities(identities=sorted(typed_identities)))
    lock_identities_then_drive(chain.from_iterable(identities), bookings[0].drive_id)


def lock_volunteers_then_drives(volunteer_ids: Iterable[int]) -> None:
    """Take locks 2 and 3 to merge two volunteers.

    Drives at which one of the volunteers has an active booking are locked (shared).
    """
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
    _execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [_DRIVES, drive_id])


def lock_drives_shared(drive_ids: Iterable[int]) -> None:
    """Take lock 3 (shared) for an erasure. Also lock the drives' rows, so that no broadcast to their donors starts."""
    for drive_id in (ordered := sorted(set(drive_ids))):
        lock_drive_shared(drive_id)
    list(Drive.objects.filter(pk__in=ordered).order_by("pk").select_for_update(no_key=True).values_list("pk"))


def lock_drive_exclusive(drive_id: int) -> None:
    """Take lock 3 (exclusive), for example to edit or cancel a drive.

    Waits until bookings in progress have ended. New bookings wait until this transaction ends.
    """
    _execute("SELECT pg_advisory_xact_lock(%s, %s)", [_DRIVES, drive_id])


def lock_drives_exclusive(drive_ids: Iterable[int]) -> None:
    ordered = sorted(drive_ids)
    if ordered:
        calls = ", ".join(["pg_advisory_xact_lock(%s, %s)"] * len(ordered))
        _execute(f"SELECT {calls}", [key for drive_id in ordered for key in (_DRIVES, drive_id)])


def lock_bookings(booking_ids: Sequence[int]) -> list[Booking]:
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
    rows = lock_bookings([booking_id])
    if not rows:
        raise Booking.DoesNotExist
    return rows[0]


def lock_party(booking: Booking) -> list[Booking]:
    """Lock a booking and all of its party.

    Another transaction may have added people since `booking` was read. Their ids are higher, so locking them last keeps
    the lock order. People are added only in a transaction that has locked the whole party.
    """
    ids = _list_party_ids(booking)
    locked = lock_bookings(ids)
    while (found := _list_party_ids(next(row for row in locked if row.pk == booking.pk))) != ids:
        ids, locked = found, lock_bookings(found)
    return locked


def lock_waitlist(drive_id: int) -> bool:
    """Try to lock a drive's waitlist, so that only one worker offers its spots. Return False if the lock is taken."""
    return _try_lock(_WAITLISTS, drive_id)


def lock_invitations(organization_id: int) -> bool:
    """Try to lock an organization's invitations, so that only one run sends them. Return False if the lock is taken."""
    return _try_lock(_INVITATIONS, organization_id)


def block_invitations(organization_id: int) -> None:
    """Wait until no run sends the organization's invitations, and block new runs until this transaction ends.

    An erasure calls this function before it locks drives.
    """
    _execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [_INVITATIONS, organization_id])


def lock_waitlist_entries(entry_ids: Iterable[int]) -> list[WaitlistEntry]:
    rows = WaitlistEntry.objects.filter(pk__in=list(entry_ids)).order_by("pk")
    rows = rows.select_for_update(no_key=True, of=("self",))
    related = ("drive__site", "drive__organization", "drive__policy", "volunteer__phone", "volunteer__email")
    return list(rows.select_related(*related, "registration"))


def lock_waitlist_entry(entry_id: int) -> WaitlistEntry:
    rows = lock_waitlist_entries([entry_id])
    if not rows:
        raise WaitlistEntry.DoesNotExist
    return rows[0]


def lock_reserved_spots(drive_id: int) -> list[ReservedSpot]:
    """Lock a drive's reserved spots that have no offer, ordered by id (part of lock 5)."""
    rows = ReservedSpot.objects.filter(drive=drive_id, offer=None).order_by("pk")
    return list(rows.select_for_update(of=("self",)))


def _identity_key(identity: str) -> int:
    # Advisory keys are signed 64-bit integers.
    return int.from_bytes(bytes.fromhex(identity)[:8], signed=True)


def _list_party_ids(booking: Booking) -> list[int]:
    if booking.party is None:
        return [booking.pk]
    return list(Booking.objects.filter(party=booking.party).order_by("pk").values_list("pk", flat=True))


def _try_lock(first: int, second: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [first, second])
        return bool(cursor.fetchone()[0])


def _execute(sql: str, parameters: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
