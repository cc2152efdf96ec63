"""Somebody leaves: what is to come is cancelled, what was stays as numbers, and nobody can tell any more who it was."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from drives import refusals
from drives.attendance.check_in import UNDO
from drives.booking import changes, create
from drives.booking import rules as booking_rules
from drives.capacity import locks
from drives.models import (
    Booking,
    BookingChange,
    BookingState,
    CancelledBy,
    Conversation,
    ConversationText,
    Offer,
    StatedDonation,
    WaitingEntry,
)
from drives.waitlist import entries as waitlist_entries
from notifications import erasure
from organizations import audit, idempotency
from volunteers import contacts as volunteers_contacts
from volunteers import erasure as volunteers_erasure
from volunteers import queries as volunteers_queries
from volunteers.models import Contact, Volunteer
from volunteers.queries import Reached

log = logging.getLogger(__name__)

LINK = ["uuid", "epoch", "link_hash"]


class Because(models.TextChoices):
    """Why somebody is erased: the only word about it that stays."""

    ASKED = "asked", gettext_lazy("The person asked for it")
    MISTAKE = "mistake", gettext_lazy("Entered by mistake")
    SILENT = "silent", gettext_lazy("Not heard of for long")


@dataclass(frozen=True)
class Erased:
    """What an erasure did."""

    volunteer: Volunteer
    cancelled_count: int = 0  # bookings that were still to come


@transaction.atomic
def erase(*, volunteer_id: int, because: str, actor: str, now: datetime) -> Erased:
    """Erase a person from one organization, for good. A second time changes nothing.

    Places that are still to come are free at once. Nobody is told: a last message would have to keep the address.
    Bookings stay as rows without a person, so that no count changes; consents and a STOP stay under a keyed hash.
    Refuses while the person is checked in at a running drive. Locks: texts that came in, identities, the volunteer,
    appeals (shared), drives (shared), bookings, entries of waiting lists, contacts, slots.
    """
    before = Volunteer.objects.get(pk=volunteer_id)
    known = volunteers_queries.reached(before)
    erasure.lock_replies(addresses=known.addresses)
    locks.identities({*volunteers_queries.identities_of(volunteer_id=volunteer_id), *known.identities})
    volunteer = Volunteer.objects.select_related("organization").select_for_update(of=("self",)).get(pk=volunteer_id)
    if volunteer.erased_at:
        return Erased(volunteer)
    left = _locked(volunteer)
    _refuse_under_way(left.bookings, now)
    for entry in left.entries:
        waitlist_entries.leave(entry_id=entry.pk, actor=actor, now=now)
    cancelled = _cancel_what_comes(left.bookings, actor, now)
    _forget(left, now)
    audit.note(
        organization=volunteer.organization,
        actor=actor,
        verb="erased",
        about=f"volunteer:{volunteer.pk}",
        fields=[Because(because)],
        now=now,
    )
    # By which `manage.py erase_again` knows them in a restored backup: a number that leads to nobody here any more.
    fields = {"volunteer": str(before.uuid), "organization": volunteer.organization_id}
    transaction.on_commit(partial(log.info, "erased", extra={"fields": fields}))
    return Erased(volunteer, cancelled)


def erase_all(*, volunteer_ids: Sequence[int], because: str, actor: str, now: datetime) -> int:
    """Erase one person from several organizations, each in a transaction of its own; returns how many there were.

    Killed in between it is whole for some and untouched for the others, and may be run again.
    """
    return len([erase(volunteer_id=pk, because=because, actor=actor, now=now) for pk in sorted(volunteer_ids)])


@dataclass(frozen=True)
class _Left:
    """What somebody leaves behind, locked."""

    volunteer: Volunteer
    contacts: Reached
    bookings: list[Booking]
    entries: list[WaitingEntry]
    offers: list[Offer]

    @property
    def linked(self) -> tuple[list[Booking], list[WaitingEntry], list[Offer]]:
        """The rows that a link of theirs leads to, and that messages are about."""
        return self.bookings, self.entries, self.offers


def _locked(volunteer: Volunteer) -> _Left:
    """All that they booked or wait for, also unproved under their contacts, locked in order."""
    contacts = volunteers_queries.reached(volunteer)
    theirs = Q(volunteer=volunteer) | Q(registration__in=volunteers_queries.registrations_of(volunteer, contacts))
    booked = list(Booking.objects.filter(theirs).values_list("pk", "drive"))
    waits = list(WaitingEntry.objects.filter(theirs).values_list("pk", "drive"))
    locks.no_appeals(volunteer.organization_id)
    locks.drives_shared(drive_id for _pk, drive_id in (*booked, *waits))
    bookings = locks.bookings([pk for pk, _drive_id in booked])
    entries = locks.waiting_entries([pk for pk, _drive_id in waits])
    # Nobody agrees or disagrees to anything meanwhile.
    volunteers_contacts.locked(Contact.objects.filter(pk__in=[one.pk for one in (*contacts.alone, *contacts.shared)]))
    return _Left(volunteer, contacts, bookings, entries, list(Offer.objects.filter(entry__in=entries)))


def _refuse_under_way(bookings: Sequence[Booking], now: datetime) -> None:
    if any(row.state == BookingState.CHECKED_IN and row.drive.ends_at > now for row in bookings):
        sentence = _("They are checked in at a drive that is running. Say what became of the visit first.")
        raise refusals.Refusal([refusals.Reason("visit_under_way", sentence)])


def _cancel_what_comes(bookings: Sequence[Booking], actor: str, now: datetime) -> int:
    """Give up holds and coming visits. A visit whose time has passed is left for the close-out to count."""
    by = CancelledBy.DONOR if actor == "donor" else CancelledBy.COORDINATOR
    coming = [
        row
        for row in bookings
        if row.state == BookingState.HELD or (row.state in booking_rules.MAY_BE_CHANGED and row.starts_at > now)
    ]
    for row in coming:
        changes.cancel_bookings(booking_id=row.pk, actor=actor, by=by, now=now, tell=False)
    return sum(row.state != BookingState.HELD for row in coming)


def _forget(left: _Left, now: datetime) -> None:
    volunteer, addresses = left.volunteer, left.contacts.addresses
    organization = volunteer.organization
    nowhere_else = set(addresses) - volunteers_queries.known_elsewhere(organization, addresses)
    talks = Conversation.objects.of(organization).filter(address__in=addresses)
    erasure.forget_messages(
        organization=organization,
        addresses=addresses,
        abouts=[*(row.about for rows in left.linked for row in rows), *(talk.about for talk in talks)],
        recipient=f"volunteer:{volunteer.pk}",
        now=now,
    )
    erasure.hash_consents(organization=organization, addresses=addresses)
    erasure.forget_replies(ids=_replies_in(talks), addresses=nowhere_else)
    talks.delete()
    StatedDonation.objects.filter(volunteer=volunteer).delete()
    idempotency.forget(mentions=[*addresses, *(row.reference for row in left.bookings)])
    _make_anonymous(left)
    volunteers_erasure.forget(volunteer=volunteer, contacts=left.contacts, nowhere_else=nowhere_else, now=now)


def _replies_in(talks: models.QuerySet[Conversation]) -> list[int]:
    """The texts that stand in these conversations and in no other organization's."""
    lines = ConversationText.objects.filter(conversation__in=talks)
    elsewhere = ConversationText.objects.exclude(conversation__in=talks).values("reply")
    return list(lines.exclude(reply__in=elsewhere).values_list("reply", flat=True))


def _make_anonymous(left: _Left) -> None:
    """New numbers and no words: what the person was told leads to none of these rows, and no reason names them."""
    for rows in left.linked:
        for row in rows:
            for name, value in row.new_link().items():
                setattr(row, name, value)
    for booking in left.bookings:
        booking.reference, booking.override_reason, booking.party = create.new_reference(), "", None
    Booking.objects.bulk_update(left.bookings, [*LINK, "reference", "override_reason", "party"])
    WaitingEntry.objects.bulk_update(left.entries, LINK)
    Offer.objects.bulk_update(left.offers, LINK)
    typed = BookingChange.objects.filter(booking__in=left.bookings).exclude(reason__in=["", UNDO])
    typed.update(reason="")
