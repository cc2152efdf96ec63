"""Invite donors to book at an upcoming drive. The donors must be eligible and have consented to news."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import groupby, islice

from django.db import transaction

from drives.capacity import locks
from drives.capacity.rules import NEAREST_COUNT
from drives.domain import intervals
from drives.domain.message_kinds import ScheduledKind
from drives.eligibility import history
from drives.eligibility import queries as eligibility_queries
from drives.eligibility.next_visit import NextVisit
from drives.eligibility.queries import UpcomingTimes
from drives.messaging import invitation_audience, rules, schedule
from drives.messaging.invitation_audience import ContactHistory
from drives.messaging.texts import booking_texts, next_visit_texts
from drives.messaging.texts.wording import CustomTexts
from drives.models import Drive
from notifications import envelopes, kinds, outbox
from notifications.kinds import ChannelChoice
from notifications.message_content import RenderedMessage
from notifications.models import Message
from organizations import sweeps
from organizations.models import Organization
from volunteers import addressees
from volunteers.models import Volunteer

BATCH_SIZE = 500


def invite_all_donors(*, now: datetime, in_quiet_hours: bool = False) -> int:
    due = invitation_audience.list_organizations_to_invite(now, in_quiet_hours=in_quiet_hours)
    by_id = Organization.objects.in_bulk(due)

    def invite(pk: int) -> int:
        return invite_donors(organization=by_id[pk], now=now, in_quiet_hours=in_quiet_hours)

    return sweeps.run_each("invitations", due, invite, now=now)


def invite_donors(*, organization: Organization, now: datetime, in_quiet_hours: bool = False) -> int:
    """Queue an organization's invitations in batches of 500 donors. Return the number of new invitations.

    A donor is invited once per drive, at most once a week and twice a month. News that a coordinator sent to any of the
    donor's contacts also counts toward these limits. A run skips drives at sites where quiet hours apply now, unless
    `in_quiet_hours` is true. Saves a check when it has looked at all donors, so that sweeps do nothing until something
    changes.
    """
    # Read what is checked before the donors, so that the next sweep finds what changes in the meantime.
    drives = invitation_audience.list_drives_to_check(organization, now, in_quiet_hours=in_quiet_hours)
    run = _build_run(organization, now, in_quiet_hours=in_quiet_hours)
    if not run.openings.drives:
        invitation_audience.save_check(organization, drives, now)
        return 0
    queued, batch = 0, _Batch()
    while batch.has_more:
        # Each batch has its own transaction, so that a killed worker loses at most one batch.
        batch = _queue_batch(run, batch)
        queued += batch.queued
    if batch.is_complete:
        invitation_audience.save_check(organization, drives, now)
    return queued


@dataclass(frozen=True)
class _Batch:
    last_id: int = 0  # of the batch's donors
    queued: int = 0
    has_more: bool = True
    is_complete: bool = True  # no donor was left out in this batch or an earlier one


@dataclass(frozen=True)
class _InvitationRun:
    organization: Organization
    openings: UpcomingTimes
    channel_choices: dict[int, str]  # by drive id
    custom: CustomTexts
    now: datetime


def _build_run(organization: Organization, now: datetime, *, in_quiet_hours: bool) -> _InvitationRun:
    upcoming = eligibility_queries.load_upcoming_times(
        organization, now + rules.EARLIEST_INVITED_AHEAD, now + rules.LATEST_INVITED_AHEAD
    )
    schedules = schedule.load_drive_schedules(organization, [drive.pk for drive in upcoming.drives])
    entries = {pk: drive_schedule[ScheduledKind.INVITATION] for pk, drive_schedule in schedules.items()}
    drives = [
        drive
        for drive in upcoming.drives
        if entries[drive.pk].is_enabled and (in_quiet_hours or not schedule.build_quiet_hours(drive).is_quiet(now))
    ]
    channel_choices = {drive.pk: entries[drive.pk].channel_choice for drive in drives}
    custom = schedule.load_custom_texts([organization.pk])[organization.pk]
    return _InvitationRun(
        organization, UpcomingTimes(drives, upcoming.slots, upcoming.since), channel_choices, custom, now
    )


@transaction.atomic
def _queue_batch(run: _InvitationRun, before: _Batch) -> _Batch:
    """Queue the batch of invitations that follows `before`.

    Stops if another run holds the lock. Only one run at a time may queue invitations, because each run must see the
    invitations of earlier runs. Locks: the organization's invitations (without waiting). Eleven queries.
    """
    organization, now = run.organization, run.now
    if not locks.lock_invitations(organization.pk):
        return _Batch(has_more=False, is_complete=False)
    people = invitation_audience.list_donors_to_invite(organization, now, before.last_id, BATCH_SIZE)
    if not people:
        return _Batch(has_more=False, is_complete=before.is_complete)
    zone = run.openings.drives[0].site.zone
    donations = history.list_donations_by_volunteer({person.pk: zone for person in people}, now, all_organizations=True)
    contact_history = invitation_audience.load_contact_history(organization, people, now - rules.INVITATION_MONTH)
    rendered, left_out = _build_invitations(run, people, donations, contact_history)
    queued = outbox.queue_messages(organization=organization, messages=rendered, now=now)
    return _Batch(people[-1].pk, queued, is_complete=before.is_complete and not left_out)


def _build_invitations(
    run: _InvitationRun,
    people: Sequence[Volunteer],
    donations: dict[int, list[intervals.Donation]],
    contact_history: ContactHistory,
) -> tuple[list[RenderedMessage], set[int]]:
    """Return the invitations, and the ids of the donors who were left out because of an error."""
    by_id, used_addresses = {person.pk: person for person in people}, set[str]()
    rendered: list[RenderedMessage] = []
    left_out = set(by_id)

    def invite(pk: int) -> bool:  # uses loaded data only, without a query
        addresses = invitation_audience.collect_addresses([by_id[pk]])
        message = None
        if not used_addresses & addresses:
            message = _find_invitation(run, by_id[pk], donations[pk], contact_history)
        if message:
            used_addresses.add(message.envelope.address)
            rendered.append(message)
        left_out.discard(pk)
        return message is not None

    sweeps.run_each("invite_donors", by_id, invite, now=run.now)
    return rendered, left_out


def _find_invitation(
    run: _InvitationRun,
    person: Volunteer,
    donations: Sequence[intervals.Donation],
    contact_history: ContactHistory,
) -> RenderedMessage | None:
    news = contact_history.list_sent_to(person)
    if has_reached_invitation_limit(news, run.now):
        return None
    invited_drives = {message.about for message in news}
    built = (
        _build_invitation(run, person, times, contact_history)
        for times in _iterate_times_by_drive(run, donations, invited_drives)
    )
    return next(filter(None, built), None)


def has_reached_invitation_limit(news: Sequence[Message], now: datetime) -> bool:
    sent = {message.key.removesuffix(f"/{message.channel}"): message.created_at for message in news}
    return len(sent) >= rules.MAX_INVITATIONS_PER_MONTH or any(
        now - at < rules.MIN_INVITATION_GAP for at in sent.values()
    )


def _iterate_times_by_drive(
    run: _InvitationRun, donations: Sequence[intervals.Donation], invited_drives: set[str]
) -> Iterator[list[NextVisit]]:
    """Yield the first allowed times at each drive to which the donor has not been invited yet.

    Yields nothing for a donor with an upcoming booking at any organization.
    """
    if any(donation.basis == intervals.BOOKED and donation.donated_at > run.now for donation in donations):
        return
    for drive, times in groupby(run.openings.find_allowed_visits(donations), lambda time: time.drive):
        if format_drive_about(drive) not in invited_drives and _is_eligible(drive, donations, run.now):
            yield list(islice(times, NEAREST_COUNT))


def _is_eligible(drive: Drive, donations: Sequence[intervals.Donation], now: datetime) -> bool:
    return not intervals.check_intervals(drive.rules, donations, now, drive.site.zone).broken_rules


def format_drive_about(drive: Drive) -> str:
    return f"{invitation_audience.ABOUT_DRIVE}{drive.pk}"


def _build_invitation(
    run: _InvitationRun, person: Volunteer, times: Sequence[NextVisit], contact_history: ContactHistory
) -> RenderedMessage | None:
    drive, now = times[0].drive, run.now
    addressee = addressees.build_addressee(person)
    # The schedule can turn off texts, but not e-mails to donors who consented to them.
    choice = ChannelChoice.MAIL if run.channel_choices[drive.pk] == ChannelChoice.MAIL else ""
    contacts = contact_history.facts.list_contacts(kinds.INVITATION, addressee, choice=choice)
    if not contacts:
        return None
    (envelope,) = envelopes.build_envelopes(
        kinds.INVITATION,
        replace(addressee, contacts=contacts[:1]),
        key=_build_key(person, contact_history, drive, now),
        about=format_drive_about(drive),
        due_at=now,
        quiet_hours=schedule.build_quiet_hours(drive),
        useful_until=min(times[0].starts_at, now + rules.INVITATION_USEFUL_FOR),
    )
    render = partial(next_visit_texts.render_invitation, person, times, envelope.channel, run.custom)
    return RenderedMessage(envelope, booking_texts.call_in_language(person.language, render))


def _build_key(person: Volunteer, contact_history: ContactHistory, drive: Drive, now: datetime) -> str:
    """Build a message key from the month and the number of the donor's invitations in that month.

    Two runs at the same time build the same key, so the donor gets only one message. The month is in the site's zone.
    """
    month = f"{kinds.INVITATION.name}:{person.pk}/{now.astimezone(drive.site.zone):%Y-%m}"
    return f"{month}/{1 + sum(message.key.startswith(f'{month}/') for message in contact_history.sent)}"
