"""Sentences for broken interval rules, and the visit type according to a donor's history."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.utils.translation import gettext as _

from drives.domain import intervals, localtime
from drives.models import Policy, Visit
from drives.refusals import Reason

VISIT_IS_FIRST = "visit_is_first"
INTERVAL_CODES = frozenset({intervals.INTERVAL_TOO_SHORT, intervals.WINDOW_FULL, intervals.CROSS_INTERVAL})
OVERRIDABLE_CODES = INTERVAL_CODES | {VISIT_IS_FIRST}
HISTORY_WITHIN = timedelta(days=800)  # more than twice the longest window of a known policy
MAX_OTHER_DRIVES = 5  # searched for alternative times
DONATIONS_NEEDED = 2  # two tested donations qualify a donor; the first cannot be used before the second


def build_interval_reason(broken: intervals.BrokenRule, earliest_ok_at: datetime | None, zone: str) -> Reason:
    """Build the reason for a broken interval rule.

    The sentence does not name the date or place of the other donation.
    """
    if broken.code == intervals.WINDOW_FULL:
        text = _("No more than %(count)s donations are allowed within %(days)s days.")
    elif broken.code == intervals.CROSS_INTERVAL:
        text = _("This time is too close to a different type of donation.")
    elif broken.code == intervals.VISITS_OVERLAP:
        text = _("This time overlaps another visit, and one person can’t be at two drives at once.")
    else:
        text = _("This time is too close to another donation.")
    detail = text % {"count": broken.count, "days": broken.days}
    if earliest_ok_at is None:
        return Reason(broken.code, detail)
    first = _("The earliest allowed time is %(moment)s.") % {
        "moment": localtime.format_earliest_time(earliest_ok_at, zone)
    }
    return Reason(broken.code, f"{detail} {first}", earliest_ok_at)


def compute_visit_type(donations: Sequence[intervals.Donation], policy: Policy, day: date) -> Visit | None:
    """Return the visit type according to the donor's history, or None if the donor may choose.

    After `lapse_after_days` without a donation, a visit is a first visit again. A newer self-reported donation prevents
    this. A self-reported donation alone does not make a return visit, because none of our centers has seen the donor.
    """
    recorded, self_reported = (
        intervals.find_last_donation_date(donations, policy.kind, basis)
        for basis in (intervals.GIVEN, intervals.SELF_REPORTED)
    )
    if recorded is None and self_reported is None:
        return None
    last = max(donated_on for donated_on in (recorded, self_reported) if donated_on)
    if intervals.is_first_visit(last, day, policy.lapse_after_days):
        return Visit.FIRST
    return Visit.RETURN if recorded else None


def build_first_visit_reason() -> Reason:
    text = _(
        "Your last donation was a while ago, so this counts as a first visit again. A first visit takes longer, so "
        "this time won’t work. Choose another one."
    )
    return Reason(VISIT_IS_FIRST, text)
