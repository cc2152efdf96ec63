"""Build sample messages with their times, for an upcoming drive or a made-up one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils.translation import gettext as _

from drives.domain import reminder_times
from drives.domain.message_kinds import ScheduledKind
from drives.domain.reminder_times import MessageSchedule
from drives.eligibility.next_visit import FollowUp, NextVisit, Progress
from drives.messaging.texts import booking_texts, next_visit_texts, waitlist_texts, wording
from drives.messaging.texts.wording import CustomTexts, Measure, TextTemplate
from drives.models import Booking, BookingState, CancelledBy, Drive, Offer, Policy, Site, Visit, WaitlistEntry
from drives.web import links
from notifications.kinds import ChannelChoice
from notifications.message_content import MessageContent
from notifications.quiet_hours import QuietHours
from organizations.models import Organization
from volunteers.models import Volunteer


def choose_sample_drive(organization: Organization, now: datetime) -> Drive:
    rows = Drive.objects.of(organization).select_related("organization", "site", "policy")
    coming = rows.filter(starts_at__gt=now).exclude(state="cancelled").order_by("starts_at", "pk").first()
    return coming or rows.order_by("-starts_at", "-pk").first() or _build_sample_drive(organization, now)


def _build_sample_drive(organization: Organization, now: datetime) -> Drive:
    site = Site.objects.filter(organization=organization).order_by("pk").first() or Site(
        name=_("Your location"), sms_name=_("Your location"), timezone="America/Los_Angeles", city="", address=""
    )
    local = (now + timedelta(days=14)).astimezone(site.zone).replace(hour=10, minute=30, second=0, microsecond=0)
    policy = Policy(
        first_minutes=120, return_minutes=75, first_screening_minutes=60, return_screening_minutes=15, chair_minutes=45
    )
    return Drive(
        organization=organization,
        site=site,
        policy=policy,
        title=_("Plasma drive"),
        starts_at=local,
        step_minutes=15,
        first_screening_steps=4,
        return_screening_steps=1,
        first_chair_steps=3,
        return_chair_steps=3,
    )


@dataclass(frozen=True)
class TimelineStep:
    """A message on the timeline of a sample booking. `when_text` describes its time if there is no fixed one."""

    kind: ScheduledKind
    channels: str
    at: datetime | None = None
    when_text: str = ""
    remark: str = ""
    is_scheduled: bool = True


def build_timeline(
    message_schedule: MessageSchedule, starts_at: datetime, booked_at: datetime, quiet_hours: QuietHours
) -> list[TimelineStep]:
    steps = [
        TimelineStep(
            ScheduledKind.BOOKED,
            _channels_label(message_schedule[ScheduledKind.BOOKED]),
            at=booked_at,
            when_text=_("Right away"),
        )
    ]
    sent_kinds = {
        entry.kind
        for entry, _due in reminder_times.compute_reminders(message_schedule, starts_at, booked_at, quiet_hours)
    }
    reminder_steps = [
        _reminder_step(entry, starts_at, quiet_hours, entry.kind in sent_kinds)
        for entry in map(message_schedule.get, reminder_times.REMINDERS)
        if entry
    ]
    steps += sorted(
        (step for step in reminder_steps if message_schedule[step.kind].is_enabled),
        key=lambda step: (step.at or booked_at, step.kind),
    )
    follow_ups = [message_schedule[kind] for kind in reminder_times.FOLLOW_UPS if message_schedule[kind].is_enabled]
    return [
        *steps,
        *(
            TimelineStep(ScheduledKind(entry.kind), _channels_label(entry), when_text=_("Within a day after the drive"))
            for entry in follow_ups
        ),
        *_invitation_steps(message_schedule[ScheduledKind.INVITATION]),
    ]


def _invitation_steps(entry: reminder_times.EntrySettings) -> list[TimelineStep]:
    return (
        [
            TimelineStep(
                ScheduledKind.INVITATION, _channels_label(entry), when_text=_("On the date the donor can donate again")
            )
        ]
        if entry.is_enabled
        else []
    )


def _channels_label(entry: reminder_times.EntrySettings) -> str:
    return str(ChannelChoice(entry.channel_choice).label)


def _reminder_step(
    entry: reminder_times.EntrySettings, starts_at: datetime, quiet_hours: QuietHours, is_scheduled: bool
) -> TimelineStep:
    due = reminder_times.compute_due_time(entry, starts_at, quiet_hours)
    remark = ""
    if not is_scheduled:
        remark = _("Skipped because it would come too soon after the booking.")
    elif quiet_hours.is_quiet(reminder_times.compute_preferred_time(entry, starts_at, quiet_hours.zone)):
        remark = _("Moved earlier to avoid quiet hours.")
    return TimelineStep(
        ScheduledKind(entry.kind), _channels_label(entry), at=due, remark=remark, is_scheduled=is_scheduled
    )


@dataclass(frozen=True)
class RenderedSample:
    text: str
    measured: Measure
    longest: Measure
    hundred_cost: Decimal  # of this text for a hundred people
    email: MessageContent


def render_sample(drive: Drive, kind: str, language: str, custom_text: TextTemplate) -> RenderedSample:
    organization, custom = drive.organization, {(kind, language): custom_text}
    text = _render_wording(drive, kind, language, "sms", custom).text
    measured = wording.measure_text(text)
    template = custom_text.text or booking_texts.call_in_language(
        language, lambda: wording.build_default_text(kind).text
    )
    longest = wording.measure_longest_text(
        template, language, organization.sms_name, links.compute_booking_link_length()
    )
    cost = 100 * organization.sms_price * measured.segments
    return RenderedSample(text, measured, longest, cost, _render_wording(drive, kind, language, "email", custom))


def _render_wording(drive: Drive, kind: str, language: str, channel: str, custom: CustomTexts) -> MessageContent:
    booking, starts_at = _build_booking(drive, kind), drive.starts_at
    renderers: Mapping[str, Callable[[], MessageContent]] = {
        "booked": lambda: booking_texts.render_booked(booking, channel, custom),
        "reminder": lambda: booking_texts.render_reminder(booking, channel, starts_at - timedelta(days=3), custom),
        "day_before": lambda: booking_texts.render_reminder(booking, channel, starts_at - timedelta(days=1), custom),
        "same_day": lambda: booking_texts.render_reminder(booking, channel, starts_at, custom),
        "moved": lambda: booking_texts.render_moved(booking, channel, starts_at + timedelta(hours=1), custom),
        "relocated": lambda: booking_texts.render_relocated(booking, channel, custom),
        "cancelled": lambda: booking_texts.render_cancelled(booking, channel, custom),
        "given_up": lambda: booking_texts.render_cancelled(booking, channel, custom),
        "offer": lambda: waitlist_texts.render_offer(_build_offer(drive), channel, custom),
        "drive_cancelled": lambda: booking_texts.render_drive_cancelled(booking, channel, custom),
        "thank_you": lambda: next_visit_texts.render_thank_you(booking, channel, custom),
        # Several kinds use the same renderer. Only the sample booking's state differs.
        "came": lambda: next_visit_texts.render_thank_you(booking, channel, custom),
        "second_visit": lambda: next_visit_texts.render_thank_you(
            booking, channel, custom, _build_first_visit_thanks(drive)
        ),
        "missed": lambda: booking_texts.render_missed(booking, channel, custom),
        "invitation": lambda: next_visit_texts.render_invitation(
            _build_volunteer(drive), [_build_next_visit(drive)], channel, custom
        ),
        "next_drive": lambda: next_visit_texts.render_invitation(
            _build_volunteer(drive), [replace(_build_next_visit(drive), visit=Visit.FIRST)], channel, custom
        ),
    }
    return booking_texts.call_in_language(language, renderers[kind])


def _build_volunteer(drive: Drive) -> Volunteer:
    return Volunteer(name="Ana Alder", organization=drive.organization)


def _build_next_visit(drive: Drive) -> NextVisit:
    return NextVisit(drive, 0, drive.starts_at, Visit.RETURN)


def _build_first_visit_thanks(drive: Drive) -> FollowUp:
    return FollowUp(Progress(1, drive.starts_at.date() + timedelta(days=180)), [_build_next_visit(drive)])


def _build_offer(drive: Drive) -> Offer:
    entry = WaitlistEntry(
        **WaitlistEntry.build_link_fields(), drive=drive, volunteer=_build_volunteer(drive), visit=Visit.RETURN
    )
    deadline = drive.starts_at - timedelta(days=1)
    return Offer(**Offer.build_link_fields(), entry=entry, starts_at=drive.starts_at, deadline=deadline)


def _build_booking(drive: Drive, kind: str) -> Booking:
    state = BookingState.DONATED if kind in {"thank_you", "second_visit"} else BookingState.BOOKED
    return Booking(
        **Booking.build_link_fields(),  # no page exists for this link
        drive=drive,
        starts_at=drive.starts_at,
        volunteer=_build_volunteer(drive),
        visit=Visit.RETURN,
        state=state,
        cancelled_by=CancelledBy.DONOR if kind == "given_up" else "",
    )
