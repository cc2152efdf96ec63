"""Reminders: scheduled with the booking, planned anew when a plan changes, rendered shortly before they are due."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from drives.calendars import bookings as calendars_bookings
from drives.domain import reminder_times
from drives.domain.reminder_times import Plan
from drives.messaging import addressees, schedule, shared_contacts
from drives.messaging.shared_contacts import SAID_TOGETHER, SharedTexts
from drives.messaging.texts import bookings as texts_bookings
from drives.messaging.texts.catalog import NONE, Own
from drives.models import Booking
from notifications import envelopes as notifications_envelopes
from notifications import outbox
from notifications import queries as notifications_queries
from notifications.kinds import KINDS
from notifications.models import Channel, Message
from notifications.notice import Envelope, Wording

log = logging.getLogger(__name__)

RENDER_WITHIN = timedelta(minutes=15)
REMINDERS = tuple(map(str, reminder_times.REMINDERS))


def schedule_all(bookings: Sequence[Booking], plan: Plan, now: datetime) -> None:
    """Plan the reminders of bookings at one drive, each for its revision; those that come too soon are skipped."""
    scheduled = [envelope for booking in bookings for envelope in envelopes(booking, plan, now)]
    outbox.schedule(organization=bookings[0].drive.organization, envelopes=scheduled, now=now)


def say_anew(changed: Sequence[Booking]) -> None:
    """After a change of some of a party: what one text was to remind the others of is worded anew, without them.

    Touches nothing that has left, and no text of a booking that was made alone.
    """
    parties = {booking.party for booking in changed if booking.party}
    if not parties:
        return
    members = Booking.objects.filter(party__in=parties).values_list("pk", flat=True)
    beside = {booking.about for booking in changed}
    others = {f"booking:{pk}" for pk in members} - beside
    outbox.unrender(abouts=others, beside=beside, kinds=REMINDERS, dropped_as=SAID_TOGETHER)


@transaction.atomic
def render_due(*, now: datetime, limit: int = 500) -> dict[str, int]:
    """Write the text of scheduled messages that are due within a quarter of an hour, as it is true now; drop the unfit.

    A booking that is gone, over, or of a later revision than the message is not reminded. A donor with
    a mailbox gets an e-mail where a text is not allowed now.
    Four queries and two writes, five and three with such a mail.
    """
    scheduled = notifications_queries.scheduled_due(now, RENDER_WITHIN, limit)
    bookings = calendars_bookings.bookings_for_messages([shared_contacts.booking_id(message) for message in scheduled])
    own = schedule.own_words({message.organization_id for message in scheduled})
    twice = _mail_instead(scheduled, bookings)
    shared = shared_contacts.shared_texts(scheduled, bookings, now)
    worded: list[tuple[int, Wording]] = []
    unfit: list[int] = []
    spoilt: list[int] = []
    for message in scheduled:
        booking = bookings.get(shared_contacts.booking_id(message))
        if booking is None or not shared_contacts.fits(booking, message, now) or message.pk in twice:
            unfit.append(message.pk)
        elif message.pk in shared.said:
            continue
        elif wording := _words_if_any(booking, message, own.get(message.organization_id or 0, NONE), shared):
            worded.append((message.pk, wording))
        else:
            spoilt.append(message.pk)
    outbox.render(worded=worded, now=now)
    outbox.drop(ids=unfit, reason="booking_changed", now=now)
    outbox.drop(ids=shared.said, reason=SAID_TOGETHER, now=now)
    outbox.drop(ids=spoilt, reason="not_wordable", now=now)
    return {"rendered": len(worded), "dropped": len(unfit)}


def envelopes(booking: Booking, plan: Plan, booked_at: datetime) -> Sequence[Envelope]:
    """The reminders of a booking that was made, or moved to its time, at `booked_at`."""
    quiet = schedule.quiet_hours(booking.drive)
    planned = reminder_times.reminders(plan, booking.starts_at, booked_at, quiet)
    # A reminder that is planned anew needs a new key: the old one stays with what was withdrawn.
    anew = f".{booking.drive.plan_revision}" if booking.drive.plan_revision else ""
    to = addressees.of(booking.volunteer)
    return [
        envelope
        for line, due_at in planned
        for envelope in notifications_envelopes.make(
            KINDS[line.kind],
            to,
            key=f"{booking.about}/{line.kind}/{booking.revision}{anew}",
            about=booking.about,
            due_at=due_at,
            revision=booking.revision,
            quiet=quiet,
            visit_at=booking.starts_at,
            way=line.way,
        )
    ]


def _mail_instead(scheduled: Sequence[Message], bookings: Mapping[int, Booking]) -> set[int]:
    """Turn texts that may not leave into mails, where there is a mailbox. Returns those that a mail says already."""
    silent = notifications_queries.may_not_be_texted(
        [message for message in scheduled if message.channel == Channel.SMS]
    )
    mailboxes = {message.pk: _mailbox(bookings.get(shared_contacts.booking_id(message))) for message in scheduled}
    turned = [message for message in scheduled if message.pk in silent and mailboxes[message.pk]]
    if not turned:
        return set()
    twins = {_mail_key(message): message.pk for message in turned}
    twice = {twins[key] for key in Message.objects.filter(key__in=twins).values_list("key", flat=True)}
    turned = [message for message in turned if message.pk not in twice]
    outbox.by_mail(addresses={message.pk: mailboxes[message.pk] for message in turned})
    for message in turned:
        message.channel, message.address = Channel.EMAIL, mailboxes[message.pk]
    return twice


def _mailbox(booking: Booking | None) -> str:
    contact = booking.volunteer.email if booking and booking.volunteer else None
    return contact.address if contact else ""


def _mail_key(message: Message) -> str:
    """The key of the same reminder by e-mail, where its plan says both."""
    return f"{message.key.rpartition('/')[0]}/{Channel.EMAIL}"


def _words_if_any(booking: Booking, message: Message, own: Own, shared: SharedTexts) -> Wording | None:
    """One reminder that cannot be worded must not hold up the others."""
    try:
        return _words(booking, message, own, shared.speaks_of.get(message.pk, []))
    except Exception as error:
        log.error("reminder %s cannot be worded: %s", message.pk, type(error).__name__)
        return None


def _words(booking: Booking, message: Message, own: Own, group: Sequence[Booking]) -> Wording:
    if group:
        return texts_bookings.in_language(message.language, lambda: texts_bookings.together("reminder", group))
    leaves_at = max(message.due_at, message.created_at)
    return texts_bookings.in_language(
        message.language, lambda: texts_bookings.reminder(booking, message.channel, leaves_at, own)
    )
