"""What a text could not say is said by mail, where there is a mailbox and it is still true."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction

from drives.capacity import locks
from drives.domain.message_kinds import Way
from drives.messaging import reminders, schedule, wording
from drives.messaging.texts import bookings, broadcasts
from drives.messaging.texts.catalog import Own
from drives.models import Booking, BookingChange, BookingState, Broadcast, BroadcastKind
from notifications import outbox
from notifications import queries as notifications_queries
from notifications.models import Channel, Message, Purpose
from notifications.notice import Envelope, Notice, Wording

LOOK_BACK = timedelta(days=1)
LIVE = (BookingState.BOOKED, BookingState.CONFIRMED)

Word = Callable[[Booking, str, Own], Wording]


def by_mail(*, now: datetime) -> int:
    """Queue the mail for each text about a booking that failed within a day; return how many were new.

    Each in a transaction of its own. The mail has the key that it would have had beside the text, so that a mail that
    was sent anyway, a second sweep or one that was killed never make two.
    """
    kinds = {*WORDS, *reminders.KINDS, *TO_MANY}
    return sum(
        _say_by_mail(text, now) for text in notifications_queries.texts_that_failed(kinds=kinds, since=now - LOOK_BACK)
    )


@transaction.atomic
def _say_by_mail(text: Message, now: datetime) -> int:
    """Locks the booking: what is queued here is withdrawn by a change that comes later."""
    found = locks.bookings([int(text.about.removeprefix("booking:"))])
    booking = found[0] if found else None
    if booking is None or not _is_true(booking, text, now):
        return 0
    own = schedule.own_words([booking.drive.organization_id])[booking.drive.organization_id]
    told = [
        Notice(_envelope(text, address, now), _words(booking, text, own, now))
        for channel, address in reminders.channels(booking.volunteer, Way.MAIL)
    ]
    return outbox.queue(organization=booking.drive.organization, notices=told, now=now)


def _is_true(booking: Booking, text: Message, now: datetime) -> bool:
    """Whether the booking is still as the text said, and before the visit. What was said to many speaks for itself."""
    if text.kind in TO_MANY:
        return text.expires_at > now and (text.purpose != Purpose.REMINDERS or booking.state in LIVE)
    if booking.revision != text.revision or booking.starts_at <= now:
        return False
    gone = text.kind in {"cancelled", "drive_cancelled"}
    return booking.state == BookingState.CANCELLED if gone else booking.state in LIVE


def _envelope(text: Message, address: str, now: datetime) -> Envelope:
    return Envelope(
        key=f"{text.key.rpartition('/')[0]}/{Channel.EMAIL}",
        kind=text.kind,
        about=text.about,
        channel=Channel.EMAIL,
        address=address,
        recipient=text.recipient,
        revision=text.revision,
        purpose=text.purpose if text.kind in {*reminders.KINDS, *TO_MANY} else "",
        language=text.language,
        zone=text.zone,
        due_at=now,
        expires_at=text.expires_at,
    )


def _words(booking: Booking, text: Message, own: Own, now: datetime) -> Wording:
    if text.kind in TO_MANY:
        broadcast = Broadcast.objects.get(pk=int(text.key.split("/")[0].removeprefix("broadcast:")))
        said = partial(broadcasts.worded, broadcast, booking, Channel.EMAIL)
        return bookings.in_language(text.language, said)
    word, method = WORDS.get(text.kind, (partial(_reminder, now), ""))
    return wording.worded(booking, word, own, Channel.EMAIL, method)


def _reminder(now: datetime, booking: Booking, channel: str, own: Own) -> Wording:
    return bookings.reminder(booking, channel, now, own)


def _moved(booking: Booking, channel: str, own: Own) -> Wording:
    """The time before is that of the last move; a booking without one has no such text."""
    moves = BookingChange.objects.filter(booking=booking, from_arrival__isnull=False).order_by("-pk")
    last = moves.select_related("from_arrival").first()
    before = last.from_arrival.starts_at if last and last.from_arrival else booking.starts_at
    return bookings.moved(booking, channel, before, own)


TO_MANY = frozenset(map(str, BroadcastKind))
# What a mail says for each kind of text, and the METHOD of the calendar object that goes with it.
WORDS: dict[str, tuple[Word, str]] = {
    "booked": (bookings.booked, "REQUEST"),
    "moved": (_moved, "REQUEST"),
    "relocated": (bookings.relocated, "REQUEST"),
    "cancelled": (bookings.cancelled, "CANCEL"),
    "drive_cancelled": (bookings.drive_cancelled, "CANCEL"),
}
