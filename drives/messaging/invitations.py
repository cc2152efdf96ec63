"""Appeals: who agreed to news hears that they may give again, while a drive has a time for them."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby, islice

from django.db import transaction

from drives.capacity import availability, locks
from drives.domain import intervals
from drives.domain.message_kinds import PlannedKind
from drives.eligibility import history
from drives.eligibility import queries as eligibility_queries
from drives.eligibility.next_visit import NextVisit
from drives.eligibility.queries import Openings
from drives.messaging import addressees, invitation_audience, schedule
from drives.messaging.invitation_audience import Heard
from drives.messaging.texts import bookings, next_visit
from drives.messaging.texts.catalog import Own
from drives.models import Drive
from notifications import envelopes, kinds, outbox
from notifications.kinds import Way
from notifications.models import Channel, Message
from notifications.notice import Notice
from organizations.models import Organization
from volunteers.models import Volunteer

MOST = 2  # a month: what the words of the consent say
MONTH, APART = timedelta(days=31), timedelta(days=7)
SOONEST, LATEST = timedelta(days=1), timedelta(weeks=4)  # ahead of now: the times that are worth an appeal
USEFUL_FOR = timedelta(days=3)
AT_ONCE = 500

log = logging.getLogger(__name__)


def sweep(*, now: datetime) -> int:
    """Tell everybody who may give again, organization by organization; return how many messages were queued."""
    found = invitation_audience.with_drives(now + SOONEST, now + LATEST)
    return sum(_appeal_or_log(organization, now) for organization in found)


def _appeal_or_log(organization: Organization, now: datetime) -> int:
    """One organization that fails in a way nobody foresaw must not hold up the others."""
    try:
        return appeal(organization=organization, now=now)
    except Exception as error:
        log.error("appeals of organization %s: %s", organization.pk, type(error).__name__)
        return 0


def appeal(*, organization: Organization, now: datetime) -> int:
    """Queue an organization's appeals, some hundred people in each transaction; return how many were new.

    Nobody hears of one drive twice, of anything within a week, or more than twice a month: by what any address of
    theirs was sent, news by hand among it. In quiet hours of a drive's site nothing is said of it: a later round does.
    """
    occasion = _occasion(organization, now)
    queued, after = 0, 0
    while occasion.openings.drives:
        batch, after = _batch(occasion, after)
        queued += batch
        if not after:
            break
    return queued


@dataclass(frozen=True)
class _Occasion:
    """What an organization's round is about: its drives that want appeals and may be spoken of at this hour."""

    organization: Organization
    openings: Openings
    ways: dict[int, str]  # by drive
    own: Own
    now: datetime


def _occasion(organization: Organization, now: datetime) -> _Occasion:
    found = eligibility_queries.openings(organization, now + SOONEST, now + LATEST)
    plans = schedule.drive_plans(organization, [drive.pk for drive in found.drives])
    lines = {pk: plan[PlannedKind.APPEAL] for pk, plan in plans.items()}
    drives = [drive for drive in found.drives if lines[drive.pk].on and not schedule.quiet_hours(drive).is_quiet(now)]
    ways = {drive.pk: lines[drive.pk].way for drive in drives}
    own = schedule.own_words([organization.pk])[organization.pk]
    return _Occasion(organization, Openings(drives, found.slots, found.since), ways, own, now)


@transaction.atomic
def _batch(occasion: _Occasion, after: int) -> tuple[int, int]:
    """How many were queued, and the id to go on after; 0 when there is nobody left, or somebody else is at it.

    One round at a time tells an organization's donors, so that it sees what the last one said. Ten queries.
    Locks: the organization's appeals (try).
    """
    organization, now = occasion.organization, occasion.now
    if not locks.appeals(organization.pk):
        return 0, 0
    people = invitation_audience.who_gave(organization, now, after, AT_ONCE)
    if not people:
        return 0, 0
    zone = occasion.openings.drives[0].site.zone
    donations = history.donations_of_many({person.pk: zone for person in people}, now, everywhere=True)
    heard = invitation_audience.heard(organization, people, now - MONTH)
    told = list(_told(occasion, people, donations, heard))
    return outbox.queue(organization=organization, notices=told, now=now), people[-1].pk


def _told(
    occasion: _Occasion,
    people: Sequence[Volunteer],
    donations: dict[int, list[intervals.Donation]],
    heard: Heard,
) -> Iterator[Notice]:
    """A family on one phone hears of a drive once."""
    said: set[str] = set()
    for person in people:
        news = heard.by(person)
        if is_too_much(news, occasion.now) or said & invitation_audience.addresses_of([person]):
            continue
        known = {message.about for message in news}
        for times in _by_drive(occasion, donations[person.pk], known):
            if notice := _notice(occasion, person, times, heard):
                said.add(notice.envelope.address)
                yield notice
                break


def is_too_much(news: Sequence[Message], now: datetime) -> bool:
    """Whether somebody who was sent this in the last month is left in peace for now."""
    sent = {message.key.removesuffix(f"/{message.channel}"): message.created_at for message in news}
    return len(sent) >= MOST or any(now - at < APART for at in sent.values())


def _by_drive(
    occasion: _Occasion, donations: Sequence[intervals.Donation], known: set[str]
) -> Iterator[list[NextVisit]]:
    """The first times that are allowed at each drive of which the person has not heard; none before the date is reached
    and for who has something booked anywhere.
    """
    if any(one.known == intervals.BOOKED and one.at > occasion.now for one in donations):
        return
    for drive, times in groupby(occasion.openings.allowed(donations), lambda time: time.drive):
        if about(drive) not in known and _is_reached(drive, donations, occasion.now):
            yield list(islice(times, availability.NEAREST))


def _is_reached(drive: Drive, donations: Sequence[intervals.Donation], now: datetime) -> bool:
    return not intervals.judge(drive.rules, donations, now, drive.site.zone).broken


def about(drive: Drive) -> str:
    return f"drive:{drive.pk}"


def _notice(occasion: _Occasion, person: Volunteer, times: Sequence[NextVisit], heard: Heard) -> Notice | None:
    drive, now = times[0].drive, occasion.now
    to = addressees.of(person)
    # Where a text may not go an e-mail may, if the donor agreed to it: the schedule decides on texts only.
    channels = {Channel.EMAIL} if occasion.ways[drive.pk] == Way.MAIL else {Channel.SMS, Channel.EMAIL}
    agreed = [(channel, address) for channel, address in to.contacts if channel in channels and address in heard.agreed]
    if not agreed:
        return None
    (envelope,) = envelopes.make(
        kinds.INVITATION,
        replace(to, contacts=agreed[:1]),
        key=_key(person, heard, drive, now),
        about=about(drive),
        due_at=now,
        quiet=schedule.quiet_hours(drive),
        useful_until=min(times[0].starts_at, now + USEFUL_FOR),
    )
    word = partial(next_visit.appeal, person, times, envelope.channel, occasion.own)
    return Notice(envelope, bookings.in_language(person.language, word))


def _key(person: Volunteer, heard: Heard, drive: Drive, now: datetime) -> str:
    """The first or second of a month on the drive's calendar: two rounds at once would give the same."""
    month = f"{kinds.INVITATION.name}:{person.pk}/{now.astimezone(drive.site.zone):%Y-%m}"
    return f"{month}/{1 + sum(message.key.startswith(f'{month}/') for message in heard.told)}"
