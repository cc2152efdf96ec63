"""One message to many people of a drive: sent after a moment in which it can be stopped, never to who said stop."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from drives.messaging import addressees, broadcast_queries, schedule
from drives.messaging.broadcast_queries import Audience, BroadcastPrice, BroadcastReach, Recipient
from drives.messaging.texts import booking_texts, broadcast_texts
from drives.models import Broadcast, BroadcastKind, Drive, DriveState
from notifications import envelopes, outbox
from notifications.kinds import KINDS, Withdrawal
from notifications.message_content import Envelope, MessageContent, RenderedMessage
from notifications.models import Channel, Purpose
from organizations import audit

UNDO_WITHIN = timedelta(minutes=2)
UNDO_LATE_WITHIN = timedelta(seconds=30)  # it is urgent, and the button is easily pressed by mistake
REPEAT_LATE_AFTER = timedelta(minutes=10)
NEWS_USEFUL_FOR = timedelta(days=3)
BATCH_SIZE = 500


@dataclass(frozen=True)
class BroadcastDraft:
    """What is to be said to whom: words by language, the audience, and the consent it needs."""

    texts: Mapping[str, str]
    audience: Audience
    purpose: str


@dataclass(frozen=True)
class BroadcastPreview:
    """What a draft would do now: who gets what through which way, and what it costs."""

    reach: BroadcastReach
    notices: list[tuple[Recipient, MessageContent]]
    price: BroadcastPrice

    @property
    def count(self) -> int:
        """People who would get it: what has to be typed to send it."""
        return len(self.reach.reached)


def preview_broadcast(*, drive: Drive, draft: BroadcastDraft) -> BroadcastPreview:
    """Everything that is shown before sending. Writes nothing."""
    return _preview(_build_broadcast(drive, draft), draft.audience)


def reasons_not_to_send_broadcast(
    *, drive: Drive, draft: BroadcastDraft, now: datetime
) -> dict[str, list[ValidationError]]:
    """What is wrong with a draft, by field; empty if it can go out."""
    found: dict[str, list[ValidationError]] = {}
    for language, typed in draft.texts.items():
        with_language = partial(broadcast_texts.list_broadcast_problems, typed, drive.organization)
        if problems := booking_texts.call_in_language(language, with_language):
            found[f"text_{language}"] = problems
    if not draft.audience.states:
        found["states"] = [ValidationError(_("Choose whom it is for."), code="nobody_chosen")]
    elif draft.purpose == Purpose.REMINDERS and not broadcast_queries.may_concern_visit(drive, draft.audience, now):
        detail = _("Not everybody chosen has a visit ahead. Then it is news, which only goes to who agreed to news.")
        found["purpose"] = [ValidationError(detail, code="no_visit_ahead")]
    return found


@transaction.atomic
def send_broadcast(
    *, drive: Drive, draft: BroadcastDraft, typed_count: int, request_key: str, actor: str, now: datetime
) -> Broadcast:
    """Queue a message to many, to leave in two minutes; the same `request_key` twice is one.

    `typed_count` is the number of people that the sender typed: refused if it is not the present one. Texts need
    consent, which the gate judges once more. Locks: the drive's row.
    """
    _lock_drive_row(drive)
    if sent := Broadcast.objects.filter(drive=drive, request_key=request_key).first():
        return sent
    if problems := reasons_not_to_send_broadcast(drive=drive, draft=draft, now=now):
        raise ValidationError(problems)
    broadcast = _build_broadcast(drive, draft)
    found = _preview(broadcast, draft.audience)
    if not found.count:
        raise ValidationError(_("Nobody of these can be reached."), code="nobody_reached")
    if typed_count != found.count:
        detail = _("It would go to %(count)s people. Type this number.") % {"count": found.count}
        raise ValidationError({"typed_count": ValidationError(detail, code="count_differs")})
    return _save_and_queue(broadcast, found, request_key, actor, UNDO_WITHIN, now)


@transaction.atomic
def send_late_notice(*, drive: Drive, minutes: int, request_key: str, actor: str, now: datetime) -> Broadcast:
    """Tell everybody who is due in the next hours and not yet in that the drive runs late. Exempt from quiet hours.

    Refuses another number of minutes than those offered, a drive that is not running, the same word within ten
    minutes, and when nobody is due. Locks: the drive's row.
    """
    _lock_drive_row(drive)
    if sent := Broadcast.objects.filter(drive=drive, request_key=request_key).first():
        return sent
    _refuse_late_notice(drive, minutes, now)
    draft = BroadcastDraft({}, broadcast_queries.build_late_audience(now), Purpose.REMINDERS)
    broadcast = _build_broadcast(drive, draft, kind=BroadcastKind.LATE, minutes=minutes)
    found = _preview(broadcast, draft.audience)
    if not found.reach.recipients:
        raise ValidationError(_("Nobody is due in the next three hours."), code="nobody_due")
    return _save_and_queue(broadcast, found, request_key, actor, UNDO_LATE_WITHIN, now)


@transaction.atomic
def stop_broadcast(*, broadcast: Broadcast, actor: str, now: datetime) -> int:
    """Take back what has not left; return how many messages. Locks: the broadcast."""
    locked = Broadcast.objects.select_for_update(no_key=True, of=("self",)).select_related("drive__organization")
    found = locked.get(pk=broadcast.pk)
    count = outbox.withdraw_messages_by_key(
        key_prefix=f"{found.about}/", cause=Withdrawal.STOPPED, now=now, reason="stopped"
    )
    if count:
        found.stopped_at, found.stopped_by, found.stopped_count = now, actor, found.stopped_count + count
        found.save(update_fields=["stopped_at", "stopped_by", "stopped_count"])
        organization = found.drive.organization
        audit.add_audit_entry(
            organization=organization, actor=actor, verb="broadcast.stopped", about=found.about, now=now
        )
    return count


def _refuse_late_notice(drive: Drive, minutes: int, now: datetime) -> None:
    if minutes not in broadcast_texts.LATE_MINUTES:
        raise ValidationError(_("Choose how late you are."), code="minutes_unknown")
    if drive.state not in (DriveState.PUBLISHED, DriveState.CLOSED) or not _is_running_today(drive, now):
        raise ValidationError(_("This drive is not running now."), code="drive_not_today")
    said = broadcast_queries.find_last_late_notice(drive, now, REPEAT_LATE_AFTER)
    if said and said.minutes == minutes:
        detail = _("Everybody was told a moment ago that you are about %(minutes)s minutes late.")
        raise ValidationError(detail % {"minutes": minutes}, code="said_lately")


def _is_running_today(drive: Drive, now: datetime) -> bool:
    return now < drive.ends_at and now.astimezone(drive.site.zone).date() == drive.on


def _lock_drive_row(drive: Drive) -> None:
    """One message to many of a drive at a time. Bookings go on: they only refer to the row."""
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
    found = broadcast_queries.load_broadcast_reach(broadcast.drive, audience, broadcast.purpose)
    # A call list needs those whom a word about their visit cannot reach; the gate says why. Nobody is called for news.
    meant = found.recipients if broadcast.purpose == Purpose.REMINDERS else found.reached
    worded = list(_render_messages(broadcast, meant))
    texts = [wording.text for one, wording in worded if one.channel == Channel.SMS and not one.reason]
    return BroadcastPreview(found, worded, broadcast_queries.compute_price(broadcast.drive, texts))


def _render_messages(
    broadcast: Broadcast, recipients: Iterable[Recipient]
) -> Iterable[tuple[Recipient, MessageContent]]:
    """Everybody's own words; a family on one phone gets the same words once."""
    said: set[tuple[str, str]] = set()
    for one in recipients:
        language = one.booking.volunteer.language if one.booking.volunteer else "en"
        wording = booking_texts.call_in_language(
            language, partial(broadcast_texts.render_broadcast, broadcast, one.booking, one.channel)
        )
        if (one.address, wording.text) not in said:
            said.add((one.address, wording.text))
            yield one, wording


def _save_and_queue(
    broadcast: Broadcast, found: BroadcastPreview, request_key: str, actor: str, undo: timedelta, now: datetime
) -> Broadcast:
    broadcast.people_count, broadcast.unreached_count = found.count, len(found.reach.unreached)
    sent = [one for one, _wording in found.notices if not one.reason]
    broadcast.text_count = sum(one.channel == Channel.SMS for one in sent)
    broadcast.email_count = sum(one.channel == Channel.EMAIL for one in sent)
    broadcast.cost, broadcast.currency = found.price.cost, found.price.currency
    broadcast.request_key, broadcast.actor = request_key, actor
    broadcast.created_at, broadcast.due_at = now, now + undo
    broadcast.save()
    told = [
        RenderedMessage(envelope, wording)
        for one, wording in found.notices
        for envelope in _build_envelopes(broadcast, one)
    ]
    _queue(broadcast, told, now)
    organization = broadcast.drive.organization
    audit.add_audit_entry(organization=organization, actor=actor, verb="broadcast.sent", about=broadcast.about, now=now)
    return broadcast


def _queue(broadcast: Broadcast, told: Sequence[RenderedMessage], now: datetime) -> None:
    organization = broadcast.drive.organization
    for start in range(0, len(told), BATCH_SIZE):
        outbox.queue_messages(organization=organization, messages=told[start : start + BATCH_SIZE], now=now)


def _build_envelopes(broadcast: Broadcast, one: Recipient) -> Sequence[Envelope]:
    booking = one.booking
    about_visit = broadcast.purpose == Purpose.REMINDERS
    return envelopes.build_envelopes(
        KINDS[broadcast.kind],
        replace(addressees.build_addressee(booking.volunteer), contacts=[(one.channel, one.address)]),
        key=f"{broadcast.about}/volunteer:{booking.volunteer_id}",
        about=booking.about,
        due_at=broadcast.due_at,
        revision=booking.revision,
        quiet_hours=schedule.build_quiet_hours(booking.drive),
        useful_until=_useful_until(broadcast, one) if about_visit else broadcast.due_at + NEWS_USEFUL_FOR,
        consent=broadcast.purpose,
    )


def _useful_until(broadcast: Broadcast, one: Recipient) -> datetime:
    """A word about a visit is useless once it has begun; that of a delay until the drive has caught up."""
    if broadcast.kind == BroadcastKind.LATE:
        return max(one.booking.starts_at, broadcast.due_at) + timedelta(minutes=broadcast.minutes or 0)
    return max(one.booking.starts_at, broadcast.due_at + envelopes.USEFUL_AT_LEAST)
