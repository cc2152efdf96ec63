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
from drives.domain.message_kinds import ScheduledKind
from drives.eligibility import history
from drives.eligibility import queries as eligibility_queries
from drives.eligibility.next_visit import NextVisit
from drives.eligibility.queries import UpcomingTimes
from drives.messaging import addressees, invitation_audience, schedule
from drives.messaging.invitation_audience import ContactHistory
from drives.messaging.texts import booking_texts, next_visit_texts
from drives.messaging.texts.catalog import CustomTexts
from drives.models import Drive
from notifications import envelopes, kinds, outbox
from notifications.kinds import ChannelChoice
from notifications.message_content import RenderedMessage
from notifications.models import Channel, Message
from organizations.models import Organization
from volunteers.models import Volunteer

MAX_PER_MONTH = 2  # a month: what the words of the consent say
MONTH, MIN_GAP = timedelta(days=31), timedelta(days=7)
EARLIEST_AHEAD, LATEST_AHEAD = timedelta(days=1), timedelta(weeks=4)  # ahead of now: the times that are worth an appeal
USEFUL_FOR = timedelta(days=3)
BATCH_SIZE = 500

log = logging.getLogger(__name__)


def invite_all_donors(*, now: datetime) -> int:
    """Tell everybody who may give again, organization by organization; return how many messages were queued."""
    found = invitation_audience.list_organizations_with_drives(now + EARLIEST_AHEAD, now + LATEST_AHEAD)
    return sum(_invite_or_log(organization, now) for organization in found)


def _invite_or_log(organization: Organization, now: datetime) -> int:
    """One organization that fails in a way nobody foresaw must not hold up the others."""
    try:
        return invite_donors(organization=organization, now=now)
    except Exception as error:
        log.error("invitations of organization %s cannot be queued: %s", organization.pk, type(error).__name__)
        return 0


def invite_donors(*, organization: Organization, now: datetime) -> int:
    """Queue an organization's appeals, some hundred people in each transaction; return how many were new.

    Nobody hears of one drive twice, of anything within a week, or more than twice a month: by what any address of
    theirs was sent, news by hand among it. In quiet hours of a drive's site nothing is said of it: a later round does.
    """
    occasion = _build_run(organization, now)
    queued, after = 0, 0
    while occasion.openings.drives:
        batch, after = _queue_batch(occasion, after)
        queued += batch
        if not after:
            break
    return queued


@dataclass(frozen=True)
class _InvitationRun:
    """What an organization's round is about: its drives that want appeals and may be spoken of at this hour."""

    organization: Organization
    openings: UpcomingTimes
    ways: dict[int, str]  # by drive
    own: CustomTexts
    now: datetime


def _build_run(organization: Organization, now: datetime) -> _InvitationRun:
    found = eligibility_queries.load_upcoming_times(organization, now + EARLIEST_AHEAD, now + LATEST_AHEAD)
    plans = schedule.load_drive_schedules(organization, [drive.pk for drive in found.drives])
    lines = {pk: plan[ScheduledKind.INVITATION] for pk, plan in plans.items()}
    drives = [
        drive for drive in found.drives if lines[drive.pk].on and not schedule.build_quiet_hours(drive).is_quiet(now)
    ]
    ways = {drive.pk: lines[drive.pk].way for drive in drives}
    own = schedule.load_custom_texts([organization.pk])[organization.pk]
    return _InvitationRun(organization, UpcomingTimes(drives, found.slots, found.since), ways, own, now)


@transaction.atomic
def _queue_batch(run: _InvitationRun, after_id: int) -> tuple[int, int]:
    """How many were queued, and the id to go on after; 0 when there is nobody left, or somebody else is at it.

    One round at a time tells an organization's donors, so that it sees what the last one said. Ten queries.
    Locks: the organization's appeals (try).
    """
    organization, now = run.organization, run.now
    if not locks.lock_invitations(organization.pk):
        return 0, 0
    people = invitation_audience.list_donors_to_invite(organization, now, after_id, BATCH_SIZE)
    if not people:
        return 0, 0
    zone = run.openings.drives[0].site.zone
    donations = history.list_donations_by_volunteer({person.pk: zone for person in people}, now, all_organizations=True)
    heard = invitation_audience.load_contact_history(organization, people, now - MONTH)
    told = list(_build_notices(run, people, donations, heard))
    return outbox.queue_messages(organization=organization, messages=told, now=now), people[-1].pk


def _build_notices(
    run: _InvitationRun,
    people: Sequence[Volunteer],
    donations: dict[int, list[intervals.Donation]],
    contact_history: ContactHistory,
) -> Iterator[RenderedMessage]:
    """A family on one phone hears of a drive once."""
    said: set[str] = set()
    for person in people:
        news = contact_history.by(person)
        if has_reached_invitation_limit(news, run.now) or said & invitation_audience.collect_addresses([person]):
            continue
        known = {message.about for message in news}
        for times in _times_by_drive(run, donations[person.pk], known):
            if notice := _build_notice(run, person, times, contact_history):
                said.add(notice.envelope.address)
                yield notice
                break


def has_reached_invitation_limit(news: Sequence[Message], now: datetime) -> bool:
    """Whether somebody who was sent this in the last month is left in peace for now."""
    sent = {message.key.removesuffix(f"/{message.channel}"): message.created_at for message in news}
    return len(sent) >= MAX_PER_MONTH or any(now - at < MIN_GAP for at in sent.values())


def _times_by_drive(
    run: _InvitationRun, donations: Sequence[intervals.Donation], invited_drives: set[str]
) -> Iterator[list[NextVisit]]:
    """The first times that are allowed at each drive of which the person has not heard; none before the date is reached
    and for who has something booked anywhere.
    """
    if any(one.basis == intervals.BOOKED and one.at > run.now for one in donations):
        return
    for drive, times in groupby(run.openings.find_allowed_visits(donations), lambda time: time.drive):
        if format_drive_about(drive) not in invited_drives and _is_eligible(drive, donations, run.now):
            yield list(islice(times, availability.NEAREST_COUNT))


def _is_eligible(drive: Drive, donations: Sequence[intervals.Donation], now: datetime) -> bool:
    return not intervals.check_intervals(drive.rules, donations, now, drive.site.zone).broken_rules


def format_drive_about(drive: Drive) -> str:
    return f"drive:{drive.pk}"


def _build_notice(
    run: _InvitationRun, person: Volunteer, times: Sequence[NextVisit], contact_history: ContactHistory
) -> RenderedMessage | None:
    drive, now = times[0].drive, run.now
    to = addressees.build_addressee(person)
    # Where a text may not go an e-mail may, if the donor agreed to it: the schedule decides on texts only.
    channels = {Channel.EMAIL} if run.ways[drive.pk] == ChannelChoice.MAIL else {Channel.SMS, Channel.EMAIL}
    agreed = [
        (channel, address)
        for channel, address in to.contacts
        if channel in channels and address in contact_history.agreed
    ]
    if not agreed:
        return None
    (envelope,) = envelopes.build_envelopes(
        kinds.INVITATION,
        replace(to, contacts=agreed[:1]),
        key=_build_key(person, contact_history, drive, now),
        about=format_drive_about(drive),
        due_at=now,
        quiet_hours=schedule.build_quiet_hours(drive),
        useful_until=min(times[0].starts_at, now + USEFUL_FOR),
    )
    word = partial(next_visit_texts.render_invitation, person, times, envelope.channel, run.own)
    return RenderedMessage(envelope, booking_texts.call_in_language(person.language, word))


def _build_key(person: Volunteer, contact_history: ContactHistory, drive: Drive, now: datetime) -> str:
    """The first or second of a month on the drive's calendar: two rounds at once would give the same."""
    month = f"{kinds.INVITATION.name}:{person.pk}/{now.astimezone(drive.site.zone):%Y-%m}"
    return f"{month}/{1 + sum(message.key.startswith(f'{month}/') for message in contact_history.told)}"
