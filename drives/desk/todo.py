"""What needs somebody: one sentence each, with where to do it."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from drives.desk import queries
from drives.domain import localtime
from drives.models import Drive, DriveState

MOST_HOURS_NAMED = 2


@dataclass(frozen=True)
class Todo:
    """A task: its state as a pill with a word, the sentence, the address."""

    pill: str
    colour: str
    text: str
    url: str


def of_home(home: queries.Home) -> list[Todo]:
    """Over all drives of the organization."""
    return [
        *_next(home),
        *_replies(home),
        *(todo for row in home.upcoming for todo in _draft(row.drive)),
        *_reports(home),
    ]


def of_desk(drive: Drive, desk: queries.Desk) -> list[Todo]:
    """About one drive."""
    return [*_draft(drive), *_reached(drive, len(desk.not_reached)), *_places(drive, desk), *_day(drive, desk)]


def _next(home: queries.Home) -> Iterator[Todo]:
    if home.next:
        yield from _reached(home.next.drive, home.not_reached)
        if not home.next.drive.goal:
            yield _goal(home.next.drive)


def _replies(home: queries.Home) -> Iterator[Todo]:
    if home.replies:
        pill = ngettext("%(count)s reply", "%(count)s replies", home.replies) % {"count": home.replies}
        text = ngettext("waits for an answer.", "wait for an answer.", home.replies)
        yield Todo(pill, "gold", text, reverse("organizer_replies"))


def _draft(drive: Drive) -> Iterator[Todo]:
    if drive.state == DriveState.DRAFT:
        day = localtime.long_day(drive.starts_at, drive.site.timezone)
        text = _("“%(title)s” on %(day)s: nobody can book yet. Look at it and publish it.")
        yield Todo(_("Draft"), "gold", text % {"title": drive.title, "day": day}, _address(drive))


def _reached(drive: Drive, count: int) -> Iterator[Todo]:
    if count:
        pill = ngettext("%(count)s person", "%(count)s people", count) % {"count": count}
        yield Todo(pill, "bad", _("did not get a message. Call them."), reverse("organizer_calls", args=[drive.pk]))


def _places(drive: Drive, desk: queries.Desk) -> Iterator[Todo]:
    if not drive.goal and drive.state != DriveState.CANCELLED:
        yield _goal(drive)
    if drive.goal and desk.figures.needed > desk.figures.left and desk.half_empty:
        yield Todo(_("Goal"), "gold", _("The places left do not reach it. More chairs or hours would."), _plan(drive))
    if desk.half_empty:
        yield Todo(_("Half empty"), "gold", _half_empty(drive, desk), reverse("drive", args=[drive.slug]))


def _half_empty(drive: Drive, desk: queries.Desk) -> str:
    """Names up to two hours, counts more."""
    if len(desk.half_empty) > MOST_HOURS_NAMED:
        facts = {"count": len(desk.half_empty), "of": len(desk.hours)}
        return _("In %(count)s of %(of)s hours less than half of the chairs are taken: share the link.") % facts
    hours = ", ".join(localtime.clock(hour.fill.starts_at, drive.site.timezone) for hour in desk.half_empty)
    return _("Less than half of the chairs are taken from %(hours)s: share the link.") % {"hours": hours}


def _day(drive: Drive, desk: queries.Desk) -> Iterator[Todo]:
    if desk.unresolved:
        pill = ngettext("%(count)s person", "%(count)s people", desk.unresolved) % {"count": desk.unresolved}
        yield Todo(
            pill, "bad", _("checked in, outcome missing. Say what happened."), reverse("checkin", args=[drive.slug])
        )
    elif drive.closed_out_at and drive.state == DriveState.CLOSED:
        yield _report(drive)


def _reports(home: queries.Home) -> Iterator[Todo]:
    for row in home.past:
        if row.drive.closed_out_at and row.drive.state == DriveState.CLOSED:
            yield _report(row.drive)


def _report(drive: Drive) -> Todo:
    text = _("“%(title)s”: look at the turnout and complete it.") % {"title": drive.title}
    return Todo(_("Turnout"), "gold", text, reverse("organizer_turnout", args=[drive.pk]))


def _goal(drive: Drive) -> Todo:
    return Todo(_("Goal"), "", _("Set how many donations this drive is for."), _plan(drive))


def _address(drive: Drive) -> str:
    return reverse("organizer_drive", args=[drive.pk])


def _plan(drive: Drive) -> str:
    return reverse("organizer_plan", args=[drive.pk])
