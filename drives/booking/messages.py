"""What is said when a booking changes: outbox rows in the same transaction as the change."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial

from django.urls import reverse

from drives.booking.rules import CANCELLATION_ALERT_WITHIN
from drives.capacity import availability
from drives.domain.message_kinds import ScheduledKind
from drives.eligibility import queries as eligibility_queries
from drives.eligibility.next_visit import NO_FOLLOW_UP, FollowUp
from drives.messaging import addressees, invitations, reminders, schedule
from drives.messaging import wording as messaging_wording
from drives.messaging.texts import booking_texts as texts_bookings
from drives.messaging.texts import next_visit_texts
from drives.messaging.texts.catalog import SHARED_TEXTS, CustomTexts
from drives.messaging.wording import BookingRenderer
from drives.models import Booking, BookingState, CancelledBy, Drive
from drives.web import links
from notifications import envelopes, kinds, outbox
from notifications.envelopes import Addressee
from notifications.kinds import MessageKind, Withdrawal
from notifications.message_content import Envelope, MessageContent, RenderedMessage
from notifications.models import Channel
from organizations import queries as organizations_queries

DONOR = "donor"  # the actor whose own act is told at any hour


def queue_confirmations(bookings: Sequence[Booking], now: datetime, *, is_own_action: bool = True) -> None:
    """Queue the confirmations with their calendar entries, and schedule the reminders, for bookings at one drive.

    Each donor gets an e-mail; donors of one party with one phone get one text. `is_own_action`: the donors just booked.
    """
    drive = bookings[0].drive
    _withdraw_invitations(bookings, now)
    plan, own = (
        schedule.load_drive_schedule(drive),
        schedule.load_custom_texts([drive.organization_id])[drive.organization_id],
    )
    way = plan[ScheduledKind.BOOKED].way
    own_acts = {booking.pk for booking in bookings if is_own_action}
    told = _build_notices(
        bookings, kinds.BOOKED, texts_bookings.render_booked, own, now, channels=way, own_action_ids=own_acts
    )
    outbox.queue_messages(organization=drive.organization, messages=told, now=now)
    reminders.schedule_reminders(bookings, plan, now)


def queue_confirmation_again(booking: Booking, now: datetime) -> int:
    """The confirmation once more, for who lost it; asked for twice in a minute it comes once. How many were queued."""
    organization = booking.drive.organization
    own = schedule.load_custom_texts([organization.pk])[organization.pk]
    way = schedule.load_drive_schedule(booking.drive)[ScheduledKind.BOOKED].way
    mark = f"{booking.revision}/again-{int(now.timestamp()) // 60}"
    own_acts = {booking.pk}
    told = _build_notices(
        [booking],
        kinds.BOOKED,
        texts_bookings.render_booked,
        own,
        now,
        channels=way,
        key_suffix=mark,
        own_action_ids=own_acts,
    )
    return outbox.queue_messages(organization=organization, messages=told, now=now)


def queue_restored(booking: Booking, now: datetime) -> None:
    """As `booked`; the cancellation is not told any more, if it has not left."""
    _withdraw_older([booking], now)
    queue_confirmations([booking], now)


def queue_moved(bookings: Sequence[Booking], old_times: Mapping[int, datetime], now: datetime, *, actor: str) -> None:
    """Queue the messages about new times at one drive; `old` are the times before, by booking.

    Reminders of the old times are withdrawn and scheduled anew. Donors with one phone get one text.
    """
    drive = bookings[0].drive
    own = schedule.load_custom_texts([drive.organization_id])[drive.organization_id]
    for booking in bookings:
        _withdraw_older([booking], now)
    reminders.unrender_party_reminders(bookings)
    own_acts = {booking.pk for booking in bookings if actor == DONOR}
    told = _build_notices(
        bookings, kinds.MOVED, partial(_render_moved, old_times), own, now, own_action_ids=own_acts, old_times=old_times
    )
    outbox.queue_messages(organization=drive.organization, messages=told, now=now)
    reminders.schedule_reminders(bookings, schedule.load_drive_schedule(drive), now)


def queue_relocated(bookings: Sequence[Booking], now: datetime) -> None:
    """Tell donors of one drive and one new revision the new place; reminders of the old one are scheduled anew.

    A few statements, however many they are.
    """
    drive = bookings[0].drive
    own = schedule.load_custom_texts([drive.organization_id])[drive.organization_id]
    _withdraw_older(bookings, now)
    told = _build_notices(bookings, kinds.RELOCATED, texts_bookings.render_relocated, own, now)
    outbox.queue_messages(organization=drive.organization, messages=told, now=now)
    reminders.schedule_reminders(bookings, schedule.load_drive_schedule(drive), now)


def withdraw_all_messages(bookings: Sequence[Booking], now: datetime) -> None:
    """Withdraw all that is planned for cancelled bookings, and send nothing; the others of a party are reminded."""
    _withdraw_upcoming(bookings, now)
    reminders.unrender_party_reminders(bookings)


def queue_cancelled(bookings: Sequence[Booking], now: datetime) -> None:
    """Queue the messages about cancelled bookings at one drive, and withdraw all that was planned for them.

    Donors with one phone get one text. Coordinators are told close to the drive.
    """
    drive = bookings[0].drive
    own = schedule.load_custom_texts([drive.organization_id])[drive.organization_id]
    _withdraw_upcoming(bookings, now)
    reminders.unrender_party_reminders(bookings)
    own_acts = {booking.pk for booking in bookings if booking.cancelled_by == CancelledBy.DONOR}
    told = _build_notices(bookings, kinds.CANCELLED, texts_bookings.render_cancelled, own, now, own_action_ids=own_acts)
    outbox.queue_messages(organization=drive.organization, messages=told, now=now)
    first = min(bookings, key=lambda booking: booking.starts_at)
    if first.starts_at - now < CANCELLATION_ALERT_WITHIN:
        wording = texts_bookings.render_cancellation_alert(
            first, availability.count_drive_spots_left(drive, now), build_drive_url(drive)
        )
        key = f"{first.about}/{kinds.ALERT_CANCELLATION.name}/{first.revision}"
        _queue_alert(drive, key, kinds.ALERT_CANCELLATION, wording, now)


def queue_drive_cancelled(bookings: Iterable[Booking], now: datetime) -> None:
    """To everybody with a place at a drive that does not take place: a few statements, however many they are."""
    rows = list(bookings)
    if not rows:
        return
    organization = rows[0].drive.organization
    own = schedule.load_custom_texts([organization.pk])[organization.pk]
    _withdraw_upcoming(rows, now)
    told = _build_notices(rows, kinds.DRIVE_CANCELLED, texts_bookings.render_drive_cancelled, own, now)
    outbox.queue_messages(organization=organization, messages=told, now=now)


def withdraw_invitations(drive: Drive, now: datetime) -> None:
    """Nobody is told any more that they could come to a drive."""
    outbox.withdraw_messages(abouts=[f"drive:{drive.pk}"], cause=Withdrawal.DRIVE_CANCELLED, now=now)


def queue_follow_ups(bookings: Iterable[Booking], now: datetime) -> None:
    """Thank those who came to a drive and miss those who did not, as its plan says; queued once per booking.

    Who gave is offered the times that are open and allowed at this moment. A fixed number of queries.
    """
    rows = list(bookings)
    if not rows:
        return
    drive = rows[0].drive
    plan, own = (
        schedule.load_drive_schedule(drive),
        schedule.load_custom_texts([drive.organization_id])[drive.organization_id],
    )
    missed = [booking for booking in rows if booking.state == BookingState.NO_SHOW]
    came = [booking for booking in rows if booking.state != BookingState.NO_SHOW]
    after = eligibility_queries.load_follow_ups(rows, now)
    told: list[RenderedMessage] = []
    for kind, word, group in (
        (kinds.THANK_YOU, partial(_render_thanks, after), came),
        (kinds.MISSED, texts_bookings.render_missed, missed),
    ):
        if plan[kind.name].on:
            told += _build_notices(group, kind, word, own, now, channels=plan[kind.name].way, key_suffix="once")
    outbox.queue_messages(organization=drive.organization, messages=told, now=now)


def queue_under_filled_alert(drive: Drive, booked_count: int, spots_left: int, now: datetime) -> None:
    """Tell the coordinators, once, that a drive is far from full a week before."""
    wording = texts_bookings.render_under_filled_alert(drive, booked_count, spots_left, build_drive_url(drive))
    kind = kinds.ALERT_UNDER_FILLED
    _queue_alert(drive, f"drive:{drive.pk}/{kind.name}", kind, wording, now)


def build_drive_url(drive: Drive) -> str:
    """The address of a drive's page for coordinators."""
    return links.build_absolute_url(reverse("organizer_drive", args=[drive.pk]))


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
    """One notice for each channel to each person.

    People of one party with one phone get one text, the first one's, in the words for several if the kind has them.
    `mark` stands in the key for the revision. `own_action_ids`: bookings that their donors changed. `old`: times
    before.
    """
    parties = _group_by_phone(bookings)
    told = []
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
                told.append(RenderedMessage(envelope, _render_for(group, render, custom_texts, envelope, kind)))
    return told


def _withdraw_older(bookings: Sequence[Booking], now: datetime) -> None:
    """Take back what was said of older revisions of bookings that have the same revision now."""
    abouts, revision = [booking.about for booking in bookings], bookings[0].revision
    outbox.withdraw_messages(abouts=abouts, cause=Withdrawal.REVISION, before_revision=revision, now=now)


def _withdraw_upcoming(bookings: Sequence[Booking], now: datetime) -> None:
    """Take back what was to be said of visits that will not be."""
    outbox.withdraw_messages(abouts=[booking.about for booking in bookings], cause=Withdrawal.CANCELLATION, now=now)


def _withdraw_invitations(bookings: Sequence[Booking], now: datetime) -> None:
    """Take back what invites these donors to the drive. No query for donors who are new: nothing was sent to them."""
    known = [one.volunteer for one in bookings if one.volunteer and one.volunteer.created_at < now]
    if known:
        recipients = [addressees.build_addressee(volunteer).name for volunteer in known]
        about = invitations.format_drive_about(bookings[0].drive)
        outbox.withdraw_messages(abouts=[about], recipients=recipients, cause=Withdrawal.BOOKED, now=now)


def _group_by_phone(bookings: Sequence[Booking]) -> Mapping[tuple[uuid.UUID | None, str], list[Booking]]:
    """The people of each party under the phone that they share, in the order in which they were booked."""
    found: dict[tuple[uuid.UUID | None, str], list[Booking]] = defaultdict(list)
    for booking in sorted(bookings, key=lambda booking: booking.pk):
        phone = booking.volunteer.phone if booking.volunteer else None
        if booking.party and phone:
            found[booking.party, phone.address].append(booking)
    return found


def _is_shared(envelope: Envelope, booking: Booking) -> bool:
    return envelope.channel == Channel.SMS and booking.party is not None


def _render_for(
    group: Sequence[Booking], render: BookingRenderer, custom_texts: CustomTexts, envelope: Envelope, kind: MessageKind
) -> MessageContent:
    if len(group) > 1 and kind.name in SHARED_TEXTS:
        return texts_bookings.call_in_language(
            envelope.language, lambda: texts_bookings.render_shared_text(kind.name, group)
        )
    return messaging_wording.render_booking_message(
        group[0], render, custom_texts, envelope.channel, kind.calendar_method
    )


def _render_thanks(
    after: Mapping[int, FollowUp], booking: Booking, channel: str, custom_texts: CustomTexts
) -> MessageContent:
    return next_visit_texts.render_thank_you(
        booking, channel, custom_texts, after.get(booking.volunteer_id or 0, NO_FOLLOW_UP)
    )


def _render_moved(
    old: Mapping[int, datetime], booking: Booking, channel: str, custom_texts: CustomTexts
) -> MessageContent:
    return texts_bookings.render_moved(booking, channel, old[booking.pk], custom_texts)


def _queue_alert(drive: Drive, key: str, kind: MessageKind, wording: MessageContent, now: datetime) -> None:
    told = [
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
    outbox.queue_messages(organization=drive.organization, messages=told, now=now)
