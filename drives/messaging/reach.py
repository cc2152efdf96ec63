"""Tell how donors can be reached for a kind of message: by which channels, or why not.

Pages, actions, the call list and the figures all ask `DonorReach`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.translation import ngettext

from drives.models import EXPECTED_STATES, Booking, BookingState, CancelledBy, Drive
from notifications import kinds
from notifications import reach as notifications_reach
from notifications.kinds import MessageKind
from notifications.models import Channel, Message, MessageState
from notifications.reach import ContactFacts
from organizations.models import Organization
from volunteers import addressees
from volunteers.models import Volunteer

REACHED_STATES = frozenset({MessageState.ACCEPTED, MessageState.SENT, MessageState.DELIVERED})
NOT_REACHED_STATES = frozenset({MessageState.UNDELIVERED, MessageState.FAILED, MessageState.BLOCKED})


@dataclass(frozen=True)
class DonorReach:
    facts: ContactFacts

    def list_contacts(
        self, volunteer: Volunteer | None, kind: MessageKind, *, consent: str = ""
    ) -> Sequence[tuple[str, str]]:
        return self.facts.list_contacts(kind, addressees.build_addressee(volunteer), consent=consent)

    def list_channels(self, volunteer: Volunteer | None, kind: MessageKind) -> list[str]:
        return [channel for channel, _address in self.list_contacts(volunteer, kind)]

    def find_obstacle(self, volunteer: Volunteer | None, kind: MessageKind, *, consent: str = "") -> str:
        """Return the code of the reason why the donor cannot be reached, or ""."""
        return self.facts.find_obstacle(kind, addressees.build_addressee(volunteer), consent=consent)

    def count_unreachable(self, volunteers: Iterable[Volunteer | None], kind: MessageKind) -> int:
        return sum(bool(self.find_obstacle(volunteer, kind)) for volunteer in volunteers)


def load_reach(organization: Organization, volunteers: Iterable[Volunteer | None]) -> DonorReach:
    """Load what is known about the contacts of these volunteers. At most five queries for any number of them."""
    addresses = {
        address for volunteer in volunteers for _channel, address in addressees.build_addressee(volunteer).contacts
    }
    return DonorReach(notifications_reach.load_contact_facts(organization, addresses))


def format_notified(
    organization: Organization, volunteers: Sequence[Volunteer | None], kind: MessageKind, sentence: str
) -> str:
    """Return the sentence, unless no message can reach some of these donors. Then say to call them."""
    count = load_reach(organization, volunteers).count_unreachable(volunteers, kind)
    return " ".join(([sentence] if count < len(volunteers) else []) + ([format_unreachable(count)] if count else []))


def format_unreachable(count: int) -> str:
    sentence = ngettext(
        "%(count)s person can’t be reached by text or e-mail. See the call list.",
        "%(count)s people can’t be reached by text or e-mail. See the call list.",
        count,
    )
    return sentence % {"count": count}


@dataclass(frozen=True)
class CancellationReach:
    total: int
    by_text: int
    by_email: int
    unreachable: int

    @property
    def reachable(self) -> int:
        return self.total - self.unreachable


def load_cancellation_reach(drive: Drive) -> CancellationReach:
    """Count the donors that the drive's cancellation will reach. It tells only donors who are not checked in yet."""
    rows = Booking.objects.filter(drive=drive, state__in=EXPECTED_STATES)
    donors = [booking.volunteer for booking in rows.select_related("volunteer__phone", "volunteer__email")]
    reach = load_reach(drive.organization, donors)
    channels = [reach.list_channels(donor, kinds.DRIVE_CANCELLED) for donor in donors]
    return CancellationReach(
        total=len(channels),
        by_text=sum(Channel.SMS in found for found in channels),
        by_email=sum(Channel.EMAIL in found for found in channels),
        unreachable=sum(not found for found in channels),
    )


def load_cancellation_progress(drive: Drive) -> list[tuple[str, int]]:
    """Count the messages about a cancelled drive by their state."""
    with_drive = {"state": BookingState.CANCELLED, "cancelled_by": CancelledBy.DRIVE}
    booking_ids = Booking.objects.filter(drive=drive, **with_drive).values_list("pk", flat=True)
    abouts = [f"booking:{pk}" for pk in booking_ids]
    states = Message.objects.filter(about__in=abouts, kind=kinds.DRIVE_CANCELLED.name).values_list("state", flat=True)
    return [(str(MessageState(state).label), count) for state, count in Counter(states).most_common()]
