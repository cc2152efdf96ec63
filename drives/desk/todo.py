"""The to-do lists on the desk. Each item is one sentence with a link."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from drives.checklist.queries import Checklist
from drives.desk import queries, rules
from drives.domain import localtime
from drives.models import Drive, DriveState
from drives.planning import rules as planning_rules
from drives.web import languages
from organizations.translated_text import TranslatedString

MAX_HOURS_NAMED = 2


@dataclass(frozen=True)
class Todo:
    """A to-do item. `color` is the CSS class of its pill."""

    pill: str
    color: str
    text: str
    url: str


def list_home_todos(
    home: queries.HomePage, *, sees_plan: bool, may_plan: bool, setup_steps_left: int = 0
) -> list[Todo]:
    """List the to-do items of all drives. Items for which a delay does the most harm come first."""
    return [
        *(_build_unreached_todo(drive, count, drive.title) for drive, count in home.not_reached),
        *_list_reply_todos(home),
        *_list_failed_task_todos(home),
        *(_list_under_filled_todos(home) if may_plan else []),
        *(_build_offer_todo(drive, count) for drive, count in home.offers),
        *(_build_named_checklist_todo(checklist) for checklist in home.overdue if sees_plan),
        *(_build_report_todo(drive) for drive in home.to_complete),
        *(todo for row in home.upcoming for todo in _list_draft_todos(row.drive)),
        *_list_next_drive_todos(home),
        *_list_setup_todos(setup_steps_left),
    ]


def list_drive_todos(drive: Drive, desk: queries.DeskPage) -> list[Todo]:
    return [
        *_list_draft_todos(drive),
        *([_build_unreached_todo(drive, len(desk.not_reached))] if desk.not_reached else []),
        *(_build_checklist_todo(checklist) for checklist in desk.overdue),
        *_list_capacity_todos(drive, desk),
        *_list_day_todos(drive, desk),
    ]


def _list_next_drive_todos(home: queries.HomePage) -> Iterator[Todo]:
    if home.next and not home.next.drive.goal:
        yield _build_goal_todo(home.next.drive)


def _list_reply_todos(home: queries.HomePage) -> Iterator[Todo]:
    if home.replies:
        pill = ngettext("%(count)s reply", "%(count)s replies", home.replies) % {"count": home.replies}
        text = ngettext("needs an answer.", "need an answer.", home.replies)
        yield Todo(pill, "gold", text, reverse("organizer_replies"))


def _list_failed_task_todos(home: queries.HomePage) -> Iterator[Todo]:
    if home.failed_tasks:
        text = ngettext("failed. See why, and try again.", "failed. See why, and try again.", home.failed_tasks)
        yield Todo(_format_task_count(home.failed_tasks), "bad", text, reverse("organizer_parked"))


def _build_checklist_todo(checklist: Checklist) -> Todo:
    count = len(checklist.overdue)
    text = ngettext("is overdue. Open the checklist.", "are overdue. Open the checklist.", count)
    return Todo(_format_task_count(count), "gold", text, _build_checklist_url(checklist.drive))


def _build_named_checklist_todo(checklist: Checklist) -> Todo:
    count, drive = len(checklist.overdue), checklist.drive
    text = ngettext(
        "for “%(title)s” on %(day)s is overdue. Open the checklist.",
        "for “%(title)s” on %(day)s are overdue. Open the checklist.",
        count,
    )
    day = localtime.format_long_day(drive.starts_at, drive.site.timezone)
    text = _name_drive(text, drive.title, day=day)
    return Todo(_format_task_count(count), "gold", text, _build_checklist_url(drive))


def _format_task_count(count: int) -> str:
    return ngettext("%(count)s task", "%(count)s tasks", count) % {"count": count}


def _list_under_filled_todos(home: queries.HomePage) -> Iterator[Todo]:
    shown = home.under_filled[: rules.UNDER_FILLED_SHOWN]
    for row in shown:
        yield _build_under_filled_todo(row)
    if more := len(home.under_filled) - len(shown):
        pill = ngettext("%(count)s more drive", "%(count)s more drives", more) % {"count": more}
        text = ngettext(
            "in the next %(days)s days needs donors, too. See all drives.",
            "in the next %(days)s days need donors, too. See all drives.",
            more,
        )
        days = planning_rules.UNDER_FILLED_WITHIN.days
        yield Todo(pill, "gold", text % {"days": days}, reverse("organizer_drives"))


def _build_under_filled_todo(row: queries.DriveFigures) -> Todo:
    drive, count = row.drive, row.spots_left
    pill = ngettext("%(count)s open spot", "%(count)s open spots", count) % {"count": count}
    text = _("for “%(title)s” on %(day)s. Share the drive again.")
    day = localtime.format_long_day(drive.starts_at, drive.site.timezone)
    return Todo(pill, "gold", _name_drive(text, drive.title, day=day), reverse("organizer_share", args=[drive.pk]))


def _build_offer_todo(drive: Drive, count: int) -> Todo:
    pill = ngettext("%(count)s offer", "%(count)s offers", count) % {"count": count}
    text = ngettext(
        "for “%(title)s” is waiting for an answer. See the waiting list.",
        "for “%(title)s” are waiting for an answer. See the waiting list.",
        count,
    )
    return Todo(pill, "", _name_drive(text, drive.title), reverse("organizer_waitlist", args=[drive.pk]))


def _list_draft_todos(drive: Drive) -> Iterator[Todo]:
    if drive.state == DriveState.DRAFT:
        day = localtime.format_long_day(drive.starts_at, drive.site.timezone)
        text = _("“%(title)s” on %(day)s isn’t open for booking yet. Review it and publish it.")
        yield Todo(_("Draft"), "gold", _name_drive(text, drive.title, day=day), _build_drive_url(drive))


def _name_drive(text: str, title: TranslatedString, **facts: str) -> str:
    """Insert the title and the facts into the text. Mark a title in another language with `lang`."""
    before, _title, after = text.partition("%(title)s")
    return format_html("{}{}{}", before % facts, languages.in_language(title), after % facts)


def _build_unreached_todo(drive: Drive, count: int, title: TranslatedString | None = None) -> Todo:
    pill = ngettext("%(count)s person", "%(count)s people", count) % {"count": count}
    text = _("from “%(title)s” did not get a message. Call them.") if title else _("did not get a message. Call them.")
    text = _name_drive(text, title) if title else text
    return Todo(pill, "bad", text, reverse("organizer_call_list", args=[drive.pk]))


def _list_capacity_todos(drive: Drive, desk: queries.DeskPage) -> Iterator[Todo]:
    if not drive.goal and drive.state != DriveState.CANCELLED:
        yield _build_goal_todo(drive)
    if desk.has_too_few_spots:
        yield Todo(
            _("Goal"),
            "gold",
            _("There aren’t enough spots left to reach the goal. Add chairs or hours."),
            _build_plan_url(drive),
        )
    if desk.half_empty:
        yield Todo(
            _("Half empty"), "gold", _format_half_empty(drive, desk), reverse("organizer_share", args=[drive.pk])
        )


def _format_half_empty(drive: Drive, desk: queries.DeskPage) -> str:
    if len(desk.half_empty) > MAX_HOURS_NAMED:
        facts = {"count": len(desk.half_empty), "of": len(desk.hours)}
        return _("In %(count)s of %(of)s hours, fewer than half of the chairs are taken. Share the link.") % facts
    hours = ", ".join(localtime.format_time(hour.fill.starts_at, drive.site.timezone) for hour in desk.half_empty)
    sentence = _("Fewer than half of the chairs are taken in the hours that start at %(hours)s. Share the link.")
    return sentence % {"hours": hours}


def _list_day_todos(drive: Drive, desk: queries.DeskPage) -> Iterator[Todo]:
    if desk.unresolved:
        pill = ngettext("%(count)s person", "%(count)s people", desk.unresolved) % {"count": desk.unresolved}
        yield Todo(
            pill,
            "bad",
            _("checked in without an outcome. Record the outcome."),
            reverse("checkin", args=[drive.slug]),
        )
    elif drive.closed_out_at and drive.state == DriveState.CLOSED:
        yield _build_report_todo(drive)


def _list_setup_todos(count: int) -> Iterator[Todo]:
    if count:
        pill = ngettext("%(count)s step", "%(count)s steps", count) % {"count": count}
        text = ngettext("of the guided set-up is left.", "of the guided set-up are left.", count)
        yield Todo(pill, "", text, reverse("organizer_setup"))


def _build_report_todo(drive: Drive) -> Todo:
    text = _name_drive(_("“%(title)s”: review the turnout and complete the drive."), drive.title)
    return Todo(_("Turnout"), "gold", text, reverse("organizer_turnout", args=[drive.pk]))


def _build_goal_todo(drive: Drive) -> Todo:
    return Todo(_("Goal"), "", _("Set a goal: how many donations do you want from this drive?"), _build_plan_url(drive))


def _build_drive_url(drive: Drive) -> str:
    return reverse("organizer_drive", args=[drive.pk])


def _build_checklist_url(drive: Drive) -> str:
    return reverse("organizer_checklist", args=[drive.pk])


def _build_plan_url(drive: Drive) -> str:
    return reverse("organizer_edit_drive", args=[drive.pk])
