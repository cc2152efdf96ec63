"""A donor's progress toward qualifying, and sentences about the next visit. Pure functions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import formats
from django.utils.translation import gettext as _

from drives.domain import intervals, localtime
from drives.eligibility import rules
from drives.models import Drive, Visit


@dataclass(frozen=True)
class Progress:
    """The number of donations toward qualifying as a donor, at most `rules.DONATIONS_NEEDED`.

    If the donor does not give again by `counts_until`, the count starts over.
    """

    donation_count: int
    counts_until: date

    @property
    def is_first(self) -> bool:
        return self.donation_count == 1

    @property
    def sentence(self) -> str:
        if self.donation_count >= rules.DONATIONS_NEEDED:
            return _("Donation 2 of 2 to become a qualified donor. The center makes the final decision.")
        until = formats.date_format(self.counts_until, "DATE_FORMAT")
        return _("Donation 1 of 2 to become a qualified donor. Give the second one by %(until)s so that it counts.") % {
            "until": until
        }


@dataclass(frozen=True)
class NextVisit:
    """An open time at which the interval rules allow the donor's visit. `starts_at` is UTC."""

    drive: Drive
    slot_id: int
    starts_at: datetime
    visit: str

    @property
    def zone(self) -> str:
        return self.drive.site.timezone


@dataclass(frozen=True)
class FollowUp:
    progress: Progress | None = None
    times: Sequence[NextVisit] = ()
    gets_news: bool = False  # the donor can get news of coming drives

    @property
    def is_first(self) -> bool:
        return self.progress is not None and self.progress.is_first


NO_FOLLOW_UP = FollowUp()


def compute_progress(donations: Iterable[tuple[date, str]], day: date, lapse_after_days: int) -> Progress | None:
    """Return the donor's progress on a date, or None if no donation counts.

    `donations` are the dates and visit types of complete donations. After a gap of more than `lapse_after_days`, the
    count starts over. Returns None if the count starts with a return visit, because the donor has given elsewhere an
    unknown number of times.
    """
    count, last, gave_elsewhere = 0, None, False
    for donated_on, visit in sorted(dict(donations).items()):
        if intervals.is_first_visit(last, donated_on, lapse_after_days):
            count, gave_elsewhere = 0, visit == Visit.RETURN
        count, last = count + 1, donated_on
    if last is None or gave_elsewhere or intervals.is_first_visit(last, day, lapse_after_days):
        return None
    return Progress(min(count, rules.DONATIONS_NEEDED), last + timedelta(days=lapse_after_days))


def format_visit_times(times: Sequence[NextVisit]) -> str:
    """Format times like "Sat Mar 27 9:00 AM, 9:15 AM, Sun Mar 28 10:00 AM"."""
    phrases: list[str] = []
    day_before = ""
    for time in times:
        day, at = (
            localtime.format_short_day(time.starts_at, time.zone),
            localtime.format_time(time.starts_at, time.zone),
        )
        phrases.append(at if day == day_before else f"{day} {at}")
        day_before = day
    return ", ".join(phrases)
