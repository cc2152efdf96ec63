"""Replace failed texts with e-mails."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from django.db import transaction

from drives.capacity import locks
from drives.messaging import rules, schedule
from drives.messaging.texts import booking_texts, broadcast_texts
from drives.messaging.texts.booking_texts import BookingRenderer
from drives.messaging.texts.wording import CustomTexts
from drives.models import EXPECTED_STATES, Booking, BookingChange, BookingState, Broadcast, BroadcastKind
from notifications import envelopes, kinds, outbox
from notifications import queries as notifications_queries
from notifications.kinds import KINDS, ChannelChoice
from notifications.message_content import Envelope, MessageContent, RenderedMessage
from notifications.models import Channel, Message, Purpose
from organizations import sweeps
from volunteers import addressees


def queue_fallback_emails(*, now: datetime) -> int:
    """Queue an e-mail for each failed text of the last day about a booking. Return the number of new e-mails.

    Each e-mail is queued in its own transaction. It has the same key as an e-mail from the message schedule, so the
    donor gets only one of them, even if two workers run.
    """
    replaced = kinds.list_kind_names(lambda kind: kind.email_replaces_text)
    failed = notifications_queries.list_failed_texts(kinds=replaced, since=now - rules.REPLACE_FAILED_TEXTS_WITHIN)
    texts = {text.pk: text for text in failed if text.about.startswith("booking:")}
    return sweeps.run_each("fallback", texts, lambda pk: _queue_fallback_email(texts[pk], now), now=now)


@transaction.atomic
def _queue_fallback_email(text: Message, now: datetime) -> int:
    """Queue the e-mail that replaces a text. Locks the booking, so that a later change also withdraws the e-mail."""
    bookings = locks.lock_bookings([int(text.about.removeprefix("booking:"))])
    booking = bookings[0] if bookings else None
    if booking is None or not _is_still_valid(booking, text, now):
        return 0
    custom = schedule.load_custom_texts([booking.drive.organization_id])[booking.drive.organization_id]
    rendered = [
        RenderedMessage(envelope, _render_email(booking, text, custom, now))
        for envelope in _build_envelopes(booking, text, now)
    ]
    return outbox.queue_messages(organization=booking.drive.organization, messages=rendered, now=now)


def _is_still_valid(booking: Booking, text: Message, now: datetime) -> bool:
    if text.kind in BROADCAST_KINDS:
        return text.expires_at > now and (text.purpose == Purpose.NEWS or booking.state in EXPECTED_STATES)
    if booking.revision != text.revision or booking.starts_at <= now:
        return False
    return booking.state == BookingState.CANCELLED if KINDS[text.kind].ends_visit else booking.state in EXPECTED_STATES


def _build_envelopes(booking: Booking, text: Message, now: datetime) -> Sequence[Envelope]:
    addressee = addressees.build_addressee(booking.volunteer)
    return envelopes.build_envelopes(
        KINDS[text.kind],
        replace(
            addressee,
            contacts=[contact for contact in addressee.contacts if contact[0] == Channel.EMAIL],
            language=text.language,
        ),
        # The text's key without its channel. `build_envelopes` adds the channel of the e-mail.
        key=text.key.rpartition("/")[0],
        about=text.about,
        due_at=now,
        revision=text.revision,
        quiet_hours=schedule.build_quiet_hours(booking.drive),
        visit_at=booking.starts_at,
        useful_until=text.expires_at,
        channel_choice=ChannelChoice.MAIL,
        consent=text.purpose if text.purpose == Purpose.NEWS else "",
        ignores_quiet_hours=True,  # unlike a text, an e-mail does not wake the donor
    )


def _render_email(booking: Booking, text: Message, custom: CustomTexts, now: datetime) -> MessageContent:
    if text.kind in BROADCAST_KINDS:
        broadcast = Broadcast.objects.get(pk=int(text.key.split("/")[0].removeprefix("broadcast:")))
        render_broadcast = partial(broadcast_texts.render_broadcast, broadcast, booking, Channel.EMAIL)
        return booking_texts.call_in_language(text.language, render_broadcast)
    render = EMAIL_RENDERERS.get(text.kind, partial(_render_reminder, now))
    return booking_texts.render_booking_message(
        booking, render, custom, Channel.EMAIL, KINDS[text.kind].calendar_method
    )


def _render_reminder(now: datetime, booking: Booking, channel: str, custom: CustomTexts) -> MessageContent:
    return booking_texts.render_reminder(booking, channel, now, custom)


def _render_moved(booking: Booking, channel: str, custom: CustomTexts) -> MessageContent:
    moves = BookingChange.objects.filter(booking=booking, from_arrival__isnull=False).order_by("-pk")
    last = moves.select_related("from_arrival").first()
    before = last.from_arrival.starts_at if last and last.from_arrival else booking.starts_at
    return booking_texts.render_moved(booking, channel, before, custom)


BROADCAST_KINDS = frozenset(map(str, BroadcastKind))
# The renderer of the e-mail, by kind of text. Other kinds use the reminder.
EMAIL_RENDERERS: Mapping[str, BookingRenderer] = {
    kinds.BOOKED.name: booking_texts.render_booked,
    kinds.MOVED.name: _render_moved,
    kinds.RELOCATED.name: booking_texts.render_relocated,
    kinds.CANCELLED.name: booking_texts.render_cancelled,
    kinds.DRIVE_CANCELLED.name: booking_texts.render_drive_cancelled,
}
