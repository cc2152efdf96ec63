"""Sentences for the problem codes of `drives.domain.grid` and `drives.planning.plan_check`."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from drives.domain.grid import GridProblem

_DOES_NOT_FIT = _("A visit of %(minutes)s minutes fits nowhere in the hours.")
SENTENCES: Final[dict[str, Promise]] = {
    "zone_unknown": _("There is no time zone %(zone)s."),
    "date_out_of_range": _("The year %(year)s is out of range."),
    "closes_before_opens": _("A drive closes after it opens, on the same day."),
    "step_not_allowed": _("A step is 5 to 60 minutes, in fives."),
    "time_not_whole_minute": _("Times are whole minutes."),
    "break_ends_before_start": _("The break at %(at)s must end after it starts."),
    "break_outside_hours": _("The break at %(at)s is not within the hours of the drive."),
    "breaks_overlap": _("The break at %(at)s starts within another."),
    "time_does_not_exist": _("%(at)s does not exist on %(day)s: the clock goes forward over it."),
    "hours_not_whole_steps": _("%(length)s are not whole steps of %(minutes)s minutes."),
    "no_chairs": _("A drive needs at least one chair."),
    "no_screening_places": _("Visits with screening need a place for it."),
    "visit_without_chair_time": _("A visit takes a chair for at least one step."),
    "first_visit_does_not_fit": _DOES_NOT_FIT,
    "returning_visit_does_not_fit": _DOES_NOT_FIT,
    "time_happens_twice": _("%(at)s happens twice on %(day)s; the first one is meant (%(meant)s)."),
    "zone_changes_in_hours_forward": _("The clock goes forward by %(length)s during the drive."),
    "zone_changes_in_hours_back": _("The clock goes back by %(length)s during the drive."),
    "hours_differ_from_clock": _("The drive lasts %(length)s, although the clock shows %(shown)s."),
    "break_not_on_steps": _("The break at %(at)s closes every step it touches: it is not on the steps."),
    "looser_than_policy": _("The program asks for %(least)s already: write more, or leave it empty."),
    "looser_window_than_policy": _(
        "The program allows at most %(count)s in %(days)s days already: write fewer, or leave it empty."
    ),
    "window_incomplete": _("Say both: how many donations, and in how many days."),
}


def format_problem(problem: GridProblem) -> str:
    direction = problem.values.get("way")
    return str(SENTENCES[f"{problem.code}_{direction}" if direction else problem.code]) % problem.values
