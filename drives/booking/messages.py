"""What is said when a booking changes: outbox rows in the same transaction as the change."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial

from django.urls import reverse

from drives.booking.rules import CLOSE_TO_DRIVE
from drives.capacity import availability
from drives.domain.message_kinds import PlannedKind
from drives.eligibility import queries as eligibility_queries
from drives.eligibility.next_visit import NOTHING, AfterVisit
from drives.messaging import addressees, invitations, reminders, schedule
from drives.messaging import wording as messaging_wording
from drives.messaging.texts import bookings as texts_bookings
from drives.messaging.texts import next_visit
from drives.messaging.texts.catalog import TOGETHER, Own
from drives.messaging.wording import Wording_
from drives.models import Booking, BookingState, CancelledBy, Drive
from drives.web import links
from notifications import envelopes, kinds, outbox
from notifications.envelopes import Addressee
from notifications.kinds import Kind, Withdrawal
from notifications.models import Channel
from notifications.notice import Envelope, Notice, Wording
from organizations import queries as organizations_queries

DONOR = "donor"  # the actor whose own act is told at any hour


def booked(bookings: Sequence[Booking], now: datetime, *, own_act: bool = True) -> None:
    """Queue the confirmations with their calendar entries, and schedule the reminders, for bookings at one drive.

    Each donor gets an e-mail; donors of one party with one phone get one text. `own_act`: the donors just booked.
    """
    drive = bookings[0].drive
    _withdraw_invitations(bookings, now)
    plan, own = schedule.drive_plan(drive), schedule.own_words([drive.organization_id])[drive.organization_id]
    way = plan[PlannedKind.BOOKED].way
    own_acts = {booking.pk for booking in bookings if own_act}
    told = _to_all(bookings, kinds.BOOKED, texts_bookings.booked, own, now, way=way, own_acts=own_acts)
    outbox.queue(organization=drive.organization, notices=told, now=now)
    reminders.schedule_all(bookings, plan, now)


def booked_again(booking: Booking, now: datetime) -> int:
    """The confirmation once more, for who lost it; asked for twice in a minute it comes once. How many were queued."""
    organization = booking.drive.organization
    own = schedule.own_words([organization.pk])[organization.pk]
    way = schedule.drive_plan(booking.drive)[PlannedKind.BOOKED].way
    mark = f"{booking.revision}/again-{int(now.timestamp()) // 60}"
    own_acts = {booking.pk}
    told = _to_all([booking], kinds.BOOKED, texts_bookings.booked, own, now, way=way, mark=mark, own_acts=own_acts)
    return outbox.queue(organization=organization, notices=told, now=now)


def restored(booking: Booking, now: datetime) -> None:
    """As `booked`; the cancellation is not told any more, if it has not left."""
    _withdraw_older([booking], now)
    booked([booking], now)


def moved(bookings: Sequence[Booking], old: Mapping[int, datetime], now: datetime, *, actor: str) -> None:
    """Queue the messages about new times at one drive; `old` are the times before, by booking.

    Reminders of the old times are withdrawn and scheduled anew. Donors with one phone get one text.
    """
    drive = bookings[0].drive
    own = schedule.own_words([drive.organization_id])[drive.organization_id]
    for booking in bookings:
        _withdraw_older([booking], now)
    reminders.say_anew(bookings)
    own_acts = {booking.pk for booking in bookings if actor == DONOR}
    told = _to_all(bookings, kinds.MOVED, partial(_moved, old), own, now, own_acts=own_acts, old=old)
    outbox.queue(organization=drive.organization, notices=told, now=now)
    reminders.schedule_all(bookings, schedule.drive_plan(drive), now)


def relocated(bookings: Sequence[Booking], now: datetime) -> None:
    """Tell donors of one drive and one new revision the new place; reminders of the old one are scheduled anew.

    A few statements, however many they are.
    """
    drive = bookings[0].drive
    own = schedule.own_words([drive.organization_id])[drive.organization_id]
    _withdraw_older(bookings, now)
    told = _to_all(bookings, kinds.RELOCATED, texts_bookings.relocated, own, now)
    outbox.queue(organization=drive.organization, notices=told, now=now)
    reminders.schedule_all(bookings, schedule.drive_plan(drive), now)


def silenced(bookings: Sequence[Booking], now: datetime) -> None:
    """Withdraw all that is planned for cancelled bookings, and send nothing; the others of a party are reminded."""
    _withdraw_ahead(bookings, now)
    reminders.say_anew(bookings)


def cancelled(bookings: Sequence[Booking], now: datetime) -> None:
    """Queue the messages about cancelled bookings at one drive, and withdraw all that was planned for them.

    Donors with one phone get one text. Coordinators are told close to the drive.
    """
    drive = bookings[0].drive
    own = schedule.own_words([drive.organization_id])[drive.organization_id]
    _withdraw_ahead(bookings, now)
    reminders.say_anew(bookings)
    own_acts = {booking.pk for booking in bookings if booking.cancelled_by == CancelledBy.DONOR}
    told = _to_all(bookings, kinds.CANCELLED, texts_bookings.cancelled, own, now, own_acts=own_acts)
    outbox.queue(organization=drive.organization, notices=told, now=now)
    first = min(bookings, key=lambda booking: booking.starts_at)
    if first.starts_at - now < CLOSE_TO_DRIVE:
        wording = texts_bookings.cancellation_alert(first, availability.places_left(drive, now), desk(drive))
        key = f"{first.about}/{kinds.ALERT_CANCELLATION.name}/{first.revision}"
        _alert(drive, key, kinds.ALERT_CANCELLATION, wording, now)


def drive_cancelled(bookings: Iterable[Booking], now: datetime) -> None:
    """To everybody with a place at a drive that does not take place: a few statements, however many they are."""
    rows = list(bookings)
    if not rows:
        return
    organization = rows[0].drive.organization
    own = schedule.own_words([organization.pk])[organization.pk]
    _withdraw_ahead(rows, now)
    told = _to_all(rows, kinds.DRIVE_CANCELLED, texts_bookings.drive_cancelled, own, now)
    outbox.queue(organization=organization, notices=told, now=now)


def no_more_appeals(drive: Drive, now: datetime) -> None:
    """Nobody is told any more that they could come to a drive."""
    outbox.withdraw(abouts=[f"drive:{drive.pk}"], cause=Withdrawal.DRIVE_CANCELLED, now=now)


def after_visit(bookings: Iterable[Booking], now: datetime) -> None:
    """Thank those who came to a drive and miss those who did not, as its plan says; queued once per booking.

    Who gave is offered the times that are open and allowed at this moment. A fixed number of queries.
    """
    rows = list(bookings)
    if not rows:
        return
    drive = rows[0].drive
    plan, own = schedule.drive_plan(drive), schedule.own_words([drive.organization_id])[drive.organization_id]
    missed = [booking for booking in rows if booking.state == BookingState.NO_SHOW]
    came = [booking for booking in rows if booking.state != BookingState.NO_SHOW]
    after = eligibility_queries.after_visits(rows, now)
    told: list[Notice] = []
    for kind, word, group in (
        (kinds.THANK_YOU, partial(_thanks, after), came),
        (kinds.MISSED, texts_bookings.missed, missed),
    ):
        if plan[kind.name].on:
            told += _to_all(group, kind, word, own, now, way=plan[kind.name].way, mark="once")
    outbox.queue(organization=drive.organization, notices=told, now=now)


def under_filled(drive: Drive, booked_count: int, places_left: int, now: datetime) -> None:
    """Tell the coordinators, once, that a drive is far from full a week before."""
    wording = texts_bookings.under_filled_alert(drive, booked_count, places_left, desk(drive))
    kind = kinds.ALERT_UNDER_FILLED
    _alert(drive, f"drive:{drive.pk}/{kind.name}", kind, wording, now)


def desk(drive: Drive) -> str:
    """The address of a drive's page for coordinators."""
    return links.absolute(reverse("organizer_drive", args=[drive.pk]))


def _to_all(
    bookings: Sequence[Booking],
    kind: Kind,
    word: Wording_,
    own: Own,
    now: datetime,
    *,
    way: str = "",
    mark: str = "",
    own_acts: Collection[int] = (),
    old: Mapping[int, datetime] | None = None,
) -> list[Notice]:
    """One notice for each channel to each person.

    People of one party with one phone get one text, the first one's, in the words for several if the kind has them.
    `mark` stands in the key for the revision. `own_acts`: bookings that their donors changed. `old`: times before.
    """
    parties = _by_phone(bookings)
    told = []
    for booking in bookings:
        for envelope in envelopes.make(
            kind,
            addressees.of(booking.volunteer),
            key=f"{booking.about}/{kind.name}/{mark or booking.revision}",
            about=booking.about,
            due_at=now,
            revision=booking.revision,
            quiet=schedule.quiet_hours(booking.drive),
            visit_at=booking.starts_at,
            old_visit_at=(old or {}).get(booking.pk),
            way=way,
            at_once=booking.pk in own_acts,
        ):
            group = parties[booking.party, envelope.address] if _is_shared(envelope, booking) else [booking]
            if group[0] is booking:
                told.append(Notice(envelope, _worded_for(group, word, own, envelope, kind)))
    return told


def _withdraw_older(bookings: Sequence[Booking], now: datetime) -> None:
    """Take back what was said of older revisions of bookings that have the same revision now."""
    abouts, revision = [booking.about for booking in bookings], bookings[0].revision
    outbox.withdraw(abouts=abouts, cause=Withdrawal.REVISION, before_revision=revision, now=now)


def _withdraw_ahead(bookings: Sequence[Booking], now: datetime) -> None:
    """Take back what was to be said of visits that will not be."""
    outbox.withdraw(abouts=[booking.about for booking in bookings], cause=Withdrawal.CANCELLATION, now=now)


def _withdraw_invitations(bookings: Sequence[Booking], now: datetime) -> None:
    """Take back what invites these donors to the drive. No query for donors who are new: nothing was sent to them."""
    known = [one.volunteer for one in bookings if one.volunteer and one.volunteer.created_at < now]
    if known:
        recipients = [addressees.of(volunteer).name for volunteer in known]
        about = invitations.about(bookings[0].drive)
        outbox.withdraw(abouts=[about], recipients=recipients, cause=Withdrawal.BOOKED, now=now)


def _by_phone(bookings: Sequence[Booking]) -> Mapping[tuple[uuid.UUID | None, str], list[Booking]]:
    """The people of each party under the phone that they share, in the order in which they were booked."""
    found: dict[tuple[uuid.UUID | None, str], list[Booking]] = defaultdict(list)
    for booking in sorted(bookings, key=lambda booking: booking.pk):
        phone = booking.volunteer.phone if booking.volunteer else None
        if booking.party and phone:
            found[booking.party, phone.address].append(booking)
    return found


def _is_shared(envelope: Envelope, booking: Booking) -> bool:
    return envelope.channel == Channel.SMS and booking.party is not None


def _worded_for(group: Sequence[Booking], word: Wording_, own: Own, envelope: Envelope, kind: Kind) -> Wording:
    if len(group) > 1 and kind.name in TOGETHER:
        return texts_bookings.in_language(envelope.language, lambda: texts_bookings.together(kind.name, group))
    return messaging_wording.worded(group[0], word, own, envelope.channel, kind.calendar_method)


def _thanks(after: Mapping[int, AfterVisit], booking: Booking, channel: str, own: Own) -> Wording:
    return next_visit.thank_you(booking, channel, own, after.get(booking.volunteer_id or 0, NOTHING))


def _moved(old: Mapping[int, datetime], booking: Booking, channel: str, own: Own) -> Wording:
    return texts_bookings.moved(booking, channel, old[booking.pk], own)


def _alert(drive: Drive, key: str, kind: Kind, wording: Wording, now: datetime) -> None:
    told = [
        Notice(envelope, wording)
        for position, address in enumerate(organizations_queries.coordinator_emails(drive.organization))
        for envelope in envelopes.make(
            kind,
            Addressee([(Channel.EMAIL, address)]),
            key=f"{key}/{position}",
            about=f"drive:{drive.pk}",
            due_at=now,
        )
    ]
    outbox.queue(organization=drive.organization, notices=told, now=now)
