"""One message to many people of a drive: sent after a moment in which it can be stopped, never to who said stop."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from drives.messaging import addressees, broadcast_queries, schedule
from drives.messaging.broadcast_queries import Audience, Price, Reach, Recipient
from drives.messaging.texts import bookings, broadcasts
from drives.models import Broadcast, BroadcastKind, Drive, DriveState
from notifications import envelopes, outbox
from notifications.kinds import KINDS, Withdrawal
from notifications.models import Channel, Purpose
from notifications.notice import Envelope, Notice, Wording
from organizations import audit

UNDO_WITHIN = timedelta(minutes=2)
UNDO_LATE_WITHIN = timedelta(seconds=30)  # it is urgent, and the button is easily pressed by mistake
SAID_LATELY = timedelta(minutes=10)
NEWS_USEFUL_FOR = timedelta(days=3)
ROWS_AT_ONCE = 500


@dataclass(frozen=True)
class Draft:
    """What is to be said to whom: words by language, the audience, and the consent it needs."""

    texts: Mapping[str, str]
    audience: Audience
    purpose: str


@dataclass(frozen=True)
class Preview:
    """What a draft would do now: who gets what through which way, and what it costs."""

    reach: Reach
    notices: list[tuple[Recipient, Wording]]
    price: Price

    @property
    def count(self) -> int:
        """People who would get it: what has to be typed to send it."""
        return len(self.reach.reached)


def preview(*, drive: Drive, draft: Draft) -> Preview:
    """Everything that is shown before sending. Writes nothing."""
    return _preview(_unsaved(drive, draft), draft.audience)


def reasons_not_to_send(*, drive: Drive, draft: Draft, now: datetime) -> dict[str, list[ValidationError]]:
    """What is wrong with a draft, by field; empty if it can go out."""
    found: dict[str, list[ValidationError]] = {}
    for language, typed in draft.texts.items():
        with_language = partial(broadcasts.problems, typed, drive.organization)
        if problems := bookings.in_language(language, with_language):
            found[f"text_{language}"] = problems
    if not draft.audience.states:
        found["states"] = [ValidationError(_("Choose whom it is for."), code="nobody_chosen")]
    elif draft.purpose == Purpose.REMINDERS and not broadcast_queries.may_be_about_the_visit(
        drive, draft.audience, now
    ):
        detail = _("Not everybody chosen has a visit ahead. Then it is news, which only goes to who agreed to news.")
        found["purpose"] = [ValidationError(detail, code="no_visit_ahead")]
    return found


@transaction.atomic
def send(*, drive: Drive, draft: Draft, typed_count: int, request_key: str, actor: str, now: datetime) -> Broadcast:
    """Queue a message to many, to leave in two minutes; the same `request_key` twice is one.

    `typed_count` is the number of people that the sender typed: refused if it is not the present one. Texts need
    consent, which the gate judges once more. Locks: the drive's row.
    """
    _lock(drive)
    if sent := Broadcast.objects.filter(drive=drive, request_key=request_key).first():
        return sent
    if problems := reasons_not_to_send(drive=drive, draft=draft, now=now):
        raise ValidationError(problems)
    broadcast = _unsaved(drive, draft)
    found = _preview(broadcast, draft.audience)
    if not found.count:
        raise ValidationError(_("Nobody of these can be reached."), code="nobody_reached")
    if typed_count != found.count:
        detail = _("It would go to %(count)s people. Type this number.") % {"count": found.count}
        raise ValidationError({"typed_count": ValidationError(detail, code="count_differs")})
    return _send(broadcast, found, request_key, actor, UNDO_WITHIN, now)


@transaction.atomic
def run_late(*, drive: Drive, minutes: int, request_key: str, actor: str, now: datetime) -> Broadcast:
    """Tell everybody who is due in the next hours and not yet in that the drive runs late. Exempt from quiet hours.

    Refuses another number of minutes than those offered, a drive that is not running, the same word within ten
    minutes, and when nobody is due. Locks: the drive's row.
    """
    _lock(drive)
    if sent := Broadcast.objects.filter(drive=drive, request_key=request_key).first():
        return sent
    _refuse_late(drive, minutes, now)
    draft = Draft({}, broadcast_queries.late_audience(now), Purpose.REMINDERS)
    broadcast = _unsaved(drive, draft, kind=BroadcastKind.LATE, minutes=minutes)
    found = _preview(broadcast, draft.audience)
    if not found.reach.recipients:
        raise ValidationError(_("Nobody is due in the next three hours."), code="nobody_due")
    return _send(broadcast, found, request_key, actor, UNDO_LATE_WITHIN, now)


@transaction.atomic
def stop(*, broadcast: Broadcast, actor: str, now: datetime) -> int:
    """Take back what has not left; return how many messages. Locks: the broadcast."""
    locked = Broadcast.objects.select_for_update(no_key=True, of=("self",)).select_related("drive__organization")
    found = locked.get(pk=broadcast.pk)
    count = outbox.withdraw_keys(beginning=f"{found.about}/", cause=Withdrawal.STOPPED, now=now, reason="stopped")
    if count:
        found.stopped_at, found.stopped_by, found.stopped_count = now, actor, found.stopped_count + count
        found.save(update_fields=["stopped_at", "stopped_by", "stopped_count"])
        organization = found.drive.organization
        audit.note(organization=organization, actor=actor, verb="broadcast.stopped", about=found.about, now=now)
    return count


def _refuse_late(drive: Drive, minutes: int, now: datetime) -> None:
    if minutes not in broadcasts.LATE_MINUTES:
        raise ValidationError(_("Choose how late you are."), code="minutes_unknown")
    if drive.state not in (DriveState.PUBLISHED, DriveState.CLOSED) or not _is_its_day(drive, now):
        raise ValidationError(_("This drive is not running now."), code="drive_not_today")
    said = broadcast_queries.last_late(drive, now, SAID_LATELY)
    if said and said.minutes == minutes:
        detail = _("Everybody was told a moment ago that you are about %(minutes)s minutes late.")
        raise ValidationError(detail % {"minutes": minutes}, code="said_lately")


def _is_its_day(drive: Drive, now: datetime) -> bool:
    return now < drive.ends_at and now.astimezone(drive.site.zone).date() == drive.on


def _lock(drive: Drive) -> None:
    """One message to many of a drive at a time. Bookings go on: they only refer to the row."""
    Drive.objects.select_for_update(no_key=True).get(pk=drive.pk)


def _unsaved(drive: Drive, draft: Draft, kind: str = BroadcastKind.MESSAGE, minutes: int | None = None) -> Broadcast:
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


def _preview(broadcast: Broadcast, audience: Audience) -> Preview:
    found = broadcast_queries.reach(broadcast.drive, audience, broadcast.purpose)
    # A call list needs those whom a word about their visit cannot reach; the gate says why. Nobody is called for news.
    meant = found.recipients if broadcast.purpose == Purpose.REMINDERS else found.reached
    worded = list(_worded(broadcast, meant))
    texts = [wording.text for one, wording in worded if one.channel == Channel.SMS and not one.reason]
    return Preview(found, worded, broadcast_queries.price(broadcast.drive, texts))


def _worded(broadcast: Broadcast, recipients: Iterable[Recipient]) -> Iterable[tuple[Recipient, Wording]]:
    """Everybody's own words; a family on one phone gets the same words once."""
    said: set[tuple[str, str]] = set()
    for one in recipients:
        language = one.booking.volunteer.language if one.booking.volunteer else "en"
        wording = bookings.in_language(language, partial(broadcasts.worded, broadcast, one.booking, one.channel))
        if (one.address, wording.text) not in said:
            said.add((one.address, wording.text))
            yield one, wording


def _send(
    broadcast: Broadcast, found: Preview, request_key: str, actor: str, undo: timedelta, now: datetime
) -> Broadcast:
    broadcast.people_count, broadcast.unreached_count = found.count, len(found.reach.unreached)
    sent = [one for one, _wording in found.notices if not one.reason]
    broadcast.text_count = sum(one.channel == Channel.SMS for one in sent)
    broadcast.mail_count = sum(one.channel == Channel.EMAIL for one in sent)
    broadcast.cost, broadcast.currency = found.price.cost, found.price.currency
    broadcast.request_key, broadcast.actor = request_key, actor
    broadcast.created_at, broadcast.due_at = now, now + undo
    broadcast.save()
    told = [Notice(envelope, wording) for one, wording in found.notices for envelope in _envelopes(broadcast, one)]
    _queue(broadcast, told, now)
    organization = broadcast.drive.organization
    audit.note(organization=organization, actor=actor, verb="broadcast.sent", about=broadcast.about, now=now)
    return broadcast


def _queue(broadcast: Broadcast, told: Sequence[Notice], now: datetime) -> None:
    organization = broadcast.drive.organization
    for start in range(0, len(told), ROWS_AT_ONCE):
        outbox.queue(organization=organization, notices=told[start : start + ROWS_AT_ONCE], now=now)


def _envelopes(broadcast: Broadcast, one: Recipient) -> Sequence[Envelope]:
    booking = one.booking
    about_visit = broadcast.purpose == Purpose.REMINDERS
    return envelopes.make(
        KINDS[broadcast.kind],
        replace(addressees.of(booking.volunteer), contacts=[(one.channel, one.address)]),
        key=f"{broadcast.about}/volunteer:{booking.volunteer_id}",
        about=booking.about,
        due_at=broadcast.due_at,
        revision=booking.revision,
        quiet=schedule.quiet_hours(booking.drive),
        useful_until=_useful_until(broadcast, one) if about_visit else broadcast.due_at + NEWS_USEFUL_FOR,
        consent=broadcast.purpose,
    )


def _useful_until(broadcast: Broadcast, one: Recipient) -> datetime:
    """A word about a visit is useless once it has begun; that of a delay until the drive has caught up."""
    if broadcast.kind == BroadcastKind.LATE:
        return max(one.booking.starts_at, broadcast.due_at) + timedelta(minutes=broadcast.minutes or 0)
    return max(one.booking.starts_at, broadcast.due_at + envelopes.USEFUL_AT_LEAST)
