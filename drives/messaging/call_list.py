"""Load the call list of a drive: the donors to call because no message reached them, and the calls already made."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Q, QuerySet

from drives.messaging import rules
from drives.messaging.delivery_counts import NOT_SENT_STATES, UNDELIVERED_STATES
from drives.messaging.reach import MessageSubject
from drives.models import (
    EXPECTED_STATES,
    Booking,
    BookingState,
    BroadcastKind,
    Call,
    CancelledBy,
    Drive,
    DriveState,
    Offer,
    WaitlistEntry,
    WaitlistEntryState,
)
from drives.models.booking import BookingQuerySet
from notifications import kinds
from notifications.kinds import KINDS
from notifications.models import Message, MessageState, Purpose
from volunteers.models import Volunteer

OPT_OUT_REASONS = ("opted_out", "consent_withdrawn")
FAILED_STATES = UNDELIVERED_STATES | NOT_SENT_STATES | {MessageState.WITHDRAWN}
# Loaded by separate queries, which do not run if there is nothing to call about. Usually there is nothing.
_SHOWN = ("drive__site", "volunteer__phone", "volunteer__email")


@dataclass(frozen=True)
class CallTopic:
    """Something to tell a donor by phone. `message` is the last failed message about it."""

    topic: str  # the message's key without the channel, which text and e-mail share
    message: Message
    offer: Offer | None = None  # if the message offers a spot

    @property
    def kind(self) -> str:
        return self.message.kind


@dataclass(frozen=True)
class CallRow:
    subject: MessageSubject
    topics: list[CallTopic]
    calls: list[Call]

    @property
    def volunteer(self) -> Volunteer | None:
        return self.subject.volunteer

    @property
    def booking(self) -> Booking | None:
        return self.subject if isinstance(self.subject, Booking) else None

    @property
    def offer(self) -> Offer | None:
        return next((topic.offer for topic in self.topics if topic.offer), None)

    @property
    def newest_call(self) -> Call | None:
        return self.calls[-1] if self.calls else None


@dataclass(frozen=True)
class CallList:
    to_call: list[CallRow]
    reached: list[CallRow]


def load_call_list(drive: Drive, now: datetime) -> CallList:
    rows = _load_rows([drive.pk], now, _SHOWN)
    return CallList(
        to_call=[row for row in rows if row.topics],
        reached=[row for row in rows if row.calls and not row.topics],
    )


def list_subjects_to_call(drive_ids: Sequence[int], now: datetime) -> list[MessageSubject]:
    """List the bookings and waitlist entries of donors whom a coordinator must call."""
    return [row.subject for row in _load_rows(drive_ids, now, _SHOWN) if row.topics]


def count_donors_to_call(drive_ids: Sequence[int], now: datetime) -> Counter[int]:
    """Count by drive the bookings and waitlist entries of donors whom a coordinator must call."""
    return Counter(row.subject.drive_id for row in _load_rows(drive_ids, now, ()) if row.topics)


def _load_rows(drive_ids: Sequence[int], now: datetime, related: Sequence[str]) -> list[CallRow]:
    """Load the rows, and these related rows of each booking and waitlist entry."""
    calls: dict[str, list[Call]] = {}
    in_drives = Q(booking__drive__in=drive_ids) | Q(entry__drive__in=drive_ids)
    for call in Call.objects.filter(in_drives).order_by("reached_at", "pk"):
        calls.setdefault(call.about, []).append(call)
    called_ids = {call.booking_id for found in calls.values() for call in found if call.booking_id}
    offers = _load_open_offers(drive_ids, now, related)
    abouts: dict[str, MessageSubject] = {
        booking.about: booking for booking in _load_bookings(drive_ids, now, called_ids).prefetch_related(*related)
    }
    abouts |= {about: offer.entry for about, offer in offers.items()}
    abouts |= {entry.about: entry for entry in _find_closed_entries(drive_ids, now).prefetch_related(*related)}
    topics = _load_topics(abouts, offers)
    subjects = {subject.about: subject for subject in abouts.values()}
    return [_build_row(subject, topics.get(about, []), calls.get(about, [])) for about, subject in subjects.items()]


def _load_bookings(drive_ids: Sequence[int], now: datetime, called_ids: Collection[int]) -> QuerySet[Booking]:
    """Load the bookings with an undelivered message or a recorded call."""
    undelivered_ids = _list_undelivered(drive_ids)
    return _filter_bookings(drive_ids, now).filter(pk__in={*undelivered_ids, *called_ids}).order_by("starts_at", "pk")


def _list_undelivered(drive_ids: Sequence[int]) -> list[int]:
    """List the ids of bookings of the drives' organization with an undelivered message. One query.

    Only messages since the first of the drives was created can be about these drives. There are few undelivered
    messages, so this is faster than to look for the messages of each booking.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _UNDELIVERED_SQL, {"drives": list(drive_ids), "kinds": _list_kinds(), "reasons": list(OPT_OUT_REASONS)}
        )
        return [int(about.partition(":")[2]) for (about,) in cursor.fetchall()]


# The states are literals, so that every plan can use the partial index message_not_arrived.
_UNDELIVERED_SQL = f"""
SELECT about FROM notifications_message
 WHERE organization_id = (SELECT organization_id FROM drives_drive WHERE id = ANY (%(drives)s::bigint[]) LIMIT 1)
   AND created_at >= (SELECT min(created_at) FROM drives_drive WHERE id = ANY (%(drives)s::bigint[]))
   AND kind = ANY (%(kinds)s) AND state IN ({", ".join(f"'{state}'" for state in sorted(FAILED_STATES))})
   AND about LIKE 'booking:%%' AND purpose <> '{Purpose.NEWS}'
   AND (state <> '{MessageState.WITHDRAWN}' OR reason = ANY (%(reasons)s))
"""  # noqa: S608  only constants


def _filter_bookings(drive_ids: Sequence[int], now: datetime) -> BookingQuerySet:
    is_expected = Q(state__in=EXPECTED_STATES)
    was_cancelled = Q(state=BookingState.CANCELLED) & ~Q(cancelled_by=CancelledBy.DONOR)
    rows = Booking.objects.filter(
        is_expected | was_cancelled, drive__in=drive_ids, starts_at__gt=now - rules.CALL_WITHIN
    )
    # Leave out completed drives, because nothing about their visits can change.
    return rows.exclude(drive__state=DriveState.COMPLETED)


def _load_open_offers(drive_ids: Sequence[int], now: datetime, related: Sequence[str]) -> dict[str, Offer]:
    rows = Offer.objects.open().filter(entry__drive__in=drive_ids, deadline__gt=now)
    rows = rows.prefetch_related("entry", *(f"entry__{name}" for name in related))
    return {offer.about: offer for offer in rows.order_by("deadline", "pk")}


def _find_closed_entries(drive_ids: Sequence[int], now: datetime) -> QuerySet[WaitlistEntry]:
    closed = {"state": WaitlistEntryState.CLOSED, "changed_at__gt": now - rules.CALL_AFTER_CLOSING_WITHIN}
    rows = WaitlistEntry.objects.filter(**closed, drive__in=drive_ids, volunteer__isnull=False)
    return rows.order_by("joined_at", "pk")


def _load_topics(abouts: Mapping[str, MessageSubject], offers: Mapping[str, Offer]) -> dict[str, list[CallTopic]]:
    """Load the topics for calls, keyed by booking or waitlist entry.

    A topic is left out if another channel has delivered the same message or is still sending it.
    """
    messages_by_topic: dict[str, list[Message]] = {}
    for message in _filter_messages(abouts).only(*_FIELDS).order_by("due_at", "pk"):
        # Remove the channel from the key, so that a text and an e-mail with the same content count as one topic.
        messages_by_topic.setdefault(message.key.rpartition("/")[0], []).append(message)
    topics: dict[str, list[CallTopic]] = {}
    for topic, messages in messages_by_topic.items():
        last, subject = messages[-1], abouts[messages[-1].about]
        if _is_undelivered(messages, subject):
            topics.setdefault(subject.about, []).append(CallTopic(topic, last, offers.get(last.about)))
    return topics


def _list_kinds() -> list[str]:
    return list(kinds.list_kind_names(lambda kind: kind.calls_if_undelivered))


def _filter_messages(abouts: Collection[str]) -> QuerySet[Message]:
    sent = Message.objects.filter(about__in=list(abouts), kind__in=_list_kinds())
    # Keep messages that an opt-out withdrew, because the donor still needs the information.
    is_outdated = Q(state=MessageState.WITHDRAWN) & ~Q(reason__in=OPT_OUT_REASONS)
    return sent.exclude(purpose=Purpose.NEWS).exclude(is_outdated)


_FIELDS = ("key", "about", "kind", "state", "reason", "error_code", "revision", "text", "channel", "due_at")


def _is_undelivered(messages: Sequence[Message], subject: MessageSubject) -> bool:
    if any(message.state not in FAILED_STATES for message in messages):
        return False
    if isinstance(subject, WaitlistEntry):
        return True
    last = messages[-1]
    is_stale = last.revision != subject.revision and last.kind not in BroadcastKind.values
    is_cancelled = subject.state == BookingState.CANCELLED
    # Call about a cancellation only if the booking is still cancelled, and then about nothing else.
    return not is_stale and is_cancelled == KINDS[last.kind].ends_visit


def _build_row(subject: MessageSubject, topics: list[CallTopic], calls: list[Call]) -> CallRow:
    called_topics = {call.topic for call in calls}
    return CallRow(subject, [topic for topic in topics if topic.topic not in called_topics], calls)
