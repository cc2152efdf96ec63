"""Erase a volunteer: cancel upcoming bookings, anonymize past ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from drives import refusals
from drives.attendance.check_in import UNDO_REASON
from drives.booking import changes, create
from drives.booking import rules as booking_rules
from drives.booking.rules import Act
from drives.capacity import locks
from drives.imports import retention as imports_retention
from drives.models import (
    Booking,
    BookingChange,
    BookingState,
    CancelledBy,
    Conversation,
    ConversationText,
    Offer,
    SelfReportedDonation,
    WaitlistEntry,
)
from drives.privacy import erasure_list
from drives.waitlist import entries as waitlist_entries
from notifications import erasure
from organizations import audit, idempotency
from organizations.models import LINK_FIELDS
from volunteers import contacts as volunteers_contacts
from volunteers import erasure as volunteers_erasure
from volunteers import queries as volunteers_queries
from volunteers.models import Contact, Volunteer
from volunteers.queries import ContactOwnership


class ErasureReason(models.TextChoices):
    """The reason for an erasure. No other details are stored."""

    ASKED = "asked", gettext_lazy("The person asked us to erase their data")
    MISTAKE = "mistake", gettext_lazy("Entered by mistake")
    INACTIVE = "silent", gettext_lazy("No contact for a long time")


@dataclass(frozen=True)
class ErasureResult:
    volunteer: Volunteer
    cancelled_count: int = 0  # number of cancelled bookings


@transaction.atomic
def erase_volunteer(
    *, volunteer_id: int, reason: str, actor: str, now: datetime, is_listed: bool = False
) -> ErasureResult:
    """Erase a volunteer from one organization for good. A second call changes nothing.

    - Upcoming bookings are cancelled without a message, because a message would keep the contact.
    - Bookings stay as anonymous rows, so that no count changes.
    - Consents and opt-outs stay under a keyed hash of the contact.

    `is_listed` means that an earlier erasure is repeated in a restored copy. Then nothing is refused, and the list of
    erasures gets no second line.

    Refuses while the volunteer is checked in at a drive that is not over (`visit_under_way`).

    Locks: inbound texts, identities, the volunteer, invitations (shared), drives (shared), bookings, waitlist entries,
    contacts, slots, imports.
    """
    before = Volunteer.objects.get(pk=volunteer_id)
    contacts = volunteers_queries.load_contact_ownership(before)
    erasure.lock_replies(addresses=contacts.addresses)
    locks.lock_identities({*volunteers_queries.list_person_identities(volunteer_id=volunteer_id), *contacts.identities})
    volunteer = Volunteer.objects.select_related("organization").select_for_update(of=("self",)).get(pk=volunteer_id)
    if volunteer.erased_at:
        return ErasureResult(volunteer)
    data = _lock_data(volunteer)
    if not is_listed:
        _refuse_running_visit(data.bookings, now)
    for entry in data.entries:
        waitlist_entries.remove_entry(entry_id=entry.pk, actor=actor, now=now)
    cancelled = _cancel_upcoming(data.bookings, actor, now)
    _erase_data(data, now)
    audit.add_audit_entry(
        organization=volunteer.organization,
        actor=actor,
        verb="erased",
        about=f"volunteer:{volunteer.pk}",
        fields=[ErasureReason(reason)],
        now=now,
    )
    # `manage.py restored` uses this UUID to find the volunteer in a restored backup. Write it before the commit,
    # because the process may die right after the commit.
    if not is_listed:
        erasure_list.record_erasure(volunteer=before.uuid, organization_id=volunteer.organization_id, now=now)
    return ErasureResult(volunteer, cancelled)


def erase_volunteers(
    *, volunteer_ids: Sequence[int], reason: str, actor: str, now: datetime, is_listed: bool = False
) -> int:
    """Erase volunteers, each in its own transaction. Return their number, including those who were erased before.

    If a call was interrupted, repeat it.
    """
    return len(
        [
            erase_volunteer(volunteer_id=pk, reason=reason, actor=actor, now=now, is_listed=is_listed)
            for pk in sorted(volunteer_ids)
        ]
    )


@dataclass(frozen=True)
class _LockedData:
    volunteer: Volunteer
    contacts: ContactOwnership
    bookings: list[Booking]
    entries: list[WaitlistEntry]
    offers: list[Offer]

    @property
    def linked_rows(self) -> tuple[list[Booking], list[WaitlistEntry], list[Offer]]:
        return self.bookings, self.entries, self.offers


def _lock_data(volunteer: Volunteer) -> _LockedData:
    """Lock the volunteer's bookings, waitlist entries and contacts, in the lock order.

    This includes unverified bookings and entries with the volunteer's contacts.
    """
    contacts = volunteers_queries.load_contact_ownership(volunteer)
    of_volunteer = Q(volunteer=volunteer) | Q(
        registration__in=volunteers_queries.filter_volunteer_registrations(volunteer, contacts)
    )
    booking_ids = list(Booking.objects.filter(of_volunteer).values_list("pk", "drive"))
    entry_ids = list(WaitlistEntry.objects.filter(of_volunteer).values_list("pk", "drive"))
    locks.block_invitations(volunteer.organization_id)
    locks.lock_drives_shared(drive_id for _pk, drive_id in (*booking_ids, *entry_ids))
    bookings = locks.lock_bookings([pk for pk, _drive_id in booking_ids])
    entries = locks.lock_waitlist_entries([pk for pk, _drive_id in entry_ids])
    # Lock the contacts, so that no consent changes during the erasure.
    volunteers_contacts.lock_contacts(
        Contact.objects.filter(pk__in=[contact.pk for contact in (*contacts.alone, *contacts.shared)])
    )
    return _LockedData(volunteer, contacts, bookings, entries, list(Offer.objects.filter(entry__in=entries)))


def _refuse_running_visit(bookings: Sequence[Booking], now: datetime) -> None:
    if any(row.state == BookingState.CHECKED_IN and row.drive.ends_at > now for row in bookings):
        sentence = _("This person is checked in at a drive that’s under way. Record the outcome of the visit first.")
        raise refusals.Refusal([refusals.Reason("visit_under_way", sentence)])


def _cancel_upcoming(bookings: Sequence[Booking], actor: str, now: datetime) -> int:
    """Cancel holds and upcoming bookings. Past bookings stay, because the close-out counts them."""
    by = CancelledBy.DONOR if actor == "donor" else CancelledBy.COORDINATOR
    upcoming = [
        row
        for row in bookings
        if (row.state == BookingState.HELD or row.starts_at > now)
        and not booking_rules.reasons_not_to_take_step(Act.CANCEL, row, actor, now)
    ]
    for row in upcoming:
        changes.cancel_bookings(booking_id=row.pk, actor=actor, cancelled_by=by, now=now, notify=False)
    return sum(row.state != BookingState.HELD for row in upcoming)


def _erase_data(data: _LockedData, now: datetime) -> None:
    volunteer, addresses = data.volunteer, data.contacts.addresses
    organization = volunteer.organization
    unknown_elsewhere = set(addresses) - volunteers_queries.list_addresses_known_elsewhere(organization, addresses)
    conversations = Conversation.objects.of(organization).filter(address__in=addresses)
    erasure.erase_messages(
        organization=organization,
        addresses=addresses,
        abouts=[
            *(row.about for rows in data.linked_rows for row in rows),
            *(conversation.about for conversation in conversations),
        ],
        recipient=f"volunteer:{volunteer.pk}",
        now=now,
    )
    erasure.hash_consents(organization=organization, addresses=addresses)
    erasure.delete_replies(ids=_list_reply_ids(conversations), addresses=unknown_elsewhere)
    conversations.delete()
    SelfReportedDonation.objects.filter(volunteer=volunteer).delete()
    imports_retention.erase_from_imports(organization=organization, addresses=addresses)
    idempotency.blank_answers(mentions=[*addresses, *(row.reference for row in data.bookings)])
    _anonymize_rows(data)
    volunteers_erasure.erase_personal_data(
        volunteer=volunteer, contacts=data.contacts, unknown_elsewhere=unknown_elsewhere, now=now
    )


def _list_reply_ids(conversations: models.QuerySet[Conversation]) -> list[int]:
    """List the ids of the texts that are only in these conversations."""
    texts = ConversationText.objects.filter(conversation__in=conversations)
    elsewhere = ConversationText.objects.exclude(conversation__in=conversations).values("reply")
    return list(texts.exclude(reply__in=elsewhere).values_list("reply", flat=True))


def _anonymize_rows(data: _LockedData) -> None:
    """Give the bookings new references and the rows new links. Delete free-text reasons.

    Links in sent messages stop working.
    """
    for rows in data.linked_rows:
        for row in rows:
            for name, value in row.build_link_fields().items():
                setattr(row, name, value)
    for booking in data.bookings:
        booking.reference, booking.override_reason, booking.party = create.generate_reference(), "", None
        booking.overridden_rules = []
    Booking.objects.bulk_update(
        data.bookings, [*LINK_FIELDS, "reference", "override_reason", "overridden_rules", "party"]
    )
    WaitlistEntry.objects.bulk_update(data.entries, LINK_FIELDS)
    Offer.objects.bulk_update(data.offers, LINK_FIELDS)
    typed = BookingChange.objects.filter(booking__in=data.bookings).exclude(reason__in=["", UNDO_REASON])
    typed.update(reason="")
