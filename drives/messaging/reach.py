"""Count the donors that a drive's cancellation will reach or has reached."""

from collections import Counter
from dataclasses import dataclass

from drives.messaging import addressees
from drives.models import ACTIVE_STATES, Booking, BookingState, CancelledBy, Drive
from notifications import kinds
from notifications import queries as notifications_queries
from notifications.models import Message, MessageState

REACHED_STATES = frozenset({MessageState.ACCEPTED, MessageState.SENT, MessageState.DELIVERED})
NOT_REACHED_STATES = frozenset({MessageState.UNDELIVERED, MessageState.FAILED, MessageState.BLOCKED})


@dataclass(frozen=True)
class CancellationReach:
    total: int
    by_text: int
    by_email: int
    unreachable: int


def load_cancellation_reach(drive: Drive) -> CancellationReach:
    rows = Booking.objects.filter(drive=drive, state__in=ACTIVE_STATES)
    donors = [booking.volunteer for booking in rows.select_related("volunteer__phone", "volunteer__email")]
    phones = [donor.phone.address for donor in donors if donor and donor.phone]
    consents = notifications_queries.load_consents(drive.organization, phones)
    suppressed = notifications_queries.list_suppressed_addresses(drive.organization, phones)
    channels = [
        (
            addressees.may_be_texted(donor.phone if donor else None, consents, suppressed),
            bool(donor and donor.email),
        )
        for donor in donors
    ]
    return CancellationReach(
        total=len(channels),
        by_text=sum(text for text, _email in channels),
        by_email=sum(email for _text, email in channels),
        unreachable=sum(not text and not email for text, email in channels),
    )


def load_cancellation_progress(drive: Drive) -> list[tuple[str, int]]:
    with_drive = {"state": BookingState.CANCELLED, "cancelled_by": CancelledBy.DRIVE}
    booking_ids = Booking.objects.filter(drive=drive, **with_drive).values_list("pk", flat=True)
    abouts = [f"booking:{pk}" for pk in booking_ids]
    states = Message.objects.filter(about__in=abouts, kind=kinds.DRIVE_CANCELLED.name).values_list("state", flat=True)
    return [(str(MessageState(state).label), count) for state, count in Counter(states).most_common()]
