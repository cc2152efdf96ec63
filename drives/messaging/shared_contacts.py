"""Combine the reminders of party members with the same phone into one text about all of their bookings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from drives.messaging import rules
from drives.models import EXPECTED_STATES, WITH_DRIVE, Booking
from notifications.models import Channel, Message, MessageState

COVERED_BY_SHARED_TEXT = "covered_by_shared_text"  # saved as the reason of the replaced texts


@dataclass(frozen=True)
class SharedTexts:
    """Texts that name several bookings of a party.

    `bookings_by_text` maps the message ids to the named bookings. `covered_ids` are the replaced texts.
    """

    bookings_by_text: dict[int, list[Booking]] = field(default_factory=dict)
    covered_ids: set[int] = field(default_factory=set)


def load_shared_texts(scheduled: Sequence[Message], bookings: Mapping[int, Booking], now: datetime) -> SharedTexts:
    """Combine the scheduled texts of party members with the same phone. Two queries, or none without a party."""
    texts = [message for message in scheduled if message.channel == Channel.SMS]
    # Most batches have no party, so they need no further query.
    parties = {booking.party for text in texts if (booking := bookings.get(parse_booking_id(text))) and booking.party}
    if not parties:
        return SharedTexts()
    members = {row.pk: row for row in Booking.objects.filter(party__in=parties).select_related(*WITH_DRIVE)}
    rows = Message.objects.filter(
        state=MessageState.SCHEDULED,
        channel=Channel.SMS,
        about__in=[booking.about for booking in members.values()],
        kind__in={text.kind for text in texts},
    )
    scheduled_texts = [
        row for row in rows.order_by("due_at", "pk") if is_still_valid(members[parse_booking_id(row)], row, now)
    ]
    return _group_texts(scheduled_texts, {text.pk for text in texts}, members)


def _group_texts(scheduled_texts: Sequence[Message], due: set[int], members: Mapping[int, Booking]) -> SharedTexts:
    shared = SharedTexts()
    for text in scheduled_texts:
        if text.pk not in due or text.pk in shared.covered_ids:
            continue
        group = [
            row for row in scheduled_texts if row.pk not in shared.covered_ids and _may_share_text(text, row, members)
        ]
        if len(group) > 1:
            shared.bookings_by_text[text.pk] = [members[parse_booking_id(row)] for row in group]
            shared.covered_ids.update(row.pk for row in group if row.pk != text.pk)
    return shared


def _may_share_text(text: Message, other: Message, members: Mapping[int, Booking]) -> bool:
    same_party = members[parse_booking_id(text)].party == members[parse_booking_id(other)].party
    return (
        same_party
        and (text.kind, text.address) == (other.kind, other.address)
        and timedelta() <= other.due_at - text.due_at < rules.SHARED_REMINDERS_WITHIN
    )


def list_other_bookings_of_text(text: Message) -> list[Booking]:
    """List the other bookings that a text names. Bookings that changed afterward are left out. Two queries."""
    parties = Booking.objects.filter(pk=parse_booking_id(text), party__isnull=False).values("party")
    members = {booking.about: booking for booking in Booking.objects.filter(party__in=parties).order_by("pk")}
    covered = Message.objects.filter(
        about__in=members,
        kind=text.kind,
        address=text.address,
        reason=COVERED_BY_SHARED_TEXT,
        due_at__gte=text.due_at,
        due_at__lt=text.due_at + rules.SHARED_REMINDERS_WITHIN,
    )
    return [members[row.about] for row in covered.order_by("pk") if row.revision == members[row.about].revision]


def parse_booking_id(message: Message) -> int:
    return int(message.about.removeprefix("booking:"))


def is_still_valid(booking: Booking, message: Message, now: datetime) -> bool:
    return booking.state in EXPECTED_STATES and booking.revision == message.revision and booking.starts_at > now
