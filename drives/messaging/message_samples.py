"""What messages would say and when they would go out: for a real coming drive, or a made-up one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.utils.translation import gettext as _

from drives.domain import reminder_times
from drives.domain.message_kinds import ScheduledKind
from drives.domain.reminder_times import MessageSchedule
from drives.eligibility.next_visit import FollowUp, NextVisit, Progress
from drives.messaging.texts import booking_texts, catalog, next_visit_texts, waitlist_texts
from drives.messaging.texts.catalog import CustomTexts, Measure, TextTemplate
from drives.models import Booking, BookingState, CancelledBy, Drive, Offer, Policy, Site, Visit, WaitlistEntry
from drives.web import links
from notifications.kinds import ChannelChoice
from notifications.message_content import MessageContent
from notifications.quiet_hours import QuietHours
from organizations.models import Organization
from volunteers.models import Volunteer

SAMPLE_UUID = UUID(int=0)  # its link opens nothing


def choose_sample_drive(organization: Organization, now: datetime) -> Drive:
    """The next drive, else the last one, else one that is made up."""
    rows = Drive.objects.of(organization).select_related("organization", "site", "policy")
    coming = rows.filter(starts_at__gt=now).exclude(state="cancelled").order_by("starts_at", "pk").first()
    return coming or rows.order_by("-starts_at", "-pk").first() or _build_sample_drive(organization, now)


def _build_sample_drive(organization: Organization, now: datetime) -> Drive:
    site = Site.objects.filter(organization=organization).order_by("pk").first() or Site(
        name=_("Your place"), sms_name=_("Your place"), timezone="America/Los_Angeles", city="", address=""
    )
    local = (now + timedelta(days=14)).astimezone(site.zone).replace(hour=10, minute=30, second=0, microsecond=0)
    policy = Policy(first_minutes=120, return_minutes=75)
    return Drive(organization=organization, site=site, policy=policy, title=_("Plasma drive"), starts_at=local)


@dataclass(frozen=True)
class TimelineStep:
    """One line of "these go out at": what, when (none: in words), how, and a remark."""

    kind: ScheduledKind
    way: str
    at: datetime | None = None
    words: str = ""
    remark: str = ""
    is_scheduled: bool = True


def build_timeline(
    plan: MessageSchedule, starts_at: datetime, booked_at: datetime, quiet: QuietHours
) -> list[TimelineStep]:
    """When each message of a plan goes out for a slot and somebody who books it at `booked_at`."""
    steps = [
        TimelineStep(
            ScheduledKind.BOOKED, _channels_label(plan[ScheduledKind.BOOKED]), at=booked_at, words=_("At once")
        )
    ]
    sent = {line.kind for line, _due in reminder_times.compute_reminders(plan, starts_at, booked_at, quiet)}
    ahead = [
        _reminder_step(line, starts_at, quiet, line.kind in sent)
        for line in map(plan.get, reminder_times.REMINDERS)
        if line
    ]
    steps += sorted((step for step in ahead if plan[step.kind].on), key=lambda step: (step.at or booked_at, step.kind))
    told = [plan[kind] for kind in reminder_times.FOLLOW_UPS if plan[kind].on]
    return [
        *steps,
        *(
            TimelineStep(ScheduledKind(line.kind), _channels_label(line), words=_("Within a day after the drive"))
            for line in told
        ),
        *_invitation_steps(plan[ScheduledKind.INVITATION]),
    ]


def _invitation_steps(line: reminder_times.EntrySettings) -> list[TimelineStep]:
    return (
        [TimelineStep(ScheduledKind.INVITATION, _channels_label(line), words=_("When the next date is reached"))]
        if line.on
        else []
    )


def _channels_label(line: reminder_times.EntrySettings) -> str:
    return str(ChannelChoice(line.way).label)


def _reminder_step(
    line: reminder_times.EntrySettings, starts_at: datetime, quiet: QuietHours, is_scheduled: bool
) -> TimelineStep:
    due = reminder_times.compute_due_time(line, starts_at, quiet)
    remark = ""
    if not is_scheduled:
        remark = _("Skipped: it would come too soon after the booking.")
    elif quiet.is_quiet(reminder_times.compute_preferred_time(line, starts_at, quiet.zone)):
        remark = _("Moved earlier, out of the quiet hours.")
    return TimelineStep(
        ScheduledKind(line.kind), _channels_label(line), at=due, remark=remark, is_scheduled=is_scheduled
    )


@dataclass(frozen=True)
class RenderedSample:
    """What people would read: the text with its length and cost, the e-mail, and the text at its longest."""

    text: str
    measured: Measure
    longest: Measure
    cost: Decimal
    mail: MessageContent


def render_sample(drive: Drive, kind: str, language: str, custom_text: TextTemplate) -> RenderedSample:
    """How a message in these words reads at this drive."""
    organization, own = drive.organization, {(kind, language): custom_text}
    text = _render_wording(drive, kind, language, "sms", own).text
    measured = catalog.measure_text(text)
    template = custom_text.text or booking_texts.call_in_language(
        language, lambda: catalog.build_default_text(kind).text
    )
    longest = catalog.measure_longest_text(
        template, language, organization.sms_name, links.compute_booking_link_length()
    )
    cost = organization.sms_price * measured.segments
    return RenderedSample(text, measured, longest, cost, _render_wording(drive, kind, language, "email", own))


def _render_wording(drive: Drive, kind: str, language: str, channel: str, custom: CustomTexts) -> MessageContent:
    booking, starts_at = _booking(drive, kind), drive.starts_at
    words: Mapping[str, Callable[[], MessageContent]] = {
        "booked": lambda: booking_texts.render_booked(booking, channel, custom),
        "reminder": lambda: booking_texts.render_reminder(booking, channel, starts_at - timedelta(days=3), custom),
        "day_before": lambda: booking_texts.render_reminder(booking, channel, starts_at - timedelta(days=1), custom),
        "same_day": lambda: booking_texts.render_reminder(booking, channel, starts_at, custom),
        "moved": lambda: booking_texts.render_moved(booking, channel, starts_at + timedelta(hours=1), custom),
        "relocated": lambda: booking_texts.render_relocated(booking, channel, custom),
        "cancelled": lambda: booking_texts.render_cancelled(booking, channel, custom),
        "given_up": lambda: booking_texts.render_cancelled(booking, channel, custom),
        "offer": lambda: waitlist_texts.render_offer(_offer(drive), channel, custom),
        "drive_cancelled": lambda: booking_texts.render_drive_cancelled(booking, channel, custom),
        "thank_you": lambda: next_visit_texts.render_thank_you(booking, channel, custom),
        "came": lambda: next_visit_texts.render_thank_you(booking, channel, custom),
        "second_visit": lambda: next_visit_texts.render_thank_you(
            booking, channel, custom, _build_first_visit_thanks(drive)
        ),
        "missed": lambda: booking_texts.render_missed(booking, channel, custom),
        "invitation": lambda: next_visit_texts.render_invitation(
            _person(drive), [_build_next_visit(drive)], channel, custom
        ),
    }
    return booking_texts.call_in_language(language, words[kind])


def _person(drive: Drive) -> Volunteer:
    return Volunteer(name="Ana Alder", organization=drive.organization)


def _build_next_visit(drive: Drive) -> NextVisit:
    return NextVisit(drive, 0, drive.starts_at, Visit.RETURN)


def _build_first_visit_thanks(drive: Drive) -> FollowUp:
    return FollowUp(Progress(1, drive.starts_at.date() + timedelta(days=180)), [_build_next_visit(drive)])


def _offer(drive: Drive) -> Offer:
    """Nobody's offer, never kept."""
    entry = WaitlistEntry(uuid=SAMPLE_UUID, drive=drive, volunteer=_person(drive), visit=Visit.RETURN)
    return Offer(uuid=SAMPLE_UUID, entry=entry, starts_at=drive.starts_at, deadline=drive.starts_at - timedelta(days=1))


def _booking(drive: Drive, kind: str) -> Booking:
    """Nobody's booking, never kept: a link that opens nothing, a name that is made up."""
    state = BookingState.DONATED if kind in {"thank_you", "second_visit"} else BookingState.BOOKED
    return Booking(
        uuid=SAMPLE_UUID,
        drive=drive,
        starts_at=drive.starts_at,
        volunteer=_person(drive),
        visit=Visit.RETURN,
        state=state,
        cancelled_by=CancelledBy.DONOR if kind == "given_up" else "",
    )
