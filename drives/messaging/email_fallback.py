"""What a text could not say is said by mail, where there is a mailbox and it is still true."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction

from drives.capacity import locks
from drives.messaging import addressees, schedule, wording
from drives.messaging.texts import bookings, broadcasts
from drives.messaging.texts.catalog import Own
from drives.models import EXPECTED, Booking, BookingChange, BookingState, Broadcast, BroadcastKind
from notifications import envelopes, kinds, outbox
from notifications import queries as notifications_queries
from notifications.kinds import KINDS, Way
from notifications.models import Channel, Message, Purpose
from notifications.notice import Envelope, Notice, Wording

LOOK_BACK = timedelta(days=1)

Word = Callable[[Booking, str, Own], Wording]


def by_mail(*, now: datetime) -> int:
    """Queue the mail for each text about a booking that failed within a day; return how many were new.

    Each in a transaction of its own. The mail has the key that it would have had beside the text, so that a mail that
    was sent anyway, a second sweep or one that was killed never make two.
    """
    replaced = kinds.names(lambda kind: kind.email_replaces_text)
    failed = notifications_queries.texts_that_failed(kinds=replaced, since=now - LOOK_BACK)
    return sum(_say_by_mail(text, now) for text in failed)


@transaction.atomic
def _say_by_mail(text: Message, now: datetime) -> int:
    """Locks the booking: what is queued here is withdrawn by a change that comes later."""
    found = locks.bookings([int(text.about.removeprefix("booking:"))])
    booking = found[0] if found else None
    if booking is None or not _is_true(booking, text, now):
        return 0
    own = schedule.own_words([booking.drive.organization_id])[booking.drive.organization_id]
    told = [Notice(envelope, _words(booking, text, own, now)) for envelope in _envelopes(booking, text, now)]
    return outbox.queue(organization=booking.drive.organization, notices=told, now=now)


def _is_true(booking: Booking, text: Message, now: datetime) -> bool:
    """Whether the booking is still as the text said, and before the visit. What was said to many speaks for itself."""
    if text.kind in TO_MANY:
        return text.expires_at > now and (text.purpose != Purpose.REMINDERS or booking.state in EXPECTED)
    if booking.revision != text.revision or booking.starts_at <= now:
        return False
    return booking.state == BookingState.CANCELLED if KINDS[text.kind].ends_visit else booking.state in EXPECTED


def _envelopes(booking: Booking, text: Message, now: datetime) -> Sequence[Envelope]:
    to = addressees.of(booking.volunteer)
    return envelopes.make(
        KINDS[text.kind],
        replace(
            to, contacts=[contact for contact in to.contacts if contact[0] == Channel.EMAIL], language=text.language
        ),
        key=text.key.rpartition("/")[0],
        about=text.about,
        due_at=now,
        revision=text.revision,
        quiet=schedule.quiet_hours(booking.drive),
        visit_at=booking.starts_at,
        useful_until=text.expires_at,
        way=Way.MAIL,
        consent=text.purpose,
        at_once=True,
    )


def _words(booking: Booking, text: Message, own: Own, now: datetime) -> Wording:
    if text.kind in TO_MANY:
        broadcast = Broadcast.objects.get(pk=int(text.key.split("/")[0].removeprefix("broadcast:")))
        said = partial(broadcasts.worded, broadcast, booking, Channel.EMAIL)
        return bookings.in_language(text.language, said)
    word = WORDS.get(text.kind, partial(_reminder, now))
    return wording.worded(booking, word, own, Channel.EMAIL, KINDS[text.kind].calendar_method)


def _reminder(now: datetime, booking: Booking, channel: str, own: Own) -> Wording:
    return bookings.reminder(booking, channel, now, own)


def _moved(booking: Booking, channel: str, own: Own) -> Wording:
    """The time before is that of the last move; a booking without one has no such text."""
    moves = BookingChange.objects.filter(booking=booking, from_arrival__isnull=False).order_by("-pk")
    last = moves.select_related("from_arrival").first()
    before = last.from_arrival.starts_at if last and last.from_arrival else booking.starts_at
    return bookings.moved(booking, channel, before, own)


TO_MANY = frozenset(map(str, BroadcastKind))
# What an e-mail says in place of each kind of text; of the others the words of a reminder.
WORDS: Mapping[str, Word] = {
    kinds.BOOKED.name: bookings.booked,
    kinds.MOVED.name: _moved,
    kinds.RELOCATED.name: bookings.relocated,
    kinds.CANCELLED.name: bookings.cancelled,
    kinds.DRIVE_CANCELLED.name: bookings.drive_cancelled,
}
