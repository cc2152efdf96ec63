"""What donors wrote and somebody has to read: the inbox, one conversation with the bookings beside it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from drives.booking import rules as booking_rules
from drives.models import Booking, BookingState, Conversation, ConversationText, Site
from notifications import kinds
from notifications import queries as notifications_queries
from notifications.models import Channel, ConsentEntry, InboundMessage, Message, MessageState, Purpose
from organizations.models import Organization
from volunteers.models import Volunteer

ANSWER_WITHOUT_CONSENT_WITHIN = timedelta(days=1)
TEXTS_SHOWN, BOOKINGS_SHOWN = 60, 8


@dataclass(frozen=True)
class ConversationRow:
    """A conversation in the list: who, and what they wrote last."""

    conversation: Conversation
    names: list[str]
    text: str


@dataclass(frozen=True)
class ThreadText:
    """One text of a conversation, theirs or ours."""

    at: datetime
    text: str
    reply: InboundMessage | None = None
    message: Message | None = None


@dataclass(frozen=True)
class AnswerPermission:
    """Whether a conversation may be answered by text now; if not, why, as a code and a sentence."""

    may: bool
    needs_consent: bool = False
    code: str = ""
    reason: str = ""


@dataclass(frozen=True)
class ThreadBooking:
    """A booking beside a conversation."""

    booking: Booking
    may_be_cancelled: bool


@dataclass(frozen=True)
class Thread:
    """One conversation in the order in which it was written, who may have written it, and their bookings."""

    conversation: Conversation
    people: list[Volunteer]
    lines: list[ThreadText]
    bookings: list[ThreadBooking]
    answer_permission: AnswerPermission


def list_conversations(organization: Organization, *, waiting_only: bool = False) -> QuerySet[Conversation]:
    """Those that a person had to read: first who waits longest, then the newest. Letters that a rule answered are not
    among them.
    """
    rows = Conversation.objects.of(organization).filter(asked_at__isnull=False)
    if waiting_only:
        rows = rows.waiting()
    return rows.order_by(F("waiting_since").asc(nulls_last=True), "-asked_at", "-pk")


def load_conversation_rows(organization: Organization, shown: Collection[Conversation]) -> list[ConversationRow]:
    """The rows of one page of the list. Two queries."""
    names: dict[str, list[str]] = {}
    people = Volunteer.objects.of(organization).filter(phone__address__in=[one.address for one in shown])
    for address, name in people.order_by("name", "pk").values_list("phone__address", "name"):
        names.setdefault(address or "", []).append(name)
    lines = ConversationText.objects.filter(conversation__in=shown).order_by(
        "conversation", "-reply__received_at", "-pk"
    )
    newest = dict(lines.distinct("conversation").values_list("conversation", "reply__text"))
    return [ConversationRow(one, names.get(one.address, []), newest.get(one.pk, "")) for one in shown]


def find_conversation_row(booking: Booking) -> ConversationRow | None:
    """What a person had to read of whoever has this booking's phone. Up to three queries."""
    phone = booking.volunteer.phone if booking.volunteer else None
    rows = list_conversations(booking.drive.organization).filter(address=phone.address if phone else "")
    found = load_conversation_rows(booking.drive.organization, list(rows))
    return found[0] if found else None


def load_default_zone(organization: Organization) -> str:
    """The zone of the organization's first place, for times that belong to no drive. One query."""
    zones = Site.objects.filter(organization=organization).order_by("pk").values_list("timezone", flat=True)
    return zones.first() or "UTC"


def load_thread(conversation: Conversation, now: datetime) -> Thread:
    """Everything on the page of one conversation, in a fixed number of queries."""
    organization = conversation.organization
    people = Volunteer.objects.of(organization).filter(phone__address=conversation.address)
    return Thread(
        conversation=conversation,
        people=list(people.select_related("phone", "email").order_by("name", "pk")),
        lines=_load_texts(conversation),
        bookings=_load_bookings(conversation, now),
        answer_permission=load_answer_permission(conversation, now),
    )


def load_answer_permission(conversation: Conversation, now: datetime) -> AnswerPermission:
    """Whether a text may go out: never after a STOP, not against a later "no"; after a day only with consent."""
    organization, address = conversation.organization, conversation.address
    if notifications_queries.is_suppressed(organization, address):
        reason = _("They asked for no more texts, so no text can go out. Call or e-mail them.")
        return AnswerPermission(may=False, code="opted_out", reason=reason)
    newest = ConsentEntry.objects.filter(organization=organization, address=address, purpose=Purpose.REMINDERS)
    line = newest.order_by("-at", "-pk").first()
    if line and not line.given and line.at >= conversation.last_text_at:
        reason = _("They took back their consent to texts after they wrote. Call or e-mail them.")
        return AnswerPermission(may=False, code="consent_withdrawn", reason=reason)
    needs_consent = now - conversation.last_text_at > ANSWER_WITHOUT_CONSENT_WITHIN
    if needs_consent and not (line and line.given):
        reason = _("They wrote more than a day ago and never agreed to texts. Call or e-mail them.")
        return AnswerPermission(may=False, code="no_consent", reason=reason)
    return AnswerPermission(may=True, needs_consent=needs_consent)


def _load_texts(conversation: Conversation) -> list[ThreadText]:
    """Their texts and ours, oldest first. Two queries. Codes are nobody's business, reminders are part of the talk."""
    theirs = ConversationText.objects.filter(conversation=conversation).exclude(reply__text="").select_related("reply")
    lines = [
        ThreadText(row.reply.received_at, row.reply.text, reply=row.reply)
        for row in theirs.order_by("-reply__received_at", "-pk")[:TEXTS_SHOWN]
    ]
    told = Q(sending_at__isnull=False) | Q(about=conversation.about)
    ours = Message.objects.of(conversation.organization).filter(told, address=conversation.address, channel=Channel.SMS)
    ours = ours.exclude(kind=kinds.CODE.name).exclude(state=MessageState.WITHDRAWN).order_by("-created_at", "-pk")
    lines += [ThreadText(one.sending_at or one.created_at, one.text, message=one) for one in ours[:TEXTS_SHOWN]]
    return sorted(lines, key=lambda line: (line.at, line.reply is not None))[-TEXTS_SHOWN:]


def _load_bookings(conversation: Conversation, now: datetime) -> list[ThreadBooking]:
    """The bookings of whoever has this phone, the next first, then the latest."""
    rows = Booking.objects.of(conversation.organization).filter(volunteer__phone__address=conversation.address)
    rows = rows.exclude(state__in=[BookingState.HELD, BookingState.LAPSED]).select_related("drive__site", "volunteer")
    found = list(rows.order_by("-starts_at", "-pk")[:BOOKINGS_SHOWN])
    ahead = sorted((row for row in found if row.starts_at > now), key=lambda row: row.starts_at)
    load_changeable_booking = booking_rules.CHANGEABLE_STATES
    return [
        ThreadBooking(row, row.state in load_changeable_booking and row.starts_at > now)
        for row in [*ahead, *(row for row in found if row.starts_at <= now)]
    ]
