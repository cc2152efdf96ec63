"""Reminders that one text says to several people: those of a party who are reached through one phone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from drives.models import EXPECTED, WITH_DRIVE, Booking
from notifications.models import Channel, Message, MessageState

NEAR = timedelta(hours=3)  # reminders of one kind that are due so close to each other are one
SAID_TOGETHER = "said_together"  # why the others are dropped


@dataclass(frozen=True)
class SharedTexts:
    """The bookings that a scheduled text will speak of, by its id; and the scheduled texts that it replaces."""

    speaks_of: dict[int, list[Booking]] = field(default_factory=dict)
    said: set[int] = field(default_factory=set)


def shared_texts(scheduled: Sequence[Message], bookings: Mapping[int, Booking], now: datetime) -> SharedTexts:
    """Which of the scheduled texts speak for several people. Two queries, none without a party."""
    texts = [message for message in scheduled if message.channel == Channel.SMS]
    parties = {booking.party for text in texts if (booking := bookings.get(booking_id(text))) and booking.party}
    if not parties:
        return SharedTexts()
    members = {row.pk: row for row in Booking.objects.filter(party__in=parties).select_related(*WITH_DRIVE)}
    rows = Message.objects.filter(
        state=MessageState.SCHEDULED,
        channel=Channel.SMS,
        about__in=[booking.about for booking in members.values()],
        kind__in={text.kind for text in texts},
    )
    waiting = [row for row in rows.order_by("due_at", "pk") if fits(members[booking_id(row)], row, now)]
    return _grouped(waiting, {text.pk for text in texts}, members)


def _grouped(waiting: Sequence[Message], due: set[int], members: Mapping[int, Booking]) -> SharedTexts:
    shared = SharedTexts()
    for text in waiting:
        if text.pk not in due or text.pk in shared.said:
            continue
        group = [row for row in waiting if row.pk not in shared.said and _is_said_with(text, row, members)]
        if len(group) > 1:
            shared.speaks_of[text.pk] = [members[booking_id(row)] for row in group]
            shared.said.update(row.pk for row in group if row.pk != text.pk)
    return shared


def _is_said_with(text: Message, other: Message, members: Mapping[int, Booking]) -> bool:
    same_party = members[booking_id(text)].party == members[booking_id(other)].party
    return (
        same_party
        and (text.kind, text.address) == (other.kind, other.address)
        and timedelta() <= other.due_at - text.due_at < NEAR
    )


def also_spoken_of(text: Message) -> list[Booking]:
    """The bookings, besides its own, that a text speaks of, that are still as it says. Two queries."""
    own = Booking.objects.filter(pk=booking_id(text), party__isnull=False).values("party")
    members = {booking.about: booking for booking in Booking.objects.filter(party__in=own).order_by("pk")}
    said = Message.objects.filter(
        about__in=members,
        kind=text.kind,
        address=text.address,
        reason=SAID_TOGETHER,
        due_at__gte=text.due_at,
        due_at__lt=text.due_at + NEAR,
    )
    return [members[row.about] for row in said.order_by("pk") if row.revision == members[row.about].revision]


def booking_id(message: Message) -> int:
    """The booking that a message is about."""
    return int(message.about.removeprefix("booking:"))


def fits(booking: Booking, message: Message, now: datetime) -> bool:
    """Whether a reminder is still about the booking as it stands."""
    return booking.state in EXPECTED and booking.revision == message.revision and booking.starts_at > now
