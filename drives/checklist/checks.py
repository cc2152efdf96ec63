"""Decide which tasks the service checks off, from facts about the drive."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from drives.attendance.turnout import GoalFacts
from drives.domain import forecast, localtime
from drives.domain.reminder_times import REMINDERS
from drives.messaging import schedule
from drives.models import ACTIVE_STATES, BookingState, ChecklistCheck, Drive, DriveState, ShareLink
from notifications import queries as notifications_queries
from notifications.models import Sender
from organizations.models import Organization


@dataclass(frozen=True)
class DriveFacts:
    drive: Drive
    booked: int  # bookings that led to a donation or are still active
    expected: int  # donations in the forecast
    needed: int  # additional bookings that the goal needs
    link_count: int
    reminder_count: int
    sender: Sender | None


def load_facts(drives: Sequence[Drive], organization: Organization, goal_facts: GoalFacts) -> dict[int, DriveFacts]:
    """Load the facts about the organization's drives. Three queries."""
    ids = [drive.pk for drive in drives]
    schedules = schedule.load_drive_schedules(organization, ids)
    links = ShareLink.objects.filter(drive__in=ids).values_list("drive").annotate(Count("pk")).order_by("drive")
    link_counts = dict(links)
    sender = notifications_queries.find_sender(organization)
    facts = {}
    for drive in drives:
        counts = goal_facts.states[drive.pk]
        donated, still_expected = counts[BookingState.DONATED], sum(counts[state] for state in ACTIVE_STATES)
        expected = forecast.compute_expected_donations(donated, still_expected, goal_facts.rate)
        facts[drive.pk] = DriveFacts(
            drive=drive,
            booked=donated + still_expected,
            expected=expected,
            needed=forecast.compute_bookings_needed(drive.goal or 0, expected, goal_facts.rate),
            link_count=link_counts.get(drive.pk, 0),
            reminder_count=sum(schedules[drive.pk][kind].is_enabled for kind in REMINDERS),
            sender=sender,
        )
    return facts


def is_met(kind: str, facts: DriveFacts) -> bool:
    return _MET[ChecklistCheck(kind)](facts)


def describe(kind: str, facts: DriveFacts) -> str:
    """Return a sentence with the reason why the service has checked off a task, or why not."""
    return _SENTENCES[ChecklistCheck(kind)](facts)


_MET: dict[ChecklistCheck, Callable[[DriveFacts], bool]] = {
    ChecklistCheck.CENTER: lambda facts: facts.drive.center_id is not None,
    ChecklistCheck.GOAL: lambda facts: facts.drive.goal is not None,
    ChecklistCheck.PUBLISHED: lambda facts: facts.drive.state != DriveState.DRAFT,
    ChecklistCheck.RECRUITERS: lambda facts: facts.link_count > 0,
    ChecklistCheck.BOOKINGS: lambda facts: facts.drive.goal is not None and facts.needed == 0,
    ChecklistCheck.REMINDERS: lambda facts: facts.reminder_count > 0,
    ChecklistCheck.TEXTS: lambda facts: facts.sender is not None and facts.sender.stopped_at is None,
}


def _describe_center(facts: DriveFacts) -> str:
    center = facts.drive.center
    return (
        _("The center in the plan is %(center)s.") % {"center": center.name}
        if center
        else _("The plan has no center yet.")
    )


def _describe_goal(facts: DriveFacts) -> str:
    if facts.drive.goal is None:
        return _("The plan has no goal yet.")
    text = ngettext("The goal is %(count)s donation.", "The goal is %(count)s donations.", facts.drive.goal)
    return text % {"count": facts.drive.goal}


def _describe_publication(facts: DriveFacts) -> str:
    drive = facts.drive
    if drive.published_at is None:
        return _("The drive is still a draft.")
    return _("Published on %(day)s.") % {"day": localtime.format_short_day(drive.published_at, drive.site.timezone)}


def _describe_recruiters(facts: DriveFacts) -> str:
    if not facts.link_count:
        return _("No recruiter has a link yet.")
    text = ngettext("%(count)s recruiter has a link.", "%(count)s recruiters have a link.", facts.link_count)
    return text % {"count": facts.link_count}


def _describe_bookings(facts: DriveFacts) -> str:
    if facts.drive.goal is None:
        return _("The plan has no goal yet.")
    counts = {"expected": facts.expected, "goal": facts.drive.goal, "booked": facts.booked, "needed": facts.needed}
    if not facts.needed:
        text = ngettext(
            "%(booked)s person is booked. We expect %(expected)s donations, and the goal is %(goal)s.",
            "%(booked)s people are booked. We expect %(expected)s donations, and the goal is %(goal)s.",
            facts.booked,
        )
        return text % counts
    text = ngettext(
        "You need %(needed)s more booking. So far, you have %(booked)s, and we expect %(expected)s of %(goal)s"
        " donations.",
        "You need %(needed)s more bookings. So far, you have %(booked)s, and we expect %(expected)s of %(goal)s"
        " donations.",
        facts.needed,
    )
    return text % counts


def _describe_reminders(facts: DriveFacts) -> str:
    if not facts.reminder_count:
        return _("All reminders for this drive are turned off.")
    text = ngettext("%(count)s reminder is turned on.", "%(count)s reminders are turned on.", facts.reminder_count)
    return text % {"count": facts.reminder_count}


def _describe_texts(facts: DriveFacts) -> str:
    if facts.sender is None:
        return _("No sender is set up.")
    return _("The sender is turned off.") if facts.sender.stopped_at else _("A sender is set up and turned on.")


_SENTENCES: dict[ChecklistCheck, Callable[[DriveFacts], str]] = {
    ChecklistCheck.CENTER: _describe_center,
    ChecklistCheck.GOAL: _describe_goal,
    ChecklistCheck.PUBLISHED: _describe_publication,
    ChecklistCheck.RECRUITERS: _describe_recruiters,
    ChecklistCheck.BOOKINGS: _describe_bookings,
    ChecklistCheck.REMINDERS: _describe_reminders,
    ChecklistCheck.TEXTS: _describe_texts,
}
