"""What messages would say and when they would go out: for a real coming drive, or a made-up one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.utils.translation import gettext as _

from drives.domain import reminder_times
from drives.domain.message_kinds import PlannedKind
from drives.domain.reminder_times import Plan
from drives.eligibility.next_visit import AfterVisit, NextVisit, Progress
from drives.messaging.texts import bookings, catalog, next_visit, waitlist
from drives.messaging.texts.catalog import Measure, Own, OwnWords
from drives.models import Booking, BookingState, CancelledBy, Drive, Offer, Policy, Site, Visit, WaitingEntry
from drives.web import links
from notifications.kinds import Way
from notifications.notice import Wording
from notifications.quiet_hours import QuietHours
from organizations.models import Organization
from volunteers.models import Volunteer

NOBODY = UUID(int=0)  # its link opens nothing


def sample_drive(organization: Organization, now: datetime) -> Drive:
    """The next drive, else the last one, else one that is made up."""
    rows = Drive.objects.of(organization).select_related("organization", "site", "policy")
    coming = rows.filter(starts_at__gt=now).exclude(state="cancelled").order_by("starts_at", "pk").first()
    return coming or rows.order_by("-starts_at", "-pk").first() or _made_up(organization, now)


def _made_up(organization: Organization, now: datetime) -> Drive:
    site = Site.objects.filter(organization=organization).order_by("pk").first() or Site(
        name=_("Your place"), sms_name=_("Your place"), timezone="America/Los_Angeles", city="", address=""
    )
    local = (now + timedelta(days=14)).astimezone(site.zone).replace(hour=10, minute=30, second=0, microsecond=0)
    policy = Policy(first_minutes=120, return_minutes=75)
    return Drive(organization=organization, site=site, policy=policy, title=_("Plasma drive"), starts_at=local)


@dataclass(frozen=True)
class Step:
    """One line of "these go out at": what, when (none: in words), how, and a remark."""

    kind: PlannedKind
    way: str
    at: datetime | None = None
    words: str = ""
    remark: str = ""
    goes_out: bool = True


def timeline(plan: Plan, starts_at: datetime, booked_at: datetime, quiet: QuietHours) -> list[Step]:
    """When each message of a plan goes out for a slot and somebody who books it at `booked_at`."""
    steps = [Step(PlannedKind.BOOKED, _way(plan[PlannedKind.BOOKED]), at=booked_at, words=_("At once"))]
    sent = {line.kind for line, _due in reminder_times.reminders(plan, starts_at, booked_at, quiet)}
    ahead = [
        _reminder(line, starts_at, quiet, line.kind in sent) for line in map(plan.get, reminder_times.REMINDERS) if line
    ]
    steps += sorted((step for step in ahead if plan[step.kind].on), key=lambda step: (step.at or booked_at, step.kind))
    told = [plan[kind] for kind in reminder_times.AFTERWARDS if plan[kind].on]
    return [
        *steps,
        *(Step(PlannedKind(line.kind), _way(line), words=_("Within a day after the drive")) for line in told),
        *_appeal(plan[PlannedKind.APPEAL]),
    ]


def _appeal(line: reminder_times.Line) -> list[Step]:
    return [Step(PlannedKind.APPEAL, _way(line), words=_("When the next date is reached"))] if line.on else []


def _way(line: reminder_times.Line) -> str:
    return str(Way(line.way).label)


def _reminder(line: reminder_times.Line, starts_at: datetime, quiet: QuietHours, goes_out: bool) -> Step:
    due = reminder_times.due_at(line, starts_at, quiet)
    remark = ""
    if not goes_out:
        remark = _("Skipped: it would come too soon after the booking.")
    elif quiet.is_quiet(reminder_times.wished_at(line, starts_at, quiet.zone)):
        remark = _("Moved earlier, out of the quiet hours.")
    return Step(PlannedKind(line.kind), _way(line), at=due, remark=remark, goes_out=goes_out)


@dataclass(frozen=True)
class Heard:
    """What people would read: the text with its length and cost, the e-mail, and the text at its longest."""

    text: str
    measured: Measure
    longest: Measure
    cost: Decimal
    mail: Wording


def heard(drive: Drive, kind: str, language: str, words: OwnWords) -> Heard:
    """How a message in these words reads at this drive."""
    organization, own = drive.organization, {(kind, language): words}
    text = _in_words(drive, kind, language, "sms", own).text
    measured = catalog.measure(text)
    template = words.text or bookings.in_language(language, lambda: catalog.ours(kind).text)
    longest = catalog.measure_longest(template, language, organization.sms_name, links.link_length())
    cost = organization.sms_price * measured.segments
    return Heard(text, measured, longest, cost, _in_words(drive, kind, language, "email", own))


def _in_words(drive: Drive, kind: str, language: str, channel: str, own: Own) -> Wording:
    booking, starts_at = _booking(drive, kind), drive.starts_at
    words: Mapping[str, Callable[[], Wording]] = {
        "booked": lambda: bookings.booked(booking, channel, own),
        "reminder": lambda: bookings.reminder(booking, channel, starts_at - timedelta(days=3), own),
        "day_before": lambda: bookings.reminder(booking, channel, starts_at - timedelta(days=1), own),
        "same_day": lambda: bookings.reminder(booking, channel, starts_at, own),
        "moved": lambda: bookings.moved(booking, channel, starts_at + timedelta(hours=1), own),
        "relocated": lambda: bookings.relocated(booking, channel, own),
        "cancelled": lambda: bookings.cancelled(booking, channel, own),
        "given_up": lambda: bookings.cancelled(booking, channel, own),
        "offer": lambda: waitlist.offered(_offer(drive), channel, own),
        "drive_cancelled": lambda: bookings.drive_cancelled(booking, channel, own),
        "thank_you": lambda: next_visit.thank_you(booking, channel, own),
        "came": lambda: next_visit.thank_you(booking, channel, own),
        "second_visit": lambda: next_visit.thank_you(booking, channel, own, _first(drive)),
        "missed": lambda: bookings.missed(booking, channel, own),
        "appeal": lambda: next_visit.appeal(_person(drive), [_next(drive)], channel, own),
    }
    return bookings.in_language(language, words[kind])


def _person(drive: Drive) -> Volunteer:
    return Volunteer(name="Ana Alder", organization=drive.organization)


def _next(drive: Drive) -> NextVisit:
    return NextVisit(drive, 0, drive.starts_at, Visit.RETURN)


def _first(drive: Drive) -> AfterVisit:
    return AfterVisit(Progress(1, drive.starts_at.date() + timedelta(days=180)), [_next(drive)])


def _offer(drive: Drive) -> Offer:
    """Nobody's offer, never kept."""
    entry = WaitingEntry(uuid=NOBODY, drive=drive, volunteer=_person(drive), visit=Visit.RETURN)
    return Offer(uuid=NOBODY, entry=entry, starts_at=drive.starts_at, deadline=drive.starts_at - timedelta(days=1))


def _booking(drive: Drive, kind: str) -> Booking:
    """Nobody's booking, never kept: a link that opens nothing, a name that is made up."""
    state = BookingState.DONATED if kind in {"thank_you", "second_visit"} else BookingState.BOOKED
    return Booking(
        uuid=NOBODY,
        drive=drive,
        starts_at=drive.starts_at,
        volunteer=_person(drive),
        visit=Visit.RETURN,
        state=state,
        cancelled_by=CancelledBy.DONOR if kind == "given_up" else "",
    )
