"""Whom messages will reach and have reached when a drive is cancelled."""

from collections import Counter
from dataclasses import dataclass

from drives.models import ACTIVE_STATES, Booking, BookingState, CancelledBy, Drive
from notifications import kinds
from notifications import queries as notifications_queries
from notifications.models import Message, MessageState

REACHED_STATES = frozenset({MessageState.ACCEPTED, MessageState.SENT, MessageState.DELIVERED})
NOT_REACHED_STATES = frozenset({MessageState.UNDELIVERED, MessageState.FAILED, MessageState.BLOCKED})


@dataclass(frozen=True)
class CancellationReach:
    """Whom a cancellation of the drive would reach, and how. Texts go only to those who agreed to them."""

    people: int
    by_text: int
    by_email: int
    unreachable: int


def load_cancellation_reach(drive: Drive) -> CancellationReach:
    """How many people have a place at this drive, and through which channels they can be told. Two queries."""
    rows = Booking.objects.filter(drive=drive, state__in=ACTIVE_STATES)
    contacts = list(rows.values_list("volunteer__phone__address", "volunteer__email__address"))
    agreed = notifications_queries.load_consents(drive.organization, [phone for phone, _email in contacts if phone])
    ways = [(agreed.get((phone or "", "reminders"), False), bool(email)) for phone, email in contacts]
    return CancellationReach(
        people=len(ways),
        by_text=sum(text for text, _email in ways),
        by_email=sum(email for _text, email in ways),
        unreachable=sum(not text and not email for text, email in ways),
    )


def load_cancellation_progress(drive: Drive) -> list[tuple[str, int]]:
    """How many messages about the cancellation of this drive are in which state, in words. Two queries."""
    with_drive = {"state": BookingState.CANCELLED, "cancelled_by": CancelledBy.DRIVE}
    told = Booking.objects.filter(drive=drive, **with_drive).values_list("pk", flat=True)
    abouts = [f"booking:{pk}" for pk in told]
    states = Message.objects.filter(about__in=abouts, kind=kinds.DRIVE_CANCELLED.name).values_list("state", flat=True)
    return [(str(MessageState(state).label), count) for state, count in Counter(states).most_common()]
