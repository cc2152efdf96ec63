"""Tell how donors can be reached for a kind of message: by which channels, or why not.

Pages, actions, the call list and the figures all ask `DonorReach`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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
        """Return the code of the reason why the donor cannot be reached, or ""."""
        to = addressees.build_addressee(subject.volunteer)
        return self.facts.find_obstacle(kind, to, about=subject.about, consent=consent)

    def list_allowed_channels(self, subject: MessageSubject, kind: MessageKind) -> list[str]:
        """List the channels by which a message that is already queued will leave."""
        to = addressees.build_addressee(subject.volunteer)
        return [channel for channel, _address in self.facts.list_contacts(kind, to)]

    def count_emails_left(self, subject: MessageSubject) -> int:
        """Return how many more e-mails the donor can get. Only an unverified mailbox has a limit."""
        return self.facts.count_emails_left(addressees.build_addressee(subject.volunteer), subject.about)

    def count_unreachable(self, subjects: Iterable[MessageSubject], kind: MessageKind) -> int:
        return sum(bool(self.find_obstacle(subject, kind)) for subject in subjects)


def load_reach(organization: Organization, subjects: Iterable[MessageSubject]) -> DonorReach:
    """Load what is known about the contacts of these donors. At most six queries for any number of them."""
    people = [(addressees.build_addressee(subject.volunteer), subject.about) for subject in subjects]
    return DonorReach(notifications_reach.load_contact_facts(organization, people))


def format_notified(
    organization: Organization, subjects: Sequence[MessageSubject], kind: MessageKind, sentence: str
) -> str:
    """Return the sentence, unless no message can reach some of these donors. Then say to call them."""
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
    """Count the donors that the drive's cancellation will reach. It tells only donors who are not checked in yet."""
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
    """Count the messages about a cancelled drive by their state."""
    with_drive = {"state": BookingState.CANCELLED, "cancelled_by": CancelledBy.DRIVE}
    booking_ids = Booking.objects.filter(drive=drive, **with_drive).values_list("pk", flat=True)
    abouts = [f"booking:{pk}" for pk in booking_ids]
    states = Message.objects.filter(about__in=abouts, kind=kinds.DRIVE_CANCELLED.name).values_list("state", flat=True)
    return [(str(MessageState(state).label), count) for state, count in Counter(states).most_common()]
