"""Find the channels by which a kind of message can reach a donor."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from django.utils.translation import ngettext

from drives.models import EXPECTED_STATES, Booking, BookingState, CancelledBy, Drive, WaitlistEntry
from notifications import kinds
from notifications import reach as notifications_reach
from notifications.kinds import MessageKind
from notifications.models import Channel, Message, MessageState
from notifications.reach import ContactFacts
from organizations.models import Organization
from volunteers import addressees

REACHED_STATES = frozenset({MessageState.ACCEPTED, MessageState.SENT, MessageState.DELIVERED})
NOT_REACHED_STATES = frozenset({MessageState.UNDELIVERED, MessageState.FAILED, MessageState.BLOCKED})


MessageSubject = Booking | WaitlistEntry


@dataclass(frozen=True)
class DonorReach:
    facts: ContactFacts

    def list_contacts(
        self, subject: MessageSubject, kind: MessageKind, *, choice: str = "", consent: str = ""
    ) -> Sequence[tuple[str, str]]:
        to = addressees.build_addressee(subject.volunteer)
        return self.facts.list_contacts(kind, to, about=subject.about, choice=choice, consent=consent)

    def list_channels(self, subject: MessageSubject, kind: MessageKind) -> list[str]:
        return [channel for channel, _address in self.list_contacts(subject, kind)]

    def find_obstacle(self, subject: MessageSubject, kind: MessageKind, *, consent: str = "") -> str:
        """Return a code that tells why no channel can reach the donor, or "" if a channel can."""
        to = addressees.build_addressee(subject.volunteer)
        return self.facts.find_obstacle(kind, to, about=subject.about, consent=consent)

    def find_channel_obstacle(self, subject: MessageSubject, kind: MessageKind, channel: str) -> str:
        """Return a code that tells why this channel cannot reach the donor, or "" if it can."""
        to = addressees.build_addressee(subject.volunteer)
        to = replace(to, contacts=[contact for contact in to.contacts if contact[0] == channel])
        return self.facts.find_obstacle(kind, to, about=subject.about)

    def list_allowed_channels(self, subject: MessageSubject, kind: MessageKind) -> list[str]:
        """List the channels that are allowed for a queued message, ignoring the limit on e-mails."""
        to = addressees.build_addressee(subject.volunteer)
        return [channel for channel, _address in self.facts.list_contacts(kind, to)]

    def count_emails_left(self, subject: MessageSubject) -> int:
        """Return how many more e-mails the donor can get about this booking or waitlist entry.

        Only an unverified mailbox has a limit.
        """
        return self.facts.count_emails_left(addressees.build_addressee(subject.volunteer), subject.about)

    def count_unreachable(self, subjects: Iterable[MessageSubject], kind: MessageKind) -> int:
        return sum(bool(self.find_obstacle(subject, kind)) for subject in subjects)


def load_reach(organization: Organization, subjects: Iterable[MessageSubject]) -> DonorReach:
    """Load the consents, opt-outs and refusals of these donors' contacts. At most five queries."""
    people = [(addressees.build_addressee(subject.volunteer), subject.about) for subject in subjects]
    return DonorReach(notifications_reach.load_contact_facts(organization, people))


def format_notified(
    organization: Organization, subjects: Sequence[MessageSubject], kind: MessageKind, sentence: str
) -> str:
    """Return `sentence` if any of these donors can be reached.

    Adds the number of donors who cannot be reached and must be called.
    """
    count = load_reach(organization, subjects).count_unreachable(subjects, kind)
    return " ".join(([sentence] if count < len(subjects) else []) + ([format_unreachable(count)] if count else []))


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
    """Count the donors that the cancellation message of a drive will reach. Checked-in donors get no message."""
    rows = Booking.objects.filter(drive=drive, state__in=EXPECTED_STATES)
    bookings = list(rows.select_related("volunteer__phone", "volunteer__email"))
    reach = load_reach(drive.organization, bookings)
    channels = [reach.list_channels(booking, kinds.DRIVE_CANCELLED) for booking in bookings]
    return CancellationReach(
        total=len(channels),
        by_text=sum(Channel.SMS in found for found in channels),
        by_email=sum(Channel.EMAIL in found for found in channels),
        unreachable=sum(not found for found in channels),
    )


def load_cancellation_progress(drive: Drive) -> list[tuple[str, int]]:
    """Count the messages about the cancellation of a drive. Return each state's label with its count."""
    with_drive = {"state": BookingState.CANCELLED, "cancelled_by": CancelledBy.DRIVE}
    bookings = Booking.objects.filter(drive=drive, **with_drive)
    states = Message.objects.filter(bookings.match_messages(), kind=kinds.DRIVE_CANCELLED.name).values_list(
        "state", flat=True
    )
    return [(str(MessageState(state).label), count) for state, count in Counter(states).most_common()]
