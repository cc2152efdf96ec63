"""The call list of a drive: donors that no message reached, and donors already called."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from drives.messaging.delivery import NOT_SENT_STATES, UNDELIVERED_STATES
from drives.models import EXPECTED_STATES, Booking, BookingState, BroadcastKind, Call, CancelledBy, Drive, DriveState
from notifications import kinds
from notifications.kinds import KINDS
from notifications.models import Message, MessageState, Purpose

OPT_OUT_REASONS = ("opted_out", "consent_withdrawn")
FAILED_STATES = UNDELIVERED_STATES | NOT_SENT_STATES | {MessageState.WITHDRAWN}
CALL_WITHIN = timedelta(hours=1)  # after the arrival time, a call is no longer useful


@dataclass(frozen=True)
class CallTopic:
    """One thing to tell a donor. It is taken from the latest message that was not delivered."""

    topic: str  # the message's key without its channel, so text and e-mail share it
    message: Message

    @property
    def kind(self) -> str:
        return self.message.kind


@dataclass(frozen=True)
class CallRow:
    booking: Booking
    topics: list[CallTopic]
    calls: list[Call]

    @property
    def newest_call(self) -> Call | None:
        return self.calls[-1] if self.calls else None


@dataclass(frozen=True)
class CallList:
    to_call: list[CallRow]
    reached: list[CallRow]


def load_call_list(drive: Drive, now: datetime) -> CallList:
    bookings = {booking.about: booking for booking in _find_bookings([drive.pk], now)}
    topics = _load_topics(bookings.values(), now)
    calls: dict[int, list[Call]] = {}
    for call in Call.objects.filter(booking__drive=drive).order_by("reached_at", "pk"):
        calls.setdefault(call.booking_id, []).append(call)
    rows = [_row(booking, topics.get(about, []), calls.get(booking.pk, [])) for about, booking in bookings.items()]
    return CallList(
        to_call=[row for row in rows if row.topics],
        reached=[row for row in rows if row.calls and not row.topics],
    )


def list_bookings_to_call(drive_ids: Sequence[int], now: datetime) -> list[Booking]:
    bookings = list(_find_bookings(drive_ids, now))
    topics = _load_topics(bookings, now)
    done = set(Call.objects.filter(booking__drive__in=drive_ids).values_list("booking", "topic"))
    return [
        booking
        for booking in bookings
        if any((booking.pk, topic.topic) not in done for topic in topics.get(booking.about, []))
    ]


def _find_bookings(drive_ids: Sequence[int], now: datetime) -> Iterable[Booking]:
    is_expected = Q(state__in=EXPECTED_STATES)
    was_cancelled = Q(state=BookingState.CANCELLED) & ~Q(cancelled_by=CancelledBy.DONOR)
    rows = Booking.objects.filter(is_expected | was_cancelled, drive__in=drive_ids, starts_at__gt=now - CALL_WITHIN)
    # Leave out completed drives, because nothing about their visits can change.
    rows = rows.exclude(drive__state=DriveState.COMPLETED)
    return rows.select_related("drive__site", "volunteer__phone", "volunteer__email").order_by("starts_at", "pk")


def _load_topics(bookings: Iterable[Booking], now: datetime) -> dict[str, list[CallTopic]]:
    """List undelivered messages by booking, unless another channel has delivered or is sending the same message."""
    bookings_by_about = {booking.about: booking for booking in bookings}
    sent = Message.objects.filter(
        about__in=list(bookings_by_about), kind__in=kinds.list_kind_names(lambda kind: kind.calls_if_undelivered)
    )
    # An opt-out also withdraws messages, but the donor still needs to know what they said.
    is_outdated = Q(state=MessageState.WITHDRAWN) & ~Q(reason__in=OPT_OUT_REASONS)
    sent = sent.exclude(purpose=Purpose.NEWS).exclude(is_outdated)
    messages_by_topic: dict[str, list[Message]] = {}
    for message in sent.only(*_FIELDS).order_by("due_at", "pk"):
        # Remove the channel from the key, so that a text and an e-mail with the same content count as one topic.
        messages_by_topic.setdefault(message.key.rpartition("/")[0], []).append(message)
    topics: dict[str, list[CallTopic]] = {}
    for topic, messages in messages_by_topic.items():
        if _is_undelivered(messages, bookings_by_about[messages[-1].about]):
            topics.setdefault(messages[-1].about, []).append(CallTopic(topic, messages[-1]))
    return topics


_FIELDS = ("key", "about", "kind", "state", "reason", "error_code", "revision", "text", "channel", "due_at")


def _is_undelivered(messages: Sequence[Message], booking: Booking) -> bool:
    if any(message.state not in FAILED_STATES for message in messages):
        return False
    last = messages[-1]
    is_stale = last.revision != booking.revision and last.kind not in BroadcastKind.values
    is_cancelled = booking.state == BookingState.CANCELLED
    # If the booking is cancelled, call only about that. Otherwise, do not call about an earlier cancellation.
    return not is_stale and is_cancelled == KINDS[last.kind].ends_visit


def _row(booking: Booking, topics: list[CallTopic], calls: list[Call]) -> CallRow:
    called_topics = {call.topic for call in calls}
    return CallRow(booking, [topic for topic in topics if topic.topic not in called_topics], calls)
