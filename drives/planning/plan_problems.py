"""Sentences for the problem codes of `drives.domain.grid` and `drives.planning.plan_check`."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from drives.domain.grid import GridProblem

_DOES_NOT_FIT = _("The drive’s hours are too short for a visit of %(minutes)s minutes.")
SENTENCES: Final[dict[str, Promise]] = {
    "zone_unknown": _("There is no time zone %(zone)s."),
    "date_out_of_range": _("The year %(year)s isn’t possible. Check the date."),
    "day_past": _("This day has already passed. Choose today or a later day."),
    "closes_before_opens": _("The drive must close after it opens, on the same day."),
    "step_not_allowed": _("The time between arrivals must be 5 to 60 minutes, in multiples of 5."),
    "time_not_whole_minute": _("Use whole minutes."),
    "break_ends_before_start": _("The break at %(at)s must end after it starts."),
    "break_outside_hours": _("The break at %(at)s is outside the drive’s hours."),
    "breaks_overlap": _("The break at %(at)s overlaps another one."),
    "time_does_not_exist": _("%(at)s does not exist on %(day)s, because clocks go forward then."),
    "hours_not_whole_steps": _(
        "The drive’s hours (%(length)s) must be a multiple of %(minutes)s minutes. Change the time when it opens or"
        " closes."
    ),
    "no_chairs": _("A drive needs at least one chair."),
    "no_screening_places": _("Visits with screening need a screening station."),
    "visit_without_chair_time": _("A visit must use a chair for at least one time slot."),
    "first_visit_does_not_fit": _DOES_NOT_FIT,
    "returning_visit_does_not_fit": _DOES_NOT_FIT,
    "time_happens_twice": _(
        "%(at)s happens twice on %(day)s, because clocks go back then. We use the first one (%(meant)s)."
    ),
    "zone_changes_in_hours_forward": _("Clocks go forward by %(length)s during the drive."),
    "zone_changes_in_hours_back": _("Clocks go back by %(length)s during the drive."),
    "hours_differ_from_clock": _("The drive lasts %(length)s, although the clock shows %(shown)s."),
    "break_not_on_steps": _(
        "The break at %(at)s doesn’t line up with the arrival times, so it closes every time slot it overlaps."
    ),
    "looser_than_policy": _("The program’s own minimum is %(least)s. Enter a larger number, or leave this empty."),
    "looser_window_than_policy": _(
        "The program already limits donors to %(count)s donations in %(days)s days. Enter a smaller number, or leave"
        " this empty."
    ),
    "window_incomplete": _("Enter both: how many donations and in how many days."),
}


def format_problem(problem: GridProblem) -> str:
    direction = problem.values.get("way")
    return str(SENTENCES[f"{problem.code}_{direction}" if direction else problem.code]) % problem.values
