"""Load the audience, reach, price and delivery of broadcasts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from drives.messaging import delivery_counts, rules
from drives.messaging import reach as messaging_reach
from drives.messaging.delivery_counts import DeliverySummary
from drives.messaging.reach import DonorReach
from drives.models import (
    ACTIVE_STATES,
    EXPECTED_STATES,
    WITH_DRIVE,
    Booking,
    BookingState,
    Broadcast,
    BroadcastKind,
    Drive,
    DriveState,
)
from notifications import kinds, message_content
from notifications.models import Channel, Purpose
from volunteers import addressees

SELECTABLE_STATES = tuple(state for state in BookingState if state not in (BookingState.HELD, BookingState.LAPSED))


@dataclass(frozen=True)
class Audience:
    """The bookings of a drive in these states, with an arrival from `from_at` until just before `until_at`."""

    states: tuple[str, ...] = EXPECTED_STATES
    from_at: datetime | None = None
    until_at: datetime | None = None


@dataclass(frozen=True)
class Recipient:
    """A donor's booking, with the contact for a broadcast.

    `reason` is a code that tells why no contact can be used, or "".
    """

    booking: Booking
    channel: str
    address: str
    reason: str = ""


@dataclass(frozen=True)
class BroadcastReach:
    recipients: list[Recipient]

    @property
    def reached(self) -> list[Recipient]:
        return [recipient for recipient in self.recipients if not recipient.reason]

    @property
    def unreached(self) -> list[Recipient]:
        return [recipient for recipient in self.recipients if recipient.reason]

    @property
    def reasons(self) -> list[tuple[str, int]]:
        return Counter(recipient.reason for recipient in self.unreached).most_common()

    @property
    def languages(self) -> Counter[str]:
        return Counter(
            recipient.booking.volunteer.language for recipient in self.reached if recipient.booking.volunteer
        )


@dataclass(frozen=True)
class BroadcastPrice:
    segments: int
    cost: Decimal
    currency: str


def load_broadcast_reach(drive: Drive, audience: Audience, purpose: str) -> BroadcastReach:
    """Choose the contact for each donor in an audience. Four queries.

    A donor with several bookings counts once, with the latest one. After a STOP, an e-mail replaces the text. News
    requires consent, whether it goes by text or by e-mail.
    """
    rows = Booking.objects.filter(drive=drive, state__in=audience.states, volunteer__isnull=False)
    if audience.from_at:
        rows = rows.filter(starts_at__gte=audience.from_at)
    if audience.until_at:
        rows = rows.filter(starts_at__lt=audience.until_at)
    # The rows are ordered by id, so the dict keeps the latest booking of each donor.
    latest = {booking.volunteer_id: booking for booking in rows.select_related(*WITH_DRIVE).order_by("pk")}
    bookings = sorted(latest.values(), key=lambda booking: (booking.starts_at, booking.pk))
    reach = messaging_reach.load_reach(drive.organization, bookings)
    return BroadcastReach([_build_recipient(booking, purpose, reach) for booking in bookings])


def build_late_audience(now: datetime) -> Audience:
    return Audience(EXPECTED_STATES, now - rules.LATE_NOTICE_AFTER_ARRIVAL, now + rules.LATE_NOTICE_BEFORE_ARRIVAL)


def compute_price(drive: Drive, wordings: Sequence[str]) -> BroadcastPrice:
    count = sum(map(message_content.count_segments, wordings))
    organization = drive.organization
    return BroadcastPrice(count, count * organization.sms_price, organization.sms_currency)


def may_concern_visit(drive: Drive, audience: Audience, now: datetime) -> bool:
    return set(audience.states) <= set(ACTIVE_STATES) and drive.ends_at > now and drive.state != DriveState.CANCELLED


@dataclass(frozen=True)
class BroadcastRow:
    broadcast: Broadcast
    delivery_summary: DeliverySummary

    @property
    def pending_count(self) -> int:
        return self.delivery_summary.planned


def list_broadcasts(drive: Drive) -> list[BroadcastRow]:
    rows = Broadcast.objects.filter(drive=drive).order_by("-created_at", "-pk")
    return _load_broadcast_rows(rows[: rules.MAX_BROADCASTS_SHOWN])


def load_broadcast_row(broadcast: Broadcast) -> BroadcastRow:
    [row] = _load_broadcast_rows([broadcast])
    return row


def _load_broadcast_rows(broadcasts: Iterable[Broadcast]) -> list[BroadcastRow]:
    rows = list(broadcasts)
    # `message_count` excludes messages that will be blocked. Until they are, `planned` includes them.
    return [
        BroadcastRow(broadcast, replace(found, planned=min(found.planned, broadcast.message_count)))
        for broadcast, found in zip(rows, delivery_counts.summarize_broadcasts(rows), strict=True)
    ]


def find_last_late_notice(drive: Drive, now: datetime, within: timedelta) -> Broadcast | None:
    late = Broadcast.objects.filter(drive=drive, kind=BroadcastKind.LATE, stopped_at=None, created_at__gt=now - within)
    return late.order_by("-created_at", "-pk").first()


def _build_recipient(booking: Booking, purpose: str, reach: DonorReach) -> Recipient:
    consent = Purpose.NEWS if purpose == Purpose.NEWS else ""
    for channel, address in reach.list_contacts(booking, kinds.BROADCAST, consent=consent):
        return Recipient(booking, channel, address)
    # Use the first contact, as `claim.admit_messages` does when it blocks a message.
    reason = reach.find_obstacle(booking, kinds.BROADCAST, consent=consent)
    channel, address = next(iter(addressees.build_addressee(booking.volunteer).contacts), (Channel.SMS, ""))
    return Recipient(booking, channel, address, reason)
