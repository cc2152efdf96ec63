"""Find out which of a person's contacts a kind of message can reach, before any message is queued."""

import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from notifications import envelopes, mailboxes, queries, unverified_mailboxes
from notifications.envelopes import Addressee
from notifications.kinds import ChannelChoice, ChannelRule, MessageKind
from notifications.models import Channel, Purpose
from notifications.rules import EMAILS_TO_UNVERIFIED_MAILBOX
from notifications.unverified_mailboxes import UNVERIFIED_MAILBOX, MailboxSubject
from organizations.models import Organization


@dataclass(frozen=True)
class ContactFacts:
    """The consents, opt-outs and refusals of contacts at an organization.

    `sender_problem` is a code that tells why the organization can send no texts, or "".
    """

    consents: Mapping[tuple[str, str], bool] = field(default_factory=dict)
    suppressed: Collection[str] = ()
    sender_problem: str = ""
    refusing: Collection[str] = ()  # mailboxes that refuse mail
    emails: Mapping[MailboxSubject, int] = field(default_factory=dict)  # how many were sent to unverified mailboxes

    def list_contacts(
        self, kind: MessageKind, addressee: Addressee, *, about: str = "", choice: str = "", consent: str = ""
    ) -> Sequence[tuple[str, str]]:
        """List the contacts that get the message, phone first.

        `choice` is the choice of channels in the message schedule, for kinds that follow the schedule.
        """
        passed = [one for one in addressee.contacts if not self._find_obstacle(kind, addressee, one, about, consent)]
        choice = kind.channels if isinstance(kind.channels, ChannelChoice) else choice
        if choice == ChannelChoice.MAIL:
            return [one for one in passed if one[0] == Channel.EMAIL]
        if choice == ChannelChoice.TEXT and not kind.email_replaces_text:
            return [one for one in passed if one == addressee.contacts[0]]
        return passed[:1] if kind.channels == ChannelRule.SENDER or choice == ChannelChoice.TEXT else passed

    def find_obstacle(self, kind: MessageKind, addressee: Addressee, *, about: str = "", consent: str = "") -> str:
        """Return a code that tells why no contact gets the message, or "" if one does."""
        reasons = [self._find_obstacle(kind, addressee, one, about, consent) for one in addressee.contacts]
        return reasons[0] if reasons and all(reasons) else "" if reasons else "no_contact"

    def count_emails_left(self, addressee: Addressee, about: str) -> int:
        """Return how many more e-mails about this booking or waitlist entry the person can get.

        Only an unverified mailbox has a limit.
        """
        if not addressee.is_unverified(Channel.EMAIL):
            return sys.maxsize
        used = [self.emails.get((about, address), 0) for _channel, address in addressee.contacts]
        return max(0, EMAILS_TO_UNVERIFIED_MAILBOX - max(used))

    def _find_obstacle(
        self, kind: MessageKind, addressee: Addressee, contact: tuple[str, str], about: str, consent: str
    ) -> str:
        # Keep this in line with `claim.ADMIT` and `unverified_mailboxes`. A test compares them for every kind of
        # message and of donor.
        channel, address = contact
        is_text, purpose = channel == Channel.SMS, envelopes.choose_purpose(kind, addressee, channel, consent)
        if is_text and self.sender_problem:
            return self.sender_problem
        if is_text and address in self.suppressed:
            return "opted_out"
        if address in self.refusing:
            return mailboxes.BLOCKED_REASON
        if self.emails.get((about, address), 0) >= EMAILS_TO_UNVERIFIED_MAILBOX:
            return UNVERIFIED_MAILBOX
        # Reminders by e-mail need no consent, but respect a refusal.
        if purpose and not self.consents.get((address, purpose), not is_text and purpose == Purpose.REMINDERS):
            return "no_consent"
        has_ended = is_text and not purpose and kind.is_transactional
        return "consent_withdrawn" if has_ended and queries.has_ended_texts(self.consents, address) else ""


def load_contact_facts(organization: Organization, people: Collection[tuple[Addressee, str]]) -> ContactFacts:
    """Load the facts about the contacts of these people.

    `people` are pairs of an addressee and the booking or waitlist entry that the message is about ("booking:7"). At
    most four queries, and one more if any mailbox is unverified.
    """
    addresses = {address for addressee, _about in people for _channel, address in addressee.contacts}
    if not addresses:
        return ContactFacts()
    sender = queries.find_sender(organization)
    stopped = "sender_stopped" if sender and sender.stopped_at else ""
    return ContactFacts(
        queries.load_consents(organization, addresses),
        queries.list_suppressed_addresses(sender, addresses),
        stopped if sender else "no_sender",
        queries.list_refusing_mailboxes(organization, addresses),
        _count_sent_emails(people),
    )


def _count_sent_emails(people: Collection[tuple[Addressee, str]]) -> Mapping[MailboxSubject, int]:
    subjects = [
        (about, address)
        for addressee, about in people
        for channel, address in addressee.contacts
        if channel == Channel.EMAIL and addressee.is_unverified(channel)
    ]
    return unverified_mailboxes.count_sent_emails(subjects) if subjects else {}
