"""Schedule reminders when a donor books, and render their texts shortly before they are due."""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from drives.calendars import queries as calendars_queries
from drives.domain import reminder_times
from drives.domain.reminder_times import MessageSchedule
from drives.messaging import reach, rules, schedule, shared_contacts
from drives.messaging.reach import DonorReach
from drives.messaging.shared_contacts import COVERED_BY_SHARED_TEXT, SharedTexts
from drives.messaging.texts import booking_texts as texts_bookings
from drives.messaging.texts.wording import NO_CUSTOM_TEXTS, CustomTexts
from drives.models import Booking
from notifications import envelopes as notifications_envelopes
from notifications import kinds, outbox, unverified_mailboxes
from notifications import queries as notifications_queries
from notifications.kinds import KINDS, ChannelChoice
from notifications.message_content import Envelope, MessageContent
from notifications.models import Channel, Message
from organizations.models import Organization
from volunteers import addressees

log = logging.getLogger(__name__)

REMINDER_KINDS = tuple(map(str, reminder_times.REMINDERS))


def schedule_reminders(bookings: Sequence[Booking], message_schedule: MessageSchedule, now: datetime) -> None:
    scheduled = [
        envelope for booking in bookings for envelope in build_reminder_envelopes(booking, message_schedule, now)
    ]
    outbox.schedule_messages(organization=bookings[0].drive.organization, envelopes=scheduled, now=now)


def unrender_party_reminders(changed: Sequence[Booking]) -> None:
    """Let unsent reminders for a party's unchanged bookings be rendered again, because they may name the changed ones.

    Sent reminders do not change.
    """
    parties = {booking.party for booking in changed if booking.party}
    if not parties:
        return
    members = Booking.objects.filter(party__in=parties).values_list("pk", flat=True)
    changed_abouts = {booking.about for booking in changed}
    others = {f"booking:{pk}" for pk in members} - changed_abouts
    outbox.unrender_messages(
        abouts=others, changed_abouts=changed_abouts, kinds=REMINDER_KINDS, dropped_reason=COVERED_BY_SHARED_TEXT
    )


@transaction.atomic
def render_due_reminders(*, now: datetime, limit: int = 500) -> dict[str, int]:
    """Render reminders that are due within 15 minutes. Withdraw outdated reminders.

    A reminder is outdated if its booking is cancelled or past, or has a newer revision. A text that would be blocked
    becomes an e-mail if e-mail can reach the donor. The number of queries depends only on the number of organizations.
    """
    scheduled = notifications_queries.lock_messages_to_render(now, rules.RENDER_WITHIN, limit)
    bookings = calendars_queries.load_message_bookings(
        [shared_contacts.parse_booking_id(message) for message in scheduled]
    )
    custom = schedule.load_custom_texts({message.organization_id for message in scheduled})
    covered_by_email = _switch_to_email(scheduled, bookings)
    over_limit = _list_emails_over_limit(scheduled, bookings, now)
    shared = shared_contacts.load_shared_texts(scheduled, bookings, now)
    contents: list[tuple[int, MessageContent]] = []
    unfit_ids: list[int] = []
    failed_ids: list[int] = []
    for message in scheduled:
        booking = bookings.get(shared_contacts.parse_booking_id(message))
        if (
            booking is None
            or not shared_contacts.is_still_valid(booking, message, now)
            or message.pk in covered_by_email
        ):
            unfit_ids.append(message.pk)
        # Do not render texts that a shared text replaces, or e-mails over the limit. They are withdrawn below.
        elif message.pk in shared.covered_ids or message.pk in over_limit:
            continue
        elif content := _render_or_log(
            booking, message, custom.get(message.organization_id or 0, NO_CUSTOM_TEXTS), shared
        ):
            contents.append((message.pk, content))
        else:
            failed_ids.append(message.pk)
    outbox.queue_rendered_messages(contents=contents, now=now)
    outbox.withdraw_scheduled_messages(ids=unfit_ids, reason="booking_changed", now=now)
    outbox.withdraw_scheduled_messages(ids=shared.covered_ids, reason=COVERED_BY_SHARED_TEXT, now=now)
    outbox.withdraw_scheduled_messages(ids=over_limit, reason=unverified_mailboxes.UNVERIFIED_MAILBOX, now=now)
    outbox.withdraw_scheduled_messages(ids=failed_ids, reason="not_wordable", now=now)
    return {"rendered": len(contents), "dropped": len(unfit_ids)}


def build_reminder_envelopes(
    booking: Booking, message_schedule: MessageSchedule, booked_at: datetime
) -> Sequence[Envelope]:
    quiet_hours = schedule.build_quiet_hours(booking.drive)
    due_reminders = reminder_times.compute_reminders(message_schedule, booking.starts_at, booked_at, quiet_hours)
    # A rescheduled reminder needs a new key, because the withdrawn one keeps the old key.
    key_suffix = f".{booking.drive.schedule_revision}" if booking.drive.schedule_revision else ""
    addressee = addressees.build_addressee(booking.volunteer)
    return [
        envelope
        for entry, due_at in due_reminders
        for envelope in notifications_envelopes.build_envelopes(
            KINDS[entry.kind],
            addressee,
            key=f"{booking.about}/{entry.kind}/{booking.revision}{key_suffix}",
            about=booking.about,
            due_at=due_at,
            revision=booking.revision,
            quiet_hours=quiet_hours,
            visit_at=booking.starts_at,
            channel_choice=entry.channel_choice,
        )
    ]


def _switch_to_email(scheduled: Sequence[Message], bookings: Mapping[int, Booking]) -> set[int]:
    """Convert texts that would be blocked to e-mails. Return the ids of texts that already have a matching e-mail."""
    mailboxes = _find_replacing_mailboxes(scheduled, bookings)
    if not mailboxes:
        return set()
    # The schedule may also send the same reminder by e-mail.
    ids_by_email_key = {_build_email_key(message): message.pk for message in scheduled if message.pk in mailboxes}
    covered = {
        ids_by_email_key[key] for key in Message.objects.filter(key__in=ids_by_email_key).values_list("key", flat=True)
    }
    addresses = {pk: address for pk, address in mailboxes.items() if pk not in covered}
    outbox.switch_messages_to_email(addresses=addresses)
    for message in scheduled:
        if message.pk in addresses:
            message.channel, message.address = Channel.EMAIL, addresses[message.pk]
    return covered


def _find_replacing_mailboxes(scheduled: Sequence[Message], bookings: Mapping[int, Booking]) -> dict[int, str]:
    """Return the e-mail addresses for texts that would be blocked but can go by e-mail, keyed by message id."""
    texts = [
        (message, booking)
        for message in scheduled
        if message.channel == Channel.SMS and (booking := bookings.get(shared_contacts.parse_booking_id(message)))
    ]
    reaches = _load_reaches([booking for _message, booking in texts])
    mailboxes: dict[int, str] = {}
    for message, booking in texts:
        donor_reach = reaches[booking.drive.organization]
        contacts = donor_reach.list_contacts(booking, KINDS[message.kind], choice=ChannelChoice.TEXT)
        if contacts and contacts[0][0] == Channel.EMAIL:
            mailboxes[message.pk] = contacts[0][1]
    return mailboxes


def _list_emails_over_limit(scheduled: Sequence[Message], bookings: Mapping[int, Booking], now: datetime) -> set[int]:
    """Return the ids of e-mails that must not be sent, because an unverified mailbox may get only a few.

    - If we may text the donor, no reminder goes by e-mail. Changes of the booking need the allowed e-mails.
    - If we may not text the donor, the reminders closest to the visit are sent.
    """
    limited = [
        (message, booking)
        for message in scheduled
        if message.channel == Channel.EMAIL
        and (booking := bookings.get(shared_contacts.parse_booking_id(message)))
        and _has_unverified_mailbox(booking)
        and shared_contacts.is_still_valid(booking, message, now)
    ]
    reaches = _load_reaches([booking for _message, booking in limited])
    texted = {message.pk for message, booking in limited if _may_text(booking, reaches[booking.drive.organization])}
    others = [(message, booking) for message, booking in limited if message.pk not in texted]
    later_emails = _count_later_emails(others, reaches) if others else {}
    return texted | unverified_mailboxes.list_over_limit([message for message, _booking in others], later_emails)


def _has_unverified_mailbox(booking: Booking) -> bool:
    return addressees.build_addressee(booking.volunteer).is_unverified(Channel.EMAIL)


def _may_text(booking: Booking, donor_reach: DonorReach) -> bool:
    return Channel.SMS in donor_reach.list_allowed_channels(booking, kinds.DAY_BEFORE)


def _count_later_emails(
    reminders: Sequence[tuple[Message, Booking]], reaches: Mapping[Organization, DonorReach]
) -> dict[int, int]:
    """Count the later reminders of the same booking that will be e-mails, keyed by message id."""
    scheduled = notifications_queries.list_scheduled_messages([booking.about for _message, booking in reminders])
    counts = {}
    for message, booking in reminders:
        later = [
            other
            for other in scheduled[booking.about]
            if other.due_at > message.due_at and other.kind != message.kind and other.revision == booking.revision
        ]
        counts[message.pk] = len(list_email_kinds(later, booking, reaches[booking.drive.organization]))
    return counts


def list_email_kinds(reminders: Sequence[Message], booking: Booking, donor_reach: DonorReach) -> list[str]:
    """List the kinds of these reminders that will go by e-mail.

    If we may not text the donor, the texts go by e-mail, too. If we may, an unverified mailbox gets no reminders.
    """
    may_text = _may_text(booking, donor_reach)
    if may_text and _has_unverified_mailbox(booking):
        return []
    emails = [message for message in reminders if message.channel == Channel.EMAIL or not may_text]
    allowed = donor_reach.list_allowed_channels(booking, kinds.DAY_BEFORE)
    return list(dict.fromkeys(message.kind for message in emails)) if Channel.EMAIL in allowed else []


def _load_reaches(bookings: Sequence[Booking]) -> dict[Organization, DonorReach]:
    by_organization: dict[Organization, list[Booking]] = defaultdict(list)
    for booking in bookings:
        by_organization[booking.drive.organization].append(booking)
    return {organization: reach.load_reach(organization, rows) for organization, rows in by_organization.items()}


def _build_email_key(message: Message) -> str:
    return f"{message.key.rpartition('/')[0]}/{Channel.EMAIL}"


def _render_or_log(
    booking: Booking, message: Message, custom: CustomTexts, shared: SharedTexts
) -> MessageContent | None:
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
    # A reminder that was scheduled after its due time leaves right away.
    leaves_at = max(message.due_at, message.created_at)
    return texts_bookings.call_in_language(
        message.language, lambda: texts_bookings.render_reminder(booking, message.channel, leaves_at, custom)
    )
