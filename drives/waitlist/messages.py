"""What is said to those who wait: outbox rows in the same transaction as the change."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from drives.messaging import addressees, schedule
from drives.messaging.texts import bookings, waitlist
from drives.models import Offer, WaitingEntry
from drives.waitlist import queries
from notifications import envelopes, kinds, outbox
from notifications import queries as notifications_queries
from notifications.envelopes import Addressee
from notifications.kinds import Chosen, Kind
from notifications.models import Channel, Purpose
from notifications.notice import Notice, Wording


def joined(entry: WaitingEntry, now: datetime) -> None:
    """Where they stand, and the way back to their page."""
    number = queries.position(entry)
    _tell(
        entry,
        kinds.WAITING_JOINED,
        lambda channel: waitlist.joined(entry, channel, number),
        now,
        key=f"{entry.about}/joined",
        until=entry.drive.ends_at,
    )


def offered(offer: Offer, now: datetime) -> None:
    """A place is theirs until the deadline; a text keeps quiet hours, a mail does not wake anybody."""
    entry = offer.entry
    own = schedule.own_words([entry.drive.organization_id])[entry.drive.organization_id]

    def word(channel: str) -> Wording:
        return waitlist.offered(offer, channel, own)

    _tell(entry, kinds.OFFER, word, now, key=f"{offer.about}/offer", about=offer.about, until=offer.deadline)


def passed_on(offer: Offer, now: datetime) -> None:
    """The answer to an X: where they stand now."""
    number = queries.position(offer.entry)
    _answer(offer, "passed", lambda: waitlist.passed_on(offer.entry, number), now)


def too_late(offer: Offer, reply_id: int, now: datetime) -> None:
    """The answer to a letter that came when the place was gone: where they stand, and the way to their page."""
    number = queries.position(offer.entry)
    _answer(offer, f"too_late/{reply_id}", lambda: waitlist.too_late(offer.entry, number), now)


def over(entry: WaitingEntry, now: datetime) -> None:
    """The list is closed; said once."""
    _tell(entry, kinds.WAITING_OVER, lambda channel: waitlist.over(entry, channel), now, key=f"{entry.about}/over")


def _answer(offer: Offer, key: str, word: Callable[[], str], now: datetime) -> None:
    """By text only: it answers one."""

    def worded(channel: str) -> Wording:
        return Wording(text=word())

    to = addressees.of(offer.entry.volunteer)
    texts_only = replace(to, contacts=[contact for contact in to.contacts if contact[0] == Channel.SMS])
    key = f"{offer.about}/{key}"
    _tell(offer.entry, kinds.WAITING_ANSWER, worded, now, key=key, about=offer.about, to=texts_only)


def _tell(
    entry: WaitingEntry,
    kind: Kind,
    word: Callable[[str], Wording],
    now: datetime,
    *,
    key: str,
    about: str = "",
    until: datetime | None = None,
    to: Addressee | None = None,
) -> None:
    """Queue one message to the donor for each channel of the kind."""
    to = to or addressees.of(entry.volunteer)
    if kind.channels == Chosen.SENDER:
        to = replace(to, contacts=_one_contact(entry, to.contacts))
    told = [
        Notice(envelope, bookings.in_language(envelope.language, partial(word, envelope.channel)))
        for envelope in envelopes.make(
            kind,
            to,
            key=key,
            about=about or entry.about,
            due_at=now,
            quiet=schedule.quiet_hours(entry.drive),
            useful_until=until,
        )
    ]
    outbox.queue(organization=entry.drive.organization, notices=told, now=now)


def _one_contact(entry: WaitingEntry, contacts: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    """The phone if the donor agreed to texts, else the mailbox. A donor who has one contact is reached there or not."""
    texts = [address for channel, address in contacts if channel == Channel.SMS]
    agreed = notifications_queries.consents_of(entry.drive.organization, texts)
    allowed = [one for one in contacts if one[0] == Channel.EMAIL or agreed.get((one[1], Purpose.REMINDERS))]
    return (allowed or contacts)[:1]
