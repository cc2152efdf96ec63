"""Build the envelopes of a message from its kind, recipient and times. The kind decides everything else."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from notifications import rules
from notifications.kinds import ChannelChoice, ChannelRule, MessageKind, QuietRule, UsefulUntil
from notifications.message_content import Envelope
from notifications.models import Channel, Purpose
from notifications.quiet_hours import QuietHours


@dataclass(frozen=True)
class Addressee:
    """The recipient of a message. `contacts` are (channel, address) pairs, phone first."""

    contacts: Sequence[tuple[str, str]]
    name: str = ""  # "volunteer:7", so that messages follow a changed contact
    language: str = "en"
    # The channels of contacts that no donor verified and no coordinator entered. We text such a number only with
    # consent, and limit the e-mails to such a mailbox (`unverified_mailboxes`).
    unverified: Collection[str] = ()

    def is_unverified(self, channel: str) -> bool:
        return channel in self.unverified


def build_envelopes(
    kind: MessageKind,
    addressee: Addressee,
    *,
    key: str,
    about: str,
    due_at: datetime,
    revision: int = 0,
    quiet_hours: QuietHours | None = None,
    visit_at: datetime | None = None,
    previous_visit_at: datetime | None = None,
    useful_until: datetime | None = None,
    channel_choice: str = "",
    consent: str = "",
    ignores_quiet_hours: bool = False,
) -> list[Envelope]:
    """Build an envelope for each contact that the kind and the schedule choose. Each key ends with the channel.

    - `quiet_hours`: those of the site; required unless the kind is sent at any hour
    - `visit_at`, `useful_until`: the visit, or another end of the message's use, for kinds without a fixed lifetime
    - `channel_choice`: the choice in the message schedule, for kinds that follow the schedule
    - `consent`: the purpose to which the recipient must have consented, for kinds that leave the choice to the caller
    - `ignores_quiet_hours`: for a response to the donor's own action, and for an e-mail that replaces a failed text
    """
    if kind.quiet == QuietRule.NEXT_MORNING and quiet_hours:
        due_at = quiet_hours.next_morning(due_at)
    until = _compute_useful_until(kind, due_at, visit_at, useful_until)
    visit = min((at for at in (visit_at, previous_visit_at) if at), default=due_at)
    if kind.quiet == QuietRule.TEXT_MAY_WAIT and quiet_hours:
        ignores_quiet_hours = ignores_quiet_hours or not quiet_hours.may_wait(due_at, visit)
    return [
        Envelope(
            key=f"{key}/{channel}",
            kind=kind.name,
            about=about,
            channel=channel,
            address=address,
            recipient=addressee.name,
            revision=revision,
            purpose=choose_purpose(kind, addressee, channel, consent),
            language=addressee.language,
            zone=quiet_hours.zone.key if quiet_hours else "UTC",
            keeps_quiet_hours=kind.keeps_quiet_hours(channel) and not ignores_quiet_hours,
            due_at=due_at,
            expires_at=until,
            has_unverified_mailbox=channel == Channel.EMAIL and addressee.is_unverified(channel),
        )
        for channel, address in _choose_contacts(kind, addressee.contacts, channel_choice)
    ]


def choose_purpose(kind: MessageKind, addressee: Addressee, channel: str, consent: str) -> str:
    purpose = kind.required_consent(consent)
    needs_consent = channel == Channel.SMS and addressee.is_unverified(channel) and kind.is_transactional
    return purpose or (Purpose.REMINDERS if needs_consent else "")


def _compute_useful_until(
    kind: MessageKind, due_at: datetime, visit_at: datetime | None, given: datetime | None
) -> datetime:
    if isinstance(kind.useful, timedelta):
        return due_at + kind.useful
    if kind.useful == UsefulUntil.VISIT and visit_at:
        return max(visit_at, due_at + rules.USEFUL_AT_LEAST)
    if given is None:
        raise ValueError(f"{kind.name} is useful until {kind.useful}: say when that is")
    return given


def _choose_contacts(kind: MessageKind, contacts: Sequence[tuple[str, str]], choice: str) -> Sequence[tuple[str, str]]:
    if isinstance(kind.channels, ChannelChoice):
        choice = kind.channels
    elif kind.channels != ChannelRule.SCHEDULE:
        return contacts
    if choice == ChannelChoice.MAIL:
        return [contact for contact in contacts if contact[0] == Channel.EMAIL]
    return contacts[:1] if choice == ChannelChoice.TEXT else contacts
