"""Queue the messages about a booking change, in the same transaction as the change."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial

from drives.capacity import availability
from drives.domain.message_kinds import ScheduledKind
from drives.eligibility import queries as eligibility_queries
from drives.eligibility.next_visit import NO_FOLLOW_UP, FollowUp
from drives.messaging import invitations, reminders, schedule
from drives.messaging.texts import booking_texts as texts_bookings
from drives.messaging.texts import next_visit_texts
from drives.messaging.texts.booking_texts import BookingRenderer
from drives.messaging.texts.wording import SHARED_TEXTS, CustomTexts
from drives.models import Booking, BookingState, CancelledBy, Drive
from drives.web import links
from notifications import envelopes, kinds, outbox
from notifications.envelopes import Addressee
from notifications.kinds import MessageKind, Withdrawal
from notifications.message_content import Envelope, MessageContent, RenderedMessage
from notifications.models import Channel
from organizations import queries as organizations_queries
from volunteers import addressees

DONOR = "donor"  # quiet hours do not delay confirmations for this actor


def queue_confirmations(bookings: Sequence[Booking], now: datetime, *, is_own_action: bool = True) -> None:
    """Queue confirmations with calendar entries, and schedule reminders, for bookings at one drive.

    Donors of one party with the same phone get one text together, but separate e-mails. Pass `is_own_action=True` if
    the donors have just booked, so that quiet hours do not delay the confirmation.
    """
    drive = bookings[0].drive
    _withdraw_invitations(bookings, now)
    message_schedule, custom_texts = (
        schedule.load_drive_schedule(drive),
        schedule.load_custom_texts([drive.organization_id])[drive.organization_id],
    )
    channels = message_schedule[ScheduledKind.BOOKED].channel_choice
    own_action_ids = {booking.pk for booking in bookings if is_own_action}
    notices = _build_notices(
        bookings,
        kinds.BOOKED,
        texts_bookings.render_booked,
        custom_texts,
        now,
        channels=channels,
        own_action_ids=own_action_ids,
    )
    outbox.queue_messages(organization=drive.organization, messages=notices, now=now)
    reminders.schedule_reminders(bookings, message_schedule, now)


def schedule_reminders_only(bookings: Sequence[Booking], now: datetime) -> None:
    """Schedule the reminders of imported bookings. They get no confirmation, because the donors did not just book."""
    _withdraw_invitations(bookings, now)
    reminders.schedule_reminders(bookings, schedule.load_drive_schedule(bookings[0].drive), now)


def queue_confirmation_again(booking: Booking, now: datetime) -> int:
    """Queue the confirmation again, at most once a minute. Return the number of queued messages."""
    organization = booking.drive.organization
    custom_texts = schedule.load_custom_texts([organization.pk])[organization.pk]
    channels = schedule.load_drive_schedule(booking.drive)[ScheduledKind.BOOKED].channel_choice
    # The key stays the same for a minute, so a second tap queues nothing.
    key_suffix = f"{booking.revision}/again-{int(now.timestamp()) // 60}"
    own_action_ids = {booking.pk}
    notices = _build_notices(
        [booking],
        kinds.BOOKED,
        texts_bookings.render_booked,
        custom_texts,
        now,
        channels=channels,
        key_suffix=key_suffix,
        own_action_ids=own_action_ids,
    )
    return outbox.queue_messages(organization=organization, messages=notices, now=now)


def queue_restored(booking: Booking, now: datetime) -> None:
    _withdraw_older([booking], now)
    queue_confirmations([booking], now)


def queue_moved(bookings: Sequence[Booking], old_times: Mapping[int, datetime], now: datetime, *, actor: str) -> None:
    """Queue messages about the new times of bookings at one drive, and reschedule the reminders.

    `old_times` is keyed by booking id. Donors of one party with the same phone get one text.
    """
    drive = bookings[0].drive
    custom_texts = schedule.load_custom_texts([drive.organization_id])[drive.organization_id]
    for booking in bookings:
        _withdraw_older([booking], now)
    reminders.unrender_party_reminders(bookings)
    own_action_ids = {booking.pk for booking in bookings if actor == DONOR}
    notices = _build_notices(
        bookings,
        kinds.MOVED,
        partial(_render_moved, old_times),
        custom_texts,
        now,
        own_action_ids=own_action_ids,
        old_times=old_times,
    )
    outbox.queue_messages(organization=drive.organization, messages=notices, now=now)
    reminders.schedule_reminders(bookings, schedule.load_drive_schedule(drive), now)


def queue_relocated(bookings: Sequence[Booking], now: datetime) -> None:
    """Queue messages about a drive's new site, and reschedule the reminders.

    All bookings must be at one drive and have the same revision. The number of statements does not depend on the number
    of bookings.
    """
    drive = bookings[0].drive
    custom_texts = schedule.load_custom_texts([drive.organization_id])[drive.organization_id]
    _withdraw_older(bookings, now)
    notices = _build_notices(bookings, kinds.RELOCATED, texts_bookings.render_relocated, custom_texts, now)
    outbox.queue_messages(organization=drive.organization, messages=notices, now=now)
    reminders.schedule_reminders(bookings, schedule.load_drive_schedule(drive), now)


def withdraw_all_messages(bookings: Sequence[Booking], now: datetime) -> None:
    _withdraw_upcoming(bookings, now)
    reminders.unrender_party_reminders(bookings)


def queue_cancelled(bookings: Sequence[Booking], now: datetime) -> None:
    """Queue messages about cancelled bookings at one drive, and withdraw their other unsent messages.

    Donors of one party with the same phone get one text. `drives.booking.cancellation_digests` notifies coordinators.
    """
    drive = bookings[0].drive
    custom_texts = schedule.load_custom_texts([drive.organization_id])[drive.organization_id]
    _withdraw_upcoming(bookings, now)
    reminders.unrender_party_reminders(bookings)
    own_action_ids = {booking.pk for booking in bookings if booking.cancelled_by == CancelledBy.DONOR}
    notices = _build_notices(
        bookings, kinds.CANCELLED, texts_bookings.render_cancelled, custom_texts, now, own_action_ids=own_action_ids
    )
    outbox.queue_messages(organization=drive.organization, messages=notices, now=now)


def queue_drive_cancelled(bookings: Iterable[Booking], now: datetime) -> None:
    rows = list(bookings)
    if not rows:
        return
    organization = rows[0].drive.organization
    custom_texts = schedule.load_custom_texts([organization.pk])[organization.pk]
    _withdraw_upcoming(rows, now)
    notices = _build_notices(rows, kinds.DRIVE_CANCELLED, texts_bookings.render_drive_cancelled, custom_texts, now)
    outbox.queue_messages(organization=organization, messages=notices, now=now)


def withdraw_invitations(drive: Drive, now: datetime) -> None:
    outbox.withdraw_messages(abouts=[f"drive:{drive.pk}"], cause=Withdrawal.DRIVE_CANCELLED, now=now)


def queue_follow_ups(bookings: Iterable[Booking], now: datetime) -> None:
    """Queue a thank-you or missed-visit message for each booking at one drive, once per booking.

    The drive's message schedule can turn off each kind. A thank-you lists times that the donor can book now. The number
    of queries does not depend on the number of bookings.
    """
    rows = list(bookings)
    if not rows:
        return
    drive = rows[0].drive
    message_schedule, custom_texts = (
        schedule.load_drive_schedule(drive),
        schedule.load_custom_texts([drive.organization_id])[drive.organization_id],
    )
    missed = [booking for booking in rows if booking.state == BookingState.NO_SHOW]
    came = [booking for booking in rows if booking.state != BookingState.NO_SHOW]
    follow_ups = eligibility_queries.load_follow_ups(rows, now)
    notices: list[RenderedMessage] = []
    for kind, render, group in (
        (kinds.THANK_YOU, partial(_render_thanks, follow_ups), came),
        (kinds.MISSED, texts_bookings.render_missed, missed),
    ):
        if message_schedule[kind.name].is_enabled:
            notices += _build_notices(
                group,
                kind,
                render,
                custom_texts,
                now,
                channels=message_schedule[kind.name].channel_choice,
                key_suffix="once",
            )
    outbox.queue_messages(organization=drive.organization, messages=notices, now=now)


def queue_cancellation_digest(
    drive: Drive, key: str, cancelled: Sequence[datetime], restored: Sequence[datetime], now: datetime
) -> int:
    """Queue one e-mail for each coordinator, with the arrival times of the cancelled and restored bookings."""
    spots_left = availability.count_drive_spots_left(drive, now)
    wording = texts_bookings.render_cancellation_digest(drive, cancelled, restored, spots_left, build_drive_url(drive))
    return _queue_alert(drive, key, kinds.ALERT_CANCELLATION, wording, now)


def queue_under_filled_alert(drive: Drive, booked_count: int, spots_left: int, now: datetime) -> None:
    wording = texts_bookings.render_under_filled_alert(drive, booked_count, spots_left, build_drive_url(drive))
    kind = kinds.ALERT_UNDER_FILLED
    _queue_alert(drive, f"drive:{drive.pk}/{kind.name}", kind, wording, now)


def build_drive_url(drive: Drive) -> str:
    return links.build_link("organizer_drive", drive.pk)


def _build_notices(
    bookings: Sequence[Booking],
    kind: MessageKind,
    render: BookingRenderer,
    custom_texts: CustomTexts,
    now: datetime,
    *,
    channels: str = "",
    key_suffix: str = "",
    own_action_ids: Collection[int] = (),
    old_times: Mapping[int, datetime] | None = None,
) -> list[RenderedMessage]:
    """Build one message per channel and donor.

    Donors of one party with the same phone get one text together. Some kinds of message have a separate wording for
    such a text. `key_suffix`, if given, replaces the revision in the message's key.
    """
    parties = _group_by_phone(bookings)
    notices = []
    for booking in bookings:
        for envelope in envelopes.build_envelopes(
            kind,
            addressees.build_addressee(booking.volunteer),
            key=f"{booking.about}/{kind.name}/{key_suffix or booking.revision}",
            about=booking.about,
            due_at=now,
            revision=booking.revision,
            quiet_hours=schedule.build_quiet_hours(booking.drive),
            visit_at=booking.starts_at,
            previous_visit_at=(old_times or {}).get(booking.pk),
            channel_choice=channels,
            ignores_quiet_hours=booking.pk in own_action_ids,
        ):
            group = parties[booking.party, envelope.address] if _is_shared(envelope, booking) else [booking]
            if group[0] is booking:
                notices.append(RenderedMessage(envelope, _render_for(group, render, custom_texts, envelope, kind)))
    return notices


def _withdraw_older(bookings: Sequence[Booking], now: datetime) -> None:
    """Withdraw the messages about older revisions of these bookings. All bookings must have the same revision."""
    abouts, revision = [booking.about for booking in bookings], bookings[0].revision
    outbox.withdraw_messages(abouts=abouts, cause=Withdrawal.REVISION, before_revision=revision, now=now)


def _withdraw_upcoming(bookings: Sequence[Booking], now: datetime) -> None:
    outbox.withdraw_messages(abouts=[booking.about for booking in bookings], cause=Withdrawal.CANCELLATION, now=now)


def _withdraw_invitations(bookings: Sequence[Booking], now: datetime) -> None:
    # Skip the query for new donors, because they have no invitations.
    volunteers = [booking.volunteer for booking in bookings if booking.volunteer and booking.volunteer.created_at < now]
    if volunteers:
        recipients = [addressees.build_addressee(volunteer).name for volunteer in volunteers]
        about = invitations.format_drive_about(bookings[0].drive)
        outbox.withdraw_messages(abouts=[about], recipients=recipients, cause=Withdrawal.BOOKED, now=now)


def _group_by_phone(bookings: Sequence[Booking]) -> Mapping[tuple[uuid.UUID | None, str], list[Booking]]:
    parties: dict[tuple[uuid.UUID | None, str], list[Booking]] = defaultdict(list)
    for booking in sorted(bookings, key=lambda booking: booking.pk):
        phone = booking.volunteer.phone if booking.volunteer else None
        if booking.party and phone:
            parties[booking.party, phone.address].append(booking)
    return parties


def _is_shared(envelope: Envelope, booking: Booking) -> bool:
    return envelope.channel == Channel.SMS and booking.party is not None


def _render_for(
    group: Sequence[Booking], render: BookingRenderer, custom_texts: CustomTexts, envelope: Envelope, kind: MessageKind
) -> MessageContent:
    if len(group) > 1 and kind.name in SHARED_TEXTS:
        return texts_bookings.call_in_language(
            envelope.language, lambda: texts_bookings.render_shared_text(kind.name, group)
        )
    return texts_bookings.render_booking_message(group[0], render, custom_texts, envelope.channel, kind.calendar_method)


def _render_thanks(
    follow_ups: Mapping[int, FollowUp], booking: Booking, channel: str, custom_texts: CustomTexts
) -> MessageContent:
    return next_visit_texts.render_thank_you(
        booking, channel, custom_texts, follow_ups.get(booking.volunteer_id or 0, NO_FOLLOW_UP)
    )


def _render_moved(
    old_times: Mapping[int, datetime], booking: Booking, channel: str, custom_texts: CustomTexts
) -> MessageContent:
    return texts_bookings.render_moved(booking, channel, old_times[booking.pk], custom_texts)


def _queue_alert(drive: Drive, key: str, kind: MessageKind, wording: MessageContent, now: datetime) -> int:
    messages = [
        RenderedMessage(envelope, wording)
        for position, address in enumerate(organizations_queries.list_coordinator_emails(drive.organization))
        for envelope in envelopes.build_envelopes(
            kind,
            Addressee([(Channel.EMAIL, address)]),
            key=f"{key}/{position}",
            about=f"drive:{drive.pk}",
            due_at=now,
        )
    ]
    return outbox.queue_messages(organization=drive.organization, messages=messages, now=now)
