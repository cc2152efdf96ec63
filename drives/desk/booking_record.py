"""The whole record of one booking, for coordinators."""

from dataclasses import dataclass

from drives.inbox import queries as inbox_queries
from drives.inbox.queries import ConversationRow
from drives.messaging import invitation_audience
from drives.models import Booking, BookingChange, BookingState, SelfReportedDonation
from drives.web import actors
from notifications import queries as notifications_queries
from notifications.models import Message


@dataclass(frozen=True)
class HistoryRow:
    """One change with its actor in words."""

    change: BookingChange
    actor: str

    @property
    def to_state(self) -> str:
        return str(BookingState(self.change.to_state).label)

    @property
    def was_moved(self) -> bool:
        return self.change.from_arrival_id is not None and self.change.to_arrival_id is not None


@dataclass(frozen=True)
class BookingRecord:
    """A booking's changes, newest first; its messages in order of time; and what its contacts consented to."""

    history: list[HistoryRow]
    messages: list[Message]
    talk: ConversationRow | None  # what they texted that no rule could answer
    self_reported: SelfReportedDonation | None
    consents: dict[str, bool]  # purpose: the newest word of any of the person's contacts


def load_booking_record(booking: Booking) -> BookingRecord:
    """History, messages, replies and consent of one booking, and the appeals to its person. Up to ten queries."""
    changes = booking.changes.select_related("from_arrival", "to_arrival").order_by("-at", "-pk")
    lines = list(changes)
    names = actors.describe_actors({change.actor for change in lines}, booking.drive.organization_id)
    return BookingRecord(
        history=[HistoryRow(change, names.get(change.actor, change.actor)) for change in lines],
        messages=[
            *notifications_queries.list_messages_about([booking.about])[booking.about],
            *_list_invitations(booking),
        ],
        talk=inbox_queries.find_conversation_row(booking),
        self_reported=SelfReportedDonation.objects.filter(volunteer=booking.volunteer_id).first()
        if booking.volunteer_id
        else None,
        consents=_load_consents(booking),
    )


def _list_invitations(booking: Booking) -> list[Message]:
    """Those after the visit, which they followed, so that the list stays in order of time."""
    found = invitation_audience.list_invitations(booking.volunteer_id) if booking.volunteer_id else []
    return [message for message in found if message.due_at > booking.starts_at]


def _load_consents(booking: Booking) -> dict[str, bool]:
    person = booking.volunteer
    contacts = [contact.address for contact in (person.phone, person.email) if contact] if person else []
    found = notifications_queries.load_consents(booking.drive.organization, contacts)
    return {
        purpose: any(given for (_address, asked), given in found.items() if asked == purpose)
        for purpose in sorted({asked for _address, asked in found})
    }
