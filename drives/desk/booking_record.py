"""Load everything that is recorded about one booking."""

from collections.abc import Sequence
from dataclasses import dataclass

from drives.booking import reminder_summary
from drives.inbox import queries as inbox_queries
from drives.inbox.queries import ConversationRow
from drives.messaging import invitation_audience, reach
from drives.messaging.reach import DonorReach
from drives.models import Booking, BookingChange, BookingState, SelfReportedDonation
from drives.web import actors
from notifications import queries as notifications_queries
from notifications.kinds import KINDS
from notifications.models import Channel, MailboxRefusals, Message, MessageState, Suppression
from notifications.unverified_mailboxes import UNVERIFIED_MAILBOX


@dataclass(frozen=True)
class HistoryRow:
    change: BookingChange
    actor: str

    @property
    def to_state(self) -> str:
        return str(BookingState(self.change.to_state).label)

    @property
    def was_moved(self) -> bool:
        return self.change.from_arrival_id is not None and self.change.to_arrival_id is not None


@dataclass(frozen=True)
class MessageRow:
    message: Message
    channel: str  # the channel that will be used: e-mail if a text is not allowed
    obstacle: str = ""  # a code that tells why a scheduled reminder will not be sent

    @property
    def channel_label(self) -> str:
        return str(Channel(self.channel).label)


@dataclass(frozen=True)
class BookingRecord:
    """A booking's changes (newest first), messages (oldest first) and consents."""

    history: list[HistoryRow]
    messages: list[MessageRow]
    conversation_row: ConversationRow | None  # set if the donor sent texts that a coordinator must read
    opt_out: Suppression | None
    refusals: MailboxRefusals | None  # if the donor's mailbox gets no more mail
    self_reported: SelfReportedDonation | None
    consents: dict[str, bool]  # by purpose; true if the donor consented with any contact


def load_booking_record(booking: Booking) -> BookingRecord:
    changes = booking.changes.select_related("from_arrival", "to_arrival").order_by("-at", "-pk")
    rows = list(changes)
    names = actors.describe_actors({change.actor for change in rows}, booking.drive.organization_id)
    messages = notifications_queries.list_messages_about([booking.about])[booking.about]
    return BookingRecord(
        history=[HistoryRow(change, names.get(change.actor, change.actor)) for change in rows],
        messages=_load_message_rows(booking, [*messages, *_list_invitations(booking)]),
        conversation_row=inbox_queries.find_conversation_row(booking),
        opt_out=_find_opt_out(booking),
        refusals=_find_refusals(booking),
        self_reported=SelfReportedDonation.objects.filter(volunteer=booking.volunteer_id).first()
        if booking.volunteer_id
        else None,
        consents=_load_consents(booking),
    )


def build_message_rows(booking: Booking, messages: Sequence[Message], donor_reach: DonorReach) -> list[MessageRow]:
    """Build a row for each message. A scheduled reminder has the channel that it will use, or the obstacle to it.

    Pass all messages about the booking, because an unverified mailbox gets only the last of the reminders.
    """
    scheduled = [message for message in messages if message.state == MessageState.SCHEDULED]
    texts, emails = reminder_summary.list_coming_reminders(booking, messages, donor_reach)
    email_kinds = {message.kind for message in emails if message.channel == Channel.EMAIL}
    rows = []
    for message in messages:
        if message not in scheduled or message in texts:
            rows.append(MessageRow(message, message.channel))
        elif message in emails and (message.channel == Channel.EMAIL or message.kind not in email_kinds):
            rows.append(MessageRow(message, Channel.EMAIL))
        else:
            obstacle = donor_reach.find_channel_obstacle(booking, KINDS[message.kind], message.channel)
            rows.append(MessageRow(message, message.channel, obstacle or UNVERIFIED_MAILBOX))
    return rows


def _load_message_rows(booking: Booking, messages: Sequence[Message]) -> list[MessageRow]:
    if not any(message.state == MessageState.SCHEDULED for message in messages):
        return [MessageRow(message, message.channel) for message in messages]
    return build_message_rows(booking, messages, reach.load_reach(booking.drive.organization, [booking]))


def _find_opt_out(booking: Booking) -> Suppression | None:
    phone = booking.volunteer.phone if booking.volunteer else None
    return notifications_queries.find_suppression(booking.drive.organization, phone.address) if phone else None


def _find_refusals(booking: Booking) -> MailboxRefusals | None:
    mailbox = booking.volunteer.email if booking.volunteer else None
    organization = booking.drive.organization
    return notifications_queries.find_mailbox_refusals(organization, mailbox.address) if mailbox else None


def _list_invitations(booking: Booking) -> list[Message]:
    """List the invitations that are due after the visit.

    Earlier ones would break the chronological order of the messages.
    """
    invitations = invitation_audience.list_invitations(booking.volunteer_id) if booking.volunteer_id else []
    return [message for message in invitations if message.due_at > booking.starts_at]


def _load_consents(booking: Booking) -> dict[str, bool]:
    person = booking.volunteer
    contacts = [contact.address for contact in (person.phone, person.email) if contact] if person else []
    consents = notifications_queries.load_consents(booking.drive.organization, contacts)
    return {
        purpose: any(given for (_address, consent), given in consents.items() if consent == purpose)
        for purpose in sorted({consent for _address, consent in consents})
    }
