"""Load the coordinator's inbox: the conversations, their texts, and whether an answer is allowed."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from drives.booking import rules as booking_rules
from drives.booking.rules import Act
from drives.inbox import rules
from drives.models import Booking, BookingState, Conversation, ConversationText
from notifications import kinds
from notifications import queries as notifications_queries
from notifications.models import Channel, ConsentEntry, InboundMessage, Message, MessageState, Purpose, Suppression
from organizations.models import Organization
from volunteers.models import Volunteer

TEXTS_SHOWN, BOOKINGS_SHOWN = 60, 8


@dataclass(frozen=True)
class ConversationRow:
    conversation: Conversation
    names: list[str]
    text: str
    language: str  # the donor's language
    may_mean_stop: bool = False


@dataclass(frozen=True)
class ThreadText:
    """A text in a conversation. `reply` is set for a text from the donor, `message` for a text to the donor."""

    at: datetime
    text: str
    reply: InboundMessage | None = None
    message: Message | None = None


@dataclass(frozen=True)
class AnswerPermission:
    """The permission to answer a donor by text. `code` and `reason` explain why an answer is not allowed."""

    is_allowed: bool
    needs_consent: bool = False
    code: str = ""
    reason: str = ""


@dataclass(frozen=True)
class ThreadBooking:
    booking: Booking
    may_be_cancelled: bool


@dataclass(frozen=True)
class Thread:
    conversation: Conversation
    people: list[Volunteer]
    texts: list[ThreadText]
    bookings: list[ThreadBooking]
    answer_permission: AnswerPermission
    opt_out: Suppression | None

    @property
    def language(self) -> str:
        return self.people[0].language if self.people else self.conversation.organization.language


def list_conversations(organization: Organization, *, waiting_only: bool = False) -> QuerySet[Conversation]:
    """List conversations that need or needed a coordinator.

    Donors who still wait for an answer come first, starting with the longest wait. Then the newest conversations
    follow. Conversations with only commands (C or X) are left out.
    """
    rows = Conversation.objects.of(organization).filter(asked_at__isnull=False)
    if waiting_only:
        rows = rows.awaiting_reply()
    return rows.order_by(F("unanswered_since").asc(nulls_last=True), "-asked_at", "-pk")


def load_conversation_rows(organization: Organization, shown: Collection[Conversation]) -> list[ConversationRow]:
    names: dict[str, list[str]] = {}
    languages: dict[str, str] = {}
    people = Volunteer.objects.of(organization).filter(
        phone__address__in=[conversation.address for conversation in shown]
    )
    for address, name, language in people.order_by("name", "pk").values_list("phone__address", "name", "language"):
        names.setdefault(address or "", []).append(name)
        languages.setdefault(address or "", language)
    texts = ConversationText.objects.filter(conversation__in=shown).order_by(
        "conversation", "-reply__received_at", "-pk"
    )
    newest = {row.conversation_id: row.reply for row in texts.distinct("conversation").select_related("reply")}
    undecided = notifications_queries.list_undecided_addresses(organization, [row.address for row in shown])
    return [
        ConversationRow(
            conversation,
            names.get(conversation.address, []),
            describe_reply(newest[conversation.pk]) if conversation.pk in newest else "",
            languages.get(conversation.address, organization.language),
            conversation.address in undecided,
        )
        for conversation in shown
    ]


def describe_reply(reply: InboundMessage) -> str:
    """Return the reply's text. Add a line with the number of attached files.

    The service does not download the files.
    """
    if not reply.media_count:
        return reply.text
    files = ngettext("[%(count)s picture or file]", "[%(count)s pictures or files]", reply.media_count)
    return "\n".join(filter(None, [reply.text, files % {"count": reply.media_count}]))


def find_conversation_row(booking: Booking) -> ConversationRow | None:
    phone = booking.volunteer.phone if booking.volunteer else None
    rows = list_conversations(booking.drive.organization).filter(address=phone.address if phone else "")
    conversation_rows = load_conversation_rows(booking.drive.organization, list(rows))
    return conversation_rows[0] if conversation_rows else None


def load_thread(conversation: Conversation, now: datetime) -> Thread:
    organization = conversation.organization
    people = Volunteer.objects.of(organization).filter(phone__address=conversation.address)
    return Thread(
        conversation=conversation,
        people=list(people.select_related("phone", "email").order_by("name", "pk")),
        texts=_load_texts(conversation),
        bookings=_load_bookings(conversation, now),
        answer_permission=load_answer_permission(conversation, now),
        opt_out=notifications_queries.find_suppression(organization, conversation.address),
    )


def load_answer_permission(conversation: Conversation, now: datetime) -> AnswerPermission:
    """Return whether a coordinator may answer by text.

    An answer is not allowed:
    - after a STOP
    - if the donor withdrew the consent to reminders after writing to us
    - more than a day after the donor's last text, if the donor has not consented to reminders
    """
    organization, address = conversation.organization, conversation.address
    if notifications_queries.is_suppressed(organization, address):
        reason = _("The donor asked us to stop texting, so we can’t text them. Call or e-mail them.")
        return AnswerPermission(is_allowed=False, code="opted_out", reason=reason)
    consents = ConsentEntry.objects.filter(organization=organization, address=address, purpose=Purpose.REMINDERS)
    consent = consents.order_by("-at", "-pk").first()
    if consent and not consent.given and consent.at >= conversation.last_text_at:
        reason = _("The donor withdrew their consent to texts after sending this message. Call or e-mail them.")
        return AnswerPermission(is_allowed=False, code="consent_withdrawn", reason=reason)
    needs_consent = now - conversation.last_text_at > rules.ANSWER_WITHOUT_CONSENT_WITHIN
    if needs_consent and not (consent and consent.given):
        reason = _("The donor wrote more than a day ago and never agreed to texts. Call or e-mail them.")
        return AnswerPermission(is_allowed=False, code="no_consent", reason=reason)
    return AnswerPermission(is_allowed=True, needs_consent=needs_consent)


def _load_texts(conversation: Conversation) -> list[ThreadText]:
    received = (
        ConversationText.objects.filter(conversation=conversation)
        .exclude(reply__text="", reply__media_count=0)
        .select_related("reply")
    )
    texts = [
        ThreadText(row.reply.received_at, describe_reply(row.reply), reply=row.reply)
        for row in received.order_by("-reply__received_at", "-pk")[:TEXTS_SHOWN]
    ]
    is_sent_or_answer = Q(sending_at__isnull=False) | Q(about=conversation.about)
    sent = Message.objects.of(conversation.organization).filter(
        is_sent_or_answer, address=conversation.address, channel=Channel.SMS
    )
    sent = sent.exclude(kind=kinds.CODE.name).exclude(state=MessageState.WITHDRAWN).order_by("-created_at", "-pk")
    texts += [
        ThreadText(message.sending_at or message.created_at, message.text, message=message)
        for message in sent[:TEXTS_SHOWN]
    ]
    return sorted(texts, key=lambda text: (text.at, text.reply is not None))[-TEXTS_SHOWN:]


def _load_bookings(conversation: Conversation, now: datetime) -> list[ThreadBooking]:
    rows = Booking.objects.of(conversation.organization).filter(volunteer__phone__address=conversation.address)
    rows = rows.exclude(state__in=[BookingState.HELD, BookingState.LAPSED]).select_related("drive__site", "volunteer")
    bookings = list(rows.order_by("-starts_at", "-pk")[:BOOKINGS_SHOWN])
    upcoming = sorted((row for row in bookings if row.starts_at > now), key=lambda row: row.starts_at)
    return [
        # Apply the donor's rules, because the coordinator cancels at the donor's request.
        ThreadBooking(row, not booking_rules.reasons_not_to_take_step(Act.CANCEL, row, "donor", now))
        for row in [*upcoming, *(row for row in bookings if row.starts_at <= now)]
    ]
