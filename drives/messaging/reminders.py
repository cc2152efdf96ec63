"""Reminders: scheduled with the booking, planned anew when a plan changes, rendered shortly before they are due."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from drives.calendars import bookings as calendars_bookings
from drives.domain import reminder_times
from drives.domain.reminder_times import MessageSchedule
from drives.messaging import addressees, schedule, shared_contacts
from drives.messaging.shared_contacts import COVERED_BY_SHARED_TEXT, SharedTexts
from drives.messaging.texts import booking_texts as texts_bookings
from drives.messaging.texts.catalog import NO_CUSTOM_TEXTS, CustomTexts
from drives.models import Booking
from notifications import envelopes as notifications_envelopes
from notifications import outbox
from notifications import queries as notifications_queries
from notifications.kinds import KINDS
from notifications.message_content import Envelope, MessageContent
from notifications.models import Channel, Message

log = logging.getLogger(__name__)

RENDER_WITHIN = timedelta(minutes=15)
REMINDER_KINDS = tuple(map(str, reminder_times.REMINDERS))


def schedule_reminders(bookings: Sequence[Booking], message_schedule: MessageSchedule, now: datetime) -> None:
    """Plan the reminders of bookings at one drive, each for its revision; those that come too soon are skipped."""
    scheduled = [
        envelope for booking in bookings for envelope in build_reminder_envelopes(booking, message_schedule, now)
    ]
    outbox.schedule_messages(organization=bookings[0].drive.organization, envelopes=scheduled, now=now)


def unrender_party_reminders(changed: Sequence[Booking]) -> None:
    """After a change of some of a party: what one text was to remind the others of is worded anew, without them.

    Touches nothing that has left, and no text of a booking that was made alone.
    """
    parties = {booking.party for booking in changed if booking.party}
    if not parties:
        return
    members = Booking.objects.filter(party__in=parties).values_list("pk", flat=True)
    beside = {booking.about for booking in changed}
    others = {f"booking:{pk}" for pk in members} - beside
    outbox.unrender_messages(
        abouts=others, changed_abouts=beside, kinds=REMINDER_KINDS, dropped_reason=COVERED_BY_SHARED_TEXT
    )


@transaction.atomic
def render_due_reminders(*, now: datetime, limit: int = 500) -> dict[str, int]:
    """Write the text of scheduled messages that are due within a quarter of an hour, as it is true now; drop the unfit.

    A booking that is gone, over, or of a later revision than the message is not reminded. A donor with
    a mailbox gets an e-mail where a text is not allowed now.
    Four queries and two writes, five and three with such a mail.
    """
    scheduled = notifications_queries.list_messages_to_render(now, RENDER_WITHIN, limit)
    bookings = calendars_bookings.load_message_bookings(
        [shared_contacts.parse_booking_id(message) for message in scheduled]
    )
    own = schedule.load_custom_texts({message.organization_id for message in scheduled})
    twice = _switch_to_email(scheduled, bookings)
    shared = shared_contacts.load_shared_texts(scheduled, bookings, now)
    worded: list[tuple[int, MessageContent]] = []
    unfit: list[int] = []
    spoilt: list[int] = []
    for message in scheduled:
        booking = bookings.get(shared_contacts.parse_booking_id(message))
        if booking is None or not shared_contacts.is_still_valid(booking, message, now) or message.pk in twice:
            unfit.append(message.pk)
        elif message.pk in shared.said:
            continue
        elif wording := _render_or_log(
            booking, message, own.get(message.organization_id or 0, NO_CUSTOM_TEXTS), shared
        ):
            worded.append((message.pk, wording))
        else:
            spoilt.append(message.pk)
    outbox.queue_rendered_messages(contents=worded, now=now)
    outbox.withdraw_scheduled_messages(ids=unfit, reason="booking_changed", now=now)
    outbox.withdraw_scheduled_messages(ids=shared.said, reason=COVERED_BY_SHARED_TEXT, now=now)
    outbox.withdraw_scheduled_messages(ids=spoilt, reason="not_wordable", now=now)
    return {"rendered": len(worded), "dropped": len(unfit)}


def build_reminder_envelopes(
    booking: Booking, message_schedule: MessageSchedule, booked_at: datetime
) -> Sequence[Envelope]:
    """The reminders of a booking that was made, or moved to its time, at `booked_at`."""
    quiet = schedule.build_quiet_hours(booking.drive)
    planned = reminder_times.compute_reminders(message_schedule, booking.starts_at, booked_at, quiet)
    # A reminder that is planned anew needs a new key: the old one stays with what was withdrawn.
    anew = f".{booking.drive.schedule_revision}" if booking.drive.schedule_revision else ""
    to = addressees.build_addressee(booking.volunteer)
    return [
        envelope
        for line, due_at in planned
        for envelope in notifications_envelopes.build_envelopes(
            KINDS[line.kind],
            to,
            key=f"{booking.about}/{line.kind}/{booking.revision}{anew}",
            about=booking.about,
            due_at=due_at,
            revision=booking.revision,
            quiet_hours=quiet,
            visit_at=booking.starts_at,
            channel_choice=line.way,
        )
    ]


def _switch_to_email(scheduled: Sequence[Message], bookings: Mapping[int, Booking]) -> set[int]:
    """Turn texts that may not leave into mails, where there is a mailbox. Returns those that a mail says already."""
    silent = notifications_queries.list_blocked_text_ids(
        [message for message in scheduled if message.channel == Channel.SMS]
    )
    mailboxes = {
        message.pk: _email_address(bookings.get(shared_contacts.parse_booking_id(message))) for message in scheduled
    }
    turned = [message for message in scheduled if message.pk in silent and mailboxes[message.pk]]
    if not turned:
        return set()
    twins = {_email_key(message): message.pk for message in turned}
    twice = {twins[key] for key in Message.objects.filter(key__in=twins).values_list("key", flat=True)}
    turned = [message for message in turned if message.pk not in twice]
    outbox.switch_messages_to_email(addresses={message.pk: mailboxes[message.pk] for message in turned})
    for message in turned:
        message.channel, message.address = Channel.EMAIL, mailboxes[message.pk]
    return twice


def _email_address(booking: Booking | None) -> str:
    contact = booking.volunteer.email if booking and booking.volunteer else None
    return contact.address if contact else ""


def _email_key(message: Message) -> str:
    """The key of the same reminder by e-mail, where its plan says both."""
    return f"{message.key.rpartition('/')[0]}/{Channel.EMAIL}"


def _render_or_log(
    booking: Booking, message: Message, custom: CustomTexts, shared: SharedTexts
) -> MessageContent | None:
    """One reminder that cannot be worded must not hold up the others."""
    try:
        return _render(booking, message, custom, shared.bookings_by_text.get(message.pk, []))
    except Exception as error:
        log.error("reminder %s cannot be rendered: %s", message.pk, type(error).__name__)
        return None


def _render(booking: Booking, message: Message, custom: CustomTexts, group: Sequence[Booking]) -> MessageContent:
    if group:
        return texts_bookings.call_in_language(
            message.language, lambda: texts_bookings.render_shared_text("reminder", group)
        )
    leaves_at = max(message.due_at, message.created_at)
    return texts_bookings.call_in_language(
        message.language, lambda: texts_bookings.render_reminder(booking, message.channel, leaves_at, custom)
    )
