"""Preview, send and stop broadcasts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from drives.messaging import broadcast_queries, rules, schedule
from drives.messaging.broadcast_queries import Audience, BroadcastPrice, BroadcastReach, Recipient
from drives.messaging.texts import booking_texts, broadcast_texts
from drives.models import Broadcast, BroadcastKind, Drive, DriveState
from notifications import envelopes, outbox
from notifications import rules as notifications_rules
from notifications.kinds import KINDS, Withdrawal
from notifications.message_content import Envelope, MessageContent, RenderedMessage
from notifications.models import Channel, Purpose
from organizations import audit
from volunteers import addressees

BATCH_SIZE = 500


@dataclass(frozen=True)
class BroadcastDraft:
    texts: Mapping[str, str]
    audience: Audience
    purpose: str


@dataclass(frozen=True)
class BroadcastPreview:
    reach: BroadcastReach
    messages: list[tuple[Recipient, MessageContent]]
    price: BroadcastPrice

    @property
    def recipient_count(self) -> int:
        return len(self.reach.reached)

    @property
    def text_count(self) -> int:
        return self._count_messages(Channel.SMS)

    @property
    def email_count(self) -> int:
        return self._count_messages(Channel.EMAIL)

    @property
    def message_count(self) -> int:
        return self.text_count + self.email_count

    def _count_messages(self, channel: str) -> int:
        return sum(recipient.channel == channel for recipient, _content in self.messages if not recipient.reason)


def preview_broadcast(*, drive: Drive, draft: BroadcastDraft) -> BroadcastPreview:
    return _preview(_build_broadcast(drive, draft), draft.audience)


def reasons_not_to_send_broadcast(
    *, drive: Drive, draft: BroadcastDraft, now: datetime
) -> dict[str, list[ValidationError]]:
    problems: dict[str, list[ValidationError]] = {}
    for language, typed in draft.texts.items():
        with_language = partial(broadcast_texts.list_broadcast_problems, typed, drive.organization)
        if found := booking_texts.call_in_language(language, with_language):
            problems[f"text_{language}"] = found
    if not draft.audience.states:
        problems["states"] = [ValidationError(_("Choose who gets this message."), code="no_recipients")]
    elif draft.purpose == Purpose.REMINDERS and not broadcast_queries.may_concern_visit(drive, draft.audience, now):
        detail = _(
            "Some of the people you chose have no "
            "upcoming visit. Send this as "
            "news, which goes only to people who agreed to news."
        )
        problems["purpose"] = [ValidationError(detail, code="no_visit_ahead")]
    return problems


@transaction.atomic
def send_broadcast(
    *, drive: Drive, draft: BroadcastDraft, typed_count: int, request_key: str, actor: str, now: datetime
) -> Broadcast:
    """Queue a broadcast. Its messages wait for two minutes, so that a coordinator can stop the broadcast.

    A second call with the same `request_key` returns the first broadcast. Refuses a draft with problems, an audience
    without a reachable donor, and a `typed_count` that differs from the number of reachable donors. Locks: the drive's
    row.
    """
    _lock_drive_row(drive)
    if existing := Broadcast.objects.filter(drive=drive, request_key=request_key).first():
        return existing
    if problems := reasons_not_to_send_broadcast(drive=drive, draft=draft, now=now):
        raise ValidationError(problems)
    broadcast = _build_broadcast(drive, draft)
    preview = _preview(broadcast, draft.audience)
    if not preview.recipient_count:
        raise ValidationError(_("We can’t reach any of these people."), code="none_reachable")
    if typed_count != preview.recipient_count:
        detail = _("This will go to %(count)s people. Type this number to confirm.") % {
            "count": preview.recipient_count
        }
        raise ValidationError({"typed_count": ValidationError(detail, code="count_differs")})
    return _save_and_queue(broadcast, preview, request_key, actor, rules.UNDO_BROADCAST_WITHIN, now)


@transaction.atomic
def send_late_notice(*, drive: Drive, minutes: int, request_key: str, actor: str, now: datetime) -> Broadcast:
    """Notify donors that the drive is running late. Quiet hours do not apply.

    The notice goes to donors who are not checked in and have an arrival in the next 3 hours or the last 30 minutes.

    Refuses:
    - a number of minutes that is not one of the choices
    - a drive that is not running now
    - another notice within ten minutes
    - an empty audience

    Locks: the drive's row.
    """
    _lock_drive_row(drive)
    if existing := Broadcast.objects.filter(drive=drive, request_key=request_key).first():
        return existing
    # Look for the key first, so that a second tap shows the first notice instead of a refusal.
    _refuse_late_notice(drive, minutes, now)
    draft = BroadcastDraft({}, broadcast_queries.build_late_audience(now), Purpose.REMINDERS)
    broadcast = _build_broadcast(drive, draft, kind=BroadcastKind.LATE, minutes=minutes)
    preview = _preview(broadcast, draft.audience)
    if not preview.reach.recipients:
        raise ValidationError(_("No one is due in the next three hours."), code="none_due")
    return _save_and_queue(broadcast, preview, request_key, actor, rules.UNDO_LATE_NOTICE_WITHIN, now)


@transaction.atomic
def stop_broadcast(*, broadcast: Broadcast, actor: str, now: datetime) -> int:
    """Withdraw the unsent messages of a broadcast. Return their number. Locks: the broadcast."""
    locked = Broadcast.objects.select_for_update(no_key=True, of=("self",)).select_related("drive__organization")
    row = locked.get(pk=broadcast.pk)
    # The keys of a broadcast's messages all start with `about`.
    count = outbox.withdraw_messages_by_key(
        key_prefix=f"{row.about}/", cause=Withdrawal.STOPPED, now=now, reason="stopped"
    )
    if count:
        row.stopped_at, row.stopped_by, row.stopped_count = now, actor, row.stopped_count + count
        row.save(update_fields=["stopped_at", "stopped_by", "stopped_count"])
        organization = row.drive.organization
        audit.add_audit_entry(
            organization=organization, actor=actor, verb="broadcast.stopped", about=row.about, now=now
        )
    return count


def _refuse_late_notice(drive: Drive, minutes: int, now: datetime) -> None:
    if minutes not in rules.LATE_MINUTES:
        raise ValidationError(_("Choose how late you are running."), code="minutes_unknown")
    if drive.state not in (DriveState.PUBLISHED, DriveState.CLOSED) or not _is_running_today(drive, now):
        raise ValidationError(_("This drive is not in progress right now."), code="drive_not_today")
    last = broadcast_queries.find_last_late_notice(drive, now, rules.REPEAT_LATE_NOTICE_AFTER)
    if last and last.minutes == minutes:
        detail = _("You just told people that you’re running about %(minutes)s minutes late.")
        raise ValidationError(detail % {"minutes": minutes}, code="said_lately")


def _is_running_today(drive: Drive, now: datetime) -> bool:
    return now < drive.ends_at and now.astimezone(drive.site.zone).date() == drive.day


def _lock_drive_row(drive: Drive) -> None:
    """Lock the drive's row, so that only one broadcast at a time is sent. New bookings do not wait for this lock."""
    Drive.objects.select_for_update(no_key=True).get(pk=drive.pk)


def _build_broadcast(
    drive: Drive, draft: BroadcastDraft, kind: str = BroadcastKind.MESSAGE, minutes: int | None = None
) -> Broadcast:
    return Broadcast(
        drive=drive,
        kind=kind,
        minutes=minutes,
        purpose=draft.purpose,
        texts=dict(draft.texts),
        states=[str(state) for state in draft.audience.states],
        from_at=draft.audience.from_at,
        until_at=draft.audience.until_at,
    )


def _preview(broadcast: Broadcast, audience: Audience) -> BroadcastPreview:
    reach = broadcast_queries.load_broadcast_reach(broadcast.drive, audience, broadcast.purpose)
    # Also queue messages to donors who cannot be reached. The messages will be blocked, so these donors appear on
    # the call list. For news, no call is needed.
    recipients = reach.recipients if broadcast.purpose == Purpose.REMINDERS else reach.reached
    contents = list(_render_messages(broadcast, recipients))
    texts = [
        content.text for recipient, content in contents if recipient.channel == Channel.SMS and not recipient.reason
    ]
    return BroadcastPreview(reach, contents, broadcast_queries.compute_price(broadcast.drive, texts))


def _render_messages(
    broadcast: Broadcast, recipients: Iterable[Recipient]
) -> Iterable[tuple[Recipient, MessageContent]]:
    """Render each recipient's text. People who share a contact get the same text only once."""
    seen: set[tuple[str, str]] = set()
    for recipient in recipients:
        language = recipient.booking.volunteer.language if recipient.booking.volunteer else "en"
        content = booking_texts.call_in_language(
            language, partial(broadcast_texts.render_broadcast, broadcast, recipient.booking, recipient.channel)
        )
        if (recipient.address, content.text) not in seen:
            seen.add((recipient.address, content.text))
            yield recipient, content


def _save_and_queue(
    broadcast: Broadcast, preview: BroadcastPreview, request_key: str, actor: str, undo: timedelta, now: datetime
) -> Broadcast:
    broadcast.people_count, broadcast.unreached_count = preview.recipient_count, len(preview.reach.unreached)
    broadcast.text_count, broadcast.email_count = preview.text_count, preview.email_count
    broadcast.cost, broadcast.currency = preview.price.cost, preview.price.currency
    broadcast.request_key, broadcast.actor = request_key, actor
    broadcast.created_at, broadcast.due_at = now, now + undo
    broadcast.save()
    rendered = [
        RenderedMessage(envelope, content)
        for recipient, content in preview.messages
        for envelope in _build_envelopes(broadcast, recipient)
    ]
    _queue(broadcast, rendered, now)
    organization = broadcast.drive.organization
    audit.add_audit_entry(organization=organization, actor=actor, verb="broadcast.sent", about=broadcast.about, now=now)
    return broadcast


def _queue(broadcast: Broadcast, rendered: Sequence[RenderedMessage], now: datetime) -> None:
    organization = broadcast.drive.organization
    # Batches keep each INSERT small.
    for start in range(0, len(rendered), BATCH_SIZE):
        outbox.queue_messages(organization=organization, messages=rendered[start : start + BATCH_SIZE], now=now)


def _build_envelopes(broadcast: Broadcast, recipient: Recipient) -> Sequence[Envelope]:
    booking = recipient.booking
    about_visit = broadcast.purpose == Purpose.REMINDERS
    return envelopes.build_envelopes(
        KINDS[broadcast.kind],
        replace(addressees.build_addressee(booking.volunteer), contacts=[(recipient.channel, recipient.address)]),
        key=f"{broadcast.about}/volunteer:{booking.volunteer_id}",
        about=booking.about,
        due_at=broadcast.due_at,
        revision=booking.revision,
        quiet_hours=schedule.build_quiet_hours(booking.drive),
        # News has a fixed lifetime, because it is not about a visit.
        useful_until=_compute_useful_until(broadcast, recipient)
        if about_visit
        else broadcast.due_at + rules.NEWS_USEFUL_FOR,
        consent=Purpose.NEWS if broadcast.purpose == Purpose.NEWS else "",
    )


def _compute_useful_until(broadcast: Broadcast, recipient: Recipient) -> datetime:
    if broadcast.kind == BroadcastKind.LATE:
        return max(recipient.booking.starts_at, broadcast.due_at) + timedelta(minutes=broadcast.minutes or 0)
    return max(recipient.booking.starts_at, broadcast.due_at + notifications_rules.USEFUL_AT_LEAST)
