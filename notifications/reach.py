"""Find the contacts through which a message of a kind can reach a person. No message is needed for that."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from notifications import envelopes, mailboxes, queries
from notifications.envelopes import Addressee
from notifications.kinds import ChannelChoice, ChannelRule, MessageKind
from notifications.models import Channel, Purpose
from organizations.models import Organization


@dataclass(frozen=True)
class ContactFacts:
    """The consents, opt-outs and refusals of contacts at one organization, and why its texts cannot be sent, or ""."""

    consents: Mapping[tuple[str, str], bool] = field(default_factory=dict)
    suppressed: Collection[str] = ()
    sender_problem: str = ""
    refusing: Collection[str] = ()  # mailboxes that refuse mail

    def list_contacts(
        self, kind: MessageKind, addressee: Addressee, *, choice: str = "", consent: str = ""
    ) -> Sequence[tuple[str, str]]:
        """List the contacts that get the message, phone first. `choice` is the schedule's, for kinds that follow it."""
        passed = [one for one in addressee.contacts if not self._find_obstacle(kind, addressee, one, consent)]
        choice = kind.channels if isinstance(kind.channels, ChannelChoice) else choice
        if choice == ChannelChoice.MAIL:
            return [one for one in passed if one[0] == Channel.EMAIL]
        if choice == ChannelChoice.TEXT and not kind.email_replaces_text:
            return [one for one in passed if one == addressee.contacts[0]]
        return passed[:1] if kind.channels == ChannelRule.SENDER or choice == ChannelChoice.TEXT else passed

    def find_obstacle(self, kind: MessageKind, addressee: Addressee, *, consent: str = "") -> str:
        """Return the code of the reason why no contact gets the message, or "" if one does."""
        reasons = [self._find_obstacle(kind, addressee, one, consent) for one in addressee.contacts]
        return reasons[0] if reasons and all(reasons) else "" if reasons else "no_contact"

    def _find_obstacle(self, kind: MessageKind, addressee: Addressee, contact: tuple[str, str], consent: str) -> str:
        # Keep this in line with `claim.ADMIT`. A test compares them for every kind of message and of donor.
        channel, address = contact
        is_text, purpose = channel == Channel.SMS, envelopes.choose_purpose(kind, addressee, channel, consent)
        if is_text and self.sender_problem:
            return self.sender_problem
        if is_text and address in self.suppressed:
            return "opted_out"
        if address in self.refusing:
            return mailboxes.BLOCKED_REASON
        # Reminders by e-mail need no consent, but respect a refusal.
        if purpose and not self.consents.get((address, purpose), not is_text and purpose == Purpose.REMINDERS):
            return "no_consent"
        has_ended = is_text and not purpose and kind.is_transactional
        return "consent_withdrawn" if has_ended and queries.has_ended_texts(self.consents, address) else ""


def load_contact_facts(organization: Organization, addresses: Collection[str]) -> ContactFacts:
    """Load the facts about some contacts. At most five queries."""
    if not addresses:
        return ContactFacts()
    sender = queries.find_sender(organization)
    stopped = "sender_stopped" if sender and sender.stopped_at else ""
    return ContactFacts(
        queries.load_consents(organization, addresses),
        queries.list_suppressed_addresses(sender, addresses),
        stopped if sender else "no_sender",
        queries.list_refusing_mailboxes(organization, addresses),
    )
