"""What is said to those who wait: outbox rows in the same transaction as the change."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial

from drives.messaging import reminders, schedule
from drives.messaging.texts import bookings, waitlist
from drives.models import Offer, WaitingEntry
from drives.waitlist import queries
from notifications import outbox
from notifications.models import Channel, Purpose
from notifications.notice import Envelope, Notice, Wording

ANSWER_USEFUL_FOR = timedelta(hours=4)
OVER_USEFUL_FOR = timedelta(days=2)


def joined(entry: WaitingEntry, now: datetime) -> None:
    """Where they stand, and the way back to their page."""
    number = queries.position(entry)
    key, until = f"{entry.about}/joined", entry.drive.ends_at
    _tell(entry, key, "waiting_joined", lambda channel: waitlist.joined(entry, channel, number), now, until)


def offered(offer: Offer, now: datetime) -> None:
    """A place is theirs until the deadline; a text keeps quiet hours, a mail does not wake anybody."""
    entry = offer.entry
    own = schedule.own_words([entry.drive.organization_id])[entry.drive.organization_id]

    def word(channel: str) -> Wording:
        return waitlist.offered(offer, channel, own)

    _tell(entry, f"{offer.about}/offer", "offer", word, now, offer.deadline, about=offer.about, quietly=True)


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
    key = f"{entry.about}/over"
    until = now + OVER_USEFUL_FOR
    _tell(entry, key, "waiting_over", lambda channel: waitlist.over(entry, channel), now, until, quietly=True)


def _answer(offer: Offer, key: str, word: Callable[[], str], now: datetime) -> None:
    """By text only: it answers one."""

    def worded(channel: str) -> Wording:
        return Wording(text=word())

    until = now + ANSWER_USEFUL_FOR
    key = f"{offer.about}/{key}"
    _tell(offer.entry, key, "waiting_answer", worded, now, until, about=offer.about, ways=(Channel.SMS,))


def _tell(
    entry: WaitingEntry,
    key: str,
    kind: str,
    word: Callable[[str], Wording],
    now: datetime,
    until: datetime,
    *,
    about: str = "",
    quietly: bool = False,
    ways: tuple[Channel, ...] = (Channel.SMS, Channel.EMAIL),
) -> None:
    """One notice for each way to reach the person. Texts need consent; mail about one's own entry needs none."""
    language = entry.volunteer.language if entry.volunteer else "en"

    def sealed() -> Iterator[Notice]:
        for channel, address in reminders.channels(entry.volunteer):
            if channel in ways:
                envelope = Envelope(
                    key=f"{key}/{channel}",
                    kind=kind,
                    about=about or entry.about,
                    channel=channel,
                    address=address,
                    recipient=f"volunteer:{entry.volunteer_id}",
                    purpose=Purpose.REMINDERS if channel == Channel.SMS else "",
                    language=language,
                    zone=entry.drive.site.timezone,
                    keeps_quiet_hours=quietly and channel == Channel.SMS,
                    due_at=now,
                    expires_at=until,
                )
                yield Notice(envelope, bookings.in_language(language, partial(word, channel)))

    outbox.queue(organization=entry.drive.organization, notices=list(sealed()), now=now)
