"""What is said when a booking changes: outbox rows in the same transaction as the change."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from django.urls import reverse

from drives.booking.rules import CLOSE_TO_DRIVE
from drives.capacity import availability
from drives.domain.message_kinds import PlannedKind, Way
from drives.eligibility import queries as eligibility_queries
from drives.eligibility.next_visit import NOTHING, AfterVisit
from drives.messaging import reminders, schedule
from drives.messaging import wording as messaging_wording
from drives.messaging.texts import bookings as texts_bookings
from drives.messaging.texts import next_visit
from drives.messaging.texts.catalog import Own
from drives.messaging.wording import Wording_
from drives.models import Booking, BookingState, CancelledBy, Drive
from drives.web import links
from notifications import outbox
from notifications.models import Channel, Purpose
from notifications.notice import Envelope, Notice, Wording
from organizations import queries as organizations_queries

ALERT_USEFUL_FOR = timedelta(days=1)
DONOR = "donor"  # the actor whose own act is told at any hour


def booked(booking: Booking, now: datetime) -> None:
    """The confirmation, the invitation with the mail, and the promises of reminders."""
    booked_together([booking], now)


def booked_together(bookings: Sequence[Booking], now: datetime) -> None:
    """As `booked`, to people of one drive: each gets a mail and a calendar entry, who share a phone one text."""
    drive = bookings[0].drive
    plan, own = schedule.drive_plan(drive), schedule.own_words([drive.organization_id])[drive.organization_id]
    way = plan[PlannedKind.BOOKED].way
    told = _to_all(bookings, "booked", texts_bookings.booked, own, now, method="REQUEST", way=way, shared="booked")
    outbox.queue(organization=drive.organization, notices=told, now=now)
    reminders.promise_all(bookings, plan, now)


def booked_again(booking: Booking, now: datetime) -> int:
    """The confirmation once more, for who lost it; asked for twice in a minute it comes once. How many were queued."""
    organization = booking.drive.organization
    own = schedule.own_words([organization.pk])[organization.pk]
    way = schedule.drive_plan(booking.drive)[PlannedKind.BOOKED].way
    told = _to_all([booking], "booked", texts_bookings.booked, own, now, method="REQUEST", way=way)
    mark = f"again-{int(now.timestamp()) // 60}"
    again = [replace(each, envelope=replace(each.envelope, key=f"{each.envelope.key}/{mark}")) for each in told]
    return outbox.queue(organization=organization, notices=again, now=now)


def moved(booking: Booking, old_starts_at: datetime, now: datetime, *, actor: str) -> None:
    """The new time; reminders of the old one are withdrawn and promised anew."""
    moved_together([booking], {booking.pk: old_starts_at}, now, actor=actor)


def moved_together(bookings: Sequence[Booking], old: Mapping[int, datetime], now: datetime, *, actor: str) -> None:
    """As `moved`, to people of one drive, with the time that each had; who share a phone get one text."""
    drive = bookings[0].drive
    own = schedule.own_words([drive.organization_id])[drive.organization_id]
    for booking in bookings:
        reminders.withdraw(booking, now)
    reminders.say_anew(bookings)
    quiet = set() if actor == DONOR else {one.pk for one in bookings if _may_wait(one, now, old[one.pk])}
    told = _to_all(bookings, "moved", partial(_moved, old), own, now, method="REQUEST", shared="moved", quiet=quiet)
    outbox.queue(organization=drive.organization, notices=told, now=now)
    reminders.promise_all(bookings, schedule.drive_plan(drive), now)


def relocated(bookings: Sequence[Booking], now: datetime) -> None:
    """The new place, to people of one drive who share a new revision; reminders of the old one are promised anew.

    A few statements, however many they are.
    """
    drive = bookings[0].drive
    own = schedule.own_words([drive.organization_id])[drive.organization_id]
    outbox.withdraw(abouts=[booking.about for booking in bookings], kinds=reminders.KINDS, now=now)
    quiet = {booking.pk for booking in bookings if _may_wait(booking, now)}
    told = _to_all(bookings, "relocated", texts_bookings.relocated, own, now, method="REQUEST", quiet=quiet)
    outbox.queue(organization=drive.organization, notices=told, now=now)
    reminders.promise_all(bookings, schedule.drive_plan(drive), now)


def cancelled(booking: Booking, now: datetime) -> None:
    """The cancellation; nothing planned for the booking leaves any more. Coordinators hear of it close to the drive."""
    cancelled_together([booking], now)


def silenced(booking: Booking, now: datetime) -> None:
    """Nothing planned for a cancelled booking leaves, and nobody hears of it; the others of its party are reminded."""
    outbox.withdraw(abouts=[booking.about], now=now)
    reminders.say_anew([booking])


def cancelled_together(bookings: Sequence[Booking], now: datetime) -> None:
    """As `cancelled`, to people of one drive: who share a phone get one text."""
    drive = bookings[0].drive
    own = schedule.own_words([drive.organization_id])[drive.organization_id]
    outbox.withdraw(abouts=[booking.about for booking in bookings], now=now)
    reminders.say_anew(bookings)
    others = [booking for booking in bookings if booking.cancelled_by != CancelledBy.DONOR]
    quiet = {booking.pk for booking in others if _may_wait(booking, now)}
    told = _to_all(
        bookings, "cancelled", texts_bookings.cancelled, own, now, method="CANCEL", shared="cancelled", quiet=quiet
    )
    outbox.queue(organization=drive.organization, notices=told, now=now)
    first = min(bookings, key=lambda booking: booking.starts_at)
    if first.starts_at - now < CLOSE_TO_DRIVE:
        wording = texts_bookings.cancellation_alert(first, availability.places_left(drive, now), desk(drive))
        _alert(drive, f"{first.about}/alert_cancellation/{first.revision}", "alert_cancellation", wording, now)


def drive_cancelled(bookings: Iterable[Booking], now: datetime) -> None:
    """To everybody with a place at a drive that does not take place: a few statements, however many they are."""
    rows = list(bookings)
    if not rows:
        return
    organization = rows[0].drive.organization
    own = schedule.own_words([organization.pk])[organization.pk]
    outbox.withdraw(abouts=[booking.about for booking in rows], now=now)
    quiet = {booking.pk for booking in rows if _may_wait(booking, now)}
    told = _to_all(rows, "drive_cancelled", texts_bookings.drive_cancelled, own, now, method="CANCEL", quiet=quiet)
    outbox.queue(organization=organization, notices=told, now=now)


def no_more_appeals(drive: Drive, now: datetime) -> None:
    """Nobody is told any more that they could come to a drive."""
    outbox.withdraw(abouts=[f"drive:{drive.pk}"], kinds=["appeal"], now=now)


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
        (PlannedKind.THANK_YOU, partial(_thanks, after), came),
        (PlannedKind.MISSED, texts_bookings.missed, missed),
    ):
        if plan[kind].on:
            told += _to_all(group, kind, word, own, now, keeps_quiet_hours=True, once=True, way=plan[kind].way)
    outbox.queue(organization=drive.organization, notices=told, now=now)


def under_filled(drive: Drive, booked_count: int, places_left: int, now: datetime) -> None:
    """Tell the coordinators, once, that a drive is far from full a week before."""
    wording = texts_bookings.under_filled_alert(drive, booked_count, places_left, desk(drive))
    _alert(drive, f"drive:{drive.pk}/alert_under_filled", "alert_under_filled", wording, now)


def desk(drive: Drive) -> str:
    """The address of a drive's page for coordinators."""
    return links.absolute(reverse("organizer_drive", args=[drive.pk]))


def _to_all(
    bookings: Sequence[Booking],
    kind: str,
    word: Wording_,
    own: Own,
    now: datetime,
    *,
    method: str = "",
    keeps_quiet_hours: bool = False,
    once: bool = False,
    way: str = Way.BOTH,
    shared: str = "",
    quiet: Collection[int] = (),
) -> list[Notice]:
    """One notice for each way to reach each person; texts need consent, which the gate judges when they leave.

    `quiet`: the bookings of which a text does not leave in quiet hours; for a mail that wakes nobody there are none.
    People of one party who share a phone get one text, the first one's, in the words for several that `shared` names.
    """
    parties = _by_phone(bookings)
    told = []
    for booking in bookings:
        for sealed in _envelopes(booking, kind, now, keeps_quiet_hours=keeps_quiet_hours, once=once, way=way):
            waits = booking.pk in quiet and sealed.channel == Channel.SMS
            envelope = replace(sealed, keeps_quiet_hours=True) if waits else sealed
            group = parties[booking.party, envelope.address] if _is_shared(envelope, booking) else [booking]
            if group[0] is booking:
                told.append(Notice(envelope, _worded_for(group, word, own, envelope, method, shared)))
    return told


def _may_wait(booking: Booking, now: datetime, old_starts_at: datetime | None = None) -> bool:
    """Whether somebody else's act may be told in the morning: news of a visit of that morning may not."""
    visit = min(booking.starts_at, old_starts_at or booking.starts_at)
    return schedule.quiet_hours(booking.drive).may_wait(now, visit)


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


def _worded_for(
    group: Sequence[Booking], word: Wording_, own: Own, envelope: Envelope, method: str, shared: str
) -> Wording:
    if len(group) > 1 and shared:
        return texts_bookings.in_language(envelope.language, lambda: texts_bookings.together(shared, group))
    return messaging_wording.worded(group[0], word, own, envelope.channel, method)


def _thanks(after: Mapping[int, AfterVisit], booking: Booking, channel: str, own: Own) -> Wording:
    return next_visit.thank_you(booking, channel, own, after.get(booking.volunteer_id or 0, NOTHING))


def _moved(old: Mapping[int, datetime], booking: Booking, channel: str, own: Own) -> Wording:
    return texts_bookings.moved(booking, channel, old[booking.pk], own)


def _envelopes(
    booking: Booking, kind: str, now: datetime, *, keeps_quiet_hours: bool, once: bool, way: str
) -> Iterable[Envelope]:
    for channel, address in reminders.channels(booking.volunteer, way):
        revision = "once" if once else str(booking.revision)
        yield Envelope(
            key=f"{booking.about}/{kind}/{revision}/{channel}",
            kind=kind,
            about=booking.about,
            channel=channel,
            address=address,
            recipient=reminders.recipient(booking),
            revision=booking.revision,
            # Mail about one's own booking needs no yes; thanks and "we missed you" heed a no.
            purpose=Purpose.REMINDERS if channel == Channel.SMS or keeps_quiet_hours else "",
            language=booking.volunteer.language if booking.volunteer else "en",
            zone=booking.drive.site.timezone,
            keeps_quiet_hours=keeps_quiet_hours,
            due_at=now,
            expires_at=max(booking.starts_at, now) + timedelta(days=1),
        )


def _alert(drive: Drive, key: str, kind: str, wording: Wording, now: datetime) -> None:
    told = [
        Notice(
            Envelope(
                key=f"{key}/{position}",
                kind=kind,
                about=f"drive:{drive.pk}",
                channel=Channel.EMAIL,
                address=address,
                due_at=now,
                expires_at=now + ALERT_USEFUL_FOR,
            ),
            wording,
        )
        for position, address in enumerate(organizations_queries.coordinator_emails(drive.organization))
    ]
    outbox.queue(organization=drive.organization, notices=told, now=now)
