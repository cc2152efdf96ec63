"""Whom a message to many would reach, how, at what price; and what became of those that were sent."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from drives.messaging import delivery
from drives.messaging.delivery import DeliverySummary
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
from notifications import message_content
from notifications import queries as notifications_queries
from notifications.models import Channel, Message, Purpose

SELECTABLE_STATES = tuple(state for state in BookingState if state not in (BookingState.HELD, BookingState.LAPSED))
LATE_DUE_WITHIN, LATE_OVERDUE_WITHIN = timedelta(hours=3), timedelta(minutes=30)


@dataclass(frozen=True)
class Audience:
    """Which bookings of a drive: in these states, arriving in [from_at, until_at)."""

    states: tuple[str, ...] = EXPECTED_STATES
    from_at: datetime | None = None
    until_at: datetime | None = None


@dataclass(frozen=True)
class Recipient:
    """A person with the way they are reached; `reason` says why there is none, and then the gate will say it too."""

    booking: Booking
    channel: str
    address: str
    reason: str = ""


@dataclass(frozen=True)
class BroadcastReach:
    """Everybody a message is meant for, in order of arrival."""

    recipients: list[Recipient]

    @property
    def reached(self) -> list[Recipient]:
        return [one for one in self.recipients if not one.reason]

    @property
    def unreached(self) -> list[Recipient]:
        return [one for one in self.recipients if one.reason]

    @property
    def texts(self) -> list[Recipient]:
        return [one for one in self.reached if one.channel == Channel.SMS]

    @property
    def mails(self) -> list[Recipient]:
        return [one for one in self.reached if one.channel == Channel.EMAIL]

    @property
    def reasons(self) -> list[tuple[str, int]]:
        """Why people cannot be reached, the most frequent first."""
        return Counter(one.reason for one in self.unreached).most_common()

    @property
    def languages(self) -> Counter[str]:
        return Counter(one.booking.volunteer.language for one in self.reached if one.booking.volunteer)


@dataclass(frozen=True)
class BroadcastPrice:
    """What the texts cost: each segment at the organization's price."""

    segments: int
    cost: Decimal
    currency: str


def load_broadcast_reach(drive: Drive, audience: Audience, purpose: str) -> BroadcastReach:
    """Everybody of an audience with the way they can be told now. Four queries.

    One booking a person: the latest. By text with consent and without a STOP, else by mail; appeals need consent for
    both, and nobody who took their consent back for a mailbox is written to there.
    """
    rows = Booking.objects.filter(drive=drive, state__in=audience.states, volunteer__isnull=False)
    if audience.from_at:
        rows = rows.filter(starts_at__gte=audience.from_at)
    if audience.until_at:
        rows = rows.filter(starts_at__lt=audience.until_at)
    latest = {booking.volunteer_id: booking for booking in rows.select_related(*WITH_DRIVE).order_by("pk")}
    bookings = sorted(latest.values(), key=lambda booking: (booking.starts_at, booking.pk))
    addresses = [address for booking in bookings for address in _addresses(booking) if address]
    agreed = notifications_queries.load_consents(drive.organization, addresses)
    stopped = notifications_queries.list_suppressed_addresses(drive.organization, addresses)
    return BroadcastReach([_recipient(booking, purpose, agreed, stopped) for booking in bookings])


def build_late_audience(now: datetime) -> Audience:
    """Who is due in the next hours, or was due a moment ago, and is not in yet."""
    return Audience(EXPECTED_STATES, now - LATE_OVERDUE_WITHIN, now + LATE_DUE_WITHIN)


def compute_price(drive: Drive, wordings: Sequence[str]) -> BroadcastPrice:
    """What these texts cost."""
    count = sum(map(message_content.count_segments, wordings))
    organization = drive.organization
    return BroadcastPrice(count, count * organization.sms_price, organization.sms_currency)


def may_concern_visit(drive: Drive, audience: Audience, now: datetime) -> bool:
    """Whether there is still a visit to write about: for everybody of the audience, and the drive is not over."""
    return set(audience.states) <= set(ACTIVE_STATES) and drive.ends_at > now and drive.state != DriveState.CANCELLED


@dataclass(frozen=True)
class BroadcastRow:
    """A message to many in the list of a drive, with what became of it."""

    broadcast: Broadcast
    fates: DeliverySummary

    @property
    def waiting(self) -> int:
        """Messages still to leave; those that the gate will hold back are none of them."""
        is_judged = self.fates.not_sent > 0 or self.broadcast.purpose != Purpose.REMINDERS
        return max(0, self.fates.planned - (0 if is_judged else self.broadcast.unreached_count))


def list_broadcasts(drive: Drive) -> list[BroadcastRow]:
    """What was said to many at this drive, the newest first. One query, and one for each."""
    rows = Broadcast.objects.filter(drive=drive).order_by("-created_at", "-pk")
    return [load_broadcast_row(one) for one in rows[:20]]


def load_broadcast_row(broadcast: Broadcast) -> BroadcastRow:
    """One message to many with what became of it. One query."""
    return BroadcastRow(
        broadcast, delivery.summarize_delivery(Message.objects.filter(key__startswith=f"{broadcast.about}/"))
    )


def find_last_late_notice(drive: Drive, now: datetime, within: timedelta) -> Broadcast | None:
    """The newest running-late notice of the last minutes that was not stopped."""
    late = Broadcast.objects.filter(drive=drive, kind=BroadcastKind.LATE, stopped_at=None, created_at__gt=now - within)
    return late.order_by("-created_at", "-pk").first()


def _addresses(booking: Booking) -> tuple[str, str]:
    person = booking.volunteer
    phone, mail = (person.phone, person.email) if person else (None, None)
    return phone.address if phone else "", mail.address if mail else ""


def _recipient(booking: Booking, purpose: str, agreed: dict[tuple[str, str], bool], stopped: set[str]) -> Recipient:
    phone, mail = _addresses(booking)
    if phone and agreed.get((phone, purpose), False) and phone not in stopped:
        return Recipient(booking, Channel.SMS, phone)
    mail_agreed = agreed.get((mail, purpose))
    if mail and mail_agreed is not False and (mail_agreed or purpose == Purpose.REMINDERS):
        return Recipient(booking, Channel.EMAIL, mail)
    reason = "opted_out" if phone in stopped or mail_agreed is False else "no_consent"
    return Recipient(booking, Channel.SMS if phone else Channel.EMAIL, phone or mail, reason)
